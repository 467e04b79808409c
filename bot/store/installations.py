"""Workspaces that installed Rackside through its own page (OAuth): one row a workspace, with the bot token that Slack gave for it.

Both stores are slack_sdk's interfaces over our own tables. Its ready-made SQLAlchemy stores keep every earlier token of a workspace, and
take a state twice when two requests bring it at the same moment; these keep the last token alone, and take a state once.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from logging import Logger
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from slack_sdk.oauth.installation_store import InstallationStore
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.state_store import OAuthStateStore

from bot.store.alert_tables import alert_event, alert_group, alert_item, alert_storm
from bot.store.database import insert_of
from bot.store.mutes import mute_table
from bot.store.sealing import Seal, SealedError
from bot.store.subscriptions import subscription_table
from bot.store.tables import inbox, metadata
from bot.store.watches import said_table, watch_table

log = logging.getLogger("rackside.slack")

installation_table = sa.Table(
    "slack_installation",
    metadata,
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("enterprise", sa.Text, nullable=False),  # the organisation that the workspace is part of; '' for none
    sa.Column("app", sa.Text, nullable=False),
    sa.Column("bot_token", sa.Text, nullable=False),  # sealed where there is a key (bot/store/sealing.py)
    sa.Column("bot_id", sa.Text, nullable=False),
    sa.Column("bot_user", sa.Text, nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # comma-separated
    sa.Column("installed_by", sa.Text, nullable=False),
    sa.Column("installed_at", sa.Float, nullable=False),  # seconds since the epoch
)
state_table = sa.Table(
    "slack_oauth_state",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True),  # of the state: whoever reads the table cannot use it
    sa.Column("expires_at", sa.Float, nullable=False, index=True),
)
# An install page is open to anybody who can reach it: so many may be on their way at a time, the oldest go first.
STATES_MOST = 1000


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace. The token is kept out of `repr`, so that no log line shows it by accident; '' where it does not open (`sealed`)."""

    team: str
    name: str
    enterprise: str
    bot_token: str = field(repr=False)
    bot_id: str
    bot_user: str
    scopes: str
    installed_by: str
    installed_at: float
    sealed: bool = False


class Installations(InstallationStore):
    """Workspaces, over an engine from `open_engine`. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time, seal: Seal | None = None) -> None:
        """Work on an engine whose tables are up to date; `seal` opens the tokens and seals new ones."""
        self.engine = engine
        self._clock, self._seal = clock, seal or Seal()
        self._insert = insert_of(engine)

    @property
    def logger(self) -> Logger:
        """Where slack_sdk would log."""
        return log

    def save(self, installation: Installation) -> None:
        """Keep a workspace's installation in the place of an earlier one. Nothing of a user's token is kept."""
        row = {
            "team": installation.team_id or "",
            "name": installation.team_name or "",
            "enterprise": installation.enterprise_id or "",
            "app": installation.app_id or "",
            "bot_token": self._seal.close(installation.team_id or "", installation.bot_token or ""),
            "bot_id": installation.bot_id or "",
            "bot_user": installation.bot_user_id or "",
            "scopes": ",".join(installation.bot_scopes or ()),
            "installed_by": installation.user_id or "",
            "installed_at": self._clock(),
        }
        insert = self._insert(installation_table).values(**row)
        changed = {name: value for name, value in row.items() if name != "team"}
        with self.engine.begin() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["team"], set_=changed))

    def workspace(self, team: str) -> Workspace | None:
        """One workspace by its id."""
        query = sa.select(installation_table).where(installation_table.c.team == team)
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _workspace(row, self._seal)

    def all(self) -> list[Workspace]:
        """Every workspace, the first installed first."""
        query = sa.select(installation_table).order_by(installation_table.c.installed_at, installation_table.c.team)
        with self.engine.connect() as connection:
            return [_workspace(row, self._seal) for row in connection.execute(query).mappings()]

    def reseal(self) -> int:
        """Seal with the first key whatever is kept as text or with an older key; how many there were. What does not open stays."""
        if not self._seal.locks:
            return 0
        here, changed = installation_table.c, 0
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                # Else the text would stay in the file, in pages that are free.
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            for team, kept in connection.execute(sa.select(here.team, here.bot_token)).all():
                try:
                    renewed = self._seal.renewed(team, kept)
                except SealedError:
                    continue
                # Only what nobody replaced meanwhile.
                same = sa.and_(here.team == team, here.bot_token == kept)
                connection.execute(sa.update(installation_table).where(same).values(bot_token=renewed))
                changed += 1
            connection.commit()
            if changed and self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        return changed

    def remove(self, team: str, *, told_at: float | None = None) -> bool:
        """Remove a workspace and all that is owed to it, in one transaction; False where it is not installed.

        With `told_at` (seconds since the epoch), an installation that was made later stays: Slack delivers late and again.
        """
        gone = sa.delete(installation_table).where(installation_table.c.team == team)
        if told_at is not None:
            # Slack tells whole seconds.
            gone = gone.where(installation_table.c.installed_at < told_at + 1.0)
        groups = sa.select(alert_group.c.id).where(alert_group.c.team == team)
        storms = sa.select(alert_storm.c.id).where(alert_storm.c.team == team)
        watching = sa.select(watch_table.c.id).where(watch_table.c.team == team)
        with self.engine.begin() as connection:
            if connection.execute(gone.returning(installation_table.c.team)).first() is None:
                return False
            waiting = sa.and_(inbox.c.team == team, inbox.c.state == "waiting")
            connection.execute(sa.update(inbox).where(waiting).values(state="withdrawn"))
            for query in (
                sa.delete(subscription_table).where(subscription_table.c.team == team),
                sa.delete(said_table).where(said_table.c.watch.in_(watching)),
                sa.delete(watch_table).where(watch_table.c.team == team),
                sa.delete(mute_table).where(mute_table.c.team == team),
                sa.delete(alert_event).where(sa.or_(alert_event.c.group_id.in_(groups), alert_event.c.group_id.in_(storms))),
                sa.delete(alert_item).where(alert_item.c.group_id.in_(groups)),
                sa.delete(alert_group).where(alert_group.c.team == team),
                sa.delete(alert_storm).where(alert_storm.c.team == team),
            ):  # fmt: skip
                connection.execute(query)
        return True


class States(OAuthStateStore):
    """States of installations on their way: random, kept as hashes, valid for a while, taken once."""

    def __init__(self, engine: sa.Engine, lives_s: float = 600.0, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine whose tables are up to date; `lives_s` are seconds."""
        self.engine, self.lives_s, self._clock = engine, lives_s, clock

    @property
    def logger(self) -> Logger:
        """Where slack_sdk would log."""
        return log

    def issue(self, *_args: Any, **_more: Any) -> str:
        """A new state; what is too old, and more than may be on their way, goes."""
        state, now, here = secrets.token_urlsafe(32), self._clock(), state_table.c
        with self.engine.begin() as connection:
            connection.execute(sa.delete(state_table).where(here.expires_at <= now))
            kept = sa.select(here.hash).order_by(here.expires_at.desc()).limit(STATES_MOST - 1)
            connection.execute(sa.delete(state_table).where(here.hash.not_in(kept)))
            connection.execute(sa.insert(state_table).values(hash=_hash(state), expires_at=now + self.lives_s))
        return state

    def consume(self, state: str) -> bool:
        """Is this a state of ours that nobody has used? It is used from now on, whoever asks at the same moment."""
        here = state_table.c
        query = sa.delete(state_table).where(here.hash == _hash(state or ""), here.expires_at > self._clock())
        with self.engine.begin() as connection:
            return connection.execute(query.returning(here.hash)).first() is not None


def private(engine: sa.Engine) -> None:
    """Let nobody but the own user read a database in a file: it holds tokens. Of a server, whoever runs it decides."""
    if engine.dialect.name == "sqlite" and engine.url.database:
        # SQLite gives the files beside it the same permissions.
        with engine.connect():
            for name in ("", "-wal", "-shm"):
                path = Path(engine.url.database + name)
                if path.exists():
                    path.chmod(0o600)


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()


def _workspace(row: Any, seal: Seal) -> Workspace:
    try:
        token, sealed = seal.open(row["team"], row["bot_token"]), False
    except SealedError:
        token, sealed = "", True
    return Workspace(
        row["team"], row["name"], row["enterprise"], token, row["bot_id"], row["bot_user"], row["scopes"],
        row["installed_by"], row["installed_at"], sealed,
    )  # fmt: skip
