"""Since when, what changed before and what recovered, as answers say it: grounded, and never as a cause."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.advisor import compose
from bot.advisor.grounding import assert_grounded, ground
from bot.advisor.question import Answer
from tests.bot import timed
from tools.finding import Finding


def said(finding: Finding = timed.TIMED) -> Answer:
    whole = timed.answer(finding)
    text = compose.live_text(
        whole.verdict, whole.findings, whole.ruled_out, whole.blind, whole.citations, whole.recovered
    )
    return replace(whole, verdict=compose.verdict(whole.findings, whole.blind, "chat", False), text=text)


def test_the_whole_text_says_it_and_every_sentence_is_grounded() -> None:
    answer = said()
    answer = replace(answer, citations=())
    own = compose.live_text(answer.verdict, answer.findings, answer.ruled_out, answer.blind, (), answer.recovered)
    assert_grounded(replace(answer, text=own))
    assert timed.TIMED.since is not None
    assert timed.TIMED.since.text in answer.text
    for one in timed.TIMED.happened:
        assert f"- {one.text}" in answer.text
    assert compose.BEFORE in answer.text
    assert timed.TIMED.unseen_before in answer.text
    assert "### Recovered" in answer.text
    assert answer.text.index(timed.TIMED.since.text) < answer.text.index("Evidence:")


def test_without_times_nothing_is_said_of_them() -> None:
    answer = said(replace(timed.TIMED, since=None, happened=(), unseen_before=""))
    assert compose.BEFORE not in answer.text
    assert "Since " not in answer.text


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("It has been like this since 13:33 UTC.", True),
        ("It has been like this since 09:12 UTC.", False),
        ("The load recovered at 13:23 UTC.", True),
        ("The load recovered at 14:59 UTC.", False),
        ("Revision 7 was rolled out 2 minutes before.", True),
        ("Revision 7 was rolled out 9 minutes before.", False),
        ("Revision 11 was rolled out 2 minutes before.", False),
    ],
)
def test_a_models_moments_are_held_against_what_was_found(sentence: str, kept: bool) -> None:
    assert (ground(sentence, said()).kept.strip() == sentence) is kept


def test_a_question_about_time_is_answered_first_and_grounded() -> None:
    assert timed.TIMED.since is not None
    answer = said()
    since = compose.time_verdict("since", answer.findings, answer.recovered)
    assert timed.TIMED.since.text in since
    assert timed.HPA.subject in since
    before = compose.time_verdict("before", answer.findings, answer.recovered)
    assert timed.TIMED.happened[0].text in before
    assert "proves no cause" in before
    quiet = replace(timed.TIMED, happened=())
    assert timed.TIMED.unseen_before in compose.time_verdict("before", (quiet,), ())
    for verdict in (since, before):
        assert not ground(verdict, answer).dropped


def test_where_nothing_fires_a_question_about_time_hears_what_recovered() -> None:
    assert compose.time_verdict("over", (), (timed.GONE,)) == timed.GONE.text
    assert compose.time_verdict("over", (), ()) == ""
    assert compose.time_verdict("since", (replace(timed.TIMED, since=None),), ()) == ""
    gone = replace(timed.answer(), findings=(), citations=(), verdict=timed.GONE.text, text=timed.GONE.text)
    assert_grounded(gone)
