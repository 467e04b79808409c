"""The gate around every desk, and the narrowing of whatever the desks ask.

A desk cannot be reached without passing `Gate.enter`, and outside of a visit nothing is answered where anything is limited.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.access.decide import UNKNOWN, Person, Place, Refused, decide, named_groups
from bot.access.rate import Meter
from bot.access.rules import Access
from bot.access.visit import current, visiting
from bot.advisor.question import Allowed, Answer, Question
from bot.blocks import plain
from bot.desk import Answerer, Composed, Desk, Progress, composed
from bot.store.audit import AuditLog, Entry
from bot.store.records import Ask

log = logging.getLogger("rackside.access")
BUSY = "That is more than I take on at once from one person or channel. Please give me a minute, then ask again."
NOBODY = "-"
# Commands and buttons that tell nothing of the fleet.
AT_ONCE = frozenset({"help", "mute", "unmute", "stop"})


class UnknownPersonError(Exception):
    """Slack does not let us see who asks."""


class People(Protocol):
    """Who people are and what a channel is, as Slack says (bot/slack_people.py)."""

    def person(self, team: str, user: str) -> Person:
        """Who a user is; raises UnknownPersonError where Slack does not let us see it."""

    def shared(self, channel: str) -> bool:
        """Does another organisation read along?"""

    def groups(self, user: str, among: Collection[str]) -> frozenset[str]:
        """Which of these user groups somebody is in."""


@dataclass
class Gate:
    """Decides on asks. `whole` are the kinds that cannot be answered for a part of the fleet: all but those that say they can.

    With `elsewhere`, which knows the people of each workspace, there are several: every id is then held against the rules with its
    workspace before it (T0123/C0456), so that a rule for one place says nothing of a place of the same id in another workspace.
    """

    access: Access
    people: People
    narrows: Collection[str] = frozenset()
    clock: Callable[[], float] = time.monotonic
    elsewhere: Callable[[str], People] | None = None
    meter: Meter = field(init=False)

    def __post_init__(self) -> None:
        """Start with full buckets."""
        self.meter = Meter(self.clock)

    def enter(self, ask: Ask) -> Allowed | Refused:
        """The scope of an ask, or why it is not answered."""
        narrows = ask.kind in self.narrows or ask.kind in AT_ONCE
        of = f"{ask.team}/" if self.elsewhere is not None else ""
        if not ask.person:
            return decide(self.access, ask.kind, Place(of + ask.channel), None, (), narrows=narrows)
        try:
            people = self.elsewhere(ask.team) if self.elsewhere is not None else self.people
            person = people.person(ask.team, ask.person)
            wanted = [one.removeprefix(of) for one in named_groups(self.access, ask.kind) if one.startswith(of)]
            groups = {of + one for one in people.groups(ask.person, wanted)} if wanted else frozenset()
            place = Place(of + ask.channel, not ask.channel.startswith("D") and people.shared(ask.channel))
        except UnknownPersonError:
            return Refused(UNKNOWN, "unknown person")
        person = replace(person, id=of + person.id)
        return decide(self.access, ask.kind, place, person, groups, narrows=narrows)

    def refusal(self, ask: Ask) -> str:
        """Why what needs no desk is not done, '' where it is."""
        found = self.enter(ask)
        return found.sentence if isinstance(found, Refused) else ""

    def pace(self, ask: Ask) -> tuple[bool, bool]:
        """May it be answered now, and if not, is that to be said?"""
        if not ask.person:
            return True, False
        limits = {
            f"{ask.team}:{ask.person}": self.access.person,
            f"{ask.team}:{ask.channel}": None if ask.channel.startswith("D") else self.access.channel,
        }
        return self.meter.take(ask.key, limits)


def guarded(desks: Mapping[str, Desk], gate: Gate, audit: AuditLog) -> dict[str, Desk]:
    """Every desk behind the gate, and everything in the log."""
    return {kind: _behind(desk, gate, audit) for kind, desk in desks.items()}


def _behind(desk: Desk, gate: Gate, audit: AuditLog) -> Desk:
    def compose(ask: Ask, progress: Progress) -> Composed:
        begun = time.monotonic()
        goes, say = gate.pace(ask)
        if not goes:
            audit.note(ask, Entry("refused", "rate", answer=BUSY if say else ""))
            return {**composed(plain(BUSY), good=False), "seen_by": ask.person if say else NOBODY}
        found = gate.enter(ask)
        if isinstance(found, Refused):
            log.info("refused %s (%s): %s", ask.key, ask.kind, found.reason)
            audit.note(ask, Entry("refused", found.reason, answer=found.sentence))
            return {**composed(plain(found.sentence), good=False), "seen_by": ask.person or NOBODY}
        with visiting(found) as visit:
            try:
                message = desk(ask, progress)
            except Exception as error:
                audit.note(ask, Entry("failed", type(error).__name__, found, tuple(visit.read)))
                raise
        text = "\n\n".join(part["text"] for part in (message, *message["more"]))
        entry = Entry("answered", ", ".join(visit.intents), found, tuple(visit.read), text, visit.model)
        audit.note(ask, replace(entry, seconds=time.monotonic() - begun))
        return message

    return compose


def narrowing(answer: Answerer, access: Access) -> Answerer:
    """The answerer, which looks only at what the visit under way may see."""

    def ask(question: Question, progress: Progress) -> Answer:
        visit = current()
        scope = visit.allowed if visit else Allowed((), (), "what nobody asked for") if access.limited else Allowed()
        found = answer(replace(question, allowed=None if scope.everything else scope), progress)
        if visit is not None:
            visit.saw(found)
        return found

    return ask
