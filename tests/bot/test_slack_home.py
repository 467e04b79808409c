"""App Home and suggested prompts, from what is wrong now."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.advisor.question import Answer, Question
from bot.home import NOT_YET, REFRESH, Home, Readiness, prompts, view
from bot.seen import Seen
from bot.store.answers import Kept
from bot.store.readiness import Place
from bot.store.subscriptions import Subscription
from evals import slack_people
from evals.slack_standin import Fault
from evals.slack_web.blocks import valid
from tests.bot import timed
from tests.bot.conftest import Room
from tools.finding import BlindSpot

ANSWER = timed.answer()
HOSTILE = "<!channel> <@U1> *x* `y` \u202e" * 50


def text_of(shown: Any) -> str:
    return json.dumps(shown, ensure_ascii=False)


def full(text: str = "x") -> Home:
    finding = replace(ANSWER.headlines[0], title=text, subject=text)
    now = replace(ANSWER, verdict=text, findings=tuple(replace(finding, key=str(n)) for n in range(40)))
    mine = [Subscription(str(n), f"C{n}", Place(), 0, 540, text, 0.0, "U1") for n in range(40)]
    recent = [Kept("k", "C1", "1.1", text, text, 0.0, "{}")] * 40
    return Home(
        now, 0.0, Readiness(0.5, 0.25, 0.0), mine, recent, [Seen(text, "blind", text)] * 60, [(text, text)] * 40
    )


@pytest.mark.parametrize("home", [Home(None, 0.0), full(), full(HOSTILE), Home(None, 0.0, refused=HOSTILE)])
def test_any_home_is_within_limits_and_stays_data(home: Home) -> None:
    shown = view(home)
    assert len(shown["blocks"]) <= 100
    assert all(map(valid, shown["blocks"]))
    assert "<!" not in text_of(shown)
    assert "<@" not in text_of(shown)


def test_what_is_said() -> None:
    said = text_of(view(full("slow")))
    for part in (
        "What is wrong now",
        "*40 separate problems, worst first.*",
        "*50 %* ready",
        "<#C3>",
        "Monday 09:00",
        "and 35 more",
    ):
        assert part in said, part
    assert NOT_YET in text_of(view(Home(None, 0.0)))
    assert "Settings" not in text_of(view(replace(full(), settings=())))


def test_one_cause_on_many_nodes_is_one_line() -> None:
    finding = ANSWER.headlines[0]
    nodes = [replace(finding, key=f"k{n}", subject=f"node/gpu-{n}", title="The driver hangs") for n in range(7)]
    other = replace(finding, key="other", title="It waits", subject="deployment/chat/a")
    said = text_of(view(Home(replace(ANSWER, findings=(*nodes, other)), 0.0)))
    assert said.count("The driver hangs") == 1
    assert "7 nodes (gpu-0, gpu-1, gpu-2, gpu-3, gpu-4 and 2 more)" in said
    assert "It waits" in said, "what nodes alike would have pushed off"
    first, second, *_ = prompts(replace(ANSWER, findings=(*nodes, other)))
    assert "7 nodes (gpu-0" in first["message"]
    assert second["title"] == "It waits"


def test_what_could_not_be_seen_is_named_beside_nothing_wrong() -> None:
    blind = tuple(BlindSpot(f"<!here> source {n}", "down") for n in range(5))
    line = "Nothing that I check for fires on the cluster, but part of it could not be seen."
    said = text_of(view(Home(replace(ANSWER, verdict=line, findings=(), blind=blind), 0.0)))
    assert "but part of it could not be seen" in said
    assert "5 things could not be seen: " in said
    assert "source 2 and 2 more." in said
    assert "<!here>" not in said
    one = text_of(view(Home(replace(ANSWER, findings=(), blind=blind[:1]), 0.0)))
    assert "1 thing could not be seen" in one
    assert "could not be seen" not in text_of(view(Home(replace(ANSWER, blind=()), 0.0)))


def test_what_cannot_be_seen_comes_first_and_what_can_is_one_line() -> None:
    seen = [
        *(Seen(f"good {n}", "ok", "d") for n in range(30)),
        Seen("Kueue", "not set", "d"),
        Seen("events", "blind", "d"),
    ]
    said = text_of(view(Home(ANSWER, 0.0, seen=seen)))
    assert (
        said.index("events: cannot be read")
        < said.index("Kueue: not set up")
        < said.index("30 can be read: good 0, good 1")
    )
    assert "and 18 more" in said
    for_admins = text_of(view(Home(ANSWER, 0.0, seen=seen, settings=[("a", "b")])))
    assert for_admins.index("events: d") < for_admins.index("good 0: d")
    assert "and 18 more: `rackside doctor`" in for_admins


def test_details_of_sources_are_for_admins() -> None:
    home = Home(ANSWER, 0.0, seen=[Seen("Prometheus", "ok", "answers at http://internal:9090")])
    assert "internal" not in text_of(view(home))
    assert "internal" in text_of(view(replace(home, settings=[("a", "b")])))


def test_prompts_come_from_what_is_wrong() -> None:
    found = prompts(ANSWER)
    assert found[0]["title"] == ANSWER.headlines[0].title[:60]
    assert 1 <= len(found) <= 4
    assert [one["title"] for one in prompts(None)] == ["What is wrong right now?", "Which GPUs sit idle?"]
    assert all(len(one["title"]) <= 60 and len(one["message"]) <= 300 for one in prompts(full(HOSTILE).now))


def opened(room: Room, tab: str, user: str = "U1") -> None:
    room.slack.push_acknowledged(
        room.slack.event({"type": "app_home_opened", "user": user, "tab": tab, "channel": f"D{user}"})
    )


def homes(room: Room) -> list[dict[str, Any]]:
    return [one for one in room.slack.kept.get("views", []) if one["type"] == "home"]


def test_opened_refreshed_and_prompted(room: Room) -> None:
    swept: list[Question] = []

    def answer(question: Question, _: Callable[[str], None]) -> Answer:
        swept.append(question)
        return ANSWER

    room.answer = answer
    opened(room, "home", "U7")
    room.slack.wait(lambda: len(homes(room)) == 2, "the home, twice")
    first, second = homes(room)
    assert NOT_YET in text_of(first)
    assert ANSWER.headlines[0].title in text_of(second)
    assert {one["user_id"] for one in homes(room)} == {"U7"}
    opened(room, "messages", "U7")
    room.slack.wait(lambda: bool(room.slack.kept.get("prompts")), "prompts")
    assert room.slack.kept["prompts"][0]["prompts"][0]["title"] == ANSWER.headlines[0].title[:60]
    assert [one.text for one in swept] == [None], "one sweep serves all for a minute"
    element = {"type": "button", "action_id": REFRESH}
    room.slack.push_acknowledged(slack_people.home_click(room.slack, second, element, user="U7"), kind="interactive")
    room.slack.wait(lambda: len(homes(room)) == 4, "the home anew")
    assert len(swept) == 2


def test_a_home_that_slack_refuses_harms_nothing(room: Room) -> None:
    room.slack.fail("views.publish", Fault(error="not_enabled", times=2))
    opened(room, "home", "U8")
    room.slack.wait(lambda: room.slack.count("views.publish") == 2, "both tries")
    body = room.slack.say("D1", "U1", "still there?")
    room.slack.push_acknowledged(body)
    room.slack.wait(lambda: len(room.slack.answers("D1")) == 1, "an answer")
