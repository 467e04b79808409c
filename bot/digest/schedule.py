"""When a digest is due. Pure: subscriptions and a moment in, keys and payloads out.

One digest a subscription and ISO week, told by its key: whoever accepts a key once, posts it once, whatever restarts, replicas and
clocks do. A week that was slept through brings one digest, late, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.store.readiness import DAY_S
from bot.store.subscriptions import Subscription

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# What comes later than this after its time says so.
LATE_S = 30 * 60.0
SNOOZE_S = 7 * DAY_S


class ScheduleProblem(ValueError):  # noqa: N818 - what people read
    """A day, a time or a time zone that is none; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Due:
    """The last time that a subscription fell due: its ISO week in its own time zone, and the moment."""

    period: str
    at: float


def last_due(one: Subscription, now: float) -> Due:
    """The last time, at `now` or before.

    A time that the clocks skip means the moment right after the gap, counted from before it (02:30 becomes 03:30); a time that they
    show twice means the first.
    """
    zone = ZoneInfo(one.zone)
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - one.weekday) % 7)
    moment = _moment(day, one.minute, zone)
    if moment > now:
        day -= timedelta(days=7)
        moment = _moment(day, one.minute, zone)
    year, week, _ = day.isocalendar()
    return Due(f"{year}-W{week:02}", moment)


def next_due(one: Subscription, now: float) -> Due:
    """The first time after `now`; of a time that the clocks skip or show twice as `last_due`."""
    week = last_due(one, now).at + 7 * DAY_S
    found = last_due(one, week)
    # Where the clocks are set back, a week by the clock on the wall is longer than seven days.
    return found if found.at > now else last_due(one, week + DAY_S)


def _moment(day: date, minute: int, zone: ZoneInfo) -> float:
    # fold=0: of a time that comes twice the first, of one that is skipped the moment counted from before the gap.
    return datetime.combine(day, time(minute // 60, minute % 60), zone).timestamp()


def key_of(one: Subscription, period: str) -> str:
    """The key of a subscription's digest of a week: whoever accepts it once, posts it once."""
    return f"digest:{one.id}:{period}"


def due(subscriptions: Iterable[Subscription], now: float) -> list[tuple[str, dict[str, Any]]]:
    """What is due at `now` (seconds since the epoch), as keys with their payloads; whoever calls drops keys that it has seen."""
    found: list[tuple[str, dict[str, Any]]] = []
    for one in subscriptions:
        if one.muted_at is not None:
            continue
        last = last_due(one, now)
        if last.at < one.made_at or (one.snoozed_until is not None and last.at < one.snoozed_until):
            # It was subscribed, or told to be silent, after that time: the next one counts.
            continue
        found.append((key_of(one, last.period), {"subscription": one.id, "period": last.period, "due": last.at}))
    return found


def lateness(due_at: float, made_at: float, zone: str) -> str:
    """Why a digest does not come on time, empty where it does."""
    late = made_at - due_at
    if late < LATE_S:
        return ""
    when = datetime.fromtimestamp(due_at, UTC).astimezone(ZoneInfo(zone)).strftime("%A %-d %b %H:%M")
    hours = late / 3600
    by = f"{round(hours)} hours" if hours >= 1.5 else f"{round(late / 60)} minutes"
    return f"Late: this digest was due on {when} ({zone}), {by} ago. Rackside was not running, or could not post."


def weekday(text: str) -> int:
    """A day of the week, Monday being 0; raises ScheduleProblem."""
    wanted = text.strip().lower()
    found = [at for at, name in enumerate(DAYS) if len(wanted) >= 2 and name.startswith(wanted)]
    if len(found) != 1:
        raise ScheduleProblem(f"{text[:40]!r} is no day of the week: write monday")
    return found[0]


def minute(text: str) -> int:
    """A time of day (`09:00`) in minutes; raises ScheduleProblem."""
    try:
        told = datetime.strptime(text.strip(), "%H:%M")  # noqa: DTZ007 - a time of day has no zone
    except ValueError:
        raise ScheduleProblem(f"{text[:40]!r} is no time of day: write 09:00") from None
    return told.hour * 60 + told.minute


def zone_name(text: str) -> str:
    """A time zone of the IANA database; raises ScheduleProblem."""
    try:
        return ZoneInfo(text.strip()).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleProblem(f"{text[:60]!r} is no time zone: write Europe/Berlin, America/New_York or UTC") from None
