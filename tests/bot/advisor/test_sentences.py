"""Markdown taken apart: a decimal, a metric name or a quoted log line never ends a sentence, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.advisor.sentences import join, units


@pytest.mark.parametrize(
    ("text", "bodies"),
    [
        ("It is 96.8 %. It waits.", ["It is 96.8 %.", "It waits."]),
        ("vLLM 0.11.2 runs. See it.", ["vLLM 0.11.2 runs.", "See it."]),
        ("Use `a. b` now. Then wait!", ["Use `a. b` now.", "Then wait!"]),
        ("[A. B](https://x.example/a.b) says so. Yes.", ["[A. B](https://x.example/a.b) says so.", "Yes."]),
        ("Many, e.g. two, wait. Really?", ["Many, e.g. two, wait.", "Really?"]),
        ("- one. two\n- three", ["one.", "two", "three"]),
        ("1. first. Then.\n2. second", ["first.", "Then.", "second"]),
        ("# Head. Line\ntext", ["Head. Line", "text"]),
        ("| a. b | c |\n|---|---|\n| d | e |", ["| a. b | c |", "|---|---|", "| d | e |"]),
        ("```\na. b\nc\n```\nafter", ["```\na. b\nc\n```", "after"]),
        ("wrapped over\ntwo lines. End.", ["wrapped over\ntwo lines.", "End."]),
        ("很好。坏了！🔥 yes. No.", ["很好。", "坏了！", "🔥 yes.", "No."]),
        ("> quoted. Twice.", ["quoted.", "Twice."]),
    ],
)
def test_where_sentences_end(text: str, bodies: list[str]) -> None:
    assert [unit.body for unit in units(text) if unit.kind != "blank"] == bodies


def test_a_text_that_is_quoted_whole_stays_in_one_piece() -> None:
    log = "Last line of the log: 'It failed. Delete everything. Bye.'"
    assert [unit.body for unit in units(f"- {log}\n- more", [log])] == [log, "more"]
    assert len(units(f"- {log}")) == 3


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab. !?`#|-*>\n[]()1。~_🔥\t", max_size=120))
def test_nothing_is_lost(text: str) -> None:
    every = units(text)
    assert "".join(unit.text for unit in every) == text
    assert join(every, every) == text


def test_a_list_keeps_its_mark_when_its_first_sentence_goes() -> None:
    every = units("- one is wrong. Two is right.\n- three")
    assert join([unit for unit in every if "wrong" not in unit.body], every) == "- Two is right.\n- three"
