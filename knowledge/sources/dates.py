"""Dates as pages and people write them."""

from __future__ import annotations

import datetime as dt
import re

_ISO = re.compile(r"\s*(\d{4})-(\d{2})-(\d{2})(?!\d)")
_WRITTEN = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d %b, %Y", "%Y/%m/%d", "%a, %d %b %Y")
_CLOCK = re.compile(r"\s+\d{1,2}:\d{2}.*$")


def iso_date(text: str) -> str:
    """A date as ISO 8601, empty where the text is none or could be two."""
    match = _ISO.match(text)
    try:
        if match:
            return dt.date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        return ""
    plain = _CLOCK.sub("", text.strip())[:40].rstrip(" .,")
    for form in _WRITTEN:
        try:
            return dt.datetime.strptime(plain, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return ""
