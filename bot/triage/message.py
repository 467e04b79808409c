"""A group of alerts, and a storm of them, as messages. All that a sender wrote is escaped; only known hosts become links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.advisor.question import Citation
from bot.blocks import UNCHANGED, Block, Message
from bot.mrkdwn import code, escape, link, prose, width
from bot.store.alerts import Group, StormRow
from bot.triage.alert import Alert
from bot.triage.grouping import severity, title, told_time
from bot.triage.scope import place

SHOWN = 8
ROWS = 10
BUTTONS = {
    "catch_up": "Catch me up",
    "timeline": "Timeline",
    "handover": "Hand-over note",
    "closing": "Closing summary",
}
ACTION = "rackside_incident_"
_BADGE = {"critical": ":red_circle:", "page": ":red_circle:", "error": ":red_circle:"}


@dataclass(frozen=True, slots=True)
class Told:
    """What else a group's message says: the last diagnosis (as it was noted), the runbook's page, hosts that are linked."""

    diagnosis: dict[str, Any] | None = None
    runbook: Citation | None = None
    runbook_url: str = ""
    hosts: Collection[str] = ()


def group_message(group: Group, alerts: Sequence[Alert], told: Told, now: float) -> Message:
    """The one message of a group: what fires, since when, what is behind it, its runbook."""
    head = headline(group, alerts)
    shown = [_section(f"{_badge(group, alerts)} *{escape(head, 400)}*\n{_state(group, alerts)}")]
    if told.diagnosis:
        shown.append(_section(_verdict(told.diagnosis)))
    shown.append(_section(_listed(alerts, now)))
    runbook = _runbook(told)
    if runbook:
        shown.append(_context(runbook))
    shown.append(_buttons(group))
    shown.append(_context(_origin(group, told.hosts)))
    verdict = f" {told.diagnosis['verdict']}" if told.diagnosis else ""
    return Message(escape(f"{head}.{verdict}", 2500), shown)


def headline(group: Group, alerts: Sequence[Alert]) -> str:
    """Title with its state: a resolved group says so, and how long it lasted."""
    said = title(alerts) if alerts else "An alert without content"
    if group.state == "resolved":
        return f"Resolved after {told_time(group.ended_at - group.started_at)}: {said}"
    return said


def _badge(group: Group, alerts: Sequence[Alert]) -> str:
    if group.state == "resolved":
        return ":white_check_mark:"
    return ":zzz:" if group.held else _BADGE.get(severity(alerts), ":large_orange_circle:")


def _state(group: Group, alerts: Sequence[Alert]) -> str:
    firing = sum(one.state == "firing" for one in alerts)
    total = len(alerts) + group.left_out
    if group.state == "resolved":
        said = [f"{clock(group.started_at)} to {clock(group.ended_at)}", f"{total} alert{'s' * (total != 1)}"]
        said.append(f"over by the word of {sender(group)}, not looked at again")
    else:
        many = f"{firing} of {total} alerts fire" if total != 1 else "fires"
        said = [f"{many} since {clock(group.started_at)}"]
        worst = severity(alerts)
        if worst:
            said.append(f"severity {escape(worst, 20)}")
    if group.opened:
        said.append(f"came back {group.opened} time{'s' * (group.opened != 1)}")
    if group.left_out:
        said.append(f"{group.left_out} not shown")
    if group.held and group.state == "firing":
        until = f" until {clock(group.held_until)}" if group.held_until else ""
        said.append(f"kept quiet{until}: {prose(group.held, 250)}")
    return " · ".join(said)


def _verdict(diagnosis: dict[str, Any]) -> str:
    confidence = diagnosis.get("confidence")
    sure = f" Confidence: *{escape(str(confidence), 20)}*." if confidence else ""
    return f"*What is behind it* (looked at {clock(diagnosis['at'])})\n{prose(str(diagnosis['verdict']), 700)}{sure}"


def _listed(alerts: Sequence[Alert], now: float) -> str:
    order = sorted(alerts, key=lambda one: (one.state == "resolved", one.starts_at))
    lines = [_line(one, now) for one in order[:SHOWN]]
    if len(order) > SHOWN:
        lines.append(f"_and {len(order) - SHOWN} more_")
    return _within(lines, 2900) or "_no alert was told_"


def _line(alert: Alert, now: float) -> str:
    for_how_long = told_time((alert.ends_at or now) - alert.starts_at)
    state = f"over after {for_how_long}" if alert.state == "resolved" else f"for {for_how_long}"
    said = f": {prose(alert.summary, 180)}" if alert.summary else ""
    return f"• *{escape(alert.rule, 100)}* {code(place(alert.labels).thing, 120)} {state}{said}"


def _runbook(told: Told) -> str:
    if told.runbook is not None:
        section = f", {escape(told.runbook.section, 100)}" if told.runbook.section else ""
        quoted = f"\n“{escape(told.runbook.quote, 400)}”" if told.runbook.quote else ""
        return (
            f":book: *Runbook:* {link(told.runbook.url, told.runbook.title or told.runbook.id, 120)}{section}{quoted}"
        )
    if told.runbook_url:
        return f":book: *Runbook:* {address(told.runbook_url, told.hosts)} (not among the pages that I know)"
    return ""


def address(url: str, hosts: Collection[str]) -> str:
    """An address that somebody sent: a link where its host is one of the settings, else text to copy."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return link(url, url, 150) if host and host in hosts else code(url, 200)


def sender(group: Group) -> str:
    """Who told of a group. An alert whose series are gone is over for its sender, too: whether all is well, nobody has looked."""
    return {"alertmanager": "Alertmanager", "grafana": "Grafana"}.get(group.source, "another bot's message")


def _origin(group: Group, hosts: Collection[str]) -> str:
    receiver = f", receiver {code(group.receiver, 60)}" if group.receiver else ""
    where = f" · {address(group.url, hosts)}" if group.url else ""
    return f"From {sender(group)}{receiver}{where} · {UNCHANGED}"


def _buttons(group: Group) -> Block:
    wanted = ("catch_up", "timeline", "closing" if group.state == "resolved" else "handover")
    elements = [
        {
            "type": "button",
            "action_id": f"{ACTION}{name}",
            "text": {"type": "plain_text", "text": BUTTONS[name]},
            "value": f"{group.id}:{group.episode}",
        }
        for name in wanted
    ]
    return {"type": "actions", "elements": elements}


# A storm.


def storm_message(
    storm: StormRow, groups: Sequence[Group], alerts: Sequence[Alert], verdict: dict[str, Any] | None
) -> Message:
    """Many groups in one message: counts by rule and by namespace, what is behind them, how many are over."""
    firing = [one for one in alerts if one.state == "firing"]
    began, ended = storm.started_at, storm.ended_at
    went = f"in {told_time(storm.last_at - began)} from {clock(began)}"
    if ended and not firing:
        head = f"The alert storm is over: {len(alerts)} alerts of {len(groups)} groups {went}, all resolved"
    else:
        head = f"Many alerts at once: {len(alerts)} of {len(groups)} groups {went}, {len(firing)} still fire"
    badge = ":white_check_mark:" if ended and not firing else ":rotating_light:"
    counted = firing or alerts
    rules = Counter(one.rule for one in counted)
    spaces = Counter(place(one.labels).namespace or place(one.labels).node or "no namespace" for one in counted)
    shown = [_section(f"{badge} *{escape(head, 400)}*\nThey are told here together, not in a thread each.")]
    if verdict:
        shown.append(_section(_verdict(verdict)))
    shown.append(_section(f"*By rule*\n{_rows(rules)}"))
    shown.append(_section(f"*By namespace or node*\n{_rows(spaces)}"))
    shown.append(_context(UNCHANGED))
    return Message(escape(head, 1000), shown)


def _rows(counted: Counter[str]) -> str:
    rows = [f"• {count} × {code(name, 120)}" for name, count in counted.most_common(ROWS)]
    left = len(counted) - ROWS
    if left > 0:
        rest = sum(counted.values()) - sum(count for _, count in counted.most_common(ROWS))
        rows.append(f"_and {rest} of {left} more_")
    return _within(rows, 1400)


# Pieces.


def clock(at: float) -> str:
    """A moment as people read it, in UTC; the day is named where it is not today's by itself."""
    return datetime.fromtimestamp(at, UTC).strftime("%d %b %H:%M UTC") if at else "an unknown time"


def _within(lines: Sequence[str], budget: int) -> str:
    kept: list[str] = []
    used = 0
    for line in lines:
        if used + width(line) + 1 > budget:
            kept.append("_and more_")
            break
        kept.append(line)
        used += width(line) + 1
    return "\n".join(kept)


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}
