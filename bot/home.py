"""App Home as a view: what is wrong now, readiness, my subscriptions, recent answers, how Rackside can see. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.advisor.question import Answer
from bot.audit_score import percent
from bot.blocks import context, section
from bot.blocks_actions import OPEN_ASK, button
from bot.digest.schedule import DAYS
from bot.mrkdwn import code, escape, prose
from bot.seen import Seen
from bot.store.answers import Kept
from bot.store.subscriptions import Subscription
from tools.finding import Finding
from tools.together import together, told

REFRESH = "home_refresh"
HEADLINES, RECENT, SEEN, MINE, NAMED = 5, 5, 14, 10, 12
_BADGE = {"critical": ":red_circle:", "high": ":large_orange_circle:", "medium": ":large_yellow_circle:"}
_WORST = {"blind": 0, "not set": 1, "ok": 2}
_HOW = {"blind": ": cannot be read", "not set": ": not set up"}
_STATE = {"ok": ":large_green_circle:", "blind": ":red_circle:"}
_CHANNEL = re.compile(r"[CDG][A-Z0-9]{1,24}")
NOT_YET = "_I am looking ..._"
Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Readiness:
    """The last kept audit: the share of items that hold, the share that was verified live, and when."""

    held: float | None
    verified: float | None
    at: float


@dataclass(frozen=True, slots=True)
class Home:
    """What one person's home shows. `now` is None while it is looked up, `settings` is empty for all but admins."""

    now: Answer | None
    at: float
    readiness: Readiness | None = None
    subscriptions: Sequence[Subscription] = ()
    recent: Sequence[Kept] = ()
    seen: Sequence[Seen] | None = None
    settings: Sequence[tuple[str, str]] = ()
    refused: str = ""


def view(home: Home) -> dict[str, Any]:
    """The view, within Slack's hundred blocks whatever there is."""
    if home.refused:
        return {"type": "home", "blocks": [_header("Rackside"), section(escape(home.refused, 1000))]}
    blocks = [_header("What is wrong now"), *_now(home)]
    blocks.append({"type": "actions", "elements": [button("Look again", REFRESH), button("Ask something", OPEN_ASK)]})
    blocks += [_header("Readiness"), section(_readiness(home.readiness))]
    blocks += [_header("My subscriptions"), section(_subscriptions(home.subscriptions))]
    blocks += [_header("Recent answers to me"), section(_recent(home.recent))]
    blocks += [_header("How I can see"), section(_seen(home.seen, detailed=bool(home.settings)))]
    if home.settings:
        lines = [f"• {escape(name, 60)}: {escape(said, 200) or '_not set_'}" for name, said in home.settings[:10]]
        blocks += [_header("Settings (for admins)"), section("\n".join(lines))]
    blocks.append(context("Rackside only reads: nothing was changed."))
    return {"type": "home", "blocks": blocks}


def prompts(now: Answer | None) -> list[dict[str, str]]:
    """What to ask first, at most four, from what is wrong now."""
    found = []
    for finding in _headlines(now)[:3] if now is not None else ():
        what = " ".join(f"{finding.subject}: {finding.title}".split())
        found.append(
            {"title": _cut(finding.title, 60), "message": _cut(f"Why is this so, and what helps? {what}", 300)}
        )
    fixed = ({"title": "What is wrong right now?", "message": "What is wrong right now?"},
             {"title": "Which GPUs sit idle?", "message": "Which GPUs are idle, and why?"})  # fmt: skip
    return [*found, *fixed][:4]


def _headlines(now: Answer) -> list[Finding]:
    """What stands out, worst first; one cause on many nodes or GPUs is one."""
    return [told(group) for group in together(now.findings)]


def _now(home: Home) -> list[Block]:
    if home.now is None:
        return [section(NOT_YET)]
    headlines = _headlines(home.now)
    # The verdict of several names them all: here each has its line.
    several = f"{len(headlines)} separate problems, worst first."
    verdict = several if len(headlines) > 1 else prose(home.now.verdict, 500) or "No verdict."
    blocks = [section(f"*{verdict}*")]
    lines = [
        f"{_BADGE.get(one.severity, ':white_circle:')} {escape(one.title, 150)} {code(one.subject, 150)}"
        + (f"\n    {prose(one.since.text, 400)}" if one.since is not None else "")
        for one in headlines[:HEADLINES]
    ]
    if len(headlines) > HEADLINES:
        lines.append(f"_and {len(headlines) - HEADLINES} more_")
    if lines:
        blocks.append(section("\n".join(lines)))
    return [*blocks, context(f"As of {_moment(home.at)}.{_unseen(home.now)}")]


def _unseen(now: Answer) -> str:
    """What could not be seen, the first of it by name: without it, nothing wrong would read as all well."""
    if not now.blind:
        return ""
    count = len(now.blind)
    names = ", ".join(escape(one.what, 80) for one in now.blind[:3]) + (f" and {count - 3} more" if count > 3 else "")
    return f" {count} {'thing' if count == 1 else 'things'} could not be seen: {names}."


def _readiness(found: Readiness | None) -> str:
    if found is None:
        return "_No audit is kept yet: `/rackside digest` makes one._"
    return f"*{percent(found.held)}* ready, {percent(found.verified)} verified live, as of {_moment(found.at)}"


def _subscriptions(mine: Sequence[Subscription]) -> str:
    lines = [
        f"• <#{one.channel}> every {DAYS[one.weekday].capitalize()} {one.minute // 60:02}:{one.minute % 60:02} ({escape(one.zone, 60)})"
        + (", muted" if one.muted_at is not None else "")
        for one in mine[:MINE]
        if _CHANNEL.fullmatch(one.channel)
    ]
    return "\n".join(lines) or "_None. `/rackside subscribe` in a channel gets it a digest every week._"


def _recent(recent: Sequence[Kept]) -> str:
    lines = [
        f"• {escape(one.question, 120)}\n    {prose(one.verdict, 200)} ({_moment(one.made_at)})"
        for one in recent[:RECENT]
    ]
    return "\n".join(lines) or "_None yet._"


def _seen(seen: Sequence[Seen] | None, *, detailed: bool) -> str:
    """What cannot be seen, each on a line of its own, then what can: for admins with its details, for others on one line."""
    if seen is None:
        return NOT_YET
    told = seen if detailed else [one for one in seen if one.state != "ok"]
    worst = sorted(told, key=lambda one: _WORST.get(one.state, 0))
    lines = [
        f"{_STATE.get(one.state, ':white_circle:')} {escape(one.what, 60)}"
        + (f": {escape(one.detail, 110)}" if detailed else _HOW.get(one.state, ""))
        for one in worst[:SEEN]
    ]
    if len(worst) > SEEN:
        lines.append(f"_and {len(worst) - SEEN} more: `rackside doctor` lists them_")
    well = [escape(one.what, 60) for one in seen if one.state == "ok"]
    if well and not detailed:
        more = f" and {len(well) - NAMED} more" if len(well) > NAMED else ""
        lines.append(f"{_STATE['ok']} {len(well)} can be read: {', '.join(well[:NAMED])}{more}")
    return "\n".join(lines) or "_Nothing is set up yet: `rackside doctor` says what is missing._"


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%-d %b %H:%M UTC")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
