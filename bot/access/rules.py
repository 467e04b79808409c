"""The settings key `access`: which channel may see what, who may use what, how often, and how long the log is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

from bot.advisor.question import Allowed

Name = Annotated[str, StringConstraints(min_length=1, max_length=253, strip_whitespace=True)]
ADMIN = "admin"


def is_direct(channel: str) -> bool:
    """Is it a conversation with one person? Among several workspaces, a channel is written with its own (T0123/D0456)."""
    return channel.rpartition("/")[2].startswith("D")


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rate(_Frozen):
    """A token bucket: so many at once, then so many a minute."""

    at_once: int = Field(ge=1)
    a_minute: FiniteFloat = Field(gt=0)


class ChannelRule(_Frozen):
    """What a channel may see; a part that is left out is everything of that kind. `name` is for people who read the settings."""

    name: str = ""
    clusters: tuple[Name, ...] | None = None
    namespaces: tuple[Name, ...] | None = None


class Who(_Frozen):
    """People by user id (U...), user groups by id (S...)."""

    users: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()


class Access(_Frozen):
    """Who may see and do what. Without a channel rule every channel may see everything; with one, what has no rule sees nothing.

    `direct` is the rule for direct messages, `commands` says who may use a kind of ask (`audit`, `digest`, ...; without an entry,
    everybody), `admins` may do all of them and see everything in a direct message. `bots` are user ids of bots that may ask.
    """

    channels: dict[Name, ChannelRule] = Field(default_factory=dict)
    direct: ChannelRule | None = None
    commands: dict[Name, Who] = Field(default_factory=dict)
    admins: Who = Who()
    guests: bool = False
    slack_connect: bool = False
    bots: tuple[Name, ...] = ()
    person: Rate | None = Rate(at_once=30, a_minute=10)
    channel: Rate | None = Rate(at_once=120, a_minute=60)
    log_days: FiniteFloat = Field(default=90.0, gt=0)
    log_answers: bool = True

    @property
    def limited(self) -> bool:
        """Is anything kept from anybody by its place?"""
        return bool(self.channels) or self.direct is not None

    def seen_from(self, channel: str) -> Allowed | None:
        """What may be seen from a channel; None where nothing may."""
        if not self.limited:
            return Allowed()
        direct = is_direct(channel)
        rule = self.channels.get(channel) or (self.direct if direct else None)
        if rule is None:
            return None
        said = "a direct message" if direct else "this channel"
        rules = (*self.channels.values(), *((self.direct,) if self.direct else ()))
        others = {one for each in rules for one in each.namespaces or ()} - set(rule.namespaces or ())
        return Allowed(rule.clusters, rule.namespaces, said, tuple(sorted(others)))
