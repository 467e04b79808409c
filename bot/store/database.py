"""Opening the database: SQLite in the home folder by default, PostgreSQL by URL; migrated on opening."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

# How long SQLite waits for another process that writes.
BUSY_S = 30.0
_MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseError(Exception):
    """The database cannot be used; the message says what to do."""


def database_url(url: str | None, home: Path) -> str:
    """The URL to use: the one given, in SQLAlchemy's spelling, or `rackside.db` in the home folder."""
    if not url:
        return f"sqlite:///{home / 'rackside.db'}"
    for spelling in ("postgres://", "postgresql://", "postgresql+psycopg2://"):
        if url.startswith(spelling):
            return "postgresql+psycopg://" + url.removeprefix(spelling)
    return url


def open_engine(url: str) -> sa.Engine:
    """Connect and bring the tables up to date. Raises DatabaseError with a sentence that names no password."""
    try:
        parsed = sa.make_url(url)
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise DatabaseError(
                f"RACKSIDE_DATABASE_URL names {parsed.get_backend_name()}: use sqlite:///FILE or postgresql://..."
            )
        if parsed.get_backend_name() == "sqlite":
            if not parsed.database or parsed.database == ":memory:":
                raise DatabaseError("RACKSIDE_DATABASE_URL needs a file: a database in memory forgets every question")
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_S})
            sa.event.listen(engine, "connect", _sqlite_settings)
        else:
            engine = sa.create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        migrate(engine)
    except (sa.exc.SQLAlchemyError, ImportError, OSError) as error:
        raise DatabaseError(trouble(error)) from error
    return engine


def trouble(error: Exception) -> str:
    """What is wrong with the database, and what to do; names no password and no statement."""
    said = str(getattr(error, "orig", "") or "")
    if "locked" in said:
        return "the database is locked: another process has been writing to it for half a minute; nothing was changed, try again when it is done"
    if "full" in said:
        return "the database cannot be written: its disk is full; nothing was changed"
    return (
        f"the database of RACKSIDE_DATABASE_URL cannot be used ({type(error).__name__}): "
        "check the address, that the server runs and that this user may create tables"
    )


def insert_of(engine: sa.Engine) -> Callable[[sa.Table], Any]:
    """The dialect's own `insert`, which knows `on_conflict_do_nothing` and `on_conflict_do_update`: the same for both databases."""
    return postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert


def _sqlite_settings(connection: Any, _record: Any) -> None:
    # What is acknowledged must survive a power cut, hence FULL; readers must not wait for writers, hence WAL.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def migrate(engine: sa.Engine) -> None:
    """Run the migrations that this version brings along."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")
