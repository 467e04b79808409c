"""Commands, shortcuts, buttons and modals, over Socket Mode and over signed HTTP: persisted, acknowledged, answered once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.advisor.question import Answer, Question, Scope
from bot.blocks_actions import FEEDBACK_BAD, FEEDBACK_GOOD
from bot.listeners import BUSY, buttons, command, feedback
from bot.slack_modals import issue_link, where
from bot.store.feedback import FeedbackBox
from bot.store.mutes import Mutes
from bot.store.records import Store
from bot.store.subscriptions import Subscriptions
from evals import slack_people
from evals.slack_standin import BOT_USER, SIGNING_SECRET, Fault, SlackStandIn
from tests.bot.conftest import Serving, echo, settings

ME = f"<@{BOT_USER}>"
Json = dict[str, Any]


class Door:
    """One Rackside and how Slack delivers to it."""

    def __init__(self, slack: SlackStandIn, home: Path, *, http: bool) -> None:
        self.slack, self.home, self.http = slack, home, http
        self.answer: Callable[..., Answer] = echo
        self.asked: list[Question] = []
        other: Json = {"app_token": None, "signing_secret": SIGNING_SECRET, "port": 0} if http else {}
        self.serving = Serving(settings(slack, home, **other), self._answer)
        self.engine = sa.create_engine(f"sqlite:///{home / 'rackside.db'}")

    def _answer(self, question: Question, progress: Callable[[str], None]) -> Answer:
        self.asked.append(question)
        return self.answer(question, progress)

    def deliver(self, body: Json, kind: str = "interactive") -> Json:
        if not self.http:
            return self.slack.push_acknowledged(body, kind=kind)
        assert self.slack.post_signed(self.serving.url, body, kind=kind) == 200
        return {}

    def say(self, text: str, channel: str = "C1", thread: str | None = None) -> str:
        body = self.slack.say(channel, "U1", text, thread)
        self.deliver(body, "events_api")
        return str(body["event"]["ts"])

    def answered(self, count: int, channel: str = "C1") -> list[Json]:
        self.slack.wait(lambda: len(self.slack.answers(channel)) >= count, f"{count} answers in {channel}")
        self.settled()
        found = self.slack.answers(channel)
        assert len(found) == count
        return found

    def settled(self) -> None:
        """Wait until nothing is owed (the database tells nobody when it changes)."""
        deadline = time.monotonic() + 30
        while not self._idle():
            assert time.monotonic() < deadline, "something is still owed"
            threading.Event().wait(0.05)

    def _idle(self) -> bool:
        with self.engine.connect() as connection:
            return connection.execute(sa.text("select count(*) from inbox where state = 'waiting'")).scalar() == 0

    def whispers(self, count: int) -> list[str]:
        self.slack.wait(lambda: len(self.slack.kept.get("whispers", [])) >= count, f"{count} whispers")
        return [one["text"] for one in self.slack.kept["whispers"]]


@pytest.fixture(scope="module", params=["socket", "http"])
def _door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with SlackStandIn() as slack:
        door = Door(slack, tmp_path_factory.mktemp("home"), http=request.param == "http")
        yield door
        door.serving.stop()
        door.engine.dispose()


@pytest.fixture
def door(_door: Door) -> Door:
    _door.answer = echo
    _door.asked.clear()
    _door.slack.reset()
    return _door


def actions(message: Json) -> list[Json]:
    """Every button of a message."""
    kinds = {"actions", "context_actions"}
    return [one for block in message["blocks"] if block["type"] in kinds for one in block["elements"]]


def test_a_command_asks_and_the_answer_starts_a_thread(door: Door) -> None:
    body = slack_people.command(door.slack, "ask why is <!channel> &lt;slow&gt;?")
    reply = door.deliver(body, "slash_commands")
    if not door.http:
        assert reply == {"text": command.LOOKING, "response_type": "ephemeral"}
    door.deliver(body, "slash_commands")
    (answer,) = door.answered(1)
    assert "thread_ts" not in answer
    assert answer["blocks"][0]["elements"][0]["text"] == "<@U1> asked: why is channel &lt;slow&gt;?"
    assert "<!" not in str(answer["blocks"])
    # The message is there before whoever posted it has noted that the thread is his.
    door.settled()
    door.say("and since when?", thread=answer["ts"])
    assert [one.get("thread_ts") for one in door.answered(2)] == [None, answer["ts"]]


def test_diagnose_size_and_the_question_alone(door: Door) -> None:
    for text in ("diagnose prod/llama", "size a 70B on 4 H100", "why is it slow?"):
        door.deliver(slack_people.command(door.slack, text), "slash_commands")
    door.answered(3)
    asked = {(one.text, one.namespace, one.workload) for one in door.asked}
    assert asked == {(None, "prod", "llama"), ("size a 70B on 4 H100", None, None), ("why is it slow?", None, None)}


@pytest.mark.parametrize("text", ["help", "", "frobnicate", "status", "mute forever"])
def test_what_needs_no_work_is_said_to_the_person_alone(door: Door, text: str) -> None:
    reply = door.deliver(slack_people.command(door.slack, text), "slash_commands")
    if not door.http:
        assert reply["response_type"] == "ephemeral"
        assert "/rackside" in reply["text"]
    assert not door.slack.answers("C1")
    assert door._idle()


@pytest.mark.parametrize("text", ["audit", "status prod/llama latency", "digest"])
def test_without_sources_a_command_says_so(door: Door, text: str) -> None:
    door.deliver(slack_people.command(door.slack, text), "slash_commands")
    (answer,) = door.answered(1)
    assert "Traceback" not in str(answer)
    assert "error" in answer["text"] or "rackside doctor" in answer["text"]


def test_a_channel_can_be_subscribed(door: Door) -> None:
    door.deliver(slack_people.command(door.slack, "subscribe tue 17:30 Europe/Berlin", channel="C7"), "slash_commands")
    (made,) = [one for one in Subscriptions(door.engine).all() if one.channel == "C7"]
    assert (made.weekday, made.minute, made.zone, made.made_by) == (1, 1050, "Europe/Berlin", "U1")


def test_in_a_muted_channel_only_mentions_are_answered(door: Door) -> None:
    root = door.say(f"{ME} why?")
    door.answered(1)
    door.deliver(slack_people.command(door.slack, "mute 2h"), "slash_commands")
    assert Mutes(door.engine).muted("T0STANDIN", "C1")
    door.say("and since when?", thread=root)
    door.say(f"{ME} and now?", thread=root)
    assert [one["text"] for one in door.answered(2)] == ["You asked: why?", "You asked: and now?"]
    door.deliver(slack_people.command(door.slack, "unmute"), "slash_commands")
    door.say("and since when?", thread=root)
    door.answered(3)


def test_a_channel_that_we_are_not_in_is_told_so(door: Door) -> None:
    door.slack.fail("chat.postMessage", Fault(error="not_in_channel"))
    door.deliver(slack_people.command(door.slack, "ask why?", channel="C9"), "slash_commands")
    door.slack.wait(lambda: bool(door.slack.kept.get("responses")), "the reply to the command's own address")
    (told,) = door.slack.kept["responses"]
    assert told["response_type"] == "ephemeral"
    assert "/invite" in told["text"]


def test_an_empty_mention_has_three_buttons_that_work(door: Door) -> None:
    root = door.say(ME)
    (helped,) = door.answered(1)
    wrong, idle, other = actions(helped)
    for element in (wrong, wrong, idle):
        door.deliver(slack_people.click(door.slack, helped, element))
    answers = door.answered(3)
    assert {one["text"] for one in answers[1:]} == {
        "You asked: What is wrong right now?",
        "You asked: Which GPUs are idle, and why?",
    }
    assert {one["thread_ts"] for one in answers} == {root}
    assert sorted(door.whispers(3)) == sorted([buttons.TAKEN, buttons.TAKEN, buttons.KNOWN])
    door.deliver(slack_people.click(door.slack, helped, other))
    door.slack.wait(lambda: bool(door.slack.kept.get("views")), "the window")
    view = door.slack.kept["views"][-1]
    door.deliver(slack_people.submit(view, {"question": {"typed": {"value": " which pods died? "}}}))
    assert door.answered(4)[-1]["text"] == "You asked: which pods died?"
    assert door.slack.answers("C1")[-1]["thread_ts"] == root


def test_the_global_shortcut_answers_in_the_direct_conversation(door: Door) -> None:
    door.deliver(slack_people.shortcut(door.slack, buttons.ASK))
    door.slack.wait(lambda: bool(door.slack.kept.get("views")), "the window")
    view = door.slack.kept["views"][-1]
    assert where(view) == {}
    sent = slack_people.submit(view, {"question": {"typed": {"value": "why slow?"}}}, user="U5")
    door.deliver(sent)
    door.deliver(sent)
    (answer,) = door.answered(1, "DU5")
    assert answer["text"] == "You asked: why slow?"


def test_an_empty_window_and_a_closed_conversation_are_said_in_the_window(door: Door) -> None:
    door.deliver(slack_people.shortcut(door.slack, buttons.ASK))
    door.slack.wait(lambda: bool(door.slack.kept.get("views")), "the window")
    view = door.slack.kept["views"][-1]
    empty = door.deliver(slack_people.submit(view, {"question": {"typed": {"value": "  "}}}))
    door.slack.fail("conversations.open", Fault(error="user_disabled"))
    closed = door.deliver(slack_people.submit(view, {"question": {"typed": {"value": "why?"}}}))
    if not door.http:
        assert empty["errors"] == {"question": buttons.EMPTY}
        assert closed["errors"] == {"question": buttons.NO_CONVERSATION}
    assert door._idle()
    assert not door.asked


def test_a_message_is_explained_in_its_thread(door: Door) -> None:
    alert: Json = {
        "ts": "100.1", "bot_id": "B9", "text": "", "attachments": [
            {"title": "KubePodCrashLooping", "text": "CUDA out of memory <!channel>", "fields": [{"title": "pod", "value": "llama-0"}]}
        ],
    }  # fmt: skip
    for _ in range(2):
        door.deliver(slack_people.shortcut(door.slack, buttons.EXPLAIN, message=alert))
    (answer,) = door.answered(1)
    assert answer["thread_ts"] == "100.1"
    assert [one.text for one in door.asked] == ["KubePodCrashLooping\nCUDA out of memory channel\npod: llama-0"]
    assert sorted(door.whispers(2)) == sorted([buttons.TAKEN, buttons.KNOWN])
    door.deliver(slack_people.shortcut(door.slack, buttons.EXPLAIN, message={"ts": "100.2", "text": " "}))
    assert door.whispers(3)[-1] == buttons.NOTHING


def test_when_too_many_wait_commands_buttons_and_windows_say_so(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    alert: Json = {"ts": "100.9", "bot_id": "B9", "text": "KV cache is full"}
    explain = slack_people.shortcut(door.slack, buttons.EXPLAIN, message=alert)
    asks = slack_people.command(door.slack, "ask why?")
    door.deliver(slack_people.shortcut(door.slack, buttons.ASK))
    door.slack.wait(lambda: bool(door.slack.kept.get("views")), "the window")
    typed = slack_people.submit(door.slack.kept["views"][-1], {"question": {"typed": {"value": "why?"}}})
    with monkeypatch.context() as full:
        full.setattr(Store, "crowded", lambda _store, most: most == 200)
        told = door.deliver(asks, "slash_commands")
        window = door.deliver(typed)
        door.deliver(explain)
        door.deliver(slack_people.command(door.slack, "help"), "slash_commands")
        assert door.whispers(1) == [BUSY]
    if not door.http:
        assert told == {"text": BUSY, "response_type": "ephemeral"}
        assert window["errors"] == {"question": BUSY}
    assert door._idle()
    assert not door.asked
    # Nothing of it is held against who asks again.
    for body, kind in ((asks, "slash_commands"), (typed, "interactive"), (explain, "interactive")):
        door.deliver(body, kind)
    door.answered(2)
    door.answered(1, "DU1")


def test_feedback_is_kept_the_last_word_counts_and_a_reason_is_asked(door: Door) -> None:
    door.say(f"{ME} why?", "C3")
    (answer,) = door.answered(1, "C3")
    (element,) = actions(answer)
    assert element["type"] == "feedback_buttons"
    assert answer["blocks"][-1]["type"] == "context_actions", "once, at the end"
    door.deliver(slack_people.click(door.slack, answer, element, channel="C3", value="good"))
    assert door.whispers(1) == [feedback.THANKS]

    def kept() -> list[tuple[str, str, str, str]]:
        said = [one for one in FeedbackBox(door.engine).all() if one.message == answer["ts"]]
        return [(one.person, one.verdict, one.reason, one.comment) for one in said]

    assert kept() == [("U1", "good", "", "")]
    door.deliver(slack_people.click(door.slack, answer, element, channel="C3", value="bad"))
    assert kept() == [("U1", "bad", "", "")]
    door.slack.wait(lambda: bool(door.slack.kept.get("views")), "the window")
    view = door.slack.kept["views"][-1]
    chosen = {
        "reason": {"chosen": {"selected_option": {"value": "wrong"}}},
        "comment": {"typed": {"value": "it was \0 DNS"}},
    }
    door.deliver(slack_people.submit(view, chosen))
    assert door.whispers(2)[-1] == feedback.SORRY
    assert kept() == [("U1", "bad", "wrong", "it was  DNS")]
    door.deliver(slack_people.submit(view, {"reason": {"chosen": {"selected_option": {"value": "<!channel>"}}}}))
    assert kept()[0][2] == "other", "only our own reasons are kept"
    # Told after the form is acknowledged: it must not reach into the next test.
    assert door.whispers(3)[-1] == feedback.SORRY


def test_a_window_that_does_not_open_costs_no_feedback(door: Door) -> None:
    door.say(f"{ME} why?", "C4")
    (answer,) = door.answered(1, "C4")
    door.slack.fail("views.open", Fault(error="expired_trigger_id"))
    door.deliver(slack_people.click(door.slack, answer, actions(answer)[0], channel="C4", value="bad"))
    assert door.whispers(1) == [feedback.THANKS]
    assert [one.verdict for one in FeedbackBox(door.engine).all() if one.message == answer["ts"]] == ["bad"]


def test_where_new_blocks_are_refused_ordinary_buttons_take_their_place(door: Door) -> None:
    door.slack.fail("chat.postMessage", Fault(error="invalid_blocks"))
    door.say(f"{ME} why?", "C5")
    (answer,) = door.answered(1, "C5")
    good, bad = actions(answer)
    assert (good["action_id"], bad["action_id"]) == (FEEDBACK_GOOD, FEEDBACK_BAD)
    door.deliver(slack_people.click(door.slack, answer, bad, channel="C5"))
    door.slack.wait(lambda: bool(door.slack.kept.get("views")), "the window")
    assert [one.verdict for one in FeedbackBox(door.engine).all() if one.message == answer["ts"]] == ["bad"]


def test_a_forged_click_does_nothing(door: Door) -> None:
    element = {"type": "button", "action_id": "prompt:rm -rf", "value": "x"}
    body = slack_people.click(door.slack, {"ts": "1.1", "text": ""}, element)
    if door.http:
        assert door.slack.post_signed(door.serving.url, body, kind="interactive", secret="forged") == 401
    else:
        door.slack.push(body, kind="interactive")
    body["actions"][0]["action_id"] = "prompt:wrong"
    door.say(f"{ME} still there?", "C6")
    door.answered(1, "C6")
    assert not door.slack.answers("C1")


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("https://github.com/acme/rackside", "https://github.com/acme/rackside/issues/new?title=T&body=B+%26+C"),
        ("https://github.com/acme/rackside.git/", "https://github.com/acme/rackside/issues/new?title=T&body=B+%26+C"),
        (
            "https://gitlab.acme.io/ops/rackside",
            "https://gitlab.acme.io/ops/rackside/-/issues/new?issue%5Btitle%5D=T&issue%5Bdescription%5D=B+%26+C",
        ),
        ("", ""), ("javascript:alert(1)", ""), ("https://user@evil/x", ""), ("https://x/<!channel>", ""),
    ],
)  # fmt: skip
def test_issue_links(repository: str, expected: str) -> None:
    assert issue_link(repository, "T", "B & C") == expected


def test_scope_names_nothing_that_was_not_asked(door: Door) -> None:
    """A command's place reaches the advisor as it was typed."""
    door.answer = lambda question, _: Answer(question.text, "live", Scope(None, question.namespace), "V.")
    door.deliver(slack_people.command(door.slack, "diagnose search"), "slash_commands")
    (answer,) = door.answered(1)
    assert answer["text"] == "V."
    assert [(one.text, one.namespace) for one in door.asked] == [(None, "search")]
