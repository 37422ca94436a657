"""The lock: freed by the kernel, told to people."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from reconcile.errors import StateLocked
from reconcile.state.lock import job_url, ourselves, who

from .samples import StillClock, local


def test_a_killed_holders_lock_is_free_within_a_second(tmp_path: Path) -> None:
    """The kernel frees it; nothing has to be removed by hand."""
    path = tmp_path / "state.json"
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        with local(path).session(operation="apply", timeout=0):
            os.write(mouth, b"x")
            time.sleep(60)
        os._exit(0)
    assert os.read(ear, 1) == b"x"
    with pytest.raises(StateLocked, match=f"pid {child}"), local(path).session(operation="apply", timeout=0):
        pass
    os.kill(child, signal.SIGKILL)
    started = time.monotonic()
    with local(path).session(operation="apply", timeout=5):
        assert time.monotonic() - started < 1
    os.waitpid(child, 0)
    os.close(ear)
    os.close(mouth)


def test_a_lock_file_that_somebody_removed_does_not_let_two_in(tmp_path: Path) -> None:
    """Who opened the old file and who opened the new one cannot both go on with the same name for long."""
    path = tmp_path / "state.json"
    with local(path).session(operation="apply", timeout=0):
        pass
    (tmp_path / "state.json.lock").unlink()
    with local(path).session(operation="apply", timeout=0), pytest.raises(StateLocked):
        local(path).unlock()


def test_a_release_leaves_no_name_behind(tmp_path: Path) -> None:
    """The file stays, empty: who reads it is not misled."""
    with local(tmp_path / "state.json").session(operation="apply", timeout=0):
        assert (tmp_path / "state.json.lock").read_bytes() != b""
    assert (tmp_path / "state.json.lock").read_bytes() == b""


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"CI_JOB_URL": "https://gitlab.example/ops/-/jobs/99412"}, "https://gitlab.example/ops/-/jobs/99412"),
        (
            {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "o/r", "GITHUB_RUN_ID": "7"},
            "https://github.example/o/r/actions/runs/7",
        ),
        ({"GITHUB_SERVER_URL": "https://github.example"}, None),
        ({}, None),
    ],
)
def test_the_pipelines_page_is_told(environ: dict[str, str], url: str | None) -> None:
    """Whoever waits can open the run that holds the lock."""
    assert job_url(environ) == url
    holder = ourselves("apply", now=StillClock().now(), tool_version="1", environ={"USER": "bob", **environ})
    assert (url or "bob@") in str(holder)


def test_a_holder_without_a_user_name_is_still_told() -> None:
    """A container may know no name for its user."""
    assert "@" in who({})
