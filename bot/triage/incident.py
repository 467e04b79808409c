"""An incident told from what is kept: caught up, as a timeline, handed over, closed. No model, and nothing is looked up anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.blocks import Block, Message
from bot.mrkdwn import code, escape, prose, width
from bot.store.alerts import Event, Group
from bot.triage.alert import Alert
from bot.triage.grouping import told_time
from bot.triage.message import clock, headline, sender
from bot.triage.scope import place
from knowledge.items import Item

LINES = 30
_BUDGET = 2900
NOTHING = "I keep nothing of this thread: no alert of mine is told here, and nobody asked me anything."


@dataclass(frozen=True, slots=True)
class Said:
    """A question that was asked in the thread, and the beginning of its answer."""

    at: float
    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """All that is kept of an incident. `group` is None in a thread without an alert of ours."""

    now: float
    group: Group | None
    alerts: Sequence[Alert] = ()
    events: Sequence[Event] = ()
    said: Sequence[Said] = field(default=())

    @property
    def diagnoses(self) -> list[dict[str, Any]]:
        """What was found out, oldest first."""
        return [one.content for one in self.events if one.kind == "diagnosis"]

    @property
    def last(self) -> dict[str, Any]:
        """The last diagnosis, empty without one."""
        return self.diagnoses[-1] if self.diagnoses else {}

    @property
    def empty(self) -> bool:
        """Is there nothing to tell?"""
        return self.group is None and not self.said


def catch_up(case: Case) -> Message:
    """For somebody who comes in late: what it is, what is behind it, what happened last, what to do next."""
    if case.empty:
        return _message("Nothing to catch up on", [NOTHING])
    parts = [_now(case), _behind(case)]
    moments = timeline_lines(case)
    if moments:
        parts.append("*Lately*\n" + "\n".join(moments[-6:]))
    parts += [_next(case), _unseen(case)]
    return _message("You are caught up on this thread", parts)


def timeline(case: Case) -> Message:
    """Everything with a time: alerts, what was found and since when, what changed before, what was asked."""
    moments = timeline_lines(case)
    if not moments:
        return _message("Timeline", [NOTHING])
    if len(moments) > LINES:
        left = len(moments) - LINES
        moments = [*moments[:10], f"_{left} more_", *moments[-(LINES - 10) :]]
    return _message("Timeline", ["*Timeline* (UTC)", *_split(moments)])


def handover(case: Case) -> Message:
    """For the next on call: the state, the cause with its evidence, what to do and how to see that it worked, what is open."""
    if case.empty:
        return _message("Hand-over note", [NOTHING])
    evidence = [f"• {prose(e['text'], 250)}" for one in case.last.get("headlines", ())[:2] for e in one["evidence"][:3]]
    parts = ["*Hand-over note*", _now(case), _behind(case)]
    if evidence:
        parts.append("*Evidence*\n" + "\n".join(evidence))
    parts += [_next(case), _unseen(case), _asked(case)]
    return _message("Hand-over note", parts)


def closing(case: Case, items: Iterable[Item]) -> Message:
    """What it was, how long it took, what was behind it, and what the checklist and the rules should get from it."""
    if case.empty:
        return _message("Closing summary", [NOTHING])
    parts = ["*Closing summary*", _now(case), _behind(case)]
    moments = timeline_lines(case)
    if moments:
        shown = moments if len(moments) <= 10 else [*moments[:4], f"_{len(moments) - 9} more_", *moments[-5:]]
        parts.append("*What happened*\n" + "\n".join(shown))
    lessons = lessons_of(case, items)
    if lessons:
        told = "\n".join(f"• {one}" for one in lessons)
    elif not case.diagnoses or all(one.get("nothing_seen") for one in case.diagnoses):
        told = "Nothing was diagnosed, so nothing is said of what an item could watch for."
    else:
        told = "Nothing was found that an item could watch for."
    parts += [f"*For the checklist*\n{told}", _unseen(case)]
    return _message("Closing summary", parts)


def lessons_of(case: Case, items: Iterable[Item]) -> list[str]:
    """What would have shown it earlier: an item that covers it, a new one, a runbook, eyes where there are none."""
    known = list(items)
    lessons: list[str] = []
    seen: set[str] = set()
    for one in (head for found in case.diagnoses for head in found.get("headlines", ())):
        if one["id"] in seen:
            continue
        seen.add(one["id"])
        title = escape(one["title"], 150)
        covering = [item for item in known if one["id"] in item.checks]
        if covering:
            named = ", ".join(f"{escape(item.id, 20)} ({escape(item.title, 80)})" for item in covering[:2])
            lessons.append(f"{title}: {named} asks for it; look at the last audit of {code(one['subject'], 100)}")
        else:
            lessons.append(
                f"No item asks for it yet. Add: “{title} does not occur”, verified by the check {code(one['id'], 60)}"
            )
    bare = sorted({alert.rule for alert in case.alerts if not alert.runbook})[:3]
    lessons += [f"The rule {code(rule, 80)} has no `runbook_url`: give it one" for rule in bare]
    lessons += [f"It could not be seen: {prose(one, 200)}" for one in case.last.get("blind", ())[:2]]
    return lessons[:8]


def timeline_lines(case: Case) -> list[str]:
    """One line a moment, in order, each moment once."""
    moments: dict[tuple[int, str], float] = {}

    def at(when: float, text: str) -> None:
        if when:
            moments.setdefault((int(when // 60), text), when)

    for alert in case.alerts:
        name = f"{code(alert.rule, 80)} on {code(place(alert.labels).thing, 100)}"
        at(alert.starts_at, f"{name} began to fire")
        if alert.state == "resolved":
            at(alert.ends_at, f"{name} was resolved")
    words = {"reopened": "it fired again", "resolved": f"all alerts of the group were resolved, {_whose(case)}"}
    for event in case.events:
        if event.kind in words:
            at(event.at, words[event.kind])
        elif event.kind == "held":
            at(event.at, f"it was kept quiet: {prose(str(event.content.get('why', '')), 150)}")
        elif event.kind == "diagnosis":
            at(event.at, f"I looked: {prose(str(event.content.get('verdict', '')), 300)}")
            for one in event.content.get("headlines", ()):
                at(_moment(one.get("since_at")), f"{escape(one['title'], 120)} on {code(one['subject'], 100)} began")
                for happened in one.get("happened", ()):
                    at(_moment(happened["at"]), prose(happened["text"], 200))
    for said in case.said:
        answered = f" - {prose(said.answer, 160)}" if said.answer else ""
        at(said.at, f"asked: {prose(said.question, 160)}{answered}")
    return [f"• {clock(when)}: {text}" for (_, text), when in sorted(moments.items(), key=lambda one: one[1])]


def _now(case: Case) -> str:
    group = case.group
    if group is None:
        return f"{len(case.said)} question{'s' * (len(case.said) != 1)} asked here, the last {clock(case.said[-1].at)}."
    firing = sum(one.state == "firing" for one in case.alerts)
    if group.state == "firing":
        state = f"{firing} of {len(case.alerts)} alerts fire, for {told_time(case.now - group.started_at)} since {clock(group.started_at)}"
    else:
        looked = "; what is below was found before" if case.last and case.last["at"] < group.ended_at else ""
        state = f"over since {clock(group.ended_at)}, {_whose(case)}{looked}"
    again = f", came back {group.opened} time{'s' * (group.opened != 1)}" if group.opened else ""
    return f"*{escape(headline(group, case.alerts), 300)}*\n{state}{again}."


def _whose(case: Case) -> str:
    return f"by the word of {sender(case.group)}" if case.group is not None else ""


def _behind(case: Case) -> str:
    last = case.last
    if not last:
        return "*What is behind it*\nNothing was diagnosed." if case.group is not None else ""
    sure = f" Confidence {escape(last['confidence'], 20)}." if last.get("confidence") else ""
    lines = [f"*What is behind it* (looked at {clock(last['at'])})", f"{prose(last['verdict'], 500)}{sure}"]
    for one in last.get("headlines", ())[:3]:
        since = f" {prose(one['since'], 200)}" if one.get("since") else ""
        lines.append(f"• *{escape(one['title'], 150)}* on {code(one['subject'], 120)}.{since}")
    return "\n".join(lines)


def _next(case: Case) -> str:
    remedies = [remedy for one in case.last.get("headlines", ())[:3] for remedy in one["remedies"][:2]]
    if not remedies:
        return ""
    lines = ["*What to do*"]
    for remedy in remedies[:4]:
        check = f" Check: {prose(remedy['verify'], 200)}" if remedy["verify"] else ""
        lines.append(f"• {prose(remedy['text'], 300)}{check}")
    return "\n".join(lines)


def _unseen(case: Case) -> str:
    unseen = [f"• {prose(one, 200)}" for one in case.last.get("blind", ())[:3]]
    return "*Could not be seen*\n" + "\n".join(unseen) if unseen else ""


def _asked(case: Case) -> str:
    asked = [f"• {prose(one.question, 150)}" for one in case.said[-4:]]
    return "*Asked in this thread*\n" + "\n".join(asked) if asked else ""


def _moment(text: object) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp() if text else 0.0
    except ValueError:
        return 0.0


def _split(lines: Sequence[str]) -> list[str]:
    """Lines in pieces that a section takes."""
    pieces: list[str] = []
    used = _BUDGET
    for line in lines:
        if used + width(line) + 1 > _BUDGET - 100:
            pieces.append(line)
            used = width(line)
        else:
            pieces[-1] += f"\n{line}"
            used += width(line) + 1
    return pieces[:4]


def _message(title: str, parts: Sequence[str]) -> Message:
    pieces = [piece for part in parts if part for piece in _split(part.split("\n"))]
    shown: list[Block] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": piece, "verbatim": True}} for piece in pieces[:20]
    ]
    first = next((part for part in parts[1:] if part), parts[0])
    return Message(f"{title}: {first.replace('*', '')}"[:2500], shown)
