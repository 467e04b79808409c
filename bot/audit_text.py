"""An audit as Markdown and as CSV: what is pasted into a review, and what is opened in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re

from bot.audit_output import TITLES, Report, rfc3339
from bot.audit_score import percent, score

COLUMNS = (
    "item", "checklist", "area", "phase", "owners", "severity", "state", "title", "why", "subject", "subject_state", "said", "remedy",
)  # fmt: skip
_CODE_SPAN = re.compile(r"`([^`]+)`")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_markdown(report: Report) -> str:
    """Scores, then every item with its state, a checklist at a time."""
    whole = score(report.judged)
    lines = [
        "# Readiness audit",
        "",
        f"{report.place} at {rfc3339(report.at)}: **{percent(whole.held)}** ready, {percent(whole.verified)} verified live.",
        *(f"- not seen: {plain(one)}" for one in report.unseen),
        "",
        f"| checklist | {' | '.join(TITLES.values())} | score | verified |",
        f"|---|{'--:|' * len(TITLES)}--:|--:|",
    ]
    every = report.scores()
    packs = [one for one in every if one.by == "checklist"]
    for one in packs:
        cells = [str(one.score.counts[state]) for state in TITLES]
        lines.append(
            f"| {one.name} | {' | '.join(cells)} | {percent(one.score.held)} | {percent(one.score.verified)} |"
        )
    lines += ["", "| by | name | score | verified |", "|---|---|--:|--:|"]
    lines += [
        f"| {one.by} | {plain(one.name)} | {percent(one.score.held)} | {percent(one.score.verified)} |"
        for one in every
        if one.by != "checklist"
    ]
    for pack in packs:
        lines += ["", f"## {pack.name}", ""]
        for judged in report.judged:
            if judged.item.pack == pack.name:
                state = TITLES[judged.state]
                lines.append(f"- **{judged.item.id}** {plain(judged.item.title)}: {state}. {plain(judged.why)}")
                lines += [f"  - `{plain(broken.subject)}`: {plain(broken.said)}" for broken in judged.broken]
    return "\n".join(lines)


def as_csv(report: Report) -> str:
    """A row per item, or one per subject that speaks against it, was not seen or is waived; safe to open in a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in report.judged:
        item = one.item
        head = [
            item.id, item.pack, item.area, f"day {item.phase}", " and ".join(item.owners), item.severity, TITLES[one.state],
            item.title, one.why,
        ]  # fmt: skip
        rows = [[told.subject, "fail", told.said, told.remedy] for told in one.broken]
        rows += [[subject, "unknown", why, ""] for subject, why in sorted(one.blind.items())]
        rows += [[subject, "waived", why, ""] for subject, why in sorted(one.waived.items())]
        for row in rows or [["", "", "", ""]]:
            writer.writerow([_cell(text) for text in (*head, *row)])
    return out.getvalue()


def plain(text: str) -> str:
    """Text from a cluster or a person as one line of Markdown that cannot start markup of its own."""
    return _marked(" ".join(text.split()))


def prose(text: str) -> str:
    """A sentence of ours as one line of Markdown: its closed code spans stay code, so that what is to be copied can be; else as `plain`."""
    flat = " ".join(text.split())
    pieces: list[str] = []
    end = 0
    for span in _CODE_SPAN.finditer(flat):
        pieces += [_marked(flat[end : span.start()]), span[0]]
        end = span.end()
    return "".join([*pieces, _marked(flat[end:])])


def _marked(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[").replace("`", "'")


def _cell(text: str) -> str:
    flat = " ".join(text.replace("\0", "").split())
    # A spreadsheet would run what begins like a formula.
    return f"'{flat}" if flat.startswith(_FORMULA) else flat
