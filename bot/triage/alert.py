"""An alert and a notification of alerts, whoever sent them, as plain values. Everything in them is somebody else's text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tools.redact import redact

State = Literal["firing", "resolved"]
LABELS_MOST = 64
NAME_LONGEST = 128
VALUE_LONGEST = 1024
_LOST = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def clean(text: object, longest: int = VALUE_LONGEST) -> str:
    """Text that every database keeps: no NUL, no control character, no lone surrogate, no secret, cut to `longest`."""
    said = text if isinstance(text, str) else "" if text is None or isinstance(text, (dict, list)) else str(text)
    return redact(_LOST.sub("", said[: 2 * longest]))[:longest]


def labels(found: object) -> dict[str, str]:
    """Names and values of an object of texts; what is none is dropped, at most 64 are kept."""
    if not isinstance(found, Mapping):
        return {}
    kept = {clean(name, NAME_LONGEST): clean(value) for name, value in list(found.items())[:LABELS_MOST]}
    return {name: value for name, value in kept.items() if name}


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Times are seconds since the epoch, 0 where they were not told."""

    labels: dict[str, str]
    annotations: dict[str, str] = field(default_factory=dict)
    state: State = "firing"
    starts_at: float = 0.0
    ends_at: float = 0.0
    url: str = ""
    given: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same labels; the sender's own where it gave one."""
        return self.given or digest(json.dumps(sorted(self.labels.items())))

    @property
    def rule(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname") or self.labels.get("rulename") or "an alert without a name"

    @property
    def runbook(self) -> str:
        """Where its runbook is said to be."""
        return self.annotations.get("runbook_url") or self.annotations.get("runbook") or ""

    @property
    def summary(self) -> str:
        """What it says of itself, in one text."""
        return (
            self.annotations.get("summary")
            or self.annotations.get("message")
            or self.annotations.get("description")
            or ""
        )


@dataclass(frozen=True, slots=True)
class Notice:
    """What a sender told at once: the alerts of one group. `left_out` says how many more there are.

    `whole` says that a firing alert of the group which is not here has ended. `thread_ts` is the message that the notice was read
    from, '' for a webhook. `team` is the channel's workspace, '' where there is only one.
    """

    source: Literal["alertmanager", "grafana", "message"]
    group: str
    alerts: tuple[Alert, ...]
    receiver: str = ""
    url: str = ""
    left_out: int = 0
    whole: bool = False
    channel: str = ""
    thread_ts: str = ""
    team: str = ""

    @property
    def state(self) -> State:
        """Resolved when every alert is."""
        return "firing" if any(alert.state == "firing" for alert in self.alerts) else "resolved"

    @property
    def common(self) -> dict[str, str]:
        """The labels that all its alerts share."""
        return shared(alert.labels for alert in self.alerts)


def shared(several: object) -> dict[str, str]:
    """What is the same in all of several sets of labels."""
    every = [dict(one) for one in several]  # type: ignore[attr-defined]
    if not every:
        return {}
    return {name: value for name, value in every[0].items() if all(one.get(name) == value for one in every[1:])}


def digest(text: str) -> str:
    """A short name for a text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]
