"""Incident threads: caught up (for the asker's eyes alone), the timeline, a hand-over note, a closing summary."""

from __future__ import annotations

from dataclasses import replace

from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.store.alerts import AlertBook, Group, StormRow
from bot.store.records import Ask
from bot.triage import incident
from bot.triage.incident import Case, Said
from bot.triage.runbooks import Pages

KINDS = NARROWS = ("incident",)


def open_desk(bench: Bench) -> Desk:
    """The desk. It tells what is kept of the ask's own thread, never of another."""
    book, pages = AlertBook(bench.store.engine), Pages(bench)

    def compose(ask: Ask, _progress: Progress) -> Composed:
        case = gathered(book, ask, bench.clock())
        what = str(ask.payload.get("what"))
        if what == "catch_up":
            made = composed(incident.catch_up(case))
            made["seen_by"] = ask.person
            return made
        if what == "closing":
            return composed(incident.closing(case, pages.items()))
        return composed(incident.handover(case) if what == "handover" else incident.timeline(case))

    return compose


def gathered(book: AlertBook, ask: Ask, now: float) -> Case:
    """All that is kept of the thread of an ask."""
    group = book.in_thread(ask.team, ask.channel, ask.thread_ts)
    said = [Said(at, question, answer) for at, question, answer in book.said_in(ask.team, ask.channel, ask.thread_ts)]
    storm = book.storm_in_thread(ask.team, ask.channel, ask.thread_ts) if group is None else None
    if storm is not None:
        return Case(now, _as_one(book, storm), book.alerts_in_storm(storm.id), book.events(storm.id, 0), said)
    if group is None:
        return Case(now, None, said=said)
    alerts, events = book.items(group.id, group.episode), book.events(group.id, group.episode)
    return Case(now, group, alerts, events, said)


def _as_one(book: AlertBook, storm: StormRow) -> Group | None:
    """The groups of a storm as if they were one."""
    groups = book.in_storm(storm.id)
    if not groups:
        return None
    over = all(one.state == "resolved" for one in groups)
    ended = max(one.ended_at for one in groups) if over else 0.0
    return replace(
        groups[0], state="resolved" if over else "firing", started_at=storm.started_at, ended_at=ended, opened=0
    )
