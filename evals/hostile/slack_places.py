"""Where else in Slack a hostile text is put: names that people and files have, what is shared along, commands, bots' alerts, incidents, App Home."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.advisor.question import Answer
from bot.blocks import blocks
from bot.deep_links import Links
from bot.desks.help import HELP
from bot.desks.question import unopened
from bot.follow_up import settled
from bot.home import Home, view
from bot.listeners.alerts import alert_in
from bot.listeners.command import readable
from bot.listeners.incoming import incoming
from bot.mrkdwn import web_address
from bot.seen import Seen
from bot.slack_command import CommandProblem, parse
from bot.store.alerts import Event, Group
from bot.store.answers import Kept
from bot.store.readiness import Place
from bot.store.records import Ask
from bot.store.subscriptions import Subscription
from bot.triage import incident
from bot.triage.alert import Alert
from bot.triage.incident import Case, Said
from bot.triage.message import Told, group_message
from bot.triage.notes import noted
from bot.triage.settings import AlertSettings, Watched
from bot.watch import notice
from evals.hostile import judge
from evals.hostile.surfaces import OURS, Judged, Surface, answer, parts, said
from knowledge.items import Item

_ME = "U0RACKSIDE"
_ALERTS = AlertSettings(watch=(Watched(channel="C0OPS00", bots=("B0PROM0",)),))
_FOLLOW_UPS = ("since when?", "what did you rule out?", "show the query", "what could you not see?", "why?")


def _ours(text: str) -> frozenset[str]:
    return frozenset({OURS, web_address(text)} - {""})


def _heard(text: str, **event: Any) -> Ask:
    """What is taken from a mention whose every name is the text."""
    profile = dict.fromkeys(("display_name", "real_name", "first_name", "name"), text)
    told = {
        "type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.1", "text": f"<@{_ME}> why?", "username": text, "user_profile": profile,
        **event,
    }  # fmt: skip
    message = incoming({"type": "event_callback", "team_id": "T1", "event": told}, _ME)
    assert message is not None
    return message.ask(message.question)


def _names(text: str) -> Judged:
    """A display name, and names of files: nothing is taken from them, so nothing can come back."""
    file = {"id": "F1", **dict.fromkeys(("name", "title", "filetype", "url_private", "preview"), text)}
    ask = _heard(text, files=[file])
    if ask != replace(_heard("x", files=[{}]), payload=ask.payload) or set(ask.payload) != {"files"}:
        yield "a name is taken along"
    shown = unopened(ask, {"text": HELP, "blocks": [], "good": True, "scope": None, "more": []})
    yield from judge.mrkdwn(list(parts(shown["blocks"])), ())


def _shared(text: str) -> Judged:
    """A message that is shared along, as it comes back in an answer."""
    field = {"title": text, "value": text}
    ask = _heard(
        text, attachments=[{"is_share": True, "text": text, "title": text, "author_name": text, "fields": [field]}]
    )
    yield from said(blocks(Answer(ask.text, "declined", answer(text).scope, ask.text, text=ask.text)), _ours(text))


def _command(text: str) -> Judged:
    """What is typed behind the command, as it is refused."""
    for typed in (
        text,
        f"status {text}",
        f"diagnose {text}",
        f"mute {text}",
        f"subscribe {text}",
        f"subscribe monday {text}",
        f"subscribe monday 09:00 {text}",
    ):
        try:
            parse(readable(typed))
        except CommandProblem as problem:
            yield from judge.mrkdwn([{"type": "mrkdwn", "text": str(problem), "verbatim": True}], ())


def _posted(text: str) -> Judged:
    """An alert that a bot posts, in its usual shapes and with every name."""
    fields = [{"title": "namespace", "value": text}, {"title": text, "value": text}]
    shapes: tuple[dict[str, Any], ...] = (
        {"text": f"FIRING: {text}\nnamespace: {text}\nsummary: {text}"},
        {"text": f"[FIRING:1] {text}", "username": text},
        {
            "attachments": [
                {
                    "title": f"[FIRING:1] KVCacheFull {text}",
                    "text": text,
                    "fields": fields,
                    "fallback": text,
                    "footer": text,
                }
            ]
        },
        {
            "text": f"Triggered *#4711*: <https://x.example|{text}>",
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
        },
    )
    for shape in shapes:
        event = {
            "type": "message",
            "subtype": "bot_message",
            "channel": "C0OPS00",
            "ts": "9.1",
            "event_ts": "9.1",
            "bot_id": "B0PROM0",
            **shape,
        }
        found = alert_in({"type": "event_callback", "team_id": "T1", "event": event}, _ALERTS, _ME)
        if found is not None:
            yield from said(group_message(_group(text), list(found.alerts), Told(None, None, text), 100.0), _ours(text))


def _group(text: str) -> Group:
    return Group(
        "g", 1, "T1", "C1", "message", text, text, text, "firing", text, 0.0, 0, 1.0, 0.0, 1.0, text, 1, 1, text, text, 1.0, "firing", 1.0,
        "", 1.0, "[]", 0, 1,
    )  # fmt: skip


def _incident(text: str) -> Judged:
    """An incident told again: caught up, as a timeline, handed over, closed."""
    alert = Alert(
        dict.fromkeys(("alertname", "severity", "namespace", "pod", "Hostname", text), text),
        {"summary": text},
        "firing",
        1.0,
        url=text,
    )
    events = (
        Event(2.0, "diagnosis", noted(answer(text), 2.0)),
        Event(3.0, "held", {"why": text}),
        Event(4.0, "resolved", {}),
    )
    case = Case(100.0, _group(text), (alert,), events, (Said(5.0, text, text),))
    item = Item("seeds/01", "seeds", "p", text, text, text, 1, (text,), "high", text, text, text, (), text)
    for told in (
        incident.catch_up(case),
        incident.timeline(case),
        incident.handover(case),
        incident.closing(case, [item]),
    ):
        yield from said(told, _ours(text))


def _follow_up(text: str) -> Judged:
    """What the last answer of a thread settles by itself."""
    for asked in _FOLLOW_UPS:
        told = settled(asked, answer(text), Links("http://prom.example:9090"), 1.0)
        if told is not None:
            for part in parts(told.blocks):
                # Links into our own Prometheus carry the query, encoded.
                links = {one for one in judge.links(part["text"]) if one.startswith("http://prom.example:9090/")}
                yield from judge.mrkdwn([part], _ours(text) | links)


def _home(text: str) -> Judged:
    """App Home with the text in every part of it."""
    mine = [
        Subscription("1", text, Place(), 0, 540, text, 0.0, "U1"),
        Subscription("2", "C2", Place(), 0, 540, text, 0.0, "U1"),
    ]
    recent = [Kept("k", "C1", "1.1", text, text, 0.0, "{}")]
    for home in (
        Home(answer(text), 0.0, None, mine, recent, [Seen(text, "blind", text)], [(text, text)]),
        Home(None, 0.0, refused=text),
    ):
        yield from judge.mrkdwn(list(parts(view(home)["blocks"])), {"#C2"})


def _watchdog(text: str) -> Judged:
    """A watchdog's notice."""
    one = {"subject": text, "said": text, "owner": text, "proposal": text}
    for kind in ("idle", "expiry"):
        payload = {
            "found": [one], "left": 1, "unknown": [(text, text)], "watch": "w1", "kind": kind, "place": "prod", "grace": "2 h", "least": 7.0,
        }  # fmt: skip
        yield from said(notice.compose(payload, "k"))


PLACES: dict[str, Surface] = {
    "display names and names of files": _names,
    "a message shared along": _shared,
    "a command": _command,
    "an alert that a bot posts": _posted,
    "an incident told again": _incident,
    "a follow-up": _follow_up,
    "App Home": _home,
    "a watchdog": _watchdog,
}
