"""An audit as one HTML page that loads nothing: light and dark, printable."""

from __future__ import annotations

from bot.audit_output import Report, rfc3339, varied
from bot.audit_score import Scored, percent, score
from bot.digest.page import page

MOST_PLACES, MOST_SUBJECTS = 200, 12


def as_html(report: Report) -> str:
    """The page."""
    by: dict[str, list[Scored]] = {name: [] for name in ("checklist", "team", "phase", "namespace", "workload")}
    for one in report.scores():
        if one.by in by:
            by[one.by].append(one)
    for places in (by["namespace"], by["workload"]):
        places.sort(key=lambda one: (1.0 if one.score.held is None else one.score.held, one.name))
    return page(
        "audit",
        report=report,
        whole=score(report.judged),
        verdict=verdict(report),
        at=rfc3339(report.at),
        by=by,
        worst=report.worst,
        reasons=report.blind_reasons(),
        varied=varied,
        most=MOST_PLACES,
        subjects=MOST_SUBJECTS,
    )


def verdict(report: Report) -> str:
    """The audit in one sentence."""
    whole = score(report.judged)
    if report.unseen and not whole.counts["pass"] + whole.counts["fail"]:
        return "Nothing could be seen, so nothing can be said to be ready."
    if whole.held is None:
        return "Nothing here is what the checklists are about."
    failing = whole.counts["fail"]
    worst = report.worst
    told = (
        f"{failing} {'items fail' if failing != 1 else 'item fails'}" if failing else "nothing that could be seen fails"
    )
    grave = sum(one.item.severity == "critical" for one in worst)
    more = f", {grave} of them critical" if grave else ""
    return f"{percent(whole.held)} ready, {percent(whole.verified)} verified live: {told}{more}."
