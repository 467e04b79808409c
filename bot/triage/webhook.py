"""The bodies that Alertmanager (version 4) and Grafana post, as a notice; anything else is refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from bot.triage.alert import Alert, Notice, State, clean, labels

ALERTS_MOST = 1000
_GROUP_LONGEST = 2000


class BadBodyError(ValueError):
    """The body is no notification; the message says what was expected."""


def read(raw: bytes, source: Literal["alertmanager", "grafana"]) -> Notice:
    """The notice in a body. Raises BadBodyError; of more than 1,000 alerts the rest is only counted."""
    body = _json(raw)
    if source == "alertmanager" and str(body.get("version")) != "4":
        raise BadBodyError("this takes Alertmanager's webhook of version 4; the body names another version or none")
    found = body.get("alerts")
    if not isinstance(found, list) or not found:
        raise BadBodyError("the body has no list `alerts` with at least one alert")
    if not all(isinstance(one, Mapping) for one in found[:ALERTS_MOST]):
        raise BadBodyError("`alerts` holds something that is no object")
    alerts = tuple(_alert(one) for one in _worst_first(found)[:ALERTS_MOST])
    unsaid = body.get("truncatedAlerts")
    cut = min(unsaid, 1_000_000) if isinstance(unsaid, int) and unsaid > 0 else 0
    group = clean(body.get("groupKey"), _GROUP_LONGEST) or _group(labels(body.get("groupLabels")), alerts)
    return Notice(
        source=source,
        group=group,
        alerts=alerts,
        receiver=clean(body.get("receiver"), 200),
        url=clean(body.get("externalURL"), 500),
        left_out=len(found) - len(alerts) + cut,
        whole=not cut and len(found) <= ALERTS_MOST,
    )


def _json(raw: bytes) -> Mapping[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"), parse_constant=lambda _: None)
    except UnicodeDecodeError:
        raise BadBodyError("the body is not UTF-8") from None
    except (ValueError, RecursionError):
        raise BadBodyError("the body is not JSON") from None
    if not isinstance(body, Mapping):
        raise BadBodyError("the body is no JSON object")
    return body


def _worst_first(found: list[Any]) -> list[Any]:
    """What fires before what ended, so that a cut leaves off the latter."""
    return (
        found
        if len(found) <= ALERTS_MOST
        else sorted(found, key=lambda one: one.get("status") == "resolved" if isinstance(one, Mapping) else True)
    )


def _alert(one: Mapping[str, Any]) -> Alert:
    state: State = "resolved" if one.get("status") == "resolved" else "firing"
    return Alert(
        labels=labels(one.get("labels")),
        annotations=labels(one.get("annotations")),
        state=state,
        starts_at=moment(one.get("startsAt")),
        ends_at=moment(one.get("endsAt")) if state == "resolved" else 0.0,
        url=clean(one.get("generatorURL"), 500),
        given=clean(one.get("fingerprint"), 64),
    )


def _group(by: dict[str, str], alerts: tuple[Alert, ...]) -> str:
    """A group's key where none was told: what it is grouped by, else what its alerts share."""
    chosen = by or Notice("grafana", "", alerts).common or {"fingerprint": alerts[0].fingerprint}
    return json.dumps(sorted(chosen.items()))[:_GROUP_LONGEST]


def moment(text: object) -> float:
    """RFC 3339 as seconds since the epoch; 0 for what is no time, and for the year 1 that stands for none."""
    if not isinstance(text, str) or len(text) > 40:
        return 0.0
    try:
        found = datetime.fromisoformat(text)
        when = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0
    return max(0.0, when)
