"""How much of a page is shown for a question: the nearest section whole, the next ones as far as there is room."""

from __future__ import annotations

import numpy as np
import pytest

from knowledge.opened import LEAST_SHOWN, SHOWN_CHARS, Section
from knowledge.passages import Passage
from knowledge.search import Library


def section(text: str, room: int | None = None) -> Section:
    return Section((Passage("p/x#h", "p/x", "p", "X", "Heading", text, "", "high", "2026-11-21"),), room)


HEAD = "**Heading**\n\n"


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("One. Two is longer.", None, "One. Two is longer."),
        ("One. Two is longer.", 100, "One. Two is longer."),
        ("One. Two is longer.", len(HEAD) + 10, "One."),
        ("One? Two: three; four!", len(HEAD) + 9, "One? Two:"),
        ("- one\n- two\n- three\n", len(HEAD) + 13, "- one\n- two"),
        ("Version 0.19 is out. Next.", len(HEAD) + 20, "Version 0.19 is out."),
    ],
)
def test_a_section_is_cut_at_a_sentence_or_a_line(text: str, room: int | None, shown: str) -> None:
    cut = section(text, room)
    assert cut.shown == HEAD + shown
    assert cut.text == text, "what composes an answer reads all of it"


def test_where_no_sentence_fits_nothing_is_shown() -> None:
    assert section("x" * 500, 100).shown == ""
    assert section("", 5).shown == ""


def test_the_nearest_section_is_whole_and_the_others_keep_to_the_room(library: Library) -> None:
    opened = library._opened or (library.search("xid") and library._opened)
    assert opened is not None
    scores = np.zeros(len(opened.build.passages), dtype=np.float32)
    seen = 0
    for row in range(0, len(opened.build.passages), 3):
        told = opened.shown(row, opened.build.vectors[row], scores, frozenset())
        if not told:
            continue
        first, *others = told
        assert first.room is None
        assert len({one.heading for one in told}) == len(told)
        assert sum(len(one.shown) for one in others) <= max(0, SHOWN_CHARS - len(first.shown))
        assert all(len(one.shown) >= min(LEAST_SHOWN, len(one.text)) for one in others)
        seen += len(others)
    assert seen
