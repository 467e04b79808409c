"""Bodies as Alertmanager posts them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

NOON = 1_790_000_000.0


def alert(
    rule: str = "KVCacheFull", state: str = "firing", at: float = NOON, ended: float = 0.0, **labels: str
) -> dict[str, Any]:
    """One alert of a body."""
    named = {"alertname": rule, "namespace": "chat", "deployment": "llama-70b-chat", "severity": "critical", **labels}
    return {
        "status": state,
        "labels": {name: value for name, value in named.items() if value},
        "annotations": {"summary": f"{rule} says so"},
        "startsAt": stamp(at),
        "endsAt": stamp(ended or at + 60) if state == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
    }


def body(*alerts: dict[str, Any], group: str = '{}:{alertname="KVCacheFull"}', **other: Any) -> dict[str, Any]:
    """A body of Alertmanager's webhook."""
    firing = any(one.get("status") != "resolved" for one in alerts)
    return {
        "version": "4",
        "groupKey": group,
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "rackside",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts),
        **other,
    }


def raw(*alerts: dict[str, Any], **other: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(body(*alerts, **other)).encode()


def stamp(at: float) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
