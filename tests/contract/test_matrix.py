"""Every hypothesis about the server, combined, against the emulator as a real server: it must converge.

A fixed share runs by default; all of them with `-m full`. The world is read by a client of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from tests.crash.nest import Nest
from tests.emulator_fixture import running_emulator

PROJECT = "0123456789abcdef0123456789abcdef"
TOKEN = "matrix-token-0123456789-0123456789"
DIRECT = build_opener(ProxyHandler({}))
DEFAULT = {0, 13, 16, 25, 32, 45}


def combinations() -> Iterator[Any]:
    """All 48; the ones outside the default share are marked full."""
    every = itertools.product(("core", "metadata"), ("update", "ignore", "second"), ("id", "metadata"), (0, 3), (True, False))
    for number, (identity, repeat, clear_by, lag, page_info) in enumerate(every):
        marks = [] if number in DEFAULT else [pytest.mark.full]
        name = f"{identity}-{repeat}-{clear_by}-lag{lag}-{'pages' if page_info else 'flat'}"
        yield pytest.param(identity, repeat, clear_by, lag, page_info, marks=marks, id=name)


class Tool:
    """The tool in a folder, talking to one emulator."""

    def __init__(self, root: Path, url: str, nest: Nest, *, lag: int = 0, more: str = "") -> None:
        self.root, self.url, self.nest = root, url, nest
        (root / "specs").mkdir()
        patience = "10s" if lag else "1s"
        self.write("reconcile.yaml", f'version: 1\nstack: shop\ntargets:\n  aom: {{type: aom, endpoint: "{url}", '
                   f"project_id: {PROJECT}, confirm_timeout: {patience}{more}}}\nguards: {{max_clears: 100%}}\n")  # fmt: skip

    def write(self, name: str, text: str) -> None:
        """One file."""
        (self.root / name).write_text(text, encoding="utf-8")

    def declare(self, **alarms: tuple[str, str]) -> None:
        """Alarms by key: (resource id, severity)."""
        lines = "".join(
            f"  {key}: {{severity: {severity}, message: m-{severity}, timeout: 1h, "
            f"resource: {{provider: e, type: vm, id: {about}}}}}\n"
            for key, (about, severity) in alarms.items()
        )
        self.write("specs/a.yaml", "alarms:\n" + lines if alarms else "# none\n")

    def run(self, *argv: str, code: int = 0) -> tuple[str, str]:
        """Run a command line; it must end with this code. What it wrote to stdout and stderr."""
        known = {name: value for name, value in os.environ.items() if not name.startswith(("HW_", "HUAWEICLOUD_", "RECONCILE_"))}
        ended, out, err = self.nest.tell(argv, cwd=self.root, environ=known | {"HW_AUTH_TOKEN": TOKEN})
        assert ended == code, (argv, ended, out, err)
        return out, err

    def apply(self, *argv: str, code: int = 0) -> tuple[str, str]:
        """Apply without asking."""
        return self.run("apply", "--auto-approve", *argv, code=code)

    def active(self, lag: float = 0) -> list[tuple[str, str, str, str]]:
        """(resource id, severity, message, id) of all that is active, once the list had its time."""
        time.sleep(lag)
        path = f"{self.url}/v2/{PROJECT}/events?type=active_alert&limit=1000&marker=0"
        asked = Request(path, json.dumps({"time_range": "-1.-1.1440"}).encode(), {"X-Auth-Token": TOKEN}, method="POST")
        asked.add_header("Content-Type", "application/json")
        with DIRECT.open(asked, timeout=10) as answer:
            rows = json.load(answer)["events"]
        return sorted(
            (r["metadata"]["resource_id"], r["metadata"]["event_severity"], r["annotations"]["message"], r["id"]) for r in rows
        )

    @property
    def resources(self) -> Any:
        """The state's entries."""
        return json.loads((self.root / "state" / "default.json").read_text())["resources"]


@pytest.mark.parametrize(("identity", "repeat", "clear_by", "lag", "page_info"), list(combinations()))
def test_the_active_alarms_converge(
    nest: Nest, tmp_path: Path, identity: str, repeat: str, clear_by: str, lag: int, page_info: bool
) -> None:
    """Report, update, renew, swap, replace and clear end with exactly one right record each, and none for what is gone."""
    settings: dict[str, Any] = {"identity": identity, "repeat": repeat, "clear_by": clear_by, "lag": lag, "page_info": page_info}
    with running_emulator(environ={"HW_AUTH_TOKEN": TOKEN}, **settings) as url:
        tool = Tool(tmp_path, url, nest, lag=lag)
        tool.declare(a=("vm-a", "Major"), b=("vm-b", "Major"), c=("vm-c", "Major"), d=("vm-d", "Minor"))
        tool.apply()
        before = tool.resources["alarm.d"]
        text = (tmp_path / "specs" / "a.yaml").read_text()
        text = text.replace("m-Minor, timeout: 1h", "m-Minor, timeout: 1h, lifecycle: {renew_before: 3599999ms}")
        tool.write("specs/a.yaml", text)
        tool.apply()
        tool.run("renew", "--auto-approve")
        renewed = tool.resources["alarm.d"]
        assert renewed["expires_at"] > before["expires_at"] and renewed["occurrence"] == before["occurrence"]
        tool.declare(a=("vm-b", "Critical"), b=("vm-a", "Major"), c=("vm-new", "Major"))
        tool.apply()
        shown = tool.active(lag)
        assert [row[:3] for row in shown] == [
            ("vm-a", "Major", "m-Major"),
            ("vm-b", "Critical", "m-Critical"),
            ("vm-new", "Major", "m-Major"),
        ]
        assert {row[3] for row in shown} == {entry["remote_id"] for entry in tool.resources.values()}
        assert json.loads(tool.run("plan", "--refresh", "--json")[0])["changes"] == []
        tool.run("destroy", "--auto-approve")
        assert tool.active(lag) == [] and tool.resources == {}


@pytest.mark.parametrize("dialect", ["current", "legacy"])
def test_without_the_right_to_list(nest: Nest, tmp_path: Path, dialect: str) -> None:
    """Reports and updates are sent plainly; a clear needs the right where the dialect needs an id, and works where not."""
    with running_emulator(environ={"HW_AUTH_TOKEN": TOKEN}, listing=False, dialect=dialect) as url:
        tool = Tool(tmp_path, url, nest, more=f", dialect: {dialect}")
        tool.declare(a=("vm-a", "Major"), b=("vm-b", "Major"))
        tool.apply()
        tool.declare(a=("vm-a", "Critical"), b=("vm-b", "Major"))
        tool.apply()
        assert {entry["confirmation"] for entry in tool.resources.values()} == {"unconfirmed"}
        tool.declare(a=("vm-a", "Critical"))
        said = tool.apply(code=1 if dialect == "current" else 0)
        assert ("aom:alarm:list" in "".join(said)) and (("alarm.b" in tool.resources) is (dialect == "current"))


def test_the_vendors_client_and_this_tool_drive_one_emulator(nest: Nest, tmp_path: Path) -> None:
    """What one reports the other lists and clears."""
    from huaweicloudsdkaom.v2 import (
        AomClient,
        EventList,
        EventModel,
        EventQueryParam2,
        ListEventsRequest,
        PushEventsRequest,
    )
    from huaweicloudsdkcore.auth.credentials import BasicCredentials

    keys = ("SDKCONTRACTAK0000001", "sdk-contract-secret-0000000000000000000")
    environ = {"HUAWEICLOUD_SDK_AK": keys[0], "HUAWEICLOUD_SDK_SK": keys[1], "HW_AUTH_TOKEN": TOKEN}
    with running_emulator(environ=environ) as url:
        client = AomClient.new_builder().with_credentials(BasicCredentials(*keys, PROJECT)).with_endpoint(url).build()
        tool = Tool(tmp_path, url, nest)
        tool.declare(a=("vm-a", "Major"))
        tool.apply()
        query = ListEventsRequest(type="active_alert", limit=1000, marker="0", body=EventQueryParam2(time_range="-1.-1.60"))
        [listed] = client.list_events(query).events
        assert listed.metadata["reconcile_key"] == "shop/alarm.a" and listed.id == tool.resources["alarm.a"]["remote_id"]
        theirs = {"event_name": "b", "event_severity": "Minor", "event_type": "alarm"}
        theirs |= {"resource_provider": "e", "resource_type": "vm", "resource_id": "vm-b"}
        now = time.time_ns() // 1_000_000
        event = EventModel(starts_at=now, timeout=3_600_000, metadata=theirs, annotations={"message": "m-Minor"})
        client.push_events(PushEventsRequest(body=EventList(events=[event])))
        tool.declare(a=("vm-a", "Major"), b=("vm-b", "Minor"))
        tool.apply("--adopt")
        assert [row[0] for row in tool.active()] == ["vm-a", "vm-b"]
        gone = EventModel(id=listed.id, ends_at=now + 1, metadata=dict(listed.metadata))
        client.push_events(PushEventsRequest(action="clear", body=EventList(events=[gone])))
        drift, _ = tool.run("drift", "--json", code=2)
        assert [row["kind"] for row in json.loads(drift)["drift"]] == ["missing"]
        tool.run("destroy", "--auto-approve")
        assert client.list_events(query).events == []
