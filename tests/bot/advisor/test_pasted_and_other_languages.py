"""Long pastes are looked through for what failed; a question in another language is told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.advisor.advisor import NO_PROMETHEUS, Advisor
from bot.advisor.intent import LONGEST_QUESTION
from bot.advisor.other_language import other_language
from bot.advisor.pasted import condensed
from knowledge.search import Library

STEP = "INFO 11-20 10:00:00 [core.py:1] engine step took 12.3 ms, running: 4, waiting: 9\n"
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"


def test_what_is_short_stays_as_it_is() -> None:
    text = "x" * LONGEST_QUESTION
    assert condensed(text) == text
    assert condensed(f"why?\n```\n{OOM}\n```") == f"why?\n```\n{OOM}\n```"


@pytest.mark.parametrize("fence", ["```", "", "``` and it is never closed\n"])
def test_the_line_that_failed_is_found_anywhere_in_a_paste(fence: str) -> None:
    log = STEP * 300 + OOM + "\n" + STEP * 150 + "the last line"
    told = condensed(f"what is wrong here?\n{fence}\n{log}\n{fence if fence == '```' else ''}")
    assert told.splitlines()[0] == "what is wrong here?"
    assert OOM in told
    assert told.endswith("the last line")
    assert len(told) <= LONGEST_QUESTION
    assert told.count("engine step") <= 2, "its beginning is not what matters"


@pytest.mark.parametrize(
    "text", ["x" * 40_000, "```" * 20_000, "\n" * 40_000, "a\n" * 20_000, f"{OOM} " * 1000, "\ud800" * 9_000]
)
def test_monstrous_pastes_stay_within_the_length(text: str) -> None:
    assert len(condensed(text)) <= LONGEST_QUESTION


@pytest.mark.parametrize(
    "text",
    [
        "Warum ist llama-70b so langsam?", "wie ist der Stand der GPUs", "なぜ推論が遅いのですか？", "почему под llama-70b падает?",
        "¿por qué mi pod está en CrashLoopBackOff?", "pourquoi le gpu est lent", "Dlaczego model działa tak wolno?", "neden bu kadar yavaş",
        "perché il modello è lento", "porque o pod não inicia? está lento", "waarom is de eerste token traag", "为什么 GPU 利用率低",
    ],
)  # fmt: skip
def test_another_language(text: str) -> None:
    assert other_language(text)


@pytest.mark.parametrize(
    "text",
    [
        "why is it slow?", "is das storage slow for the los angeles cluster?", "at 3 est the pods of example.com were killed", "", "1234 ???",
        "what does Xid 79 mean?", "naïve résumé of the façade deployment", "is llama-mini-8b in namespace der-die fine", "μs vs ms: which is it?",
    ],
)  # fmt: skip
def test_english_or_nothing_that_is_clear(text: str) -> None:
    assert not other_language(text)


def test_warming_up_without_a_knowledge_base_harms_nothing(tmp_path: Path) -> None:
    advisor = Advisor(lambda _: (NO_PROMETHEUS, NO_PROMETHEUS, ""), Library.open(tmp_path, packs=tmp_path))
    advisor.warm()
