"""A headline's evidence drawn: the series with its threshold and gaps, or the time that a state has lasted, and the marks of what happened."""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tools.check import quantity_shown
from tools.finding import Finding, Happened
from tools.past_reading import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0
LOOK_BACK_S = 3 * 3600.0
_MARGIN_S = 600.0
# Characters that fit into the width at a size of one point, on average.
_FIT = 1170


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a theme; each is its own, so that one can be told from another in a file."""

    paper: str
    ink: str
    quiet: str
    grid: str
    line: str
    alarm: str
    event: str


LIGHT = Palette("#fdfdfe", "#1f2328", "#59636e", "#d8dee4", "#0a69da", "#c9212d", "#8250de")
DARK = Palette("#0e1117", "#e6edf3", "#9198a1", "#31373e", "#58a6fe", "#fe7b72", "#d2a9fe")


def draw(finding: Finding, trace: Trace | None, now: float, colours: Palette) -> Figure:
    """The figure; `now` (seconds since the epoch) ends the time of a state."""
    from matplotlib.figure import Figure

    rows = len(finding.happened)
    height = (3.5 if trace is not None else 2.0) + 0.22 * rows
    figure = Figure(figsize=(WIDTH, height), facecolor=colours.paper)
    top, bottom = 1 - 0.66 / height, (0.42 + 0.22 * rows + (0.1 if rows else 0)) / height
    axes = figure.add_axes((0.085, bottom, 0.885, top - bottom), facecolor=colours.paper)
    begun = _seconds(finding.since.at) if finding.since is not None and finding.since.at else None
    if trace is not None:
        _series(axes, trace, colours)
        start, end = _span(trace)
    else:
        end = now
        start = min(now - LOOK_BACK_S, (begun if begun is not None else now) - _MARGIN_S)
        _state(axes, begun if begun is not None else now, now, colours)
    marks = [_seconds(one.at) for one in finding.happened]
    start = min([start, *(moment - _MARGIN_S / 2 for moment in marks)])
    axes.set_xlim(_day(start), _day(end + (end - start) * 0.01))
    _frame(axes, colours)
    if begun is not None:
        _onset(axes, finding, begun, colours)
    _marks(axes, figure, finding.happened, marks, colours, height)
    _words(figure, 0.012, 1 - 0.26 / height, finding.title, colours.ink, 11.5, weight="bold")
    whom = f"{trace.name}, {trace.of}{_unit(trace)}" if trace is not None else finding.subject
    _words(figure, 0.012, 1 - 0.50 / height, f"{whom}  ·  times in UTC", colours.quiet, 9)
    return figure


def _series(axes: Axes, trace: Trace, colours: Palette) -> None:
    days = [_day(moment) for moment in trace.times]
    values = [math.nan if value is None else value for value in trace.values]
    known = [value for value in values if not math.isnan(value)] or [0.0]
    limit = trace.threshold
    reach = [*known, *([limit] if limit is not None else [])]
    low, high = min(0.0, *reach), max(reach)
    room = (high - low) * 0.12 or 1.0
    low, high = (low if low == 0.0 else low - room), high + room
    if limit is not None and not trace.above:
        # The band below a threshold of nothing is still a band.
        low = min(low, limit - room)
    axes.set_ylim(low, high)
    for begin, stop in _gaps(trace):
        axes.axvspan(
            _day(begin), _day(stop), facecolor=colours.paper, hatch="///", edgecolor=colours.grid, lw=0, zorder=1.5
        )
        shown = (max(begin, _span(trace)[0]) + stop) / 2
        axes.annotate(
            "no data", (_day(shown), 0.5), xycoords=("data", "axes fraction"), ha="center", va="center", fontsize=8,
            color=colours.quiet, zorder=4, bbox={"facecolor": colours.paper, "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
    if limit is not None:
        band = (limit, high) if trace.above else (low, limit)
        axes.axhspan(*band, facecolor=colours.alarm, alpha=0.12, lw=0)
        axes.axhline(limit, color=colours.alarm, lw=1.1, ls=(0, (5, 3)), zorder=2)
        words = lettering(f"threshold {quantity_shown(limit, trace.unit)}", 40)
        inside = "bottom" if trace.above else "top"
        axes.annotate(
            words, (0.004, limit), xycoords=("axes fraction", "data"), xytext=(0, 2 if trace.above else -2),
            textcoords="offset points", ha="left", va=inside, fontsize=8, color=colours.alarm, parse_math=False, zorder=4,
            bbox={"facecolor": colours.paper, "edgecolor": "none", "alpha": 0.7, "pad": 1.0},
        )  # fmt: skip
    lone = len(known) < 2
    axes.plot(
        days, values, color=colours.line, lw=1.7, marker="o" if lone else "", ms=4, solid_capstyle="round", zorder=3
    )
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _axis(value, trace.unit)))


def _span(trace: Trace) -> tuple[float, float]:
    """The times to show: the look-back, with no more than a little of what has no data in front."""
    start, end = trace.times[0], trace.times[-1]
    first = next((moment for moment, value in zip(trace.times, trace.values, strict=True) if value is not None), start)
    return max(start, first - 0.15 * (end - first)) if end > first else start, end


def _unit(trace: Trace) -> str:
    """The unit, where the axis bears bare numbers."""
    return f", in {trace.unit}" if trace.unit and _axis(1234.5, trace.unit) == "1,234" else ""


def _axis(value: float, unit: str) -> str:
    """A number on the axis: with its unit where that is short."""
    if unit in {"ratio", "seconds", "bytes"}:
        return quantity_shown(value, unit)
    # Of another unit the number alone; the heading says the unit.
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.2g}"


def _gaps(trace: Trace) -> Sequence[tuple[float, float]]:
    """The stretches without data, from the last sample before to the first after."""
    found: list[tuple[float, float]] = []
    begin: float | None = None
    for i, value in enumerate(trace.values):
        if value is None and begin is None:
            begin = trace.times[max(0, i - 1)]
        elif value is not None and begin is not None:
            found.append((begin, trace.times[i]))
            begin = None
    return [*found, (begin, trace.times[-1])] if begin is not None else found


def _state(axes: Axes, begun: float, now: float, colours: Palette) -> None:
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.barh(0.42, _day(now) - _day(begun), left=_day(begun), height=0.34, color=colours.alarm, alpha=0.75, zorder=3)


def _frame(axes: Axes, colours: Palette) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=4, maxticks=9, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    axes.xaxis.get_offset_text().set_visible(False)
    axes.grid(True, color=colours.grid, lw=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(colors=colours.quiet, labelsize=8, length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(colours.grid)


def _onset(axes: Axes, finding: Finding, begun: float, colours: Palette) -> None:
    assert finding.since is not None
    axes.axvline(_day(begun), color=colours.alarm, lw=1.2, zorder=2)
    told = datetime.fromtimestamp(begun, UTC).strftime("%H:%M")
    word = "already at" if finding.since.at_least else "since"
    start, end = axes.get_xlim()
    left = _day(begun) < start + 0.85 * (end - start)
    axes.annotate(
        f"{word} {told}", (_day(begun), 1.0), xycoords=("data", "axes fraction"), xytext=(4 if left else -4, -3),
        textcoords="offset points", ha="left" if left else "right", va="top", fontsize=8.5, color=colours.alarm,
        bbox={"facecolor": colours.paper, "edgecolor": "none", "alpha": 0.8, "pad": 1.0}, zorder=4,
    )  # fmt: skip


def _marks(
    axes: Axes, figure: Figure, happened: Sequence[Happened], moments: Sequence[float], colours: Palette, height: float
) -> None:
    order = sorted(zip(moments, happened, strict=True), key=lambda one: one[0])
    span = axes.get_xlim()[1] - axes.get_xlim()[0]
    last, level = -math.inf, 0
    for number, (moment, one) in enumerate(order, 1):
        day = _day(moment)
        level = (level + 1) % 3 if day - last < span * 0.028 else 0
        last = day
        axes.axvline(day, color=colours.event, lw=1.0, ls=(0, (1, 2)), zorder=2)
        axes.annotate(
            str(number), (day, 0.0), xycoords=("data", "axes fraction"), xytext=(0, 8 + 13 * level),
            textcoords="offset points", ha="center", va="center", fontsize=7.5, color=colours.paper, zorder=5,
            bbox={"boxstyle": "circle,pad=0.28", "facecolor": colours.event, "edgecolor": colours.paper},
        )  # fmt: skip
        at = datetime.fromtimestamp(moment, UTC).strftime("%H:%M")
        y = (0.12 + 0.22 * (len(order) - number)) / height
        _words(figure, 0.085, y, f"{number}   {at}  {one.text}", colours.event, 8, verticalalignment="bottom")


def _words(figure: Figure, x: float, y: float, text: str, colour: str, size: float, **more: Any) -> None:
    most = int(_FIT * (0.97 - x) / size * (0.86 if more.get("weight") == "bold" else 1.0))
    figure.text(x, y, lettering(text, most), color=colour, fontsize=size, parse_math=False, **more)


def lettering(text: str, most: int) -> str:
    """One line of what the font can draw, of so many characters at most; what it cannot draw is a box."""
    flat = " ".join(text.split())
    shown = "".join(char for char in unicodedata.normalize("NFC", flat) if unicodedata.category(char)[0] != "C")
    cut = shown if len(shown) <= most else shown[: most - 1] + "…"
    known = _glyphs()
    return "".join(char if ord(char) in known else "□" for char in cut)


@functools.cache
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def _day(moment: float) -> float:
    """Matplotlib counts days since the epoch."""
    return moment / 86400.0


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text or "1970-01-01T00:00:00Z").timestamp()
