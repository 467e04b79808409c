"""The key `alerts` of the settings file: where alerts go, when they wait, and how much is posted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Among several workspaces, a channel is written with its own: T0123/C0456.
_CHANNEL = re.compile(r"(?:T[A-Z0-9]{2,}/)?[CGD][A-Z0-9]{2,}")
_BOT = re.compile(r"[BUWA][A-Z0-9]{2,}")
_BETWEEN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")
Matchers = dict[str, str]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _channel(channel: str) -> str:
    if channel and not _CHANNEL.fullmatch(channel):
        raise ValueError(
            f"{channel!r} is no channel id (it starts with C or G: open the channel's details in Slack, at the end)"
        )
    return channel


def matches(matchers: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Do the labels fit every matcher? A value is taken as it is, or as an anchored pattern when it begins with `~`."""
    for name, wanted in matchers.items():
        value = labels.get(name, "")[:256]
        if wanted.startswith("~"):
            if not re.fullmatch(wanted[1:], value):
                return False
        elif value != wanted:
            return False
    return True


def _patterns(matchers: Matchers) -> Matchers:
    for name, value in matchers.items():
        if value.startswith("~"):
            try:
                re.compile(value[1:])
            except re.error as error:
                raise ValueError(f"{name}: {value[1:]!r} is no pattern ({error})") from None
    return matchers


class Route(_Strict):
    """Alerts whose labels match go to this channel; the first route that fits wins."""

    match: Annotated[Matchers, Field(min_length=1)]
    channel: Annotated[str, Field(min_length=1)]

    _ok = field_validator("channel")(_channel)
    _compiled = field_validator("match")(_patterns)


class Maintenance(_Strict):
    """When alerts that match are kept and not posted: from one moment to another, or every week on `days`, `between` two times (UTC)."""

    match: Matchers = Field(default_factory=dict)
    start: AwareDatetime | None = Field(default=None, alias="from")
    until: AwareDatetime | None = None
    days: tuple[Day, ...] = ()
    between: str = ""
    why: str = ""

    _compiled = field_validator("match")(_patterns)

    @model_validator(mode="after")
    def _when(self) -> Maintenance:
        if not (self.until or self.between):
            raise ValueError('a maintenance window needs `until`, or `between: "02:00-04:00"`')
        if self.between:
            try:
                self._times()
            except ValueError:
                raise ValueError(f'between: {self.between!r} is not two times like "02:00-04:00"') from None
        elif self.days:
            raise ValueError("`days` needs `between`")
        if self.start and self.until and self.until <= self.start:
            raise ValueError("`until` is not after `from`")
        return self

    def _times(self) -> tuple[time, time]:
        found = _BETWEEN.fullmatch(self.between)
        if not found:
            raise ValueError(self.between)
        return time.fromisoformat(found[1]), time.fromisoformat(found[2])

    def ends(self, now: float) -> float | None:
        """When the window that holds `now` ends (seconds since the epoch); None outside of it."""
        moment = datetime.fromtimestamp(now, UTC)
        if (self.start and moment < self.start) or (self.until and moment >= self.until):
            return None
        if not self.between:
            assert self.until is not None
            return self.until.timestamp()
        opens, closes = self._times()
        # A window over midnight belongs to the day that it begins on.
        for back in (0, 1):
            day = (moment - timedelta(days=back)).date()
            first = datetime.combine(day, opens, UTC)
            last = datetime.combine(day + timedelta(days=closes <= opens), closes, UTC)
            if first <= moment < last and (not self.days or _DAYS[day.weekday()] in self.days):
                return min(last, self.until).timestamp() if self.until else last.timestamp()
        return None


class Watched(_Strict):
    """A channel in which other bots post alerts, and which bots (their bot, user or app ids)."""

    channel: Annotated[str, Field(min_length=1)]
    bots: Annotated[tuple[str, ...], Field(min_length=1)]

    _ok = field_validator("channel")(_channel)

    @field_validator("bots")
    @classmethod
    def _ids(cls, bots: tuple[str, ...]) -> tuple[str, ...]:
        for bot in bots:
            if not _BOT.fullmatch(bot):
                raise ValueError(f"{bot!r} is no id of a bot (it starts with B, U or A)")
        return bots


class Storm(_Strict):
    """Beyond these, a minute's alerts in a channel become one summary."""

    threads_per_minute: int = Field(default=5, ge=1, le=60)
    diagnoses_per_minute: int = Field(default=6, ge=1, le=60)
    quiet_minutes: FiniteFloat = Field(default=5.0, ge=1, le=120)


class AlertSettings(_Strict):
    """All of it. Without a channel (here or in a route) nothing that a webhook brings can be posted."""

    channel: str = ""
    routes: tuple[Route, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    watch: tuple[Watched, ...] = ()
    storm: Storm = Field(default_factory=Storm)
    remind_hours: FiniteFloat = Field(default=4.0, ge=0.25)
    reopen_minutes: FiniteFloat = Field(default=30.0, ge=0)
    diagnose: bool = True
    # Values of the label `cluster` that are called otherwise among `clusters`.
    clusters: dict[str, str] = Field(default_factory=dict)
    # Asked for silences; credentials in the address are not taken: put it behind the network's own protection.
    alertmanager_url: str = ""

    _ok = field_validator("channel")(_channel)

    @field_validator("alertmanager_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and (not re.fullmatch(r"https?://[^\s@]+", url)):
            raise ValueError(f"{url!r} is no address like http://alertmanager.monitoring.svc:9093")
        return url.rstrip("/")

    def channel_for(self, labels: Mapping[str, str]) -> str:
        """Where an alert with these labels goes; '' for nowhere."""
        return next((route.channel for route in self.routes if matches(route.match, labels)), self.channel)

    def under_maintenance(self, labels: Mapping[str, str], now: float) -> tuple[float, str] | None:
        """Until when (seconds since the epoch), and why, alerts with these labels wait; None when they do not."""
        found = [
            (ends, window.why)
            for window in self.maintenance
            if matches(window.match, labels) and (ends := window.ends(now))
        ]
        return max(found, key=lambda one: one[0]) if found else None

    def watched(self, channel: str) -> frozenset[str]:
        """The bots whose messages in a channel are alerts."""
        return frozenset(bot for one in self.watch if one.channel == channel for bot in one.bots)
