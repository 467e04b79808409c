"""Advice is asked of the pages, whoever is meant by "we"; what happens is looked at."""

from __future__ import annotations

import pytest

from bot.advisor.advice import asks_advice
from bot.advisor.intent import classify


@pytest.mark.parametrize(
    "question",
    [
        "what should we alert on for kv cache",
        "what alerts do we need for gpu nodes",
        "how do we roll out a new model without downtime",
        "hey, how should i split prefill and decode",
        "how many replicas should we keep warm",
        "how long should a readiness probe wait",
        "who should sign off our model before release",
        "which team must own the driver",
        "can we run vllm on T4",
        "do we need infiniband for two nodes",
        "is it safe to share a gpu between teams",
        "does prefix caching help our chat workload",
        "will fp8 hurt quality",
        "when should one use spot gpus",
        "why does vllm need 70GB for a 7b model",
        "why is tensor parallel slower than one gpu over pcie",
        "why is MIG bad for latency?",
        "h200 vs h100 what changed",
        "what is the difference between mps and mig",
    ],
)
def test_advice_is_read_in_the_pages(question: str) -> None:
    assert asks_advice(question)
    assert classify(question, named=False, outside=False) == "knowledge"
    # What names something of the fleet is about it, and what lies outside is no matter of the pages.
    assert classify(question, named=True, outside=False) == "live"
    assert classify(question, named=False, outside=True) != "knowledge"


@pytest.mark.parametrize(
    "question",
    [
        "why is everything so slow",
        "why are the pods pending",
        "why does it need two minutes for the first token",
        "how do we get it back",
        "how do we stop this",
        "how do we look right now",
        "what should we do now, the queue only grows",
        "does the service work again",
        "is it down",
        "do we need more gpus now that the queue is full",
        "which pods are pending",
        "where is the bottleneck today",
        "our p99 doubled since the rollout",
        "users say it hangs",
        "",
    ],
)
def test_what_happens_is_none(question: str) -> None:
    assert not asks_advice(question)


def test_a_giant_question_is_read_in_bounded_time() -> None:
    assert not asks_advice("why is " + "a " * 100_000)
    assert not asks_advice("does " + "x/" * 100_000)
