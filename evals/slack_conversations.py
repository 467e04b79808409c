"""The same conversations with the same app over Socket Mode and over signed HTTP, on our stand-in for Slack, told apart by transport.

`python -m evals.slack_conversations` prints a line for each; a conversation raises AssertionError where it goes wrong.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from bot.advisor.question import Answer, Question, Scope
from bot.listeners import buttons
from bot.listeners.command import LOOKING
from bot.slack_app import SlackSettings, serve
from evals.slack_people import click, command, shortcut, submit
from evals.slack_standin import APP_TOKEN, BOT_TOKEN, BOT_USER, SIGNING_SECRET, Fault, SlackStandIn
from evals.slack_web import Json

Transport = Literal["socket", "http"]
TRANSPORTS: tuple[Transport, ...] = get_args(Transport)
ME = f"<@{BOT_USER}>"
DONE = ["white_check_mark"]
_PATIENCE = 30.0


class Talk:
    """One Rackside over one transport, and what people do with it."""

    def __init__(self, transport: Transport, slack: SlackStandIn) -> None:
        """Nothing runs yet, see `held`."""
        self.transport, self.slack = transport, slack
        self.url = ""
        self.asked: list[Question] = []
        # While it is cleared, what is asked with the word `slowly` waits.
        self.go = threading.Event()
        self.at_work = threading.Event()

    def answer(self, question: Question, progress: Callable[[str], None]) -> Answer:
        """Answer with the question."""
        self.asked.append(question)
        progress("Reading metrics")
        if "slowly" in str(question.text):
            self.at_work.set()
            self.go.wait(_PATIENCE)
        return Answer(question.text, "live", Scope(workload="llama"), f"You asked: {question.text}")

    def deliver(self, body: Json, kind: str = "events_api", retry: int | None = None) -> Json:
        """As Slack delivers here; what came with the acknowledgement (which only Socket Mode lets the stand-in see)."""
        if self.transport == "socket":
            return self.slack.push_acknowledged(body, retry, kind)
        status = self.slack.post_signed(self.url, body, retry=retry, kind=kind)
        expect(status == 200, f"acknowledged with {status}")
        return {}

    def say(self, text: str, channel: str = "C1", thread: str | None = None) -> Json:
        """A person writes; the event's message."""
        body = self.slack.say(channel, "U1", text, thread)
        self.deliver(body)
        return dict(body["event"])

    def done(self, event: Json) -> None:
        """Wait until a question is answered."""
        where, ts = event["channel"], event["ts"]
        self.slack.wait(lambda: self.slack.reactions(where, ts) == DONE, "the reaction of an answered question")

    def said(self, count: int, channel: str = "C1") -> list[Json]:
        """Wait for so many answers in a channel; there are no more."""
        self.slack.wait(lambda: len(self.slack.answers(channel)) >= count, f"{count} answers in {channel}")
        found = self.slack.answers(channel)
        expect(len(found) == count, f"{len(found)} answers instead of {count}")
        return found


def expect(so: bool, what: str) -> None:
    """Raise AssertionError where something is not so."""
    if not so:
        raise AssertionError(what)


def _edit(event: Json, text: str) -> Json:
    before = {name: event[name] for name in ("type", "user", "text", "ts")}
    after = {**before, "text": text, "edited": {"user": event["user"], "ts": f"{event['ts']}9"}}
    told = {
        "type": "message",
        "channel": event["channel"],
        "channel_type": "channel",
        "hidden": True,
        "ts": f"{event['ts']}9",
    }
    return {**told, "subtype": "message_changed", "message": after, "previous_message": before, "event_ts": told["ts"]}


def a_mention(talk: Talk) -> None:
    """Answered in its thread, seen before it is answered, and no status left."""
    event = talk.say(f"{ME} why is it &lt;slow&gt;?")
    talk.done(event)
    (answer,) = talk.said(1)
    expect(answer["thread_ts"] == event["ts"], "in the thread")
    expect(answer["text"] == "You asked: why is it &lt;slow&gt;?", answer["text"])
    names = [name for name, _ in talk.slack.calls]
    expect(names.index("reactions.add") < names.index("chat.postMessage"), "seen before it is answered")


def a_direct_message(talk: Talk) -> None:
    """Answered without a mention."""
    event = talk.say("is prod fine?", "D1")
    talk.done(event)
    expect(talk.said(1, "D1")[0]["thread_ts"] == event["ts"], "in its thread")


def a_follow_up(talk: Talk) -> None:
    """Understood without a mention, with the thread's scope; what people say to each other is left alone."""
    root = talk.say(f"{ME} why slow?")
    talk.done(root)
    talk.say("<@U2> can you restart it?", thread=root["ts"])
    event = talk.say("and since when?", thread=root["ts"])
    talk.done(event)
    talk.said(2)
    expect([one.workload for one in talk.asked] == [None, "llama"], "the scope is carried")


def a_command(talk: Talk) -> None:
    """Acknowledged to the person alone, answered in the channel once, though it is delivered twice."""
    body = command(talk.slack, "ask why is it slow?")
    told = talk.deliver(body, "slash_commands")
    if talk.transport == "socket":
        expect(told == {"text": LOOKING, "response_type": "ephemeral"}, "what the person sees")
    talk.deliver(body, "slash_commands")
    (answer,) = talk.said(1)
    expect("thread_ts" not in answer, "a message of its own")


def a_message_shortcut(talk: Talk) -> None:
    """`Explain this` answers in the message's thread."""
    alert = talk.slack.say("C1", "U9", "KV cache is full on llama")["event"]
    talk.deliver(shortcut(talk.slack, buttons.EXPLAIN, message=alert), "interactive")
    (answer,) = talk.said(1)
    expect(answer["thread_ts"] == alert["ts"], "in the message's thread")


def a_window(talk: Talk) -> None:
    """The global shortcut opens a window, and what is typed there is answered in the direct conversation."""
    talk.deliver(shortcut(talk.slack, buttons.ASK, user="U5"), "interactive")
    talk.slack.wait(lambda: bool(talk.slack.kept.get("views")), "the window")
    sent = submit(talk.slack.kept["views"][-1], {"question": {"typed": {"value": "why slow?"}}}, user="U5")
    talk.deliver(sent, "interactive")
    talk.said(1, "DU5")


def a_button(talk: Talk) -> None:
    """An empty mention brings help; its button asks, once however often it is pressed."""
    event = talk.say(ME)
    talk.done(event)
    (helped,) = talk.said(1)
    button = next(e for block in helped["blocks"] if block["type"] == "actions" for e in block["elements"])
    for _ in range(2):
        talk.deliver(click(talk.slack, helped, button), "interactive")
    expect(talk.said(2)[1]["thread_ts"] == event["ts"], "in the same thread")


def an_edited_question(talk: Talk) -> None:
    """Answered anew, in the place of the first answer."""
    event = talk.say(f"{ME} why slow?")
    talk.done(event)
    talk.deliver(talk.slack.event(_edit(event, f"{ME} why slow in prod?")))
    wanted = "You asked: why slow in prod?"
    talk.slack.wait(lambda: [one["text"] for one in talk.slack.answers("C1")] == [wanted], "the new answer in place")


def a_deleted_question(talk: Talk) -> None:
    """Gone before its answer, it gets none, and nothing of the work is left."""
    talk.go.clear()
    talk.at_work.clear()
    event = talk.say(f"{ME} tell me slowly")
    expect(talk.at_work.wait(_PATIENCE), "never begun")
    told = {"type": "message", "subtype": "message_deleted", "channel": "C1", "channel_type": "channel", "hidden": True}
    talk.deliver(talk.slack.event({**told, "deleted_ts": event["ts"], "ts": "77.3", "event_ts": "77.3"}))
    talk.slack.wait(lambda: talk.slack.reactions("C1", event["ts"]) == [], "no reaction left")
    talk.go.set()
    later = talk.say(f"{ME} and now?")
    talk.done(later)
    talk.said(1)


def a_duplicate(talk: Talk) -> None:
    """One mention is announced twice, each of them four times: one answer."""
    body = talk.slack.say("C1", "U1", f"{ME} why?")
    for event in (body, talk.slack.twin(body)):
        for retry in (None, 1, 2, 3):
            talk.deliver(event, retry=retry)
    talk.done(body["event"])
    talk.said(1)
    expect(len(talk.asked) == 1, "investigated once")


def a_rate_limit(talk: Talk) -> None:
    """Waited out as Slack asks, and answered once."""
    talk.slack.fail("chat.postMessage", Fault(status=429, error="ratelimited", retry_after=1))
    begun = time.monotonic()
    event = talk.say(f"{ME} why?")
    talk.done(event)
    talk.said(1)
    expect(time.monotonic() - begun >= 1.0, "Retry-After was not respected")
    expect(talk.slack.count("chat.postMessage") == 2, "posted twice: refused, then taken")


CONVERSATIONS: tuple[Callable[[Talk], None], ...] = (
    a_mention, a_direct_message, a_follow_up, a_command, a_message_shortcut, a_window, a_button, an_edited_question, a_deleted_question,
    a_duplicate, a_rate_limit,
)  # fmt: skip


@contextmanager
def held(transport: Transport, home: Path) -> Iterator[Talk]:
    """Rackside over a transport, stopped at the end."""
    ready, stop = threading.Event(), threading.Event()
    with SlackStandIn() as slack:
        talk = Talk(transport, slack)
        socket = transport == "socket"
        settings = SlackSettings(
            BOT_TOKEN, APP_TOKEN if socket else None, None if socket else SIGNING_SECRET, home, slack.api_url,
            host="127.0.0.1", port=None if socket else 0, first_wait=0.05,
        )  # fmt: skip

        def begun(port: int | None) -> None:
            talk.url = f"http://127.0.0.1:{port}/slack/events"
            ready.set()

        def run() -> None:
            try:
                serve(settings, talk.answer, stop=stop, ready=begun)
            finally:
                ready.set()

        thread = threading.Thread(target=run, name="serve")
        thread.start()
        try:
            expect(ready.wait(_PATIENCE) and bool(talk.url), "serve neither got ready nor gave up")
            yield talk
        finally:
            talk.go.set()
            stop.set()
            thread.join(_PATIENCE)


def hold(talk: Talk, conversation: Callable[[Talk], None]) -> None:
    """One conversation, with nothing said before it."""
    talk.slack.reset()
    talk.asked.clear()
    conversation(talk)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a conversation went; `why` is '' where it went well."""

    transport: Transport
    name: str
    why: str
    seconds: float


def outcomes(transport: Transport, home: Path) -> Iterator[Outcome]:
    """Every conversation over a transport."""
    with held(transport, home) as talk:
        for conversation in CONVERSATIONS:
            begun, why = time.monotonic(), ""
            try:
                hold(talk, conversation)
            except AssertionError as problem:
                why = str(problem)
            yield Outcome(transport, conversation.__name__.replace("_", " "), why, time.monotonic() - begun)


def main() -> int:
    """Print both, each on its own; 1 where one went wrong."""
    wrong = 0
    for transport in TRANSPORTS:
        with tempfile.TemporaryDirectory() as home:
            found = []
            for one in outcomes(transport, Path(home)):
                found.append(one)
                print(f"{one.transport:6}  {one.name:20} {one.seconds:5.2f} s  {one.why or 'ok'}", flush=True)
        good = sum(not one.why for one in found)
        wrong += len(found) - good
        print(f"{transport}: {good} of {len(found)} conversations in {sum(one.seconds for one in found):.1f} s\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
