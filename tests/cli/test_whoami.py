"""`whoami`: how each target would log in, and why; never a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

TARGETS = """\
targets:
  aom: {type: aom, endpoint: https://aom.cn-north-4.myhuaweicloud.com, project_id: 0123456789abcdef0123456789abcdef}
  coc: {type: coc}
"""


def test_the_way_its_source_and_its_reason_are_shown(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each target, as text and as JSON, with no secret at any level of talk."""
    (project / "reconcile.yaml").write_text("version: 1\nstack: demo\n" + TARGETS)
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "AKCANARY1234567890")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "SKCANARY1234567890")
    text, rows = run("whoami", "-v"), json.loads(run("whoami", "--json").out)
    assert text.code == 0 and "HUAWEICLOUD_SDK_AK" in text.out and "0123456789abcdef" in text.out
    assert [row["target"] for row in rows] == ["aom", "coc"]
    assert rows[0]["method"] == "aksk" and rows[0]["region"] == "cn-north-4" and rows[1]["endpoint"] == "embedded"
    assert "CANARY1234567890" not in text.out + text.err + json.dumps(rows)


def test_what_is_missing_is_named_and_1(run: Run, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of an error that ends at the first target."""
    monkeypatch.setenv("HOME", str(project))
    (project / "reconcile.yaml").write_text("version: 1\nstack: demo\n" + TARGETS)
    ran = run("whoami")
    assert ran.code == 1 and "problem" in ran.out and "coc" in ran.out and ran.err == ""
