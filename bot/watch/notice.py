"""What a watchdog tells: whom it has not told of yet, under a key that is accepted once, and as a message. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

from bot.blocks import Block, Message, size
from bot.mrkdwn import escape, prose
from bot.store.readiness import DAY_S
from bot.store.watches import Said, Watch

SNOOZE = "watch_snooze"
# What goes on is told again after a week.
AGAIN_S = 7 * DAY_S
SNOOZE_S = 7 * DAY_S
MOST_TOLD = 200
_MOST_SHOWN, _PAGE_SIZE = 15, 9_000


@dataclass(frozen=True, slots=True)
class Found:
    """One thing to tell of: whom it is about, what is so, whose it is (empty where nobody says), and what could be done."""

    subject: str
    said: str
    owner: str
    proposal: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look found; `unknown` are those of whom nothing can be said, with the reason.

    `dark` says why nobody answered at all, empty where somebody did.
    """

    found: tuple[Found, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    dark: str = ""


# The subject of a notice that a watchdog sees nothing, and the memory of since when.
DARK, DARK_SINCE = "What this watchdog looks at", "(dark since)"
DARK_S = DAY_S


def darkened(looked: Looked, said: Mapping[str, Said], now: float) -> tuple[Looked, float | None]:
    """A look with a word on what has been out of sight for a day, for silence would read as good news.

    Also since when it is dark, 0 where it is not, to be remembered; None where that is known already.
    """
    since = said[DARK_SINCE].said_at if DARK_SINCE in said else 0.0
    if not looked.dark:
        return looked, 0.0 if since else None
    if not since:
        return looked, now
    if now - since < DARK_S:
        return looked, None
    hours = f"{(now - since) / 3600:.0f} hours"
    told = Found(DARK, f"it could not be seen for {hours}, so nothing of it is known ({looked.dark}).", "", "`rackside doctor` says what is missing.")  # fmt: skip
    return Looked((*looked.found, told), looked.unknown, looked.dark), None


def allowed(subject: str, patterns: Sequence[str]) -> bool:
    """Whether a subject (`deployment/chat/llama`) is left alone; a pattern may leave the kind away (`chat/*`)."""
    return any(fnmatchcase(subject, one) or fnmatchcase(subject.partition("/")[2], one) for one in patterns)


def due(watch: Watch, looked: Looked, said: Mapping[str, Said], now: float) -> list[tuple[str, dict[str, Any]]]:
    """The notice that is due, none where everything was told of lately or is to be left alone.

    Its key follows from whom it tells of and the week, so that replicas that look at the same time bring one notice.
    """
    if watch.muted_at is not None:
        return []
    new = [
        one for one in looked.found if not allowed(one.subject, watch.allowed) and _untold(said.get(one.subject), now)
    ]
    if not new:
        return []
    whom = "\n".join(sorted(one.subject for one in new))
    key = f"watch:{watch.id}:{hashlib.sha256(whom.encode()).hexdigest()[:16]}:{int(now // AGAIN_S)}"
    payload = {
        "watch": watch.id,
        "kind": watch.kind,
        "place": str(watch.place),
        "grace": watch.grace,
        "least": watch.least,
        "at": now,
        "found": [asdict(one) for one in new[:MOST_TOLD]],
        "left": max(0, len(new) - MOST_TOLD),
        "unknown": [list(one) for one in looked.unknown[:MOST_TOLD]],
    }
    return [(key, payload)]


def _untold(said: Said | None, now: float) -> bool:
    if said is None:
        return True
    return now - said.said_at >= AGAIN_S and (said.snoozed_until is None or now >= said.snoozed_until)


def compose(payload: Mapping[str, Any], key: str) -> Message:
    """The notice as a Slack message."""
    found = [Found(**one) for one in payload["found"]]
    count = len(found) + int(payload["left"])
    head = headline(payload, count)
    blocks: list[Block] = [_section(f"*{prose(head, 400)}*")]
    shown = 0
    for one in found[:_MOST_SHOWN]:
        owner = f" _Owner:_ {escape(one.owner, 100)}." if one.owner else " _Owner not known._"
        block = _section(f"• {escape(one.subject, 160)}: {prose(one.said, 500)}{owner}\n    {prose(one.proposal, 400)}")
        if size([*blocks, block]) > _PAGE_SIZE:
            break
        blocks.append(block)
        shown += 1
    if count > shown:
        blocks.append(_context(f"_and {count - shown} more: `rackside watch look {payload['watch']}` lists them_"))
    unknown = payload["unknown"]
    if unknown:
        told = "; ".join(f"{escape(str(who), 80)}: {escape(str(why), 160)}" for who, why in unknown[:3])
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        blocks.append(_context(f"_Not known of {len(unknown)}:_ {told}{more}"))
    blocks.append(_context("Rackside only watches: nothing was changed."))
    value = json.dumps({"watch": payload["watch"], "key": key}, separators=(",", ":"))
    button = {
        "type": "button",
        "action_id": SNOOZE,
        "text": {"type": "plain_text", "text": "Snooze a week"},
        "value": value,
    }
    blocks.append({"type": "actions", "block_id": "watch", "elements": [button]})
    return Message(escape(head, 400), blocks)


def headline(payload: Mapping[str, Any], count: int) -> str:
    """What the notice is about, in a sentence."""
    if [one["subject"] for one in payload["found"]] == [DARK]:
        return f"I cannot see what I watch in {payload['place']}: that nothing was told is no good news"
    if payload["kind"] == "idle":
        what = "holders of GPUs have" if count != 1 else "holder of GPUs has"
        return f"{count} {what} done nothing with them for {payload['grace']} in {payload['place']}"
    verb = "things end" if count != 1 else "thing ends"
    return f"{count} {verb} within {payload['least']:g} days, or have ended, in {payload['place']}"


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
