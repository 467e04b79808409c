"""Requests that SGLang takes back while it decodes: before 0.5.7 its log alone tells how many."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from tools.signals import line

LOG_RETRACTED = line("log.retracted", "Requests taken back, as its log tells")
_LINE = re.compile(
    r"(?:[Dd]ecode out of memory happened|KV cache pool is full\. Retract requests).{1,20}#retracted_reqs: (\d{1,6})"
)
PATTERNS = {LOG_RETRACTED: _LINE}
# `[2026-11-03 17:20:01 DP0 TP1]`: each rank of a replica prints the same, and each data-parallel rank its own.
_STAMP = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: (DP\d{1,4}))?[^\]\n]{0,40}\]")
WINDOW_S = 600.0
_TOLD = re.compile(r"^(\d{1,9}) requests taken back, (\d{1,6}) times within (\d{1,4}) s of its log")


def counted(log: str) -> str:
    """How often requests were taken back within the last ten minutes of a log, by its own clock; empty where it has none."""
    said: dict[tuple[str, str], int] = {}
    last, newest, first = 0.0, "", float("inf")
    moments: dict[tuple[str, str], float] = {}
    for text in log.splitlines():
        stamp = _STAMP.search(text[:200])
        if stamp is None:
            continue
        at = _seconds(stamp[1])
        if at is None:
            continue
        last, first = max(last, at), min(first, at)
        taken = _LINE.search(text[:500])
        if taken is not None:
            key = (stamp[1], stamp[2] or "")
            said[key] = max(said.get(key, 0), int(taken[1]))
            moments[key] = at
            newest = text.strip()[:160]
    lately = [key for key, at in moments.items() if last - at <= WINDOW_S]
    if not lately:
        return ""
    span = min(WINDOW_S, last - first)
    return f"{sum(said[key] for key in lately)} requests taken back, {len(lately)} times within {span:.0f} s of its log; {newest}"


def told(text: str) -> tuple[int, int, float] | None:
    """Requests, times and seconds of such a text, None where it is another."""
    match = _TOLD.match(text)
    return (int(match[1]), int(match[2]), float(match[3])) if match else None


def _seconds(stamp: str) -> float | None:
    try:
        return datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
