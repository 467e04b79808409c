"""Starting, connecting, HTTP deliveries and settings, each with a `serve` of its own, on our own stand-in."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from bot.slack_app import missing
from evals.slack_standin import BOT_USER, SIGNING_SECRET, Fault, SlackStandIn
from tests.bot.conftest import Start

SettingsFor = Callable[..., Any]
ME = f"<@{BOT_USER}>"


def ask(slack: SlackStandIn, channel: str, text: str, thread: str | None = None, user: str = "U1") -> str:
    body = slack.say(channel, user, text, thread)
    slack.push_acknowledged(body)
    return str(body["event"]["ts"])


def done(slack: SlackStandIn, channel: str, ts: str, mark: str = "white_check_mark") -> None:
    slack.wait(lambda: slack.reactions(channel, ts) == [mark], f"{mark} on {ts}")


def shown(message: dict[str, Any]) -> str:
    return str(message["text"])


def test_a_lost_connection_is_made_again(slack: SlackStandIn, settings_for: SettingsFor, start: Start) -> None:
    start(settings_for(slack))
    done(slack, "C1", ask(slack, "C1", f"{ME} why?"))
    assert slack.count("apps.connections.open") == 1, "one connection at the start, and no second"
    slack.disconnect()
    slack.wait(lambda: slack.connected, "the second connection")
    done(slack, "C1", ask(slack, "C1", f"{ME} and now?"))
    assert slack.count("apps.connections.open") == 2


def test_signed_http_deliveries(slack: SlackStandIn, settings_for: SettingsFor, start: Start) -> None:
    serving = start(settings_for(slack, app_token=None, signing_secret=SIGNING_SECRET, port=0))
    body = slack.say("C1", "U1", f"{ME} why?")
    assert slack.post_signed(serving.url, body, secret="wrong") == 401
    assert slack.post_signed(serving.url, body, at=time.time() - 301) == 401
    assert slack.count("reactions.add") == 0
    for retry in (None, 1, 2, 3):
        assert slack.post_signed(serving.url, body, retry=retry) == 200
    done(slack, "C1", body["event"]["ts"])
    assert len(slack.answers("C1")) == 1
    assert slack.post_signed(serving.url, {"type": "url_verification", "challenge": "abc"}) == 200
    assert slack.post_signed(serving.url + "/other", body) == 404
    assert slack.post_signed(serving.url, {"x": "y" * 2_000_000}) == 413
    with urllib.request.urlopen(serving.url.replace("/slack/events", "/healthz"), timeout=10) as response:
        assert json.load(response) == {"ok": True, "problem": ""}


@pytest.mark.parametrize(("skew", "status"), [(-240, 200), (240, 200), (-301, 401), (360, 401)])
def test_a_clock_that_differs_by_minutes_is_borne_and_a_replay_is_not(
    slack: SlackStandIn, settings_for: SettingsFor, start: Start, skew: int, status: int
) -> None:
    serving = start(settings_for(slack, app_token=None, signing_secret=SIGNING_SECRET, port=0))
    body = slack.say("C1", "U1", f"{ME} why?")
    for _ in range(2):
        assert slack.post_signed(serving.url, body, at=time.time() + skew) == status
    if status == 200:
        slack.wait(lambda: slack.reactions("C1", body["event"]["ts"]) == ["white_check_mark"], "the answer")
    assert len(slack.answers("C1")) == (status == 200)


def test_health_says_when_the_connection_is_lost(slack: SlackStandIn, settings_for: SettingsFor, start: Start) -> None:
    serving = start(settings_for(slack, port=0))
    slack.fail("apps.connections.open", Fault(error="internal_error", times=100))
    slack.disconnect()
    health = serving.url.replace("/slack/events", "/healthz")

    def unwell() -> bool:
        try:
            urllib.request.urlopen(health, timeout=10).close()
        except urllib.error.HTTPError as error:
            with error:
                return error.code == 503 and "not connected" in error.read().decode()
        return False

    deadline = time.monotonic() + 20
    while not unwell():
        assert time.monotonic() < deadline, "health never noticed"


def test_a_bad_token_ends_it_with_one_sentence(
    slack: SlackStandIn, settings_for: SettingsFor, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    for other, name in (({"bot_token": "xoxb-bad"}, "BOT"), ({"app_token": "xapp-bad"}, "APP")):
        assert start(settings_for(slack, **other)).status == 2
        told = capsys.readouterr().err.strip()
        assert told.startswith(f"Slack does not accept the token in RACKSIDE_SLACK_{name}_TOKEN (invalid_auth)")
        assert "\n" not in told


def test_two_processes_do_not_share_one_file(
    slack: SlackStandIn, settings_for: SettingsFor, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    start(settings_for(slack))
    assert start(settings_for(slack)).status == 2
    assert "another rackside serve is running" in capsys.readouterr().err


def test_all_that_is_missing_is_said_at_once(settings_for: SettingsFor, slack: SlackStandIn) -> None:
    said = missing(settings_for(slack, bot_token=None, app_token=None))
    assert all(name in said for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"))
    assert missing(settings_for(slack)) == ""
    assert "xoxb-" in missing(settings_for(slack, bot_token="xoxp-user"))
    assert "xapp-" in missing(settings_for(slack, app_token="xoxb-swapped"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://x/y", "use sqlite:///FILE or postgresql://"),
        ("sqlite://", "forgets every question"),
        ("postgresql://u:hunter2@127.0.0.1:1/none", "cannot be used"),
        ("not a url", "cannot be used"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_sentence(
    slack: SlackStandIn,
    settings_for: SettingsFor,
    start: Start,
    capsys: pytest.CaptureFixture[str],
    url: str,
    says: str,
) -> None:
    assert start(settings_for(slack, database_url=url)).status == 2
    told = capsys.readouterr().err
    assert says in told
    assert "hunter2" not in told
