"""Specs for what is live and declared by nobody: asks, chooses, and has them written. Prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reconcile import engine
from reconcile.cli.looking import with_targets
from reconcile.cli.wiring import Session

if TYPE_CHECKING:
    from reconcile.model.live import LiveAlarm
    from reconcile.specs.write import Written


def specs_for_unmanaged(session: Session, name: str) -> Written:
    """A spec file for every active, unstamped alarm of this name that neither state nor specs know."""
    from reconcile.model.address import matches, parse_address
    from reconcile.planner.live import core_of, core_of_content
    from reconcile.specs.write import write_specs

    desired, store, config = session.desired, session.store, session.config
    found = with_targets(session, lambda targets, base: engine.find_unmanaged(desired, store, config, targets, base))
    alarms = [one for one in desired.declared.values() if one.kind == "alarm"]
    declared = {(one.resource.target, core_of_content(one.content)) for one in alarms}
    contents = [
        _content(target, alarm)
        for target, alarm in sorted(found, key=lambda pair: (pair[0], pair[1].metadata.get("event_name", ""), pair[1].id))
        if matches(name, alarm.metadata.get("event_name", ""))
        and (target, core_of(alarm.metadata, alarm.enterprise_project_id)) not in declared
    ]
    return write_specs(contents, config, taken={parse_address(address).name for address in desired.declared})


def _content(target: str, alarm: LiveAlarm) -> Mapping[str, Any]:
    from reconcile.planner.live import content_of

    base: dict[str, Any] = {"target": target}
    if alarm.timeout is not None:
        base["timeout"] = alarm.timeout
    content = content_of(alarm, base, everything=True)
    return content | ({"enterprise_project_id": alarm.enterprise_project_id} if alarm.enterprise_project_id else {})
