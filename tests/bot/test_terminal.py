"""The terminal view: everything is there at every width, and nothing that comes from data acts."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot.advisor.question import Answer, Scope
from bot.terminal import render, sparkline
from tests.bot import timed
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
    # An address is left to the terminal to wrap: broken in two it could not be opened.
    assert all(cell_len(line.rstrip()) <= width for line in text.splitlines() if "://" not in line)


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


def test_wrapped_lines_stand_under_the_text_not_under_its_mark() -> None:
    lines = shown(SATURATED, 60).splitlines()
    for mark, indent in (("  1. ", 5), ("  ? ", 4), ("    └─ ", 7)):
        at = next(index for index, line in enumerate(lines) if line.startswith(mark))
        assert lines[at + 1][:indent].strip() == "", lines[at : at + 2]
        assert lines[at + 1][indent : indent + 1].strip(), lines[at : at + 2]
    quoted = [line for line in lines if line.startswith("  │ ")]
    assert len(quoted) >= 4, "each line of a quote carries its bar"


def test_a_flag_can_be_copied_and_an_address_stays_in_one_piece() -> None:
    kv = replace(SATURATED.findings[1], root=True)
    lines = shown(replace(SATURATED, findings=(kv,)), 60).splitlines()
    assert any(line.strip().startswith("--kv-cache-dtype fp8") for line in lines)
    assert any(line.strip() == SATURATED.citations[1].url for line in lines)


def test_the_evidence_of_a_symptom_is_shown_with_its_cause_and_one_time_once() -> None:
    text = shown(SATURATED)
    assert "   37  Requests waiting" in text
    assert "96.8 % on llama-70b-chat-7d9f8b6c5-x2x9k" in text, "a value too long for its column stays in its sentence"
    assert text.count("04:12:00Z") == 1


def test_many_subjects_that_read_the_same_are_one_line() -> None:
    ruled = tuple(RuledOut("xid_critical", f"gpu/n/{index}", "Last Xid: 0") for index in range(8))
    text = shown(replace(SATURATED, ruled_out=ruled), 160)
    assert "rules out xid_critical on gpu/n/0, gpu/n/1, gpu/n/2 and 5 more" in text


def test_wide_characters_and_very_long_words_wrap() -> None:
    blind = (BlindSpot("世界" * 60, "x" * 300),)
    for width in (60, 80, 200):
        text = shown(replace(SATURATED, blind=blind), width)
        assert all(cell_len(line) <= width for line in text.splitlines() if "://" not in line)
        assert (text.count("世"), text.count("界")) == (60, 60)
        assert text.count("x") >= 300


@pytest.mark.parametrize("width", [60, 100, 200])
def test_a_headline_says_since_when_with_a_line_of_blocks_and_what_happened_before(width: int) -> None:
    text = shown(timed.answer(), width)
    flat = "".join(text.split())
    assert "".join(["Since", "13:33", "UTC", "(40", "min),", "to", "within", "60", "s:"]) in flat
    assert (
        "".join(
            [
                "rolled",
                "out",
                "revision",
                "7",
                "(image",
                "a",
                "to",
                "b);",
                "that",
                "happened",
                "2",
                "minutes",
                "before.",
            ]
        )
        in flat
    )
    assert "".join(["Near", "it", "in", "time,", "which", "proves", "no", "cause."]) in flat
    assert "".join(["changes", "of", "ConfigMaps", "(no", "series", "tells", "of", "them)."]) in flat
    assert "".join(timed.GONE.text.split()) in flat
    assert all(cell_len(line.rstrip()) <= width for line in text.splitlines() if "://" not in line)


def test_the_sparkline_rises_with_the_reading_is_red_where_it_fires_and_dotted_without_data() -> None:
    line = sparkline(timed.TRACE, 60)
    assert len(line.plain) <= 61
    assert "·" in line.plain
    assert line.plain[-1] == "█"
    assert line.plain[0] not in "·█"
    red = {line.plain[span.start] for span in line.spans if span.style == "red"}
    assert red == {"█"}
    # No peak is lost where one column stands for several steps.
    lone = replace(timed.TRACE, values=tuple(9.0 if i == 90 else 1.0 for i in range(181)), firing=(False,) * 181)
    assert "█" in sparkline(lone, 10).plain
    low = replace(lone, values=tuple(0.0 if i == 90 else 9.0 for i in range(181)), above=False)
    assert "▁" in sparkline(low, 10).plain


@pytest.mark.parametrize("values", [(None,) * 181, (0.0,) * 181, (-5.0,) * 181, (1e300,) * 181])
def test_a_sparkline_of_odd_data_is_still_a_line(values: tuple[float | None, ...]) -> None:
    assert 1 <= len(sparkline(replace(timed.TRACE, values=values), 40).plain) <= 41
