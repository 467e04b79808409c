"""One executor id per process: a lock that dies with its holder, so that work is never run by two."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

_SEATS = 32
# Any constant of our own: the first half of PostgreSQL's two-part advisory lock.
_LOCK_CLASS = 0x7261636B


class OccupiedError(Exception):
    """Another process serves from this database already; the message says what to do."""


class Seat:
    """The seat that this process holds: one for SQLite, one of 32 on PostgreSQL."""

    def __init__(self, engine: sa.Engine) -> None:
        """Take the first free seat; raises OccupiedError when there is none."""
        self._engine = engine
        self._file: int | None = None
        self._connection: sa.Connection | None = None
        self.number = self._take_file() if engine.dialect.name == "sqlite" else self._take_lock()

    @property
    def executor_id(self) -> str:
        """The name under which DBOS runs this process's work."""
        return name(self.number)

    def _take_file(self) -> int:
        path = Path(f"{self._engine.url.database}.serve.lock")
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise OccupiedError(
                f"another rackside serve is running on {self._engine.url.database}: stop it, or use PostgreSQL "
                "(RACKSIDE_DATABASE_URL) to run several"
            ) from None
        self._file = handle
        return 0

    def _take_lock(self) -> int:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        for number in range(_SEATS):
            if _try(connection, number):
                self._connection = connection
                return number
        connection.close()
        raise OccupiedError(f"{_SEATS} processes of rackside serve share this database already: stop one first")

    @contextmanager
    def abandoned(self) -> Iterator[list[str]]:
        """Executor ids whose process is gone; they stay reserved for us within the block."""
        if self._connection is None:
            yield []
            return
        others = [number for number in range(_SEATS) if number != self.number]
        held = [number for number in others if _try(self._connection, number)]
        try:
            yield [name(number) for number in held]
        finally:
            for number in held:
                self._connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK_CLASS, number)))

    def leave(self) -> None:
        """Free the seat."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        if self._connection is not None:
            # Closing would return the session, lock included, to the pool.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def name(number: int) -> str:
    """The executor id of a seat."""
    return f"serve-{number}"


def _try(connection: sa.Connection, number: int) -> bool:
    return bool(connection.execute(sa.select(sa.func.pg_try_advisory_lock(_LOCK_CLASS, number))).scalar())
