"""Sizing questions in people's words: what is read from them, what is not guessed, and the answer that comes of it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.advisor import sizing_answer
from bot.advisor.advisor import Advisor
from bot.advisor.question import Question
from bot.advisor.sizing_question import read, weights_in
from bot.advisor.sizing_report import SizingProblemError, markdown, report, rows
from bot.blocks import blocks
from knowledge.search import Library
from tools.observe import Cluster
from tools.prices import price_book
from tools.reading import Blind
from tools.sources.prom import PromSource

ASKED = [
    ("does llama 3.1 70b fit on 2 h100 at 32k with 16 users?", "llama-3.1-70b", "h100-sxm", 2, 32_768, 16, None, None),
    ("does Llama-3.1-70B-Instruct fit on 2xH100s, 32k context, 16 concurrent users", "llama-3.1-70b", "h100-sxm", 2, 32_768, 16, None, None),
    ("will Qwen/Qwen2.5-72B-Instruct-AWQ fit into a single a100 80gb with max-model-len 8192?", "qwen2.5-72b", "a100-80gb", 1, 8192, None, "int4", None),
    ("can I run deepseek r1 on 8 h200", "deepseek-r1", "h200", 8, None, None, None, None),
    ("mixtral 8x7b on 2x l40s, fp8 kv cache, 4096 tokens, 100 requests", "mixtral-8x7b", "l40s", 2, 4096, 100, None, "fp8"),
    ("does qwen3 32b fit on a p5.48xlarge with 200 users at 16k context", "qwen3-32b", "h100-sxm", 8, 16_384, 200, None, None),
    ("gemma 3 27b on h100 x 2 with context of 32,768 and concurrency 10", "gemma-3-27b", "h100-sxm", 2, 32_768, 10, None, None),
    ("fit llama 3.1 8b fp8 on g6.xlarge, kv cache fp8", "llama-3.1-8b", "l4", 1, None, None, "fp8", "fp8"),
    ("two B200 for kimi k2?", "kimi-k2", "b200", 2, None, None, None, None),
    ("how much memory does llama 3.3 70b need at 8k tokens", "llama-3.3-70b", None, None, 8192, None, None, None),
    ("llama 3.1 8b int4 on four T4s for 1,000 users", "llama-3.1-8b", "t4", 4, None, 1000, "int4", None),
    ("does llama 3.1 8b fit on NVIDIA-A100-SXM4-40GB", "llama-3.1-8b", "a100-40gb", None, None, None, None, None),
    ("does phi 4 fit on mi300x", "phi-4", "mi300x", None, None, None, None, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "model", "gpu", "count", "context", "users", "dtype", "kv"), ASKED, ids=[row[0][:40] for row in ASKED]
)
def test_words_become_numbers(
    text: str, model: str, gpu: str | None, count: int | None, context: int | None, users: int | None, dtype: str | None, kv: str | None
) -> None:  # fmt: skip
    found = read(text)
    assert not found.problem
    assert found.model is not None
    assert found.model.id == model
    assert (found.gpu.id if found.gpu else None) == gpu
    assert (found.count, found.context, found.users, found.dtype, found.kv_dtype) == (count, context, users, dtype, kv)


def test_what_was_assumed_is_said() -> None:
    assumed = read("does llama 3.1 70b fit on 2 h100 at 32k").assumed
    assert "32k means 32,768 tokens." in assumed
    assert "H100 is taken as H100 SXM 80 GB." in assumed
    assert "p5.48xlarge has 8 × H100 SXM 80 GB (AWS)." in read("llama 3.1 8b on p5.48xlarge").assumed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("llama 9 70b on 2 h100", "Llama 3 70B"), ("llama 3.1 8b on H9000", "H100"), ("does llama 3.1 8b fit on an rtx 4090", "rtx 4090"),
        ("does a 34b model fit on 4 a100-40gb", "name the model"), ("does it fit on 2 h100", "Name a model"), ("", "Name a model"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_a_sentence_and_never_a_guess(text: str, says: str) -> None:
    found = read(text)
    assert says in found.problem
    with pytest.raises(SizingProblemError):
        report(found, price_book())


@pytest.mark.parametrize(
    ("text", "model", "says"),
    [
        ("can I run 70b fp8 on 2x L40S", "llama-3.3-70b", "A 70B model is taken as Llama 3.3 70B; the cache of Llama 3.1 70B"),
        ("does llama 70b fit on 2 h100", "llama-3.3-70b", "llama 70b is taken as Llama 3.3 70B; the cache of"),
        ("will an 8b model fit on one l4 with 4k", "llama-3.1-8b", "of that size Qwen3 8B caches otherwise: name yours."),
        ("does a 405 billion parameter model fit on 8 h200", "llama-3.1-405b", "A 405B model is taken as Llama 3.1 405B"),
        ("does gemma 27b fit on an a100", "gemma-2-27b", "Gemma 3 27B caches otherwise"),
    ],
)  # fmt: skip
def test_a_size_alone_is_taken_for_a_model_and_it_is_said_which(text: str, model: str, says: str) -> None:
    asked = sizing_answer.wanted(text)
    assert asked is not None
    assert asked.model is not None
    assert asked.model.id == model
    assert any(says in one for one in asked.assumed), asked.assumed


@pytest.mark.parametrize(
    "text",
    ["how much memory does a 70b model need", "can we serve 1 billion requests on 8 h100", "why is 70b slow on h100"],
)
def test_a_size_that_is_asked_of_in_general_or_counts_something_else_is_for_the_pages(text: str) -> None:
    assert sizing_answer.wanted(text) is None


def test_a_size_that_no_model_has_is_a_sentence_with_near_ones(library: Library) -> None:
    asked = sizing_answer.wanted("does a 34b model fit on 2 a100")
    assert asked is not None
    verdict = sizing_answer.answer(asked, "does a 34b model fit on 2 a100", price_book(), library).verdict
    assert "Of that size I know Qwen2.5 32B" in verdict


@pytest.mark.parametrize(
    "text",
    [
        "does llama 3.1 8b on an l4 fit if our target is 900 ms for the first token",
        "is one l4 enough for llama 3.1 8b where the slo is 800 ms",
    ],
)
def test_a_time_that_is_aimed_at_is_no_state(text: str) -> None:
    assert sizing_answer.wanted(text) is not None


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read_without_failing(text: str) -> None:
    found = read(text)
    assert found.problem.isprintable()
    assert sizing_answer.wanted(text) is None or found.model is not None or found.gpu is not None


@pytest.mark.parametrize(
    "text",
    ["a " * 50_000, "🔥" * 5000, "llama " * 2000, "1" * 5000, "2 h100 " * 800, "(" * 3000, "at " * 3000, "\x1b[31mllama 3.1 8b on 1 h100\x00", "x" * 2_000_000],
    ids=str.__len__,
)  # fmt: skip
def test_hostile_text_is_read_quickly(text: str) -> None:
    started = time.process_time()
    assert read(text).problem.isprintable()
    assert time.process_time() - started < 2


def test_numbers_out_of_any_range_are_answered_in_a_sentence(library: Library) -> None:
    for text in (
        "does llama 3.1 8b fit on 99999 h100",
        "does llama 3.1 8b fit on 1 h100 at 999999999999 tokens",
        "does llama 3.1 8b fit on 1 h100 with 999999999 users",
    ):
        asked = sizing_answer.wanted(text)
        assert asked is not None
        assert sizing_answer.answer(asked, text, price_book(), library).verdict.endswith((".", "beyond it."))


def test_the_weights_that_a_name_says() -> None:
    assert weights_in("Qwen2.5-72B-Instruct-AWQ") == "int4"
    assert weights_in("nvidia/Llama-3.1-70B-Instruct-FP8") == "fp8"
    assert weights_in("meta-llama/Llama-3.1-70B") is None


@pytest.mark.parametrize(
    "text",
    [
        "why does llama 3.1 70b crash on h100, does it fit?", "what is the kv cache", "which gpus are idle", "does our chat workload fit", "how much vram does an l40s have",
        "which gpu has the most memory bandwidth", "what does tensor parallelism mean", "does a model fit in memory", "llama 3.1 70b is slow on h100",
        "questions take twice as long since noon; I think the 70b cannot keep up and we need a second one, that would be four more a100",
        "our predictor never gets ready on its l4: the 8b weights load and then it starts over; do we need a longer startup probe?",
        "the 8b on that l4 loads and never becomes ready, do we need a bigger card", "it loads the 8b on an l4 and starts over, do I need another l4",
        "chat restarts since this morning; the 14b does not fit on ws-h100-b, should we move to a smaller model?",
        "time to first token through the gateway for llama-pool is 3-4 s at lunch; do we need a 4th replica, before I order another l40s",
        "the first token of the 8b on an l4 used to be quick, do we need another l4", "llama 3.1 8b: ttft is around 900 ms, is one l4 enough",
        "how many gpus does our llama 3.1 70b use", "which gpus do we use for qwen3 32b",
    ],
)  # fmt: skip
def test_other_questions_are_left_to_others(text: str) -> None:
    assert sizing_answer.wanted(text) is None


def test_a_sizing_question_is_answered_with_table_formula_assumptions_and_what_fits(library: Library) -> None:
    text = "does llama 3.1 70b fit on 2 h100 at 32k with 16 users?"
    asked = sizing_answer.wanted(text)
    assert asked is not None
    answer = sizing_answer.answer(asked, text, price_book(), library)
    assert answer.intent == "sizing"
    assert answer.verdict.startswith("Not at 32,768 tokens")
    assert answer.text.startswith(answer.verdict)
    for part in (
        "### The nearest that works",
        "### Formula",
        "### Assumed",
        "### Sources",
        "65.71 GiB",
        "4 × H100 SXM 80 GB",
    ):
        assert part in answer.text


def test_ask_answers_it_without_looking_at_any_cluster(library: Library) -> None:
    def sources(name: str | None) -> tuple[PromSource | Blind, Cluster | Blind, str]:
        raise AssertionError(f"{name} was looked at")

    advisor = Advisor(sources, library, prices=price_book({"h100": 2.0}))
    answer = advisor.answer(Question("does llama 3.1 70b fit on 2 h100 at 32k with 16 users?"))
    assert answer.intent == "sizing"
    assert "$4.00 an hour" in answer.text
    assert not answer.saw_nothing
    shown = blocks(answer)
    assert len(shown.blocks) < 10
    assert "The nearest that works" in str(shown.blocks)


def test_an_unknown_model_beside_a_known_gpu_is_answered_with_near_names(library: Library) -> None:
    text = "does llama 9 70b fit on 2 h100?"
    asked = sizing_answer.wanted(text)
    assert asked is not None
    assert "The nearest that I know: Llama 2 70B" in sizing_answer.answer(asked, text, price_book(), library).verdict


def test_without_a_gpu_the_fewest_of_each_kind_are_listed() -> None:
    told = report(read("how many gpus for llama 3.1 70b with 4 users at 8k"), price_book())
    assert told.sizing is None
    assert rows(told) == []
    assert "131.4 GiB of weights" in told.verdict
    assert "The fewest GPUs of each kind" in markdown(told)
    assert len(told.options) > 2


def test_how_many_of_a_kind_are_the_fewest_that_hold_it() -> None:
    told = report(read("how many h100 for llama 3.1 405b fp8 with 32 users at 16k"), price_book())
    assert told.sizing is not None
    assert told.sizing.works
    assert told.sizing.request.count == 16
    never = report(read("how many h100 for llama 3.1 405b with 100000 users at 128k"), price_book())
    assert never.sizing is not None
    assert (never.sizing.works, never.sizing.request.count) == (False, 8)


def test_a_mig_slice_is_sized_as_a_slice_and_never_as_the_card() -> None:
    found = read("does llama 3.1 8b fit on an h100 mig 3g.40gb at 8k")
    assert found.gpu is not None
    assert found.gpu.id == "h100-sxm:3g.40gb"
    assert report(found, price_book()).sizing.total < 40  # type: ignore[union-attr]
    small = report(read("mistral 7b on an a100 80gb 1g.10gb"), price_book())
    assert small.verdict.startswith("No:")
    assert small.options[0].change.startswith("4-bit")
    assert "MIG slices" in report(read("phi 4 on 2 h200 1g.18gb"), price_book()).verdict
    assert "Name the GPU" in read("llama 3.1 8b on 1g.10gb").problem
    assert read("llama 3.1 8b on l4 1g.10gb").problem == "The L4 cannot be sliced: it has no MIG."
    assert "1g.10gb" in read("llama 3.1 8b on h100 1g.11gb").problem


def test_the_users_price_is_shown_as_the_users() -> None:
    told = report(read("llama 3.1 8b on 2 h100 at 8k"), price_book({"h100": 2.0}))
    assert told.usd_per_hour == 4.0
    assert told.usd_per_month == 4.0 * 730
    assert any("your price" in much for _, much in rows(told))


def test_who_tells_that_it_is_slow_and_asks_whether_a_second_one_fits_is_told_by_the_sum() -> None:
    told = "Questions take twice as long since noon. Would a second 70b fit on two a100?"
    assert sizing_answer.wanted(told) is not None
