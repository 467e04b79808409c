"""A question of a person: answered from live evidence and pages."""

from __future__ import annotations

from dataclasses import asdict

from bot.advisor.question import Question
from bot.blocks import blocks
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.listeners.wording import points_back
from bot.store.records import Ask, Store

KINDS = ("question",)
NARROWS = KINDS


def open_desk(bench: Bench) -> Desk:
    """The desk."""

    def compose(ask: Ask, progress: Progress) -> Composed:
        found = bench.answer(asked(ask, bench.store), progress)
        scope = {name: value for name, value in asdict(found.scope).items() if value}
        return composed(blocks(found), scope=scope)

    return compose


def asked(ask: Ask, store: Store) -> Question:
    """The question with the scope that the thread carries."""
    talk = store.talk(ask.team, ask.channel, ask.thread_ts)
    # A given scope wins over words, so it is given only where the words name nothing themselves.
    carried = talk.scope if talk and ask.ts != ask.thread_ts and points_back(ask.text) else {}
    return Question(ask.text, carried.get("cluster"), carried.get("namespace"), carried.get("workload"))
