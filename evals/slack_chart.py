"""Slack's chart block drawn as SVG, for pictures of threads and for the playground; and whether Slack would take it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

# As docs.slack.dev gives them (data visualization block, June 2026).
_TITLE, _LABEL, _AXIS, _CATEGORIES, _SERIES = 50, 20, 50, 20, 6
_COLOURS = ("#1264a3", "#8a8d91", "#2bac76", "#e8912d", "#cd2553", "#7c5cbf")
_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 560, 170, 34, 22


def valid(block: Mapping[str, Any]) -> bool:
    """Would Slack take this line, bar or area chart: each series with one value for every category, names all different?"""
    chart = block.get("chart")
    if not isinstance(chart, dict) or chart.get("type") not in {"line", "bar", "area"}:
        return False
    axis, series = chart.get("axis_config", {}), chart.get("series", ())
    categories = axis.get("categories", ())
    labels = [*categories, *(one.get("name", "") for one in series)]
    said = all(isinstance(one, str) and 1 <= len(one) <= _LABEL for one in labels)
    whole = all(
        [point.get("label") for point in one.get("data", ())] == list(categories)
        and all(isinstance(point.get("value"), int | float) for point in one["data"])
        for one in series
    )
    counts = 1 <= len(series) <= _SERIES and 1 <= len(categories) <= _CATEGORIES
    unique = len(set(categories)) == len(categories) and len({one.get("name") for one in series}) == len(series)
    named = all(len(axis.get(name, "")) <= _AXIS for name in ("x_label", "y_label"))
    return 1 <= len(block.get("title", "")) <= _TITLE and said and whole and counts and unique and named


def svg(block: Mapping[str, Any]) -> str:
    """The chart as a figure; what cannot be drawn is said in words."""
    if not valid(block):
        return '<figure class="unknown">a chart that Slack would refuse</figure>'
    chart = block["chart"]
    categories = chart["axis_config"]["categories"]
    values = [point["value"] for one in chart["series"] for point in one["data"]]
    low, high = min(0.0, *values), max(1.0, *values)
    step = (_WIDTH - _LEFT - 90) / max(1, len(categories) - 1)

    def place(at: int, value: float) -> tuple[float, float]:
        room = _HEIGHT - _BOTTOM - 12
        return _LEFT + at * step, 12 + room * (1 - (value - low) / (high - low))

    parts = []
    for share in (0.0, 0.5, 1.0):
        level = low + share * (high - low)
        _, y = place(0, level)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 90}" y1="{y:.0f}" y2="{y:.0f}" stroke="currentColor" opacity=".15"/>')  # fmt: skip
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{level:.0f}</text>')
    for at, category in enumerate(categories):
        x, _ = place(at, low)
        parts.append(f'<text x="{x:.0f}" y="{_HEIGHT - 4}" text-anchor="middle">{html.escape(category)}</text>')
    for at, one in enumerate(chart["series"]):
        colour = _COLOURS[at % len(_COLOURS)]
        points = [place(i, point["value"]) for i, point in enumerate(one["data"])]
        line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>' for x, y in points]
        parts.append(f'<text x="{points[-1][0] + 8:.0f}" y="{points[-1][1] + 4:.0f}" fill="{colour}">{html.escape(one["name"])}</text>')  # fmt: skip
    drawn = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" font-size="11" fill="currentColor">{"".join(parts)}</svg>'
    return f"<figure><figcaption>{html.escape(block['title'])}</figcaption>{drawn}</figure>"
