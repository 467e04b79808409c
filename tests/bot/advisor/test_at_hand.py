"""What is asked about one's own system is looked at, what is planned is worked out, and what is neither is declined."""

from __future__ import annotations

import time
from typing import cast

import pytest

from bot.advisor import sizing_answer
from bot.advisor.advisor import OUTSIDE, Advisor
from bot.advisor.at_hand import at_hand, operated
from bot.advisor.intent import FAR, NEAR, classify, clean, reach
from bot.advisor.question import Question
from bot.advisor.sizing_question import read as numbers
from evals.intents import Wanted, become, read
from knowledge.search import Hit, Library
from tools.reading import Blind, Reason

NOWHERE = Blind(Reason.NOT_SET, "nothing is set")
ASKED = read()
HEAT = "It is 38 degrees outside and the cards in rack 5 read 79 degrees. Do they throttle?"


def kind(words: str) -> list[str]:
    found = [clean(one.ask) for one in ASKED if words in one.kind]
    assert len(found) >= 40
    return found


def test_vague_questions_about_ones_own_system_are_live() -> None:
    missed = [one for one in kind("of their own system") if classify(one, False, False) != "live"]
    assert missed == ["the support folks report blank replies"]


def test_vague_questions_about_something_else_have_no_word_of_operations() -> None:
    """However near they come and however they are put."""
    assert [one for one in kind("of something else") if classify(one, False, True) != "declined"] == []
    assert [one for one in kind("of something else") if operated(one)] == []


@pytest.mark.parametrize(
    ("question", "live"),
    [
        ("it fell over under load", True),
        ("Our answers are late", True),
        ("nobody got an answer since noon", True),
        ("users say it hangs", True),
        ("after the release, the second one never came back", True),
        ("slower since the update", True),
        ("a bit slower since the upgrade at 14:10, is that us", True),
        ("can you see what hit us", True),
        ("who is hogging the cards", True),
        ("was there a spike half an hour ago", True),
        ("what is a rollout", False),
        ("users per replica, recommended", False),
        ("p99 below 500 ms", False),
        ("the best way to drain a node", False),
        ("our cluster should use which CNI", False),
        ("it is slow, what should I do", False),
        ("number six keeps falling out of rotation", True),
        ("are all of them back after the test", True),
        ("which of the boxes is the sick one", True),
        ("three of five are red", True),
        ("enforce eager, what does it cost", False),
        ("litellm cooldown_time, how do they work", False),
        ("two containers on one card", False),
        ("the job that should have started is waiting", True),
        ("kv cache", False),
        ("", False),
    ],
)
def test_what_is_spoken_of_is_at_hand(question: str, live: bool) -> None:
    assert at_hand(question) is live


def test_further_outside_it_takes_a_word_of_operations() -> None:
    assert classify(HEAT, False, True, far=False) == "live"
    assert classify(HEAT, False, True, far=True) == "declined"
    assert classify("a rack of lamb at 79 degrees", False, True, far=False) == "declined"
    assert (reach(HEAT), reach("the kettle reads 79 degrees since noon")) == (FAR, NEAR)


@pytest.mark.parametrize(
    ("question", "intent"),
    [
        ("what is going on", "live"),
        ("hey team, what's wrong with everything right now?", "live"),
        ("what is wrong with the replicas", "live"),
        ("what is wrong with my knee", "declined"),
        ("our fridge is too warm, what is going on", "declined"),
        ("is anything broken in the dishwasher", "declined"),
    ],
)
def test_a_state_is_asked_of_what_is_run(question: str, intent: str) -> None:
    assert classify(question, False, outside=True, far=True) == intent
    assert classify(question, False, outside=True, far=False) == "live"


def test_trouble_is_looked_at_and_plans_are_worked_out() -> None:
    trouble, plans = kind("in trouble"), kind("planned")
    assert [
        one
        for one in trouble
        if sizing_answer.wanted(one) or classify(one, sizing_answer.running(one), False) != "live"
    ] == []
    # Of two pairs of cards against each other the pages tell.
    assert [
        one for one in plans if sizing_answer.wanted(one) is None and "or h200" not in one and "versus" not in one
    ] == []


@pytest.mark.parametrize(
    ("question", "sized", "running"),
    [
        ("does llama 3.1 70b fit on 4 h100", True, False),
        ("does llama 3.1 70b fit on 4 h100, it crashes", False, True),
        ("llama 3.1 70b crashes on 4 h100, would 8 h100 be enough", True, True),
        ("llama 9 70b on 4 h100 hangs", False, True),
        ("llama 3.1 70b hangs", False, False),
        ("how many h100 to train llama 3.1 70b", False, False),
        ("training of llama 3.1 70b on 4 h100 hangs", False, False),
        ("does our fine-tuned llama 3.1 70b fit on 2 h200", True, False),
        ("RuntimeError: llama 3.1 70b is not possible on h100", False, True),
        ("llama 3.1 70b on h100", True, False),
        ("a 70b on h100", False, False),
        ("llama 3.1 70b on h100: how many users does it take", True, False),
        ("llama 3.1 70b on h100, which flags does that want", False, False),
        ("llama 3.1 70b for 500 seats, h100?", True, False),
        ("llama 3.1 70b on h100 has no traffic, is it registered", False, True),
        ("llama 3.1 70b on h100, how do I enable fp8", False, False),
        ("llama 3.1 70b, 24 users: one h100 or do we need a second", True, False),
    ],
)  # fmt: skip
def test_a_model_on_named_cards(question: str, sized: bool, running: bool) -> None:
    assert (sizing_answer.wanted(question) is not None) is sized
    assert sizing_answer.running(question) is running


@pytest.mark.parametrize(
    ("question", "count", "gpu"),
    [
        ("currently we use 8 a100 for llama 70b, would 4 h100 be enough?", 4, "H100"),
        ("move llama 3.1 70b from 8 a100 80gb to 2 h200, does it fit", 2, "H200"),
        ("llama 3.1 70b on 2 h200 instead of 8x a100?", 2, "H200"),
        ("we have 8 a100 40gb, can we load llama 3.1 70b", 8, "A100"),
        ("we own four l40s, enough for qwen3 32b?", 4, "L40S"),
    ],
)
def test_the_cards_that_are_asked_about_are_sized(question: str, count: int, gpu: str) -> None:
    asked = numbers(question)
    assert asked.count == count
    assert asked.gpu is not None
    assert gpu in asked.gpu.title


def test_users_that_will_be() -> None:
    assert numbers("our users will be 300, llama 3.1 8b on l40s").users == 300


class Shelf:
    """A library in which every question lies so far outside; of an encoder of its own, so that nobody asks it for vectors."""

    encoder = "a shelf"

    def __init__(self, away: float) -> None:
        self._away = away

    def search(self, *_: object) -> list[Hit]:
        return []

    def outside(self, _query: str, _hits: object, by: float = 0.0) -> bool:
        return self._away > by


@pytest.mark.parametrize(
    ("question", "away", "intent"),
    [
        (HEAT, FAR - 0.1, "live"),
        (HEAT, FAR + 0.1, "declined"),
        ("two of the boxes went quiet around noon", NEAR - 0.1, "live"),
        ("two of the boxes went quiet around noon", NEAR + 0.1, "declined"),
        ("quiet boxes", 0.1, "declined"),
        ("gemma 3 27b on h100 runs at 10 tokens per second, why so little", FAR + 0.1, "live"),
        ("gemma 3 27b on h100 crashes since the readiness audit", -1.0, "live"),
    ],
)
def test_how_far_outside_one_looks(question: str, away: float, intent: str) -> None:
    assert (
        Advisor(lambda _cluster: (NOWHERE, NOWHERE, ""), cast(Library, Shelf(away))).answer(Question(question)).intent
        == intent
    )


def test_the_advisor_looks_however_few_words_of_the_field_there_are(library: Library) -> None:
    advisor = Advisor(lambda _cluster: (NOWHERE, NOWHERE, ""), library)
    assert advisor.answer(Question(HEAT)).intent == "live"
    assert advisor.answer(Question("the cake in the second rack of the oven is dark since noon")).verdict == OUTSIDE


def test_the_runs_tell_what_became_of_each(library: Library) -> None:
    asked = [
        Wanted("hello", "greeting", "help", "tuned"),
        Wanted("which wine goes with fish", "other", "declined", "last"),
    ]
    assert list(become(asked, library)) == [(asked[0], "help"), (asked[1], "declined")]


@pytest.mark.parametrize(
    "bait", ["since the ", "it ", "can you ", "5 x a100 ", "we use ", "the our my ", "to run ", "does a b c d "]
)
def test_a_huge_question_is_told_quickly(bait: str) -> None:
    text = clean(bait * 2000)
    started = time.process_time()
    for told in (at_hand, operated, sizing_answer.running, sizing_answer.wanted):
        told(text)
    assert time.process_time() - started < 1.0
