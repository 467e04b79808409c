"""A digest as Slack messages: the first is read by everybody, the others, with the details, stand in its thread.

Every text has a budget and every list an end that says how much was left off, so no digest can exceed what Slack accepts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.audit_history import of
from bot.blocks import Block, Message, size
from bot.digest import words
from bot.digest.content import Attention, Digest
from bot.digest.trend_block import trend_block
from bot.digest.words import HEADINGS
from bot.mrkdwn import code, escape, link, prose, width

REPORT, SNOOZE, MUTE = "digest_report", "digest_snooze", "digest_mute"
_BADGE = {"critical": ":red_circle:", "high": ":large_orange_circle:", "medium": ":large_yellow_circle:"}
_SECTION, _LINE, _FALLBACK = 2400, 320, 1500
# Slack takes 50 blocks and refuses a message somewhere above 12,000 characters of them.
_PART_SIZE = 9_000
# A button's value holds 2,000 characters at most; ours is an id and a key.
_VALUE = 1_900


def messages(digest: Digest, subscription: str = "") -> list[Message]:
    """The digest, and what follows in its thread (nothing in a week in which nothing happened)."""
    first = Message(_fallback(digest), _first(digest, subscription))
    return [first] if digest.uneventful else [first, *_thread(digest)]


def _first(digest: Digest, subscription: str) -> list[Block]:
    head = f"*{prose(words.verdict(digest), 600)}*"
    if digest.uneventful:
        return [_section(head), *_buttons(digest, subscription)]
    title = f"Readiness digest of {code(str(digest.place), 120)}, {words.date(digest.now.at)}"
    lines = [head, _trend(digest)]
    shown = [_context(title), _section("\n".join(line for line in lines if line))]
    drawn = trend_block(digest.trend)
    shown += [drawn] if drawn is not None else []
    if digest.late:
        shown.append(_context(f":alarm_clock: {prose(digest.late, 300)}"))
    if digest.attention:
        shown.append({"type": "divider"})
        shown += [_section(_attention(at, one, digest)) for at, one in enumerate(digest.attention, 1)]
    changed = _summary(digest)
    if changed:
        shown += [{"type": "divider"}, _section(changed)]
    shown.append(_section(f"*Cost*\n{prose(words.costs(digest), 600)}"))
    shown.append(_context(_last(digest)))
    return [*shown, *_buttons(digest, subscription)]


def _trend(digest: Digest) -> str:
    if len(digest.trend) < 2:
        return "_The next digest tells what changed since._"
    first, last = digest.trend[0], digest.trend[-1]
    return f"{words.sparkline(digest.trend)}  {words.score(first)} → {words.score(last)} ({len(digest.trend)} digests)"


def _attention(at: int, one: Attention, digest: Digest) -> str:
    how = words.fresh(one) or words.since(one)
    fresh = f", {how}" if how and not digest.baseline else ""
    also = f"; {escape(words.also(one), 120)}" if one.also else ""
    lines = [
        f"{_BADGE.get(one.severity, ':white_circle:')} *{at}. {escape(words.headline(one), 160)}* ({escape(one.id, 20)}, {escape(one.severity, 20)}{fresh}{also})",
        prose(words.attention(one), 500),
    ]
    stake = words.at_stake(one)
    lines.append(f"_Owner:_ {escape(words.owner(one), 150)}" + (f" · {escape(stake, 120)}" if stake else ""))
    if one.remedy:
        lines.append(f"_Do:_ {prose(one.remedy, 400)}")
    return "\n".join(lines)


def _summary(digest: Digest) -> str:
    if digest.baseline:
        return ""
    counted = words.counted(digest.changes)
    lines = []
    if counted:
        lines.append("*What changed*  " + " · ".join(f"{heading.lower()} {count}" for heading, count in counted))
    for kind in ("new", "worse", "fixed"):
        found = of(digest.changes, kind)
        lines += [f"• _{HEADINGS[kind].lower()}_ {escape(words.change(one), 220)}" for one in found[:3]]
    if digest.triaged:
        lines.append("*Incidents*")
        lines += [f"• {_incident(one)}" for one in digest.triaged[:3]]
    if digest.ends:
        lines.append("*Evidence that ends*")
        lines += [f"• {escape(words.ends(one), 220)}" for one in digest.ends[:3]]
    return _within(lines, _SECTION)


def _incident(one: Any) -> str:
    said = escape(words.triaged(one), 220)
    return f"{said} {link(one.link, 'thread', 40)}" if one.link else said


def _last(digest: Digest) -> str:
    unseen = f"{digest.counts.get('unknown', 0)} items could not be seen"
    open_ = digest.counts.get("attest", 0) + digest.counts.get("expired", 0)
    sources = f"not seen: {'; '.join(digest.unseen)}" if digest.unseen else ""
    told = (unseen, f"{open_} wait for a person's evidence", sources, words.UNCHANGED)
    return " · ".join(escape(one, 300) for one in told if one)


def _thread(digest: Digest) -> list[Message]:
    """Details as messages of their own: changes, incidents and what ends, blind spots."""
    parts: list[tuple[str, list[str]]] = []
    for kind, heading in HEADINGS.items():
        found = of(digest.changes, kind)  # type: ignore[arg-type]
        parts.append((heading, [f"• {escape(words.change(one), _LINE)}" for one in found]))
    parts.append(("Incidents", [f"• {_incident(one)}" for one in digest.triaged or ()]))
    parts.append(
        (
            "Evidence that ends",
            [
                f"• {escape(words.ends(one), _LINE)} {link(one.mark.evidence, 'evidence', 40) if one.mark.evidence else ''}"
                for one in digest.ends
            ],
        )
    )
    parts.append(("Idle GPU-hours", [f"• {escape(words.idle(one), _LINE)}" for one in digest.spending.idle]))
    blind = [f"• {escape(one, _LINE)}" for one in digest.unseen]
    blind += [f"• {prose(words.blind(why, ids), _LINE)}" for why, ids in digest.blind]
    parts.append(("Blind spots", blind))
    shown = [_section(f"*{heading}* ({len(lines)})\n{_within(lines, _SECTION)}") for heading, lines in parts if lines]
    out: list[Message] = []
    page: list[Block] = []
    for block in shown:
        if page and size([*page, block]) > _PART_SIZE:
            out.append(Message("Details of the readiness digest", page))
            page = []
        page.append(block)
    return [*out, *([Message("Details of the readiness digest", page)] if page else [])]


def _within(lines: Sequence[str], budget: int) -> str:
    out: list[str] = []
    used = 0
    for at, line in enumerate(lines):
        if at and used + width(line) + 1 > budget - 40:
            out.append(f"_and {len(lines) - at} more_")
            break
        out.append(line)
        used += width(line) + 1
    return "\n".join(out)


def _buttons(digest: Digest, subscription: str) -> list[Block]:
    value = json.dumps({"subscription": subscription, "key": digest.key}, separators=(",", ":"))
    if not digest.key or len(value) > _VALUE:
        return []
    told = [(REPORT, "Full report")]
    told += [(SNOOZE, "Snooze a week"), (MUTE, "Mute")] if subscription else []
    elements = [
        {"type": "button", "action_id": name, "text": {"type": "plain_text", "text": title}, "value": value}
        for name, title in told
    ]
    return [{"type": "actions", "block_id": "digest", "elements": elements}]


def _fallback(digest: Digest) -> str:
    return escape(f"Readiness digest: {words.verdict(digest)}", _FALLBACK)


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
