"""The three kinds of places where pipelines keep a state, each on a real server: how a config names it, and what lies there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from reconcile.state.lock import Holder
from reconcile.state.place import Held
from reconcile.state.postgres import postgres_place
from tests.state import servers
from tests.state.http_server import StateServer, serving

KINDS = ("http", "s3", "postgres")
THIEF = Holder(id="thief", who="somebody@elsewhere", since="2026-11-20T08:00:00Z")


class Place(Protocol):
    """One server; `name` tells the states on it apart."""

    kind: str
    environ: dict[str, str]

    def config(self, name: str) -> str:
        """The line of reconcile.yaml."""
        ...

    def document(self, name: str) -> dict[str, Any]:
        """The state as the server has it; empty where there is none."""
        ...

    def steal(self, name: str) -> None:
        """Take the lock away behind the holder's back, and keep it as somebody else."""
        ...

    def give_back(self, name: str) -> None:
        """Free what was stolen."""
        ...


@contextmanager
def place(kind: str) -> Iterator[Place]:
    """A server of this kind for as long as the block lasts."""
    match kind:
        case "http":
            with serving(gitlab=True) as server:
                yield Http(server)
        case "s3":
            with servers.s3_server() as endpoint:
                yield S3(endpoint)
        case _:
            with servers.postgres() as conn_str:
                yield Postgres(conn_str)


class Http:
    """A server with GitLab's habits."""

    kind = "http"

    def __init__(self, server: StateServer) -> None:
        self.server = server
        self.environ = {"STATE_URL": server.url}

    def config(self, name: str) -> str:
        """Lock methods POST and DELETE, as GitLab has them."""
        address = f"${{env.STATE_URL}}/{name}"
        return (
            f'state: {{backend: http, address: "{address}", lock_address: "{address}/lock", '
            'lock_method: POST, unlock_method: DELETE}\n'
        )  # fmt: skip

    def document(self, name: str) -> dict[str, Any]:
        """From the server's memory."""
        kept = self.server.states.get(f"/{name}")
        return json.loads(kept.content) if kept and kept.content else {}

    def steal(self, name: str) -> None:
        """In the server's memory."""
        self.server.states[f"/{name}"].lock = {"ID": "thief", "Who": THIEF.who, "Created": THIEF.since}

    def give_back(self, name: str) -> None:
        """Likewise."""
        self.server.states[f"/{name}"].lock = None


class S3:
    """A bucket."""

    kind = "s3"

    def __init__(self, endpoint: str) -> None:
        boto3 = servers.wanted("boto3", "the extra s3 is not installed")
        self.client = servers.s3_client(boto3, endpoint)
        login = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_EC2_METADATA_DISABLED": "true"}
        self.environ = {**login, "STATE_BUCKETS_URL": endpoint}

    def config(self, name: str) -> str:
        """One key for each state."""
        return (
            f"state: {{backend: s3, bucket: states, key: {name}.json, region: us-east-1, "
            'endpoint: "${env.STATE_BUCKETS_URL}", path_style: true}\n'
        )  # fmt: skip

    def document(self, name: str) -> dict[str, Any]:
        """The object."""
        try:
            answer = self.client.get_object(Bucket="states", Key=f"{name}.json")
        except self.client.exceptions.NoSuchKey:
            return {}
        found: dict[str, Any] = json.loads(answer["Body"].read())
        return found

    def steal(self, name: str) -> None:
        """Another lock object in its place."""
        self.client.put_object(Bucket="states", Key=f"{name}.json.lock", Body=THIEF.model_dump_json().encode())

    def give_back(self, name: str) -> None:
        """Remove the lock object."""
        self.client.delete_object(Bucket="states", Key=f"{name}.json.lock")


class Postgres:
    """A database."""

    kind = "postgres"

    def __init__(self, conn_str: str) -> None:
        self.conn_str = conn_str
        self.environ = {"STATE_DB": conn_str}

    def config(self, name: str) -> str:
        """One row for each state."""
        return f'state: {{backend: postgres, conn_str: "${{env.STATE_DB}}", name: {name}}}\n'

    def _ask(self, query: str, *values: Any) -> Any:
        import psycopg

        with psycopg.connect(self.conn_str, autocommit=True) as connection:
            return connection.execute(query, values).fetchone()

    def document(self, name: str) -> dict[str, Any]:
        """The row, with the rows of its open intents."""
        (there,) = self._ask("SELECT to_regclass('reconcile.intents')")
        intents = "ARRAY(SELECT document FROM reconcile.intents WHERE state = name ORDER BY at, id)"
        row = self._ask(f"SELECT content, serial, {intents} FROM reconcile.states WHERE name = %s", name) if there else None
        return {**json.loads(row[0]), "serial": row[1], "pending": [json.loads(one) for one in row[2]]} if row else {}

    def steal(self, name: str) -> None:
        """End every connection of the tool, and be the first to take the lock."""
        thief = postgres_place({"conn_str": "${env.STATE_DB}", "name": name}, self.environ).connect()
        end = time.monotonic() + 10
        while True:
            self._ask(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name = 'reconcile' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
            )
            try:
                thief.lock(THIEF)
                break
            except Held:
                assert time.monotonic() < end
        self.thief = thief

    def give_back(self, name: str) -> None:
        """End the thief's connection."""
        self.thief.close()
