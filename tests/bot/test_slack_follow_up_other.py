"""Follow-ups that point beside the last answer: the other replicas, a pod, a node."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.advisor.question import Answer, Question, Scope
from bot.deep_links import Links
from bot.follow_up import settled
from bot.follow_up_other import Other, admitted, anew, told, wanted
from evals.slack_standin import BOT_USER
from evals.slack_web.blocks import valid
from tests.bot import timed
from tests.bot.conftest import Room
from tests.bot.saturated import ANSWER, CHAT, KV
from tools.finding import BlindSpot, RuledOut

LINKS = Links("http://prom.example:9090")
FIRST, SECOND, THIRD = (f"llama-70b-chat-7d9f8b6c5-{end}" for end in ("x2x9k", "aaaaa", "b4b4b"))
SKEWED = replace(
    ANSWER,
    findings=(
        *ANSWER.findings,
        replace(KV, key=f"routing_skew@{CHAT}", id="routing_skew", because=f"{FIRST} runs 40 requests and {SECOND} 2."),
    ),
    ruled_out=(RuledOut("ecc_errors", "node/gpu-a-3", "no errors on gpu-a-3, where chat/" + THIRD + " runs"),),
    blind=(BlindSpot(f"logs of {SECOND}", "forbidden"),),
)


def said(told_: Any) -> str:
    return json.dumps([told_.text, told_.blocks], ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("and the other replica?", Other("replica")),
        ("And the other pods??", Other("replica")),
        ("what about the other two replicas?", Other("replica")),
        ("how are the rest of the replicas doing?", Other("replica")),
        ("are the other replicas ok too", Other("replica")),
        ("what about node gpu-a-3?", Other("node", "gpu-a-3")),
        ("and machine `ip-10-0-0-1.ec2.internal`?", Other("node", "ip-10-0-0-1.ec2.internal")),
        (f"and pod {FIRST}?", Other("pod", FIRST)),
        ("and replica 2?", Other("pod", "llama-70b-chat-2")),
        ("and node is down?", None),
        ("what about the other replica of mistral?", None),
        ("and the node?", None),
        ("what about node <!channel>?", None),
        ("node " + "a-" * 5000, None),
        ("", None),
    ],
)
def test_what_a_follow_up_points_to(text: str, other: Other | None) -> None:
    assert wanted(text, ANSWER) == other


def test_after_an_answer_of_another_kind_nothing_is_pointed_to() -> None:
    assert wanted("and the other replica?", replace(ANSWER, intent="knowledge")) is None
    fleet = replace(ANSWER, scope=Scope("prod"), findings=())
    assert wanted("and the other replica?", fleet) is None
    assert wanted("and replica 2?", fleet) is None
    assert wanted("and node gpu-a-3?", fleet) == Other("node", "gpu-a-3")


def test_the_other_replicas_are_told_from_what_was_seen() -> None:
    shown = settled("and the other replicas?", SKEWED, LINKS, timed.NOW)
    assert shown is not None
    assert all(map(valid, shown.blocks))
    body = shown.blocks[1]["text"]["text"]
    assert f"`{SECOND}`" in body
    assert f"`{THIRD}`" in body
    assert f"`{FIRST}`" not in body, "that is the one that was told of"
    assert "could not see logs" in body
    assert "nothing else of it was told" in body
    assert "nothing was looked at again" in said(shown.blocks[-1] and shown)


def test_who_asked_about_one_hears_of_the_others() -> None:
    shown = told(Other("replica"), replace(SKEWED, question=f"why is {SECOND} idle?"), LINKS)
    assert shown is not None
    assert f"`{FIRST}`" in shown[1]
    assert f"`{SECOND}`" not in shown[1]


def test_a_node_is_told_of_where_it_is_named_and_by_its_whole_name() -> None:
    shown = settled("what about node gpu-a-3?", SKEWED, LINKS, timed.NOW)
    assert shown is not None
    assert "ruled out: ecc errors" in said(shown)
    for name in ("gpu-a", "gpu-a-30", "a-3"):
        assert settled(f"what about node {name}?", SKEWED, LINKS, timed.NOW) is None, name


def test_what_could_not_be_seen_alone_settles_nothing() -> None:
    assert told(Other("node", "gpu-a-3"), ANSWER, LINKS) is None, "only its blind spot names it"


@pytest.mark.parametrize(
    ("other", "question"),
    [
        (
            Other("replica"),
            Question("What is wrong with the replicas of llama-70b-chat?", "prod", "chat", "llama-70b-chat"),
        ),
        (
            Other("pod", FIRST),
            Question(f"What is wrong with pod {FIRST} of llama-70b-chat?", "prod", "chat", "llama-70b-chat"),
        ),
        (Other("pod", "mistral-0"), Question("What is wrong with pod mistral-0?", "prod")),
        (Other("node", "gpu-9"), Question("What is wrong with chat/llama-70b-chat on node gpu-9?", "prod")),
    ],
)
def test_asked_anew_with_its_place(other: Other, question: Question) -> None:
    assert anew(other, ANSWER) == question


def test_it_is_admitted_what_was_not_looked_at() -> None:
    assert "all replicas of `llama-70b-chat` anew" in admitted(Other("replica"), ANSWER, ANSWER)
    assert "names nothing of it, either" in admitted(Other("node", "gpu-9"), ANSWER, ANSWER)
    assert "I looked at it anew" in admitted(Other("node", "gpu-a-3"), ANSWER, SKEWED)
    assert "looked" not in admitted(Other("replica"), ANSWER, replace(ANSWER, saw_nothing=True))
    assert "looked" not in admitted(Other("replica"), ANSWER, replace(ANSWER, intent="declined"))


def test_texts_of_the_cluster_stay_data() -> None:
    many = tuple(RuledOut("<!here>", "node/gpu-a-3", "<@U1> <!channel> *bold* `x` " * 30) for _ in range(300))
    shown = settled("what about node gpu-a-3?", replace(ANSWER, ruled_out=many), LINKS, 0.0)
    assert shown is not None
    assert all(map(valid, shown.blocks))
    assert "<!" not in said(shown)
    assert "<@" not in said(shown)
    assert "more_" in said(shown)


def test_in_a_thread_it_is_settled_or_asked_anew_and_admitted(room: Room) -> None:
    asked: list[Question] = []

    def answer(question: Question, _: Callable[[str], None]) -> Answer:
        asked.append(replace(question, allowed=None))
        return replace(SKEWED, question=question.text)

    def say(text: str, root: str | None = None) -> str:
        body = room.slack.say("C1", "U1", text, root)
        room.slack.push_acknowledged(body)
        ts = str(body["event"]["ts"])
        room.slack.wait(lambda: room.slack.reactions("C1", ts) == ["white_check_mark"], text)
        return ts

    room.answer = answer
    root = say(f"<@{BOT_USER}> why is llama-70b-chat slow?")
    say("and the other replica?", root)
    assert len(asked) == 1
    say("what about node gpu-9?", root)
    assert asked[1:] == [Question("What is wrong with chat/llama-70b-chat on node gpu-9?", "prod")]
    shown = [one for one in room.slack.answers("C1", root) if not one.get("files")]
    assert shown[1]["text"] == "The other replicas that the answer names"
    assert "told nothing of node gpu-9" in json.dumps(shown[2]["blocks"][0])
