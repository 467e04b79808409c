"""The signs by which a question is told to belong here, each alone and as a search fills them."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from knowledge import belonging, lexical
from knowledge.belonging import (
    APART,
    FAR,
    MOST_SENTENCES,
    NEIGHBOURS,
    Company,
    Signs,
    Wording,
    at_best,
    sentences,
    sides_of,
)
from knowledge.builds import Build, current_build
from knowledge.encoder import Vectors
from knowledge.index import IndexProblem
from knowledge.search import Library
from knowledge.strays import KIN, STRAYS, topics

MIDDLING = Signs(near=2.5, called=3.0, astray=2.0, worded=0.5, covered=0.6, leaning=0.0, spelled=0.0)


def unit(*degrees: float) -> Vectors:
    """Vectors in a plane."""
    return np.array([[math.cos(math.radians(at)), math.sin(math.radians(at))] for at in degrees], dtype=np.float32)


def company(kin: Vectors, strays: Vectors) -> Company:
    return Company(kin, strays, Wording(lambda _: 0.0, ["queue"], ["soup"]))


@pytest.mark.parametrize("sign", ["near", "called", "worded", "covered", "leaning", "spelled"])
def test_more_of_a_sign_speaks_for_a_question(sign: str) -> None:
    more = replace(MIDDLING, **{sign: getattr(MIDDLING, sign) + 0.5})
    assert more.total() > MIDDLING.total()


def test_strays_nearby_speak_against_it() -> None:
    assert replace(MIDDLING, astray=2.5).total() < MIDDLING.total()


def test_no_sign_decides_alone() -> None:
    """At its best or worst, a sign is outvoted by the others at their other end."""
    best = Signs(near=5.0, called=6.0, astray=0.5, worded=5.0, covered=1.0, leaning=1.0, spelled=1.0)
    worst = Signs(near=0.0, called=0.0, astray=5.0, worded=-5.0, covered=0.1, leaning=-1.0, spelled=-1.0)
    assert best.total() > 0.0 > worst.total()
    for name in ("near", "called", "astray", "worded", "covered", "leaning", "spelled"):
        assert replace(worst, **{name: getattr(best, name)}).total() < 0.0
        assert replace(best, **{name: getattr(worst, name)}).total() > 0.0


def test_a_question_for_which_nothing_speaks_is_not_ours() -> None:
    assert Signs(near=0.0, called=0.0, astray=0.0, worded=0.0, covered=0.0, leaning=0.0, spelled=0.0).total() < 0.0


def test_one_stray_nearby_is_no_company() -> None:
    held = company(unit(90.0), unit(0.0, *[60.0] * NEIGHBOURS))
    assert held.astray(unit(0.0)[0]) == pytest.approx((1.0 + 0.5 * (NEIGHBOURS - 1)) / NEIGHBOURS)
    assert company(unit(90.0), unit()[:0].reshape(0, 2)).astray(unit(0.0)[0]) == 0.0


def test_a_question_leans_to_the_side_that_it_lies_on() -> None:
    held = company(unit(80.0, 90.0), unit(0.0, 10.0))
    angles = [0.0, 30.0, 60.0, 90.0]
    leanings = [held.leaning(one) for one in unit(*angles)]
    assert leanings == sorted(leanings)
    assert leanings[0] < -0.5 < 0.5 < leanings[-1]
    assert held.leaning(unit(45.0)[0]) == pytest.approx(0.0, abs=0.05)


def test_many_strays_do_not_outvote_few_of_our_own() -> None:
    few, many = unit(90.0), unit(*[0.0] * 40)
    assert company(few, many).leaning(unit(45.0)[0]) == pytest.approx(0.0, abs=0.05)


def test_the_leaning_reaches_beyond_the_nearest_few() -> None:
    """Forty degrees from the next listed question its side is still felt."""
    held = company(unit(90.0), unit(0.0))
    assert held.leaning(unit(-40.0)[0]) < -0.3
    assert held.leaning(unit(130.0)[0]) > 0.3


def test_no_questions_pull_to_no_side() -> None:
    none = np.zeros((0, 2), dtype=np.float32)
    assert len(sides_of(none, none)) == 0
    assert company(none, none).leaning(unit(0.0)[0]) == 0.0


def test_the_same_questions_are_solved_once() -> None:
    kin, strays = unit(80.0, 90.0), unit(0.0, 10.0)
    assert sides_of(kin, strays) is sides_of(kin.copy(), strays.copy())


@pytest.fixture
def words(tmp_path: Path) -> lexical.WordIndex:
    texts = ["queue of the engine grows", "queue of the gateway", "cache of the engine", *["queue"] * 20]
    lexical.write(texts, tmp_path / "words")
    return lexical.WordIndex(tmp_path / "words")


def test_one_passage_must_have_the_words_together(words: lexical.WordIndex) -> None:
    assert words.covered("engine queue grows") == pytest.approx(1.0)
    assert 0.3 < words.covered("gateway engine") < 0.7, "no passage has both"
    assert words.covered("") == words.covered("the of") == 0.0
    assert words.covered("queue-7 of the engine") == words.covered("queue of the engine"), "its parts are told"
    assert words.covered("quux of the engine") < words.covered("engine")


def test_a_rare_word_counts_more_and_an_unknown_one_most(words: lexical.WordIndex) -> None:
    assert words.covered("queue gateway grows") > words.covered("queue etcd gateway")
    assert words.covered("queue etcd") < 0.2, "the rare half is missing"
    assert words.covered("gateway etcd") < 0.5
    assert words.covered("gateway gateway etcd") == words.covered("gateway etcd")


def test_words_are_ours_or_theirs() -> None:
    kin, strays = ["queue", "batch", *["other"] * 98], ["soup", "batch", *["else"] * 98]
    said = Wording(lambda term: 0.02 if term == "engin" else 0.0, kin, strays)
    assert said.says("engine") > said.says("queue") > 1.0
    assert said.says("gearbox") == 0.0, "nobody has it"
    assert said.says("soup") < -1.0
    assert abs(said.says("batch")) < 1.0, "both have it"
    assert said.says("") == said.says("the of") == 0.0


def test_no_word_decides_alone() -> None:
    said = Wording(lambda _: 1.0, ["queue"], ["soup"])
    assert said.says("queue") == belonging.MOST_OF_A_WORD
    assert Wording(lambda _: 0.0, ["queue"], ["soup"]).says("soup") == -belonging.MOST_OF_A_WORD


def test_a_longer_text_says_more_but_not_in_proportion() -> None:
    said = Wording(lambda _: 0.01, ["queue cache"], ["soup"])
    one, two = said.says("queue"), said.says("queue cache")
    assert one < two < 2.0 * one


def test_a_search_fills_the_signs(library: Library) -> None:
    ours, stray = KIN[0], STRAYS[0]
    kin, strays = library.signs(ours), library.signs(stray)
    assert kin.leaning > 0.3 > -0.3 > strays.leaning
    assert kin.spelled > 0.3 > -0.3 > strays.spelled
    assert strays.astray > kin.astray
    assert kin.worded > strays.worded
    opened = library._opened
    assert opened is not None
    mean, spread = opened.build.manifest.stray_mean, opened.build.manifest.stray_spread
    name = opened.build.named[0][0]
    assert library.signs(name).called == pytest.approx((1.0 - mean) / spread, abs=0.2 / spread)
    text = opened.build.passages[-1].searched
    assert library.signs(text).near == pytest.approx((1.0 - mean) / spread, abs=0.3 / spread)
    assert library.signs(text).covered > 0.95 > 0.5 > library.signs("zebra trombone fjord").covered


def test_the_signs_can_be_asked_of_other_company(library: Library) -> None:
    kin, strays = library.listed()
    turned = Company(strays, kin, Wording(library.passages_with, STRAYS, KIN))
    asked = library.signs(KIN[0])
    told = library.signs(KIN[0], turned)
    assert told.leaning == pytest.approx(-asked.leaning, abs=0.01)
    assert told.astray > asked.astray
    assert told.worded < asked.worded
    assert (told.near, told.called, told.covered) == (asked.near, asked.called, asked.covered)


def test_a_build_from_before_has_sides_too(built_home: Path, tmp_path: Path) -> None:
    folder = current_build(built_home)
    assert folder is not None
    copy = tmp_path / "build"
    shutil.copytree(folder, copy)
    kept = Build(folder).sides
    (copy / "sides.npy").unlink()
    assert Build(copy).sides == pytest.approx(kept, abs=1e-3)
    np.save(copy / "sides.npy", kept[:-1])
    with pytest.raises(IndexProblem):
        _ = Build(copy).sides
    (copy / "sides.npy").write_bytes(b"\x9f{")
    with pytest.raises(IndexProblem):
        Build(copy).verify()


@pytest.mark.parametrize(("name", "listed"), [("kin.txt", KIN), ("strays.txt", STRAYS)])
def test_each_question_has_its_topic(name: str, listed: tuple[str, ...]) -> None:
    told = topics(name)
    assert len(told) == len(listed)
    assert list(told) == sorted(told)
    assert len(set(told)) >= 15


@pytest.mark.parametrize("question", ["why is the queue of vllm growing", "DCGM_FI_DEV_XID_ERRORS 79", "xyzzy", ""])
def test_what_pages_say_alone_is_what_a_search_shows(library: Library, question: str) -> None:
    """Judged by the best of what is shown, without making what is shown."""
    told = library.alone(question)
    best = max((hit.cosine for hit in library.search(question)), default=0.0)
    assert told.near == pytest.approx((best - told.mean) / told.spread)
    opened = library._opened
    assert opened is not None
    assert library.signs(question) == opened.company.signs(told)


def test_a_question_lies_outside_by_so_much(library: Library) -> None:
    asked = "how do I bake bread with less yeast"
    hits, away = library.search(asked), -library.signs(asked).total()
    assert away > 0.5
    assert library.outside(asked, hits, by=away - 0.1)
    assert not library.outside(asked, hits, by=away + 0.1)


def test_a_question_belongs_by_one_of_its_sentences() -> None:
    assert sentences("what does the audit ask? need to prepare the colleagues. ok then") == (
        "what does the audit ask?",
        "need to prepare the colleagues.",
    )
    assert sentences("one sentence with many words") == ()
    assert len(sentences("and one more of them. " * 50)) == MOST_SENTENCES
    assert at_best(-0.5, [1.0, -3.0]) == 1.0 - APART
    assert at_best(-0.5, [APART - 0.1]) == pytest.approx(-0.1)
    assert at_best(-0.5, []) == -0.5
    assert at_best(FAR - 0.1, [9.0]) == FAR - 0.1, "so far outside that no sentence saves it"
    assert at_best(0.2, iter([])) == 0.2
