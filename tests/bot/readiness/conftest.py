"""Databases for readiness: each test that takes one runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.database import database_url, open_engine
from bot.store.readiness import Readiness
from evals.fleet.prometheus import free_port
from tests.bot.readiness.worlds_of_items import NOW

# PostgreSQL refuses to run as root.
AS = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL of one's own on a free loopback port; its URL without a database. Gone without a trace afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="rackside-postgresql-"))
    if AS:
        shutil.chown(folder, "postgres", "postgres")
    data, port = folder / "data", free_port()
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    control = ["pg_ctl", "-D", str(data), "-w", "-t", "60", "-s"]
    try:
        _run(["initdb", "-D", str(data), "-U", "rackside", "--auth=trust", "-E", "UTF8", "--no-sync"], folder)
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"], folder)
        try:
            yield f"postgresql://rackside@127.0.0.1:{port}"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    # To a file: the server inherits the outputs, and a pipe would be waited for as long as it lives.
    with (folder / "out").open("ab") as out:
        done = subprocess.run(command, stdout=out, stderr=out, cwd=folder, timeout=120, check=False, **AS)  # type: ignore[call-overload]
    assert done.returncode == 0, (folder / "out").read_text(encoding="utf-8", errors="replace")[-2000:]


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """One PostgreSQL for the session."""
    with postgresql() as url:
        yield url


@pytest.fixture
def fresh_database(postgresql_url: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    name = f"t{os.urandom(6).hex()}"
    admin = sa.create_engine(database_url(f"{postgresql_url}/postgres", Path()), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield f"{postgresql_url}/{name}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An opened database."""
    url = request.getfixturevalue("fresh_database") if request.param == "postgresql" else None
    made = open_engine(database_url(url, tmp_path))
    yield made
    made.dispose()


@pytest.fixture
def readiness(engine: sa.Engine) -> Readiness:
    """Marks and kept audits; the clock stands at NOW."""
    return Readiness(engine, lambda: NOW)
