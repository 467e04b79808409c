"""A command's audit: the readiness of a place in a few lines, every item as a table in the thread."""

from __future__ import annotations

from bot.access.narrow import narrowed
from bot.access.places import placed
from bot.access.visit import allowed
from bot.attest_view import walk_buttons, walk_of
from bot.audit_output import Report
from bot.audit_score import percent, score
from bot.blocks import Message, context, plain, section
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.mrkdwn import code, escape, prose
from bot.store.readiness import Place, Readiness
from bot.store.records import Ask

KINDS = ("audit",)
NARROWS = KINDS
FAILING = 8
NOT_SET_UP = "I cannot audit: no Prometheus and no cluster are set. `rackside doctor` says what is missing."
NOTHING_THERE = "I know no such workload: `/rackside audit` alone audits all that I see."


def open_desk(bench: Bench) -> Desk:
    """The desk."""
    readiness = Readiness(bench.store.engine)

    def compose(ask: Ask, progress: Progress) -> Composed:
        from bot.app import make_library
        from bot.audit_run import NoSuchWorkload, look, report

        if bench.settings is None:
            return composed(plain(NOT_SET_UP), good=False)
        place = Place(
            str(ask.payload.get("cluster") or "default"),
            str(ask.payload.get("namespace") or ""),
            str(ask.payload.get("workload") or ""),
        )
        place, refusal = placed(place, allowed())
        if refusal:
            return composed(plain(refusal), good=False)
        progress("Holding the checklists against what is live")
        try:
            items = make_library(bench.settings).items()
            snapshot = narrowed(look(bench.settings, place, bench.clock()), allowed())
            found = report(snapshot, items, place, bench.settings.limits, readiness.marks())
        except NoSuchWorkload:
            return composed(plain(NOTHING_THERE), good=False)
        return composed(message(found), good=not found.sees_nothing)

    return compose


def message(report: Report) -> Message:
    """The audit as a message: the score first, then what fails, worst first, then what could not be seen."""
    whole = score(report.judged)
    line = f"{report.place}: {percent(whole.held)} ready, {percent(whole.verified)} verified live"
    shown = [section(f"*{escape(line, 300)}*")]
    failing = [one for one in report.worst if one.state == "fail"]
    if failing:
        lines = [f"*Fails* ({len(failing)})"]
        for one in failing[:FAILING]:
            said = one.broken[0].said if one.broken else one.why
            lines.append(f"• {code(one.item.id, 80)} {escape(one.item.title, 120)}: {prose(said, 140)}")
        if len(failing) > FAILING:
            lines.append(f"_and {len(failing) - FAILING} more: `rackside audit` prints them all_")
        shown.append(section("\n".join(lines)))
    packs = [one for one in report.scores() if one.by == "checklist"]
    if packs:
        told = "\n".join(f"• {escape(one.name, 80)}: {percent(one.score.held)}" for one in packs[:12])
        shown.append(context(f"*By checklist*\n{told}"))
    if report.unseen:
        told = "\n".join(f"• {escape(one, 200)}" for one in report.unseen[:5])
        shown.append(context(f"*Could not see*\n{told}"))
    walk = walk_of(report.judged, report.place)
    if walk is not None:
        shown.append(walk_buttons(walk))
    return Message(text=escape(line, 1000), blocks=shown)
