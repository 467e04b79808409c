"""Kubernetes quantities and times, and what only looks like them."""

from __future__ import annotations

import pytest

from tools.quantity import quantity, seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2), ("500m", 0.5), ("8Gi", 8 * 2**30), ("1.5G", 1.5e9), ("128974848", 128974848), ("129e6", 129e6), ("123Mi", 123 * 2**20),
        ("1Ti", 2**40), ("64k", 64_000), (" 4 ", 4), (8, 8), ("0", 0), (".5", 0.5),
    ],
)  # fmt: skip
def test_quantities(text: object, value: float) -> None:
    assert quantity(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", None, "lots", "8 Gi", "-", "1.2.3", "8gib", "NaN", "inf", "1e999", "9" * 400, [], {}, "٣", "0x10"]
)
def test_what_is_no_quantity_is_none(text: object) -> None:
    assert quantity(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000),
        ("2023-11-14T22:13:20.500000Z", 1_700_000_000.5),
        ("2023-11-14T22:13:20", 1_700_000_000),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(text: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert seconds(text) == value
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["", None, 5, "yesterday", "0000-00-00T00:00:00Z", "9999-99-99", [], "🔥" * 1000])
def test_what_is_no_time_is_none(text: object) -> None:
    assert seconds(text) is None


def test_the_earliest_time_does_not_raise() -> None:
    assert seconds("0001-01-01T00:00:00Z") is not None
