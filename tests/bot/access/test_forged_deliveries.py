"""Who does not know the signing secret, or repeats what he heard, gets nothing done: events, commands, clicks, over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

from evals import slack_people
from evals.slack_standin import BOT_USER, SIGNING_SECRET, SlackStandIn
from tests.bot.conftest import Serving, Start

SettingsFor = Callable[..., Any]
KINDS = ("events_api", "slash_commands", "interactive")


@pytest.fixture
def serving(slack: SlackStandIn, settings_for: SettingsFor, start: Start) -> Serving:
    return start(settings_for(slack, app_token=None, signing_secret=SIGNING_SECRET, port=0))


def body(slack: SlackStandIn, kind: str) -> dict[str, Any]:
    if kind == "slash_commands":
        return slack_people.command(slack, "what is wrong?")
    if kind == "interactive":
        message = slack.say("C1", "U1", "a message")["event"]
        return slack_people.shortcut(slack, "explain_this", message=message)
    return slack.say("C1", "U1", f"<@{BOT_USER}> why slow?")


def raw(told: dict[str, Any], kind: str) -> str:
    if kind == "slash_commands":
        return urlencode(told)
    return urlencode({"payload": json.dumps(told)}) if kind == "interactive" else json.dumps(told)


def send(url: str, content: str, kind: str, **headers: str) -> int:
    sort = "application/json" if kind == "events_api" else "application/x-www-form-urlencoded"
    try:
        with urlopen(Request(url, content.encode(), {"content-type": sort, **headers}), timeout=10) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


def signed(content: str, secret: str = SIGNING_SECRET, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), f"v0:{stamp}:{content}".encode(), hashlib.sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={signature}"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_forged_delivery_is_refused_and_nothing_happens(slack: SlackStandIn, serving: Serving, kind: str) -> None:
    content = raw(body(slack, kind), kind)
    good = signed(content)
    calls = len(slack.calls)
    forged: dict[str, tuple[str, dict[str, str]]] = {
        "no signature": (content, {}),
        "no stamp": (content, {"x-slack-signature": good["x-slack-signature"]}),
        "only a stamp": (content, {"x-slack-request-timestamp": good["x-slack-request-timestamp"]}),
        "another secret": (content, signed(content, "another-secret")),
        "no secret": (content, signed(content, "")),
        "changed after signing": (content.replace("U1", "U9"), good),
        "of another body": (content, signed("{}")),
        "six minutes old": (content, signed(content, at=time.time() - 360)),
        "from the future": (content, signed(content, at=time.time() + 360)),
        "a stamp that was not signed": (content, good | {"x-slack-request-timestamp": str(int(time.time()) - 60)}),
        "a stamp that is no number": (content, good | {"x-slack-request-timestamp": "now"}),
        "a signature of nothing": (content, good | {"x-slack-signature": "v0="}),
        "a signature in capitals": (content, good | {"x-slack-signature": good["x-slack-signature"].upper()}),
    }
    told = {name: send(serving.url, said, kind, **headers) for name, (said, headers) in forged.items()}
    assert {name for name, status in told.items() if not 400 <= status < 500} == set()
    assert len(slack.calls) == calls, "nothing was asked of Slack"
    assert not slack.answers("C1")
    assert not slack.kept.get("views")
    assert send(serving.url, content, kind, **good) == 200, "the true one is taken all the same"


@pytest.mark.parametrize("kind", ["events_api", "slash_commands"])
def test_a_true_delivery_that_is_repeated_is_answered_once(slack: SlackStandIn, serving: Serving, kind: str) -> None:
    content = raw(body(slack, kind), kind)
    for _ in range(5):
        assert send(serving.url, content, kind, **signed(content)) == 200
    slack.wait(lambda: bool(slack.answers("C1")), "an answer")
    last = slack.say("C1", "U1", f"<@{BOT_USER}> the last?")
    assert slack.post_signed(serving.url, last) == 200
    slack.wait(lambda: bool(slack.answers("C1", last["event"]["ts"])), "an answer to the last")
    assert len([one for one in slack.answers("C1") if one.get("thread_ts") != last["event"]["ts"]]) == 1


def test_in_socket_mode_nothing_is_taken_over_http(
    slack: SlackStandIn, settings_for: SettingsFor, start: Start
) -> None:
    serving = start(settings_for(slack, signing_secret=SIGNING_SECRET, port=0))
    content = raw(body(slack, "events_api"), "events_api")
    assert send(serving.url, content, "events_api", **signed(content)) == 404
    assert send(serving.url, content, "events_api", **signed(content, "")) == 404
