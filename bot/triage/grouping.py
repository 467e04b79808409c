"""What a group of alerts comes down to: its title, its objects, and what must change before anything is said again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.triage.alert import Alert, digest
from bot.triage.scope import place

_NAMED = 3


def pairs(alerts: Iterable[Alert]) -> set[str]:
    """Rule and object of every alert that fires."""
    return {f"{one.rule} {place(one.labels).thing}" for one in alerts if one.state == "firing"}


def signature(alerts: Iterable[Alert]) -> str:
    """The same while no (rule, object, state) changes. The worse state of the same rule on the same object counts."""
    states: dict[tuple[str, str], str] = {}
    for one in alerts:
        key = (one.rule, place(one.labels).thing)
        states[key] = "firing" if "firing" in (one.state, states.get(key)) else "resolved"
    return digest(repr(sorted(states.items())))


def title(alerts: Sequence[Alert]) -> str:
    """Rules and objects, those that fire before those that are over."""
    chosen = [one for one in alerts if one.state == "firing"] or list(alerts)
    rules = Counter(one.rule for one in chosen)
    things = Counter(place(one.labels).thing for one in chosen)
    return f"{_some(rules)} on {_some(things)}"


def severity(alerts: Iterable[Alert]) -> str:
    """The worst severity that the alerts which fire name; '' where none does."""
    order = ("critical", "page", "error", "high", "warning", "medium", "info", "low")
    named = {one.labels.get("severity", "").lower() for one in alerts if one.state == "firing"}
    return next((one for one in order if one in named), "")


def _some(counted: Counter[str]) -> str:
    names = [name for name, _ in counted.most_common(_NAMED)]
    left = len(counted) - len(names)
    return ", ".join(names) + (f" and {left} more" if left else "")


def told_time(seconds: float) -> str:
    """A duration as a person says it: 42 s, 12 min, 3 h 05 min, 2 d 4 h."""
    whole = max(0, round(seconds))
    if whole < 120:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"
