"""Times as people type them: RFC 3339, or `-30m` for half an hour ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import typer

_AGO = re.compile(r"^-(\d+(?:\.\d+)?)([smhd])$")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse(text: str | None, now: float) -> float | None:
    """Seconds since the epoch, or None for None; a usage error with an example for anything else."""
    if text is None:
        return None
    ago = _AGO.match(text.strip())
    if ago:
        return now - float(ago[1]) * _SECONDS[ago[2]]
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-11-21T03:10:00Z or -30m") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment.timestamp() > now + 60:
        raise typer.BadParameter(f"{text!r} lies in the future")
    return moment.timestamp()
