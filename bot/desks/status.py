"""A command's status: one view of one workload, as a table of readings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

from bot.access.narrow import narrowed
from bot.access.visit import allowed
from bot.advisor.question import Question
from bot.advisor.scope import permitted
from bot.blocks import Message, context, plain, section
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.mrkdwn import escape
from bot.slack_command import VIEWS, View
from bot.store.records import Ask
from bot.workload_status import ASKS, Status, status, unseen, workloads

KINDS = NARROWS = ("status",)
_SEVERAL = 8
NOT_SET_UP = "I cannot look: no Prometheus and no cluster are set. `rackside doctor` says what is missing."


def open_desk(bench: Bench) -> Desk:
    """The desk."""

    def compose(ask: Ask, progress: Progress) -> Composed:
        from bot.app import make_sources
        from tools.survey import survey

        if bench.settings is None:
            return composed(plain(NOT_SET_UP), good=False)
        namespace, name = str(ask.payload.get("namespace") or ""), str(ask.payload.get("workload") or "")
        view = _view(ask.payload.get("view"))
        progress(f"Reading {name}: {view}")
        question = Question(None, ask.payload.get("cluster") or None, namespace or None, allowed=allowed())
        question, refusal = permitted(question, "")
        if refusal:
            return composed(plain(refusal), good=False)
        cluster = question.cluster
        prom, kube, matchers = make_sources(bench.settings, cluster)
        seen = survey(prom, kube, set(ASKS[view]), bench.clock(), matchers=matchers)
        snapshot = narrowed(seen, question.allowed)
        found = workloads(snapshot, namespace, name)
        if snapshot.sees_nothing:
            whys = "; ".join(f"{one.name}: {one.blind}" for one in snapshot.sources)
            return composed(plain(f"I could see nothing of {name}. {whys}"), good=False)
        if not found:
            return composed(
                plain(f"I see no workload called {name}{f' in {namespace}' if namespace else ''}."), good=False
            )
        if len(found) > 1:
            names = ", ".join(f"`{one.namespace}/{one.name}`" for one in found[:_SEVERAL])
            return composed(plain(f"Several workloads are called {name}. Say which: {names}"), good=False)
        told = status(snapshot, found[0], view)
        scope = {"namespace": found[0].namespace, "workload": found[0].name} | ({"cluster": cluster} if cluster else {})
        return composed(message(told), good=not told.sees_nothing, scope=scope)

    return compose


def _view(said: object) -> View:
    known: tuple[View, ...] = get_args(View)
    return next((view for view in known if view == said), "overview")


def message(told: Status) -> Message:
    """The view as a message: a line a reading, then what could not be seen and why."""
    moment = datetime.fromtimestamp(told.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    head = f"{told.workload}: {told.view}"
    lines = [f"• {escape(line.ask.said, 120)}: *{escape(str(line), 160)}*" for line in told.lines if line.read]
    shown = [section(f"*{escape(head, 250)}* at {moment}")]
    shown.append(section("\n".join(lines) if lines else "_Nothing of it could be seen._"))
    hidden = [f"• {escape(', '.join(what), 250)}: {escape(why, 200)}" for why, what in unseen(told.lines).items()]
    if hidden:
        shown.append(context("*Could not see*\n" + "\n".join(hidden[:6])))
    others = ", ".join(view for view in VIEWS if view != told.view)
    shown.append(context(f"Other views: {others}. Ask on in this thread, it keeps the workload."))
    return Message(text=escape(f"{head} at {moment}", 1000), blocks=shown)
