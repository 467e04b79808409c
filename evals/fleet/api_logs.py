"""A container's log as the kubelet hands it out: the tail first, then cut from its beginning at the byte limit."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tools.quantity import seconds

# The kubelet keeps every line with its time, and shows it only when asked.
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ")


def log_bytes(text: str, asked: Mapping[str, str], now: float) -> bytes:
    """The part of a log that a query asks for (tailLines, limitBytes, sinceSeconds, timestamps); `now` in epoch seconds.

    Raises ValueError for a value that is no number or negative.
    """
    lines = text.splitlines(keepends=True)
    since = _number(asked, "sinceSeconds", least=1)
    if since is not None:
        lines = [line for line in lines if (_time(line) or now) >= now - since]
    tail = _number(asked, "tailLines", least=0)
    if tail is not None:
        lines = lines[len(lines) - min(tail, len(lines)) :]
    if asked.get("timestamps", "").lower() not in {"true", "1"}:
        lines = [_STAMP.sub("", line) for line in lines]
    limit = _number(asked, "limitBytes", least=1)
    return "".join(lines).encode(errors="replace")[:limit]


def _number(asked: Mapping[str, str], name: str, least: int) -> int | None:
    if name not in asked:
        return None
    value = int(asked[name])
    if value < least:
        raise ValueError(f"{name}: must be greater than or equal to {least}")
    return value


def _time(line: str) -> float | None:
    match = _STAMP.match(line)
    # Nine digits of a second are more than Python reads.
    return seconds(re.sub(r"(\.\d{6})\d+", r"\1", match[1]).replace("Z", "+00:00")) if match else None
