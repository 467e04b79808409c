"""Where a hostile text is put, and how it comes out: an answer with the text in every field, an alert, a message, a page, a log."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from rich.console import Console

from bot.advisor import compose
from bot.advisor.model import prompt
from bot.advisor.question import Answer, Citation, ModelUse, Scope
from bot.blocks import Message, blocks, plain
from bot.chart import text_of
from bot.cli.ask import as_line
from bot.listeners.wording import question_text
from bot.mrkdwn import web_address
from bot.store.alerts import Group
from bot.terminal import render
from bot.triage.alert import Alert, labels
from bot.triage.message import Told, group_message
from bot.triage.notes import noted
from evals.hostile import judge
from evals.slack_page import ThreadMessage, page
from tools.finding import BlindSpot, Change, Evidence, Finding, Happened, Recovered, Remedy, RuledOut, Since

Judged = Iterator[str]
Surface = Callable[[str], Judged]
OURS = "https://docs.example.org/page"


@lru_cache(maxsize=8)
def answer(text: str, intent: str = "live") -> Answer:
    """An answer with a text in every field that data can reach."""
    reading = Evidence("e1", text, 1.0, text, text, text, text)
    fix = Remedy(text, Change(text, text, text), text)
    cause = Finding(
        "a", text, text, text, "high", "high", True, text,
        evidence=(reading, Evidence("e2", text, None, text, text, text, text, "blind")), remedies=(fix,), pages=(text,),
        since=Since(text, text), happened=(Happened("rollout", text, text, text, 1.0, text),), unseen_before=text,
    )  # fmt: skip
    symptom = Finding("b", text, text, text, "low", "low", False, text, explained_by=("a",), evidence=(reading,))
    cited = (Citation(text, text, text, text, OURS, text, text), Citation("p", text, text, text, text, text, text))
    spots, ruled = (BlindSpot(text, text),), (RuledOut(text, text, text),)
    recovered = (Recovered(text, text, text, text, text, text),)
    findings = (cause, symptom) if intent == "live" else ()
    written = compose.live_text(text, findings, ruled, spots, cited, recovered)
    return Answer(
        text, intent, Scope(text, text, text), text, findings, ruled, spots, cited, written, ModelUse(text, 1, 1, 1),  # type: ignore[arg-type]
        note=text, explanation=text, recovered=recovered,
    )  # fmt: skip


def said(message: Message, addresses: Collection[str] = frozenset()) -> Judged:
    """A message of ours: its blocks, and the text of its notification."""
    yield from judge.mrkdwn(list(parts(message.blocks)), addresses)
    yield from judge.mrkdwn([{"type": "mrkdwn", "text": message.text, "verbatim": True}], addresses)


def parts(shown: Any) -> Iterator[Mapping[str, Any]]:
    """The text objects in blocks."""
    if isinstance(shown, list):
        for one in shown:
            yield from parts(one)
    elif isinstance(shown, dict):
        if shown.get("type") in {"mrkdwn", "plain_text"} and isinstance(shown.get("text"), str):
            yield shown
        else:
            yield from parts(list(shown.values()))


def _slack(text: str) -> Judged:
    # A page's own address is ours to link: whoever indexes pages says where they are. Only whole web addresses become links.
    addresses = frozenset({OURS, web_address(text)} - {""})
    for intent in ("live", "knowledge", "declined"):
        yield from said(blocks(answer(text, intent)), addresses)
    yield from said(plain(text))


def _person(text: str) -> Judged:
    """A message of a person, or a name that they chose, as it comes back in an answer."""
    asked = question_text(f"<@U0RACKSIDE> {text}", "U0RACKSIDE")
    yield from said(blocks(Answer(asked, "declined", Scope(), asked, text=asked)))


def _terminal(text: str) -> Judged:
    for intent in ("live", "knowledge"):
        out = io.StringIO()
        render(
            answer(text, intent),
            Console(file=out, force_terminal=True, width=100, color_system="truecolor"),
            verbose=True,
        )
        yield from judge.terminal(out.getvalue())


def _alert(text: str) -> Judged:
    """An alert with the text in every label, annotation and address, as its message in Slack."""
    kinds: dict[str, Any] = {"int": 1, "float": 1.0, "State": "firing"}
    group = Group(**{one.name: kinds.get(str(one.type), text) for one in fields(Group)})
    names = ("alertname", "severity", "namespace", "pod", "model_name", text)
    alert = Alert(
        dict.fromkeys(names, text), dict.fromkeys(("summary", "description", "runbook_url", text), text), url=text
    )
    told = Told(noted(answer(text), 1.0), Citation(text, text, text, text, text, text), text)
    yield from said(group_message(group, [alert, alert], told, 100.0), frozenset({web_address(text)} - {""}))


def _markdown(text: str) -> Judged:
    yield from judge.markdown(answer(text).text, {OURS, web_address(text)})


def _json(text: str) -> Judged:
    yield from judge.one_line(as_line(answer(text)))


def _html(text: str) -> Judged:
    shown = blocks(answer(text)).blocks
    evil = web_address(text)
    found = judge.html(
        page([ThreadMessage(text, text, text=text), ThreadMessage("Rackside", "now", shown, app=True)], text)
    )
    yield from (why for why in found if not evil or not why.startswith("a link to"))


def _chart(text: str) -> Judged:
    yield from () if isinstance(text_of(answer(text).findings[0]), str) else ("no text",)


def _model(text: str) -> Judged:
    given = answer(text)
    yield from judge.prompt(prompt(given, [_Passage(text)]))


class _Passage:
    """A passage of a document that somebody else wrote."""

    def __init__(self, text: str) -> None:
        self.id = self.title = self.text = text


SURFACES: dict[str, Surface] = {
    "Slack": _slack,
    "Slack, a person's own words": _person,
    "an alert in Slack": _alert,
    "terminal": _terminal,
    "Markdown": _markdown,
    "JSON": _json,
    "HTML": _html,
    "model prompt": _model,
}


def shown(text: str) -> str:
    """Everything that any surface would show of a text, to look for a secret in."""
    given = answer(text)
    out = io.StringIO()
    render(given, Console(file=out, width=4000), verbose=True)
    message = blocks(given)
    alert = labels({"alertname": text, "a": text})
    return "\n".join(
        (
            message.text,
            repr(message.blocks),
            repr(alert),
            out.getvalue(),
            given.text,
            as_line(given),
            prompt(given, [_Passage(text)]),
        )
    )
