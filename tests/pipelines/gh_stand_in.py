"""What the templates use of `gh`, over a folder that stands for the forge. Run as a program; `--jq` is the real jq."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

FORGE = Path(os.environ["FORGE"])


def kept(name: str) -> Any:
    """One table of the forge."""
    return json.loads((FORGE / f"{name}.json").read_text("utf-8"))


def keep(name: str, rows: Any) -> None:
    """Write one table of the forge."""
    (FORGE / f"{name}.json").write_text(json.dumps(rows), "utf-8")


def answer(value: Any, jq: str | None, *, silent: bool = False) -> int:
    """Print as gh does: the document, or what jq makes of it."""
    text = json.dumps(value)
    if silent:
        return 0
    if jq is None:
        sys.stdout.write(text)
        return 0
    return subprocess.run(["jq", "-r", jq], input=text, text=True, check=False).returncode


def artifacts(name: str) -> list[dict[str, Any]]:
    """All artifacts of a name, in no particular order."""
    found = []
    for run in kept("runs"):
        folder = FORGE / "artifacts" / str(run["id"]) / name
        if folder.is_dir():
            origin = {"id": run["id"], "head_branch": run["branch"], "head_repository_id": run["repository"], "repository_id": 1}
            found.append({"name": name, "expired": False, "created_at": f"{run['id']:08}", "workflow_run": origin})
    return found


def api(given: argparse.Namespace) -> int:
    """`gh api`: the four resources that the templates ask for."""
    url = urlsplit(given.path)
    body = {key: Path(value[1:]).read_text("utf-8") for key, _, value in (field.partition("=") for field in given.F)}
    if url.path.endswith("/actions/artifacts"):
        return answer({"artifacts": artifacts(parse_qs(url.query)["name"][0])}, given.jq)
    if url.path.endswith("/pulls"):
        commit = re.search(r"/commits/([^/]+)/pulls$", url.path)
        pulls = kept("pulls")
        return answer([p for p in pulls if p["merge_sha"] == commit[1]] if commit else pulls, given.jq)
    rows = kept("comments")
    if match := re.search(r"/issues/(\d+)/comments$", url.path):
        if given.method == "POST":
            rows.append({"id": len(rows) + 1, "issue": int(match[1]), "user": {"login": "github-actions[bot]"}, **body})
            keep("comments", rows)
        return answer([row for row in rows if row["issue"] == int(match[1])], given.jq, silent=given.silent)
    match = re.search(r"/issues/comments/(\d+)$", url.path)
    assert match is not None, given.path
    assert given.method == "PATCH"
    row = rows[int(match[1]) - 1]
    row |= body | {"edits": row.get("edits", 0) + 1}
    keep("comments", rows)
    return 0


def run_list(given: argparse.Namespace) -> int:
    """`gh run list`: newest first."""
    rows = [r for r in kept("runs") if (r["workflow"], r["commit"], r["status"]) == (given.workflow, given.commit, given.status)]
    found = [{"databaseId": row["id"]} for row in reversed(rows)]
    return answer(found[: given.limit], given.jq)


def run_download(given: argparse.Namespace) -> int:
    """`gh run download`."""
    folder = FORGE / "artifacts" / given.run / given.name
    if not folder.is_dir():
        sys.stderr.write("no artifact matches any of the names or patterns provided\n")
        return 1
    shutil.copytree(folder, given.dir, dirs_exist_ok=True)
    return 0


def main(arguments: list[str]) -> int:
    """Parse, and do."""
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    if arguments[0] == "api":
        for name, settings in {"--paginate": {"action": "store_true"}, "--silent": {"action": "store_true"}}.items():
            parser.add_argument(name, **settings)  # type: ignore[arg-type]
        parser.add_argument("--method", default="GET")
        parser.add_argument("--jq")
        parser.add_argument("-F", action="append", default=[])
        parser.add_argument("path")
        return api(parser.parse_args(arguments[1:]))
    if arguments[:2] == ["run", "list"]:
        for name in ("--workflow", "--commit", "--status", "--json", "--jq"):
            parser.add_argument(name)
        parser.add_argument("--limit", type=int)
        return run_list(parser.parse_args(arguments[2:]))
    assert arguments[:2] == ["run", "download"], arguments
    parser.add_argument("run")
    parser.add_argument("--name")
    parser.add_argument("--dir")
    return run_download(parser.parse_args(arguments[2:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
