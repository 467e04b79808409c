"""A command's sweep: every failure mode over a place, without a question."""

from __future__ import annotations

from bot.advisor.question import Question
from bot.blocks import plain
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.desks.question import reply
from bot.store.records import Ask

KINDS = NARROWS = ("sweep",)


def open_desk(bench: Bench) -> Desk:
    """The desk."""

    def compose(ask: Ask, progress: Progress) -> Composed:
        cluster, namespace, workload = (
            str(ask.payload.get(name) or "") or None for name in ("cluster", "namespace", "workload")
        )
        found = bench.answer(Question(None, cluster, namespace, workload), progress)
        # A sweep is declined only where its place is not to be seen from here: that is no answer to follow up.
        return composed(plain(found.verdict), good=False) if found.intent == "declined" else reply(bench, ask, found)

    return compose
