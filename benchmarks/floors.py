"""The floors, each a process of its own: `parse FOLDER` (PyYAML's C loader and nothing else), `push URL N SIZE CONCURRENCY TOKEN`
(httpx, the same batches as an apply sends, and the list read back)."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path


def parse(folder: str) -> None:
    """Load every file, and hold what is in it, as a planner must."""
    import yaml

    loaded = [yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for path in sorted(Path(folder).rglob("*.yaml"))]
    assert loaded


def event(number: int, now: int, *, stamped: bool = True) -> dict[str, object]:
    """What an apply sends for the alarm of this number; without a stamp it is nobody's."""
    metadata = {
        "event_name": f"CPU usage high on host {number:06}",
        "event_severity": "Major",
        "event_type": "alarm",
        "resource_provider": "ecs",
        "resource_type": "vm",
        "resource_id": f"ecs-{number:06}",
    }
    if stamped:
        metadata |= {"managed_by": "reconcile", "reconcile_key": f"floor/alarm.host-{number:06}-cpu-high"}
    annotations = {
        "alarm_probableCause_zh_cn": "runaway batch job",
        "alarm_fix_suggestion_zh_cn": "restart the agent",
        "message": "CPU above 90 % for 5 minutes",
    }
    return {"starts_at": now, "timeout": 1_296_000_000, "metadata": metadata, "annotations": annotations}


async def push(url: str, count: int, size: int, concurrency: int, token: str, *, stamped: bool = True) -> None:
    """Push all batches, then read every page of the list."""
    import httpx

    now = time.time_ns() // 1_000_000
    starts = iter(range(0, count, size))
    async with httpx.AsyncClient(base_url=url, timeout=60, headers={"X-Auth-Token": token}) as client:

        async def worker() -> None:
            for start in starts:
                events = [event(number, now, stamped=stamped) for number in range(start, min(count, start + size))]
                answer = await client.put("/v2/floor/push/events", json={"events": events})
                answer.raise_for_status()

        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(worker())
        marker: str | None = "0"
        while marker:
            answer = await client.post(
                "/v2/floor/events",
                params={"type": "active_alert", "limit": "1000", "marker": marker},
                json={"time_range": "-1.-1.60", "step": 60000},
            )
            answer.raise_for_status()
            marker = answer.json().get("page_info", {}).get("next_marker")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["parse", folder]:
            parse(folder)
        case ["push", url, count, size, concurrency, token]:
            asyncio.run(push(url, int(count), int(size), int(concurrency), token))
        case ["push", url, count, size, concurrency, token, "nobodys"]:
            asyncio.run(push(url, int(count), int(size), int(concurrency), token, stamped=False))
        case _:
            sys.exit(__doc__)
