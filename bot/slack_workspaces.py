"""Several workspaces: who Rackside is in each, which may install it, and ids in the settings that say which workspace they are of.

An id of Slack's (a channel, a person, a group) is written `TEAM/ID` where there are several workspaces: an id alone may mean another
channel in each, and a rule that is meant for one must not open the other.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slack_bolt import BoltContext
from slack_bolt.authorization import AuthorizeResult

from bot.slack_clients import NOT_INSTALLED, NotInstalledError
from bot.slack_people import SlackPeople
from bot.store.installations import Installations, Workspace, private
from bot.store.sealing import NAME, KeyProblemError, Seal

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bot.access.guard import People
    from bot.settings import Settings

log = logging.getLogger("rackside.slack")
TEAM = re.compile(r"T[A-Z0-9]{2,}")
NOT_HERE = (
    "Rackside is not installed in this workspace (any more): ask whoever runs it for the address of its install page."
)


@dataclass(frozen=True, slots=True)
class Workspaces:
    """The workspaces that installed Rackside and, as the settings say, may. Each is looked up when it is needed."""

    installations: Installations
    allowed: frozenset[str]

    def found(self, team: str) -> Workspace | None:
        """A workspace, as long as it is installed and may be."""
        return self.installations.workspace(team) if team in self.allowed else None

    def token(self, team: str) -> str:
        """A workspace's bot token of now; raises NotInstalledError."""
        found = self.found(team)
        if found is None or not found.bot_token:
            raise NotInstalledError(NOT_INSTALLED)
        return found.bot_token

    def me(self, team: str) -> str:
        """Our own user id in a workspace, '' where Rackside is not installed."""
        found = self.found(team)
        return found.bot_user if found is not None else ""

    def authorizer(self) -> Callable[[BoltContext, str | None], AuthorizeResult | None]:
        """What Bolt asks of a delivery's workspace: who we are there; None where nothing is to be answered."""

        def authorize(context: BoltContext, team_id: str | None) -> AuthorizeResult | None:
            found = self.found(team_id or "") if not context.is_enterprise_install else None
            if found is None:
                return None
            return AuthorizeResult(
                enterprise_id=found.enterprise or None,
                team_id=found.team,
                bot_user_id=found.bot_user,
                bot_id=found.bot_id,
                bot_token=found.bot_token,
            )

        return authorize

    def people(self, api_url: str) -> Callable[[str], People]:
        """Whoever knows the people of a workspace; one each is kept, with what it remembers."""
        known: dict[str, SlackPeople] = {}
        return lambda team: known.setdefault(team, SlackPeople(self.token, api_url, team=team))


def opened(engine: sa.Engine, keys: str | None, allowed: frozenset[str]) -> Workspaces:
    """The workspaces of a database, every token of theirs sealed with the key of now; raises KeyProblemError where one does not open."""
    installations = Installations(engine, seal=Seal(keys))
    lost = [one.team for one in installations.all() if one.sealed and one.team in allowed]
    if lost:
        raise KeyProblemError(
            f"the tokens of {', '.join(lost)} are encrypted and do not open with {NAME}: set the key that they were encrypted with, or run "
            f"`rackside workspaces remove {lost[0]}` and install it there again"
        )
    resealed = installations.reseal()
    if resealed:
        log.info("the tokens of %d workspaces are encrypted with the key of now", resealed)
    private(engine)
    return Workspaces(installations, allowed)


def split(written: str) -> tuple[str, str]:
    """`TEAM/ID` as both; '' and the id where no workspace is named."""
    team, slash, name = written.rpartition("/")
    return (team, name) if slash else ("", written)


def unqualified(settings: Settings) -> list[str]:
    """Ids in the settings that do not say which workspace they are of, with the key that they are under."""
    return [f"{key}: {written}" for key, written in _ids(settings) if not TEAM.fullmatch(split(written)[0])]


def _ids(settings: Settings) -> Iterator[tuple[str, str]]:
    access, alerts = settings.access, settings.alerts
    yield from (("access.channels", one) for one in access.channels)
    yield from (("access.bots", one) for one in access.bots)
    for key, who in [
        ("access.admins", access.admins),
        *((f"access.commands.{k}", w) for k, w in access.commands.items()),
    ]:
        yield from ((key, one) for one in (*who.users, *who.groups))
    yield from (("alerts.channel", one) for one in (alerts.channel,) if one)
    yield from (("alerts.routes", one.channel) for one in alerts.routes)
    yield from (("alerts.watch", one.channel) for one in alerts.watch)
    yield from (("slack_admins", one) for one in settings.slack_admins)
