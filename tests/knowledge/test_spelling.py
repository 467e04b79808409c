"""How a question is spelled: runs of letters, what is learned from them, and that the stored weights are those of the lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge import spelling
from knowledge.spelling import PLACES, leaning, learned, runs, stored
from knowledge.strays import KIN, STRAYS

OURS = ["vllm queue grows", "dcgm shows no power", "vllm pod pending"]
THEIRS = ["soup is salty", "train to berlin", "soup for eight"]


def test_the_stored_weights_are_those_of_the_lists() -> None:
    assert spelling.current(), "run python -m knowledge.spelling"
    assert stored().shape == (PLACES,)
    assert np.isfinite(stored()).all()


def test_lists_that_changed_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spelling, "DIGEST", "of other lists")
    assert not spelling.current()


def test_a_text_leans_to_the_side_that_is_spelled_like_it() -> None:
    weights = learned(OURS, THEIRS)
    assert leaning("vllm queue", weights) > 0.2 > -0.2 > leaning("salty soup", weights)
    assert leaning("dcgmproftester", weights) > 0.0 > leaning("soups", weights), "words that no list has"
    assert leaning("VLLM   Queue", weights) == leaning("vllm queue", weights)
    assert leaning("%%%", weights) == leaning("", weights) == 0.0


def test_both_sides_count_the_same_and_learning_is_repeatable() -> None:
    many = learned(OURS[:1], [f"{one} {at}" for at in range(20) for one in THEIRS])
    assert leaning(OURS[0], many) > 0.5
    assert (learned(OURS, THEIRS) == learned(OURS, THEIRS)).all()
    assert learned(THEIRS, OURS) == pytest.approx(-learned(OURS, THEIRS), abs=1e-6)


def test_nothing_is_learned_from_nothing() -> None:
    assert not learned([], []).any()


def test_runs_are_counted_once_and_a_huge_text_is_cut() -> None:
    assert len(runs("aaaaaaaaaa")) == len(runs("aaaaaaaaaaaaaaaaaaaaaa")) == 3 + 3 + 3
    assert len(runs("")) == 0
    rng = np.random.default_rng(0)
    huge = "".join(map(chr, rng.integers(97, 123, 200_000)))
    assert len(runs(huge)) <= 3 * spelling.MAX_CHARS
    assert np.array_equal(runs("ünï 🎉"), runs("ÜNÏ 🎉"))


def test_the_command_stores_what_it_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LEARNED", tmp_path / "spelling.npz"), ("KIN", OURS), ("STRAYS", THEIRS)):
        monkeypatch.setattr(spelling, name, value)
    spelling.main()
    assert spelling.current()
    with np.load(tmp_path / "spelling.npz") as kept:
        assert kept["weights"] == pytest.approx(learned(OURS, THEIRS), abs=1e-3)


def test_the_lists_are_told_apart() -> None:
    assert np.mean([leaning(text, stored()) > 0.0 for text in KIN]) > 0.9
    assert np.mean([leaning(text, stored()) < 0.0 for text in STRAYS]) > 0.9
