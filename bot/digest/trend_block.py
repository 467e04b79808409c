"""The trend of a digest as Slack's own chart, in the message that everybody reads: nothing to upload, in the reader's own colours.

Where a workspace does not take charts the message goes without it (`bot.blocks_actions.simpler`); the thread's picture shows the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.audit_score import percent
from bot.blocks import Block
from bot.store.readiness import Run

# Slack takes 20 categories of 20 characters, and a title of 50.
MOST, TITLE = 12, "Score by digest, in %"


def trend_block(trend: Sequence[Run]) -> Block | None:
    """The last digests that saw the fleet as lines; None where that makes no line.

    Slack wants a value of every line at every date, so that a digest that saw nothing is left out: a nought would be a lie.
    """
    known = [run for run in trend if run.readiness is not None][-MOST:]
    if len(known) < 2:
        return None
    dates = _dates([run.at for run in known])
    lines = (("ready", [run.readiness for run in known]), ("verified live", [run.verified for run in known]))
    series = [
        {"name": name, "data": [{"label": at, "value": _points(one)} for at, one in zip(dates, shares, strict=True)]}
        for name, shares in lines
    ]
    chart = {"type": "line", "series": series, "axis_config": {"categories": dates, "y_label": "%"}}
    return {"type": "data_visualization", "title": TITLE, "chart": chart}


def _points(share: float | None) -> int:
    """A share as the number that the text shows."""
    return int(percent(share).split()[0])


def _dates(moments: Sequence[float]) -> list[str]:
    """Dates, all different: with the time of day, or a number, where one comes twice."""
    for form in ("%-d %b", "%-d %b %H:%M", "%-d %b %H:%M:%S"):
        said = [datetime.fromtimestamp(moment, UTC).strftime(form) for moment in moments]
        if len(set(said)) == len(said):
            return said
    return [f"{at}" for at, _ in enumerate(moments, 1)]
