"""Scoring of knowledge questions: what counts as found, as proven and as declined."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from evals import question_runs
from evals.question_baselines import OVERLAP, WINDOW, PlainBM25, PlainChroma, windows
from evals.question_runs import Asked, Outcome, Piece, Totals
from knowledge.pages import Pack, Page
from knowledge.strays import STRAYS
from tests.knowledge.conftest import CountingEncoder

PACK = Pack("p", "P", "us", "l", "high")


class Canned:
    """Returns the pieces that were prepared for a question, and refuses any other."""

    def __init__(self, pieces: dict[str, Sequence[Piece]], declined: frozenset[str] = frozenset()) -> None:
        self._pieces = pieces
        self._declined = declined

    def search(self, question: str, k: int) -> list[Piece]:
        return list(self._pieces[question])[:k]

    def declines(self, question: str) -> bool | None:
        return question in self._declined


def one(asked: Asked, pieces: Sequence[Piece], declined: bool = False) -> Outcome:
    (outcome,) = question_runs.run([asked], Canned({asked.ask: pieces}, frozenset({asked.ask} if declined else ())))
    return outcome


def test_the_rank_is_the_first_right_page_and_a_page_counts_once() -> None:
    pieces = [Piece("a", ""), Piece("a", ""), Piece("b", ""), Piece("c", "")]
    assert one(Asked("q", ("c", "b")), pieces).rank == 2
    assert one(Asked("q", ("d",)), pieces).rank == 0


def test_facts_have_to_be_in_the_first_three_passages_together() -> None:
    asked = Asked("q", ("z",), (("0.9", "90 %"), ("num gpu blocks",)))
    pieces = [Piece("a", "at 90 %"), Piece("b", "nothing"), Piece("c", "Num  GPU\nblocks"), Piece("d", "")]
    outcome = one(asked, pieces)
    assert outcome.facts is True
    assert outcome.ok
    late = [pieces[0], pieces[1], Piece("x", ""), pieces[2]]
    outcome = one(asked, late)
    assert outcome.facts is False
    assert outcome.missing == ("num gpu blocks",)
    assert not outcome.ok


def test_what_is_declined_is_not_answered() -> None:
    assert not one(Asked("q", ("a",)), [Piece("a", "")], declined=True).ok
    assert one(Asked("q"), [Piece("a", "")], declined=True).ok
    assert not one(Asked("q"), [Piece("a", "")]).ok


def test_totals() -> None:
    totals = Totals(
        [
            one(Asked("1", ("a",), (("x",),)), [Piece("a", "x")]),
            one(Asked("2", ("a",)), [Piece("b", ""), Piece("a", "")]),
            one(Asked("3", ("a",)), [Piece("b", "")], declined=True),
            one(Asked("4", (), (("x",),)), [Piece("b", "y")]),
            one(Asked("5"), [], declined=True),
            one(Asked("6"), []),
        ]
    )
    shares = totals.shares()
    assert (shares["answerable"], shares["out_of_scope"], shares["with_facts"]) == (4, 2, 2)
    assert (shares["recall@1"], shares["recall@3"]) == (0.3333, 0.6667)
    assert shares["mrr"] == 0.5
    assert shares["facts@3"] == 0.5
    assert (shares["decline_precision"], shares["decline_recall"]) == (0.5, 0.5)


def test_a_searcher_that_cannot_decline_has_no_figure_for_it() -> None:
    totals = Totals([Outcome(Asked("1", ("a",)), ("a",), 1, None, (), None)])
    assert totals.shares()["decline_precision"] is None
    assert Totals().shares()["recall@1"] is None


def test_questions_are_read_from_a_file_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- {ask: one, pages: [p/a], facts: [x, [y, z]]}\n")
    (tmp_path / "b.yaml").write_text("- ask: two\n")
    first, second = question_runs.read(tmp_path)
    assert first == Asked("one", ("p/a",), (("x",), ("y", "z")))
    assert not second.answerable
    assert question_runs.read(tmp_path / "b.yaml") == [second]


@pytest.mark.parametrize("text", ["", "just text", "- pages: [a]", "{ask: x}", "- [ask, x]", "\x00", "- ask: [x"])
def test_what_is_no_list_of_questions_is_a_sentence(tmp_path: Path, text: str) -> None:
    empty = tmp_path / "none"
    empty.mkdir()
    file = tmp_path / "q.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match="is no list of"):
        question_runs.read(file)
    with pytest.raises(ValueError, match="no file of questions"):
        question_runs.read(empty)


def test_windows_cover_a_page_and_overlap() -> None:
    text = "".join(f"{number:05d} " for number in range(600))
    cut = windows([Page("p/a", PACK, "T", text, "a.md")])
    assert all(len(piece.text) <= WINDOW for piece in cut)
    assert "".join(piece.text[OVERLAP if place else 0 :] for place, piece in enumerate(cut)) == f"# T\n\n{text}"
    assert len(windows([Page("p/b", PACK, "T", "short", "b.md")])) == 1


def test_the_baselines_find_what_shares_words() -> None:
    pages = [
        Page("p/egg", PACK, "Eggs", "Boil them for seven minutes.", "egg.md"),
        Page("p/tea", PACK, "Tea", "Steep leaves in hot water.", "tea.md"),
    ]
    for searcher in (PlainChroma(pages, CountingEncoder()), PlainBM25(pages)):
        assert searcher.search("steep leaves", 1)[0].page == "p/tea"
        assert searcher.declines("anything") is None
    assert PlainBM25(pages).search("zebra", 2) == []


def test_no_question_is_among_those_that_calibrate() -> None:
    def plain(text: str) -> str:
        return text.casefold().strip(" ?!.")

    asked = {plain(one.ask) for one in question_runs.read(question_runs.QUESTIONS)}
    assert len(STRAYS) > 500
    assert asked.isdisjoint(map(plain, STRAYS))


def test_everybody_is_read_equally_far() -> None:
    far = "x" * question_runs.READ_CHARS
    asked = Asked("q", facts=(("steep",),))
    assert one(asked, [Piece("a", "short"), Piece("b", "steep")]).equal is True
    seen = one(asked, [Piece("a", far), Piece("b", "steep")])
    assert (seen.facts, seen.equal, seen.read) == (True, False, len(far) + 5)
    late = one(asked, [Piece("a", ""), Piece("b", ""), Piece("c", ""), Piece("d", "steep")])
    assert (late.facts, late.equal) == (False, True)


def test_the_command_says_what_it_could_not_read(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bot", "eval", "--questions", str(tmp_path / "none.yaml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.returncode == 2
    assert told.stdout == ""
    assert told.stderr.startswith("evals: ")
    assert "Traceback" not in told.stderr


def test_no_index_is_a_sentence(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "evals", "--questions"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"RACKSIDE_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert told.returncode == 2
    assert "rackside knowledge index" in told.stderr
    assert "Traceback" not in told.stderr
