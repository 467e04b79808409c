"""May this person ask this, here? Pure: facts about the person and the place in, a scope or a polite sentence out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bot.access.rules import Access, Who, is_direct
from bot.advisor.question import Allowed

GUEST = "I answer full members of this workspace only; guests are asked to ask through a colleague."
STRANGER = (
    "I answer members of the workspace that installed me only; this question came from another organisation's account."
)
SHARED = "This channel is shared with another organisation, so I say nothing about the infrastructure here. Ask me in a channel of your own."
BOT = "I answer people, not other apps. An administrator can allow this one under `access: bots`."
NO_RULE = "This place is not set up for answers: ask me in a channel that is, or ask an administrator to add it under `access: channels`."
UNKNOWN = "Slack does not tell me who is asking (it lacks a permission): an administrator has to install me again with the current manifest."


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack says of who asks."""

    id: str
    team: str = ""
    guest: bool = False
    stranger: bool = False
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is asked. `shared` says that another organisation reads along (Slack Connect)."""

    channel: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A polite sentence for the one who asked, and a word for the log."""

    sentence: str
    reason: str


def decide(
    access: Access,
    kind: str,
    place: Place,
    person: Person | None,
    groups: Collection[str],
    *,
    narrows: bool,
) -> Allowed | Refused:
    """The scope that an ask is answered in, or why it is not.

    `person` is None for what no person asked (an alert, a due digest). `groups` are the user groups, of those that the rules name,
    that the person is in. `narrows` says whether this kind of ask can be answered for a part of the fleet.
    """
    if person is not None:
        refused = _person(access, person)
        if refused is not None:
            return refused
    if place.shared and not access.slack_connect:
        return Refused(SHARED, "Slack Connect channel")
    admin = person is not None and _among(person, groups, access.admins)
    who = access.commands.get(kind)
    if who is not None and person is not None and not admin and not _among(person, groups, who):
        return Refused(
            f"`{kind}` is for some people only here: ask one of them, or an administrator of Rackside.", "command"
        )
    if admin and is_direct(place.channel):
        return Allowed()
    allowed = access.seen_from(place.channel)
    if allowed is None:
        return Refused(NO_RULE, "channel has no rule")
    if not allowed.everything and not narrows:
        return Refused(
            f"`{kind}` looks at the whole fleet, and {allowed.said} may see {allowed.told} only.", "whole fleet"
        )
    return allowed


def named_groups(access: Access, kind: str) -> tuple[str, ...]:
    """The user groups that matter for a kind of ask."""
    who = access.commands.get(kind, Who())
    return tuple(dict.fromkeys((*access.admins.groups, *who.groups)))


def _person(access: Access, person: Person) -> Refused | None:
    if person.bot:
        return None if person.id in access.bots else Refused(BOT, "bot")
    if person.stranger:
        return None if access.slack_connect else Refused(STRANGER, "other organisation")
    if person.guest and not access.guests:
        return Refused(GUEST, "guest")
    return None


def _among(person: Person, groups: Collection[str], who: Who) -> bool:
    return person.id in who.users or bool(set(groups) & set(who.groups))
