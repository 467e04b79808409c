"""Prices: the user's first, the list's with its date, and the arithmetic of a million tokens."""

from __future__ import annotations

import math
import re

import pytest

from tools.prices import HOURS_PER_MONTH, PricesError, cost_per_million, list_prices, price_book


def test_the_users_price_comes_before_the_list() -> None:
    book = price_book({"H100": 2.5})
    price = book.price("h100-sxm")
    assert price is not None
    assert price.own
    assert price.usd_per_hour == 2.5
    assert price.month(8) == 2.5 * 8 * HOURS_PER_MONTH
    listed = price_book().price("h100-sxm")
    assert listed is not None
    assert not listed.own
    assert listed.date in listed.said


def test_a_machine_types_price_is_shared_by_its_gpus() -> None:
    price = price_book({"p5.48xlarge": 40}).price("h100-sxm")
    assert price is not None
    assert price.usd_per_hour == 5.0


def test_every_list_price_has_region_date_and_source() -> None:
    for row in list_prices():
        assert row.usd_per_hour > 0
        assert re.fullmatch(r"2026-\d\d-\d\d", row.date)
        assert row.region
        assert row.url.startswith("https://")
    cheapest = min(row.usd_per_hour / row.count for row in list_prices() if row.gpu == "h100-sxm")
    found = price_book().price("h100-sxm")
    assert found is not None
    assert found.usd_per_hour == pytest.approx(cheapest)


def test_a_gpu_without_a_price_has_none() -> None:
    assert price_book().price("h20") is None


def test_everything_wrong_with_a_price_table_is_said_at_once() -> None:
    with pytest.raises(PricesError) as told:
        price_book({"H100": -1, "nonsense": 2.0, "L4": "cheap", "a10g": math.nan, "t4": True, "\x1b[31m": 1})
    said = str(told.value)
    for name in ("H100", "nonsense", "L4", "a10g", "t4"):
        assert name in said
    assert said.isprintable()


def test_cost_per_million_tokens() -> None:
    assert cost_per_million(2.50, 2000) == pytest.approx(0.347, abs=0.001)
    assert cost_per_million(2.50, 2000, 0.3) == pytest.approx(1.157, abs=0.001)
    for bad in ((1.0, 0.0, 1.0), (1.0, 10.0, 0.0), (1.0, 10.0, 1.5), (-1.0, 10.0, 1.0)):
        with pytest.raises(ValueError, match="must be positive"):
            cost_per_million(*bad)
