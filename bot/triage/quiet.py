"""Which alerts are kept without being posted: those under maintenance, and those that somebody silenced."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import requests

from bot.triage.alert import Alert, clean
from bot.triage.settings import AlertSettings
from bot.triage.webhook import moment

log = logging.getLogger("rackside.alerts")
FRESH_S = 30.0
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Held:
    """Why and until when (seconds since the epoch) alerts wait."""

    why: str
    until: float


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence: each matcher is a label's name, what it is compared with, whether as a pattern, and whether it must fit."""

    matchers: tuple[tuple[str, str, bool, bool], ...]
    until: float
    by: str
    comment: str

    def covers(self, labels: Mapping[str, str]) -> bool:
        """Does it silence an alert with these labels?"""
        return bool(self.matchers) and all(_fits(one, labels) for one in self.matchers)


def _fits(matcher: tuple[str, str, bool, bool], labels: Mapping[str, str]) -> bool:
    name, wanted, pattern, equal = matcher
    value = labels.get(name, "")[:256]
    if not pattern:
        return (value == wanted) is equal
    try:
        return (re.fullmatch(wanted, value) is not None) is equal
    except re.error:
        # Alertmanager's patterns are Go's: one that Python does not know silences nothing here.
        return False


def silences(found: Any) -> tuple[Silence, ...]:
    """The active ones in what Alertmanager answers at /api/v2/silences; what has not their shape is left out."""
    kept = []
    for one in found[:_MOST] if isinstance(found, list) else ():
        status = one.get("status") if isinstance(one, Mapping) else None
        if not isinstance(status, Mapping) or status.get("state") != "active":
            continue
        matchers = tuple(
            (clean(m.get("name")), clean(m.get("value"), 500), bool(m.get("isRegex")), m.get("isEqual") is not False)
            for m in (one["matchers"] if isinstance(one.get("matchers"), list) else ())
            if isinstance(m, Mapping)
        )
        kept.append(
            Silence(
                matchers, moment(one.get("endsAt")), clean(one.get("createdBy"), 80), clean(one.get("comment"), 200)
            )
        )
    return tuple(kept)


class Silences:
    """Alertmanager's silences, asked at most every half a minute. When it cannot be reached, nothing is taken for silenced."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask the Alertmanager at `url`; '' asks nobody."""
        self._url, self._clock = url, clock
        self._lock = threading.Lock()
        self._asked_at = -FRESH_S
        self._known: tuple[Silence, ...] = ()

    def active(self) -> tuple[Silence, ...]:
        """The silences that hold now, half a minute old at most."""
        if not self._url:
            return ()
        with self._lock:
            if self._clock() - self._asked_at >= FRESH_S:
                self._known = self._ask()
                self._asked_at = self._clock()
            return self._known

    def _ask(self) -> tuple[Silence, ...]:
        try:
            response = requests.get(f"{self._url}/api/v2/silences", timeout=5, allow_redirects=False)
            response.raise_for_status()
            return silences(response.json())
        except (requests.RequestException, ValueError, AttributeError) as error:
            log.warning(
                "Alertmanager does not tell its silences (%s): alerts are posted as if there were none",
                type(error).__name__,
            )
            return ()


def held(alerts: Iterable[Alert], settings: AlertSettings, known: Iterable[Silence], now: float) -> Held | None:
    """Why a group waits: every alert of it that fires is under maintenance or silenced. None when one is not."""
    whys: list[Held] = []
    active = tuple(known)
    for one in alerts:
        if one.state != "firing":
            continue
        why = _why(one.labels, settings, active, now)
        if why is None:
            return None
        whys.append(why)
    # The first to end ends the wait.
    return min(whys, key=lambda one: one.until) if whys else None


def _why(labels: Mapping[str, str], settings: AlertSettings, active: tuple[Silence, ...], now: float) -> Held | None:
    maintained = settings.under_maintenance(labels, now)
    if maintained is not None:
        until, why = maintained
        return Held(f"maintenance{f' ({why})' if why else ''}", until)
    for one in active:
        if one.covers(labels):
            comment = f": {one.comment}" if one.comment else ""
            return Held(f"silenced by {one.by or 'somebody'}{comment}", one.until or now + FRESH_S)
    return None
