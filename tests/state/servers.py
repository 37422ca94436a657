"""The servers that shared states are tested against, as real as they can be had here. A pipeline must have all of them."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from . import postgres_server


def wanted(module: str, reason: str) -> Any:
    """A module that a test cannot do without: skipped where it is missing, an error in a pipeline."""
    return importlib.import_module(module) if os.environ.get("CI") else pytest.importorskip(module, reason=reason)


@contextmanager
def s3_server() -> Iterator[str]:
    """The endpoint of moto's server, with a bucket `states`."""
    boto3 = wanted("boto3", "the extra s3 is not installed")
    moto = wanted("moto.server", "moto's server is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    s3_client(boto3, f"http://{host}:{port}").create_bucket(Bucket="states")
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def s3_client(boto3: Any, endpoint: str) -> Any:
    """Straight to the server."""
    login = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **login)


@contextmanager
def postgres() -> Iterator[str]:
    """The connection string of a PostgreSQL of the tests' own."""
    wanted("psycopg", "the extra postgres is not installed")
    programs = postgres_server.binaries()
    if programs is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and a pipeline must test it")
        pytest.skip("PostgreSQL is not installed")
    with postgres_server.serving(programs) as conn_str:
        yield conn_str
