"""How a value is said, and how a check's docstring is taken apart."""

from __future__ import annotations

import pytest

from tools.check import Because, because, counted, duration_shown, objective, quantity_shown, shown, words
from tools.reading import Reading, Subject

POD = Subject("pod", "team", "a")


def reading(value: float | str | None, unit: str = "", name: str = "N") -> Reading:
    return Reading(name, POD, value, unit, "s", "q", 1.0)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.97, "ratio", "97 %"), (0.05, "ratio", "5.0 %"), (0, "ratio", "0 %"), (1, "ratio", "100 %"),
        (0.85, "seconds", "850 ms"), (2.4, "seconds", "2.4 s"), (59.6, "seconds", "60 s"), (720, "seconds", "12 min"), (12_600, "seconds", "3.5 h"),
        (2**30, "bytes", "1 GiB"), (38 * 2**30, "bytes", "38 GiB"), (1.5 * 2**30, "bytes", "1.5 GiB"), (64 * 2**20, "bytes", "64 MiB"),
        (2048, "bytes", "2 KiB"), (12, "bytes", "12 bytes"), (float("inf"), "bytes", "no limit"), (float("inf"), "replicas", "no limit"),
        (1, "bool", "yes"), (0, "bool", "no"), (1, "requests", "1 request"), (3, "requests", "3 requests"), (2.5, "requests", "2.5 requests"),
        (12_345, "tokens", "12,345 tokens"), (150.4, "tokens/s", "150 tokens/s"), (79, "xid", "79"), (137, "", "137"), (-3, "GPUs", "-3 GPUs"),
        (1e6, "", "1,000,000"), (1, "GPUs", "1 GPU"), (0, "replicas", "0 replicas"),
    ],
)  # fmt: skip
def test_how_a_value_is_said(value: float, unit: str, said: str) -> None:
    assert quantity_shown(value, unit) == said


def test_a_time_that_lies_ahead() -> None:
    assert duration_shown(-30) == "-30 s"


def test_texts_are_said_as_they_are() -> None:
    assert shown(reading("OOMKilled")) == "OOMKilled"
    assert shown(reading(0.5, "ratio")) == "50 %"


def test_a_sentence_is_filled_by_its_readings() -> None:
    told = because(
        "{usage} on {usage_of}", None, reading(""), reading("x", name="X"), usage=reading(0.5, "ratio"), severity="low"
    )
    assert told.sentence == "50 % on a"
    assert [one.value for one in told.evidence] == [0.5, "x"]
    assert told.severity == "low"


def test_evidence_is_counted_once() -> None:
    one = reading(1.0)
    assert Because("{a}", {"a": one, "b": one}, (one,)).evidence == (one,)


def test_counts_and_objectives_are_readings() -> None:
    said = counted([reading(1.0), reading(2.0)], "Idle", "GPUs", Subject("deployment", "team", "app"))
    assert (said.value, shown(said), said.name, said.subject.name) == (2.0, "2 GPUs", "Idle", "app")
    goal = objective(reading(9.0, "seconds"), 2.0)
    assert (goal.value, goal.kind, goal.query) == (2.0, "limit", "")


def test_braces_in_a_text_that_was_read_do_no_harm() -> None:
    assert because("it says: {line}", line=reading("{0} {x.__class__} %s")).sentence == "it says: {0} {x.__class__} %s"


GOOD = "It is full.\n\n## What it means\nA\nb.\n\n## Why it hurts\nC.\n\n## What would rule it out\nD.\n"


def test_a_docstring_is_taken_apart() -> None:
    told = words(GOOD)
    assert (told.title, told.means, told.hurts, told.rules_out) == ("It is full.", "A b.", "C.", "D.")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "headline"),
        ("", "headline"),
        ("No period", "headline"),
        ("Title.", "What it means"),
        (GOOD.replace("C.", ""), "lacks Why it hurts"),
    ],
)
def test_a_docstring_that_lacks_a_part_is_refused(text: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        words(text)
