"""Moments as they are said: RFC 3339 for programs, the clock for people."""

from __future__ import annotations

from datetime import UTC, datetime


def rfc3339(moment: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(moment: float, now: float) -> str:
    """`10:21 UTC`, with the date where it is another day than `now`."""
    told, today = datetime.fromtimestamp(moment, UTC), datetime.fromtimestamp(now, UTC)
    return told.strftime("%H:%M UTC" if told.date() == today.date() else "%Y-%m-%d %H:%M UTC")
