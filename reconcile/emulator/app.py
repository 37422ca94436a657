"""The application: every path of the five documents and of what they lean on, wired to its handler."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from reconcile.emulator import coc_alarms, coc_events, control, iam, tasks
from reconcile.emulator.credentials import find_credentials
from reconcile.emulator.desk import Desk
from reconcile.emulator.front import Front, finder
from reconcile.emulator.gate import admit
from reconcile.emulator.listing import list_events
from reconcile.emulator.push import push
from reconcile.emulator.settings import Settings
from reconcile.emulator.store import Store

ALARM = "/v1/alarm-mgmt/alarm/{alarm_id}"
ROUTES = [
    Route("/v2/{project_id}/push/events", push, methods=["PUT", "POST"]),
    Route("/v2/{project_id}/events", list_events, methods=["POST"]),
    Route("/v1/event/huawei/custom/{integration_key}", coc_events.report, methods=["POST"]),
    Route(ALARM, coc_alarms.show, methods=["GET"]),
    Route(ALARM + "/auto-process", tasks.auto_process, methods=["POST"]),
    Route(ALARM + "/handle-histories", tasks.histories, methods=["GET"]),
    Route("/v1/alarm-mgmt/alarms/cancel", coc_alarms.cancel, methods=["POST"]),
    Route("/v1/executions/{execution_id}", tasks.execution, methods=["GET"]),
    Route("/v1/job/script/orders/{execute_uuid}", tasks.script_order, methods=["GET"]),
    Route("/v3/auth/tokens", iam.login, methods=["POST"]),
    Route("/v3/projects", iam.projects, methods=["GET"]),
    Route("/v3/auth/domains", iam.domains, methods=["GET"]),
    Route("/meta-data/latest/api/token", iam.metadata_token, methods=["PUT"]),
    Route("/openstack/latest/securitykey", iam.security_key, methods=["GET"]),
]


def make_app(database: Path | None, settings: Settings, environ: Mapping[str, str] = MappingProxyType({})) -> Starlette:
    """The emulator over a SQLite file, or in memory. The file appears with the first request. `close` it when done."""
    desk = Desk(
        store=Store(database, coc_alarms.seed),
        credentials=find_credentials(environ),
        settings=settings,
        initial=settings,
        find=finder(ROUTES),
        admit=admit,
    )
    app = Starlette(routes=[*control.ROUTES, Mount("/", app=Front(desk))])
    app.state.desk = desk
    return app


def close(app: Starlette) -> None:
    """Close the application's database."""
    app.state.desk.store.close()
