"""A command's sweep: every failure mode over a place, without a question."""

from __future__ import annotations

from bot.advisor.question import Question
from bot.desk import Bench, Composed, Desk, Progress
from bot.desks.question import reply
from bot.store.records import Ask

KINDS = NARROWS = ("sweep",)


def open_desk(bench: Bench) -> Desk:
    """The desk."""

    def compose(ask: Ask, progress: Progress) -> Composed:
        cluster, namespace, workload = (
            str(ask.payload.get(name) or "") or None for name in ("cluster", "namespace", "workload")
        )
        return reply(bench, ask, bench.answer(Question(None, cluster, namespace, workload), progress))

    return compose
