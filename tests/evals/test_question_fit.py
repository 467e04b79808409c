"""The fit of the weights: each question asked once and kept, judged by the parts that it is not in, weights that tell the sides apart."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest

from evals import question_fit
from evals.question_fit import Kept, Listed, area, crossed, declined, fit, listed, parts, report, signs
from evals.question_runs import Asked
from knowledge.belonging import WEIGHTS, Alone, Company, Wording
from knowledge.search import Library
from knowledge.spelling import alike, learned

KIN = [f"vllm queue {word} grows" for word in ("chat", "search", "labels", "brief", "notes", "tags", "maps", "forms")]
STRAYS = [
    f"soup with {word} tastes salty" for word in ("leek", "beans", "rice", "corn", "peas", "kale", "beet", "dill")
]


class Pages:
    """A library whose pages are about queues. It counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def alone(self, query: str) -> Alone:
        self.asked.append(query)
        ours = "queue" in query
        return Alone(query, query, self.vector(query), 2.0 + ours, 2.0, 0.3 + 0.6 * ours, 0.4, 0.1)

    def vector(self, query: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        angle = (0.0 if "queue" in query else 1.2) + len(query) / 200.0
        return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)

    def passages_with(self, term: str) -> float:
        return 0.05 if term.startswith("queu") else 0.0

    def listed(self) -> tuple[np.ndarray, np.ndarray]:
        return np.array([*map(self.vector, KIN)]), np.array([*map(self.vector, STRAYS)])

    @property
    def library(self) -> Library:
        return cast(Library, self)


@pytest.fixture
def pages() -> Pages:
    return Pages()


def kept(pages: Pages, home: Path | None = None, told: list[str] | None = None) -> Kept:
    return Kept(pages.library, home, "build-1", ([] if told is None else told).append)


def test_each_question_is_asked_once_and_kept_for_its_build(pages: Pages, tmp_path: Path) -> None:
    first = kept(pages, tmp_path).alone([*KIN, KIN[0]])
    assert pages.asked == KIN
    again = kept(pages, tmp_path).alone([STRAYS[0], *KIN])
    assert pages.asked == [*KIN, STRAYS[0]]
    assert (again[1].text, again[1].near, again[1].spread) == (first[0].text, first[0].near, first[0].spread)
    assert np.array_equal(again[1].vector, first[0].vector)
    Kept(pages.library, tmp_path, "build-2", print).alone(KIN[:1])
    assert pages.asked[-1] == KIN[0], "another build says something else"


def test_progress_is_told(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_fit, "TOLD_EVERY_S", 0.0)
    told: list[str] = []
    kept(pages, told=told).alone(KIN)
    assert told[0].startswith("1 of 8 questions asked, ")
    assert len(told) == len(KIN)


def test_a_company_of_some_is_what_it_would_be_had_only_they_been_written(pages: Pages) -> None:
    lists = listed(pages.library, KIN, STRAYS)
    some = lists.company(pages.passages_with, [0, 2, 5], [1, 3])
    kin, strays = [KIN[at] for at in (0, 2, 5)], [STRAYS[at] for at in (1, 3)]
    ours, theirs = pages.listed()
    same = Company(
        ours[[0, 2, 5]], theirs[[1, 3]], Wording(pages.passages_with, kin, strays), spelling=learned(kin, strays)
    )
    asked = [pages.alone(one) for one in (KIN[1], STRAYS[0])]
    assert signs(asked, some) == pytest.approx(signs(asked, same), abs=1e-5)


def test_lists_that_the_index_was_not_built_of_are_said(pages: Pages) -> None:
    with pytest.raises(ValueError, match="run rackside knowledge index"):
        listed(pages.library, KIN[1:], STRAYS)


def test_everybody_is_judged_by_the_parts_that_they_are_not_in(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = Listed(KIN, STRAYS, pages.listed(), alike([*KIN, *STRAYS]))
    seen: list[tuple[list[int], list[int]]] = []
    plain = Listed.company

    def noted(self: Listed, passages_with: object, kin: list[int], strays: list[int]) -> Company:
        seen.append((list(kin), list(strays)))
        return plain(self, pages.passages_with, kin, strays)

    monkeypatch.setattr(Listed, "company", noted)
    halves = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    rows, own = crossed(pages.library, lists, kept(pages), (halves, halves), lambda _: None)
    assert seen == [([4, 5, 6, 7],) * 2, ([0, 1, 2, 3],) * 2]
    assert own.tolist() == [True] * 4 + [False] * 4 + [True] * 4 + [False] * 4
    weights, least = fit(rows, own)
    assert ((rows @ weights > least) == own).all()
    assert area(rows @ weights, own) == 1.0


def test_a_topic_stays_together() -> None:
    of = [1, 1, 1, 2, 2, 3, 4, 5, 5]
    cut = parts(of, np.random.default_rng(0))
    assert all(len({part for part, topic in zip(cut, of, strict=True) if topic == one}) == 1 for one in of)


def test_area_and_what_is_declined() -> None:
    totals, own = np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False])
    assert area(totals, own) == 0.75
    assert area(np.ones(4), own) == 0.5
    assert declined(totals, own, 0.0) == 1
    assert declined(totals, own, 1.0) == 2


def test_the_report_says_whether_what_ships_is_what_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    own = np.arange(80) < 40
    rows = rng.normal(size=(80, len(WEIGHTS))) + own[:, None]
    files = {"made": [Asked("a", ("p",)), Asked("b")], "held_out_x": [Asked("c", ("p",)), Asked("d")]}
    told = {"made": rows[[0, 40]], "held_out_x": rows[[1, 41]]}
    report(files, told, rows, own)
    out = capsys.readouterr().out
    assert "what ships is not what fits" in out
    assert "without spelled: [" in out
    assert out.count("held_out_x") == 2
    weights, _ = fit(np.concatenate([rows, told["made"][:1]]), np.append(own, True))
    monkeypatch.setattr(question_fit, "WEIGHTS", tuple(np.round(weights, 2)))
    report(files, told, rows, own)
    assert "what ships is what fits" in capsys.readouterr().out
