"""A digest as Markdown: the whole of it, or what belongs into the thread."""

from __future__ import annotations

from bot.audit_history import Change, of
from bot.audit_text import plain, prose
from bot.digest import words
from bot.digest.content import Digest
from bot.digest.words import HEADINGS

MOST_BLIND = 12


def as_markdown(digest: Digest) -> str:
    """All of it; one line for a week in which nothing happened."""
    if digest.uneventful:
        return f"{plain(words.verdict(digest))}"
    head = [f"# Readiness digest of {plain(str(digest.place))}, {words.date(digest.now.at)}", ""]
    if digest.late:
        head += [f"*{plain(digest.late)}*", ""]
    head += [f"**{plain(words.verdict(digest))}**", "", trend_line(digest)]
    parts = [(title, lines) for title, lines in sections(digest) if lines]
    return "\n".join([*head, *(line for title, lines in parts for line in ("", f"## {title}", "", *lines))])


def trend_line(digest: Digest) -> str:
    """The scores of the last digests."""
    if len(digest.trend) < 2:
        return "This is the baseline: the next digest tells what changed since."
    shown = " → ".join(map(words.score, digest.trend))
    return f"Score {words.sparkline(digest.trend)} {shown}"


def sections(digest: Digest) -> list[tuple[str, list[str]]]:
    """Titles with their lines of Markdown; empty where there is nothing to say."""
    return [
        (
            "Three things that need attention" if len(digest.attention) == 3 else "What needs attention",
            _attention(digest),
        ),
        ("What changed", _changes(digest)),
        ("Incidents", _triaged(digest)),
        (
            "Evidence that ends",
            [f"- {plain(words.ends(one))} {plain(one.mark.evidence)}".rstrip() for one in digest.ends],
        ),
        ("Cost", _costs(digest)),
        ("Blind spots", _blind(digest)),
    ]


def _attention(digest: Digest) -> list[str]:
    lines: list[str] = []
    for at, one in enumerate(digest.attention, 1):
        how = words.fresh(one) or words.since(one)
        fresh = f", {how}" if how and not digest.baseline else ""
        also = f"; {words.also(one)}" if one.also else ""
        lines.append(
            f"{at}. **{plain(words.headline(one))}** ({one.id}, {one.severity}{fresh}{also}; {plain(words.owner(one))})"
        )
        lines.append(f"   {prose(words.attention(one))}")
        stake = words.at_stake(one)
        if stake:
            lines.append(f"   {plain(stake[0].upper() + stake[1:])}.")
        if one.remedy:
            lines.append(f"   Do: {prose(one.remedy)}")
    return lines


def _changes(digest: Digest) -> list[str]:
    lines: list[str] = []
    for kind, heading in HEADINGS.items():
        found: list[Change] = of(digest.changes, kind)  # type: ignore[arg-type]
        if found:
            lines += [f"**{heading}** ({len(found)})", ""]
            lines += [f"- {plain(words.change(one))}" for one in found]
            lines.append("")
    return lines[:-1]


def _triaged(digest: Digest) -> list[str]:
    if digest.triaged is None:
        return []
    if not digest.triaged:
        return [words.NO_INCIDENT]
    return [f"- {plain(words.triaged(one))} {plain(one.link)}".rstrip() for one in digest.triaged]


def _costs(digest: Digest) -> list[str]:
    return [plain(words.costs(digest)), *(f"- idle: {plain(words.idle(one))}" for one in digest.spending.idle[:5])]


def _blind(digest: Digest) -> list[str]:
    lines = [f"- not seen: {plain(one)}" for one in digest.unseen]
    lines += [f"- {plain(words.blind(why, ids))}" for why, ids in digest.blind[:MOST_BLIND]]
    if len(digest.blind) > MOST_BLIND:
        lines.append(f"- and {len(digest.blind) - MOST_BLIND} more reasons")
    return lines
