"""When a digest is due: once a week whatever the clocks do, late rather than lost, silent where it was told to be."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from bot.digest.schedule import ScheduleProblem, due, last_due, lateness, minute, next_due, weekday, zone_name
from bot.store.readiness import Place
from bot.store.subscriptions import Subscription

HOUR = 3600.0


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def subscription(day: str = "monday", at: str = "09:00", zone: str = "UTC", **more: object) -> Subscription:
    told = {"made_at": utc("2026-01-01T00:00")} | more
    return Subscription("s1", "C1", Place(), weekday(day), minute(at), zone, **told)  # type: ignore[arg-type]


def keys(one: Subscription, start: str, days: float, step_s: float = 900.0) -> list[tuple[str, float]]:
    """Every key with the moment at which it first came up, asked every so often."""
    found: dict[str, float] = {}
    now = utc(start)
    for _ in range(int(days * 86_400 / step_s)):
        for key, _payload in due([one], now):
            found.setdefault(key, now)
        now += step_s
    return list(found.items())


def test_it_is_due_from_its_minute_on_and_not_before() -> None:
    one = subscription()
    assert last_due(one, utc("2026-11-16T08:59")).period == "2026-W46"
    now = last_due(one, utc("2026-11-16T09:00"))
    assert (now.period, now.at) == ("2026-W47", utc("2026-11-16T09:00"))
    assert last_due(one, utc("2026-11-22T23:59")) == now


@pytest.mark.parametrize(
    ("zone", "at", "moments"),
    [
        # 29 March 2026: 02:00 becomes 03:00 in Berlin. 02:30 does not exist: right after the gap.
        ("Europe/Berlin", "02:30", ["2026-03-22T01:30", "2026-03-29T01:30", "2026-04-05T00:30"]),
        ("Europe/Berlin", "09:00", ["2026-03-22T08:00", "2026-03-29T07:00", "2026-04-05T07:00"]),
        # 25 October 2026: 03:00 becomes 02:00. 02:30 comes twice: the first one.
        ("Europe/Berlin", "02:30", ["2026-10-18T00:30", "2026-10-25T00:30", "2026-11-01T01:30"]),
        # 8 March and 1 November 2026 in New York.
        ("America/New_York", "02:30", ["2026-03-01T07:30", "2026-03-08T07:30", "2026-03-15T06:30"]),
        ("America/New_York", "01:30", ["2026-10-25T05:30", "2026-11-01T05:30", "2026-11-08T06:30"]),
        # Midnight that does not exist: 29 March 2026 in Beirut.
        ("Asia/Beirut", "00:00", ["2026-03-21T22:00", "2026-03-28T22:00", "2026-04-04T21:00"]),
        ("Asia/Kathmandu", "09:00", ["2026-03-22T03:15", "2026-03-29T03:15"]),
        # A day that is another one in UTC.
        ("Pacific/Auckland", "08:00", ["2026-03-28T19:00", "2026-04-04T20:00"]),
    ],
)
def test_once_a_week_at_the_same_hour_though_the_clocks_change(zone: str, at: str, moments: list[str]) -> None:
    one = subscription("sunday", at, zone, made_at=utc(moments[0]) - HOUR)
    found = keys(one, moments[0][:10] + "T00:00", 7 * (len(moments) - 1) + 1.2)
    assert [moment for _, moment in found][: len(moments)] == [utc(text) for text in moments]
    assert len({key for key, _ in found}) == len(found)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
@pytest.mark.parametrize(("day", "at"), [("sunday", "02:30"), ("monday", "00:00"), ("saturday", "23:59")])
def test_a_year_has_a_digest_for_every_week_and_none_twice(zone: str, day: str, at: str) -> None:
    one = subscription(day, at, zone)
    found = keys(one, "2026-01-01T00:00", 366, step_s=1800)
    assert 52 <= len(found) <= 53
    assert len({key for key, _ in found}) == len(found)
    assert all(6.9 * 86_400 < after - before < 7.1 * 86_400 for (_, before), (_, after) in pairwise(found))


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Auckland", "Asia/Kathmandu"]
)
@pytest.mark.parametrize(("day", "at"), [("sunday", "02:30"), ("monday", "00:00"), ("saturday", "23:59")])
def test_the_next_is_the_first_that_becomes_due(zone: str, day: str, at: str) -> None:
    one = subscription(day, at, zone)
    moments = [last_due(one, utc("2026-01-08T00:00") + hours * 900).at for hours in range(370 * 96)]
    ahead = sorted(set(moments))
    assert 52 <= len(ahead) <= 54
    for before, after in pairwise(ahead):
        for now in (before, before + 1, (before + after) / 2, after - 1):
            assert next_due(one, now).at == after, "also in the weeks in which the clocks change"


def test_weeks_are_told_by_their_iso_year() -> None:
    one = subscription("friday")
    assert last_due(one, utc("2027-01-01T10:00")).period == "2026-W53"
    assert last_due(subscription("monday"), utc("2029-12-31T10:00")).period == "2030-W01"


def test_a_machine_that_slept_over_it_owes_one_digest_and_says_that_it_is_late() -> None:
    one = subscription(made_at=utc("2026-10-01T00:00"))
    ((key, payload),) = due([one], utc("2026-11-18T15:30"))
    assert key == "digest:s1:2026-W47"
    assert payload == {"subscription": "s1", "period": "2026-W47", "due": utc("2026-11-16T09:00")}
    said = lateness(payload["due"], utc("2026-11-18T15:30"), "Europe/Berlin")
    assert "was due on Monday 16 Nov 10:00 (Europe/Berlin), 54 hours ago" in said
    assert lateness(0.0, 29 * 60, "UTC") == ""
    assert "45 minutes ago" in lateness(0.0, 45 * 60, "UTC")


def test_a_clock_set_back_brings_the_same_key() -> None:
    one = subscription()
    first = due([one], utc("2026-11-16T09:05"))
    assert due([one], utc("2026-11-16T09:01")) == first
    ((before, _),) = due([one], utc("2026-11-16T08:55"))
    assert before == "digest:s1:2026-W46", "last week's key, which was accepted last week"


def test_who_subscribes_after_the_time_begins_next_week() -> None:
    one = subscription(made_at=utc("2026-11-16T09:01"))
    assert due([one], utc("2026-11-20T00:00")) == []
    assert [key for key, _ in due([one], utc("2026-11-23T09:00"))] == ["digest:s1:2026-W48"]


def test_snoozed_and_muted_are_silent_and_nothing_is_made_up_for() -> None:
    until = utc("2026-11-20T00:00")
    assert due([subscription(snoozed_until=until)], utc("2026-11-16T09:00")) == []
    assert due([subscription(snoozed_until=until)], utc("2026-11-21T09:00")) == [], (
        "what fell due meanwhile is left out"
    )
    assert len(due([subscription(snoozed_until=until)], utc("2026-11-23T09:00"))) == 1
    assert due([subscription(muted_at=1.0)], utc("2026-11-23T09:00")) == []


@pytest.mark.parametrize("text", ["", "m", "t", "someday", "mon day"])
def test_a_day_that_is_none(text: str) -> None:
    with pytest.raises(ScheduleProblem, match="no day of the week"):
        weekday(text)


@pytest.mark.parametrize("text", ["", "25:00", "9", "09:60", "nine"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(ScheduleProblem, match="no time of day"):
        minute(text)


@pytest.mark.parametrize("text", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "\0"])
def test_a_zone_that_is_none(text: str) -> None:
    with pytest.raises(ScheduleProblem, match="no time zone"):
        zone_name(text)


def test_what_is_read() -> None:
    assert [weekday(text) for text in ("Monday", "tue", " SUN ")] == [0, 1, 6]
    assert minute("23:59") == 1439
    assert zone_name("Europe/Berlin") == "Europe/Berlin"
