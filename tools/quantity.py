"""Kubernetes quantities and times as numbers."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

_SUFFIX = {
    "": 1.0,
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}
_QUANTITY = re.compile(r"^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$")


def quantity(text: object) -> float | None:
    """A quantity such as `500m`, `8Gi` or `2` as a number, None when it is none."""
    match = _QUANTITY.match(str(text).strip())
    if not match:
        return None
    try:
        value = float(match[1]) * _SUFFIX[match[2] or ""]
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def seconds(text: object) -> float | None:
    """An RFC 3339 time as seconds since the epoch, None when it is none; UTC where it names no zone."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
