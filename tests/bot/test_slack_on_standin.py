"""Socket Mode, mentions, rate limits and outages, on our own stand-in (the third-party emulator has none of these)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.advisor.question import Answer, Question, Scope
from evals.slack_standin import BOT_USER, Fault, SlackStandIn
from tests.bot.conftest import Room, echo

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


def test_a_mention_is_answered_once_whatever_slack_sends(room: Room) -> None:
    slack = room.slack
    body = slack.say("C1", "U1", f"{ME} why is it &lt;slow&gt;?")
    ts = body["event"]["ts"]
    for event in (body, slack.twin(body)):
        slack.push_acknowledged(event)
        for retry in (1, 2, 3):
            slack.push_acknowledged(event, retry)
    done(slack, "C1", ts)
    answers = slack.answers("C1")
    assert [(shown(a), a["thread_ts"]) for a in answers] == [("You asked: why is it &lt;slow&gt;?", ts)]
    posted = next(args for name, args in slack.calls if name == "chat.postMessage")
    assert posted["unfurl_links"] is False
    assert posted["unfurl_media"] is False
    assert set(posted["metadata"]["event_payload"]) == {"effect"}
    assert "llama" not in json.dumps(posted["metadata"])
    names = [name for name, _ in slack.calls]
    assert names.index("reactions.add") < names.index("chat.postMessage"), "seen before answered"
    assert [a["status"] for n, a in slack.calls if n == "assistant.threads.setStatus"][-1] == "", (
        "no status left hanging"
    )


def test_the_mention_alone_and_the_message_alone_are_enough(room: Room) -> None:
    slack = room.slack
    body = slack.say("C1", "U1", f"{ME} first")
    slack.push_acknowledged(slack.twin(body))
    done(slack, "C1", body["event"]["ts"])
    done(slack, "C1", ask(slack, "C1", f"and {ME} second"))
    assert [shown(a) for a in slack.answers("C1")] == ["You asked: first", "You asked: and   second"]


def test_direct_messages_replies_and_silence(room: Room) -> None:
    slack = room.slack
    seen: list[Question] = []

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        seen.append(question)
        return echo(question, progress)

    room.answer = answer
    direct = ask(slack, "D1", "is prod fine?")
    done(slack, "D1", direct)
    root = ask(slack, "C1", f"{ME} why slow?")
    done(slack, "C1", root)
    for text, user in [
        ("<@U2> can you restart it?", "U1"),  # to somebody else
        ("I am on it, restarting now", "U2"),  # people talk to each other
        ("thanks!", "U1"),
    ]:
        ask(slack, "C1", text, root, user)
    ask(slack, "C1", "unrelated, at the top level?")
    ask(slack, "C2", "a thread that we are not in?", "1.1")
    for change in ({"subtype": "message_changed"}, {"subtype": "channel_join"}, {"bot_id": "B9"}, {"user": BOT_USER}):
        body = slack.say("C1", "U1", f"{ME} not this")
        slack.push_acknowledged(slack.event({**body["event"], **change}))
    reply = ask(slack, "C1", "and since when?", root, "U2")
    done(slack, "C1", reply)
    assert [shown(a) for a in slack.answers("C1")] == ["You asked: why slow?", "You asked: and since when?"]
    assert {a["thread_ts"] for a in slack.answers("C1")} == {root}
    assert [a["thread_ts"] for a in slack.answers("D1")] == [direct]
    assert not slack.answers("C2")
    assert [q.workload for q in seen] == [None, None, "llama"], "the thread's scope is carried to its next question"


def test_two_threads_at_once_do_not_wait_for_each_other(room: Room) -> None:
    slack = room.slack
    import threading

    both = threading.Barrier(2, timeout=20)

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        both.wait()
        return echo(question, progress)

    room.answer = answer
    threads = [ask(slack, "C1", f"{ME} question {n}") for n in range(2)]
    for n, ts in enumerate(threads):
        done(slack, "C1", ts)
        assert [shown(a) for a in slack.answers("C1", ts)] == [f"You asked: question {n}"]


def test_an_empty_mention_gets_help_and_asks_nobody(room: Room) -> None:
    slack = room.slack

    def answer(*_: Any) -> Answer:
        raise AssertionError("nothing was asked")

    room.answer = answer
    ts = ask(slack, "C1", f" {ME} ")
    done(slack, "C1", ts)
    (helped,) = slack.answers("C1", ts)
    assert "@Rackside why is the first token so slow" in shown(helped)


@pytest.mark.parametrize("text", ["x" * 50_000, "🧨" * 3000, "<!channel> <@U9> `x` \u202e", "\0 ok"])
def test_monstrous_questions(room: Room, text: str) -> None:
    slack = room.slack
    ts = ask(slack, "D1", text)
    done(slack, "D1", ts)
    (answer,) = slack.answers("D1", ts)
    assert "<!" not in json.dumps(answer["blocks"])
    assert "<@" not in json.dumps(answer["blocks"])


def test_a_rate_limit_is_waited_out(room: Room) -> None:
    slack = room.slack
    slack.fail("chat.postMessage", Fault(status=429, error="ratelimited", retry_after=1))
    sent = time.monotonic()
    ts = ask(slack, "C1", f"{ME} why?")
    done(slack, "C1", ts)
    assert time.monotonic() - sent >= 1, "Retry-After was not respected"
    assert len(slack.answers("C1")) == 1
    assert slack.count("chat.postMessage") == 2
    assert slack.count("conversations.replies") == 0, "a refused post needs no search"


def test_a_post_that_worked_but_looked_failed_is_found_again(room: Room) -> None:
    slack = room.slack
    root = ask(slack, "C1", f"{ME} first")
    done(slack, "C1", root)
    for n in range(5):
        slack.say("C1", "U2", f"chatter {n}", root)  # the answer is not on the first page
    slack.fail("chat.postMessage", Fault(status=500, error="internal_error", after=True))
    ts = ask(slack, "C1", f"{ME} second", root)
    done(slack, "C1", ts)
    assert [shown(a) for a in slack.answers("C1")] == ["You asked: first", "You asked: second"]
    assert slack.count("chat.update") == 1


def test_slack_down_for_a_while(room: Room) -> None:
    slack = room.slack
    held = slack.fail("assistant.threads.setStatus", Fault(hold=True))
    body = slack.say("C1", "U1", f"{ME} why?")
    slack.push_acknowledged(body)
    assert held.arrived.wait(20)
    with slack.outage():
        held.release.set()
        before = slack.refusals
        slack.wait(lambda: slack.refusals >= before + 3, "tries during the outage")
    ts = body["event"]["ts"]
    slack.wait(lambda: len(slack.answers("C1", ts)) == 1, "the answer after the outage")
    done(slack, "C1", ts)


@pytest.mark.parametrize("failing", ["reactions.add", "assistant.threads.setStatus", "reactions.remove"])
def test_what_is_only_nice_never_costs_the_answer(room: Room, failing: str) -> None:
    slack = room.slack
    slack.fail(failing, Fault(error="missing_scope", times=50))
    ts = ask(slack, "C1", f"{ME} why?")
    slack.wait(lambda: len(slack.answers("C1", ts)) == 1, "the answer")


def test_refused_blocks_leave_the_text(room: Room) -> None:
    slack = room.slack
    slack.fail("chat.postMessage", Fault(error="invalid_blocks", times=2))
    ts = ask(slack, "C1", f"{ME} why?")
    done(slack, "C1", ts)
    (answer,) = slack.answers("C1", ts)
    assert "blocks" not in answer
    assert shown(answer) == "You asked: why?"


def test_a_channel_that_is_gone_does_not_block_the_next(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    slack = room.slack
    slack.fail("chat.postMessage", Fault(error="is_archived"))
    gone = ask(slack, "C1", f"{ME} why?")
    slack.wait(lambda: slack.count("chat.postMessage") == 1, "the refusal")
    done(slack, "C2", ask(slack, "C2", f"{ME} why?"))
    assert not slack.answers("C1", gone)
    assert "is_archived" in caplog.text


def test_a_failure_is_told_with_an_id_that_the_log_knows(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    slack = room.slack

    def answer(*_: Any) -> Answer:
        raise RuntimeError("secret detail of the failure")

    room.answer = answer
    ts = ask(slack, "C1", f"{ME} why?")
    done(slack, "C1", ts, "warning")
    (apology,) = slack.answers("C1", ts)
    assert "secret detail" not in json.dumps(apology)
    assert "Traceback" not in json.dumps(apology)
    error_id = shown(apology).split("(error ")[1][:8]
    assert f"error {error_id} while answering" in caplog.text
    assert "secret detail" in caplog.text
    again = ask(slack, "C1", f"{ME} why?")
    done(slack, "C1", again, "warning")
    assert error_id not in shown(slack.answers("C1", again)[0]), "every failure has an id of its own"


def test_an_answer_without_scope_keeps_what_the_thread_knew(room: Room) -> None:
    slack = room.slack
    seen: list[str | None] = []

    def answer(question: Question, _: Callable[[str], None]) -> Answer:
        seen.append(question.workload)
        return Answer(question.text, "live", Scope(workload="llama" if len(seen) == 1 else None), "V.")

    room.answer = answer
    root = ask(slack, "C1", f"{ME} one")
    done(slack, "C1", root)
    for text in ("and since when?", "what about mistral?", "show the query"):
        done(slack, "C1", ask(slack, "C1", text, root))
    assert seen == [None, "llama", None, "llama"], "a follow-up that names something is not bound to the old scope"
