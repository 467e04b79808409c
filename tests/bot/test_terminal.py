"""The terminal view: everything is there at every width, and nothing that comes from data acts."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot.advisor.question import Answer, Scope
from bot.terminal import render
from tests.bot.saturated import SATURATED
from tools.finding import BlindSpot, RuledOut

HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]x[/] \u202emoc.live <!channel> 🔥 世界\x00"


def shown(answer: Answer, width: int = 100, verbose: bool = False, colour: bool = False) -> str:
    out = io.StringIO()
    render(answer, Console(file=out, width=width, force_terminal=colour, no_color=not colour), verbose)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_everything_is_there_and_nothing_is_wider_than_the_terminal(width: int) -> None:
    text = shown(SATURATED, width)
    flat = " ".join(text.split())
    assert " ".join(SATURATED.verdict.split()) in flat
    root = SATURATED.headlines[0]
    for part in (root.title, root.because, root.remedies[0].text):
        assert "".join(part.split()) in "".join(text.split())
    for spot in SATURATED.blind:
        assert "".join(spot.what.split()) in "".join(text.split())
    assert all(cell_len(line.rstrip()) <= width for line in text.splitlines())


def test_the_verdict_comes_first_and_symptoms_stand_under_their_cause() -> None:
    text = shown(SATURATED, 200)
    root = SATURATED.headlines[0]
    symptom = next(finding for finding in SATURATED.findings if root.key in finding.explained_by)
    assert text.splitlines()[0].startswith(SATURATED.verdict[:40])
    assert text.index(root.because[:30]) < text.index("└─ explains") < text.index(symptom.because[:30])


def test_without_colour_there_is_no_control_sequence_and_with_it_there_is() -> None:
    assert "\x1b" not in shown(SATURATED)
    assert "\x1b[" in shown(SATURATED, colour=True)


def test_what_comes_from_data_never_acts() -> None:
    root = replace(SATURATED.headlines[0], subject=f"deployment/chat/{HOSTILE}", because=HOSTILE, title=HOSTILE)
    answer = replace(
        SATURATED,
        verdict=HOSTILE,
        findings=(root,),
        blind=(BlindSpot(HOSTILE, HOSTILE),),
        ruled_out=(RuledOut("kv", HOSTILE, HOSTILE),),
    )
    text = shown(answer)
    for sequence in ("\x1b", "\x07", "\u202e", "\x00"):
        assert sequence not in text
    assert "[bold red]x[/]" in text, "rich's markup is shown, not obeyed"


def test_queries_show_when_asked_for() -> None:
    query = SATURATED.headlines[0].evidence[0].query
    assert "".join(query.split()) not in "".join(shown(SATURATED).split())
    assert "".join(query.split()) in "".join(shown(SATURATED, 200, verbose=True).split())


def test_one_reading_rules_out_several_in_one_line() -> None:
    ruled = tuple(
        RuledOut(one, "deployment/a/b", "Last termination: none") for one in ("cuda_oom_load", "host_oomkilled")
    )
    text = shown(replace(SATURATED, ruled_out=ruled), 160)
    assert "rules out cuda_oom_load, host_oomkilled on deployment/a/b" in text


def test_a_knowledge_answer_and_its_blind_spot() -> None:
    answer = Answer(
        "q",
        "knowledge",
        Scope(),
        "A page.",
        blind=(BlindSpot("Knowledge base", "there is no index"),),
        text="A **page**.",
    )
    text = shown(answer)
    assert "A page." in text
    assert "there is no index" in text
