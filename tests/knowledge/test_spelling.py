"""How a question is spelled: runs of letters, what is learned from them, and that the stored weights are those of the lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from knowledge import spelling
from knowledge.spelling import PLACES, alike, leaning, learned, runs, stored
from knowledge.strays import KIN, STRAYS

OURS = ["vllm queue grows", "dcgm shows no power", "vllm pod pending"]
THEIRS = ["soup is salty", "train to berlin", "soup for eight"]


def test_the_stored_weights_are_those_of_the_lists() -> None:
    assert spelling.current(), "run python -m knowledge.spelling"
    assert stored().shape == (PLACES,)
    assert stored().dtype == np.float32, "what is stored in halves is reckoned with in singles"
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


def test_a_lone_question_is_followed_as_far_as_it_is_trusted() -> None:
    """Whatever its length: by 1 / (1 + SMOOTH), as a ridge regression of one on one."""
    for ours in ("vllm", "vllm queue grows and grows"):
        weights = learned([ours], ["%%%%%%"])
        assert leaning(ours, weights) == pytest.approx(1.0 / 1.3, abs=1e-3)
        assert leaning("%%%%%%", weights) == pytest.approx(-1.0 / 1.3, abs=1e-3)


def test_one_of_our_own_is_followed_however_many_strays_there_are() -> None:
    held = learned(["vllm queue"], [f"soup {one}" for one in "abcdefghijklmnopqrstuvwxyz"])
    assert leaning("vllm queue", held) > 0.9


def test_what_both_sides_say_says_nothing() -> None:
    weights = learned(["queue grows"], ["queue grows"])
    assert leaning("queue grows", weights) == pytest.approx(0.0, abs=1e-6)


def test_nothing_is_learned_from_nothing() -> None:
    assert not learned([], []).any()
    weights = learned(["", "vllm"], ["soup", " "])
    assert np.isfinite(weights).all()
    assert leaning("vllm", weights) > 0.5


def test_how_alike_texts_are() -> None:
    shared = alike(["vllm queue", "VLLM queue", "soup", ""])
    assert shared[0, 1] == pytest.approx(1.0)
    assert shared.diagonal() == pytest.approx([1.0, 1.0, 1.0, 0.0])
    assert shared[0, 2] == shared[3, 0] == 0.0
    assert (shared == shared.T).all()


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
