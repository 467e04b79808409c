"""The picture of a digest: the score of the last digests, how much of it was verified, and what changed; light and dark."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Sequence
from typing import Literal

from bot.audit_score import percent
from bot.chart_figure import DARK, LIGHT, WIDTH, Palette, lettering
from bot.digest.words import ALARMING, HEADINGS
from bot.store.readiness import DAY_S, Run

DPI = 150
_HEIGHT = 2.9
_MOST = 8
# What is no good news stands out.
_ALARMING = frozenset(HEADINGS[kind] for kind in ALARMING)
_THEMES: dict[Literal["light", "dark"], Palette] = {"light": LIGHT, "dark": DARK}
_lock = threading.Lock()


def png(
    trend: Sequence[Run],
    title: str,
    theme: Literal["light", "dark"] = "light",
    changes: Sequence[tuple[str, int]] = (),
) -> bytes:
    """The trend as PNG, 1,350 pixels wide; scores that are not known are gaps. `changes` are headings with their numbers, as bars."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    colours = _THEMES[theme]
    days = [run.at / DAY_S for run in trend]
    score = [float("nan") if run.readiness is None else run.readiness for run in trend]
    seen = [float("nan") if run.verified is None else run.verified for run in trend]
    with _lock:
        figure = Figure(figsize=(WIDTH, _HEIGHT), facecolor=colours.paper)
        axes = figure.add_axes((0.07, 0.14, 0.52 if changes else 0.83, 0.66), facecolor=colours.paper)
        axes.set_ylim(0, 1.04)
        first, last = (days[0], days[-1]) if days else (0.0, 1.0)
        room = max(3.5, (last - first) * 0.03)
        axes.set_xlim(first - room, last + room)
        axes.fill_between(days, seen, color=colours.line, alpha=0.14, lw=0)
        axes.plot(days, seen, color=colours.quiet, lw=1.2, ls=(0, (4, 3)), marker="o", ms=3, zorder=3)
        axes.plot(days, score, color=colours.line, lw=2.0, marker="o", ms=5, zorder=4)
        for day, run in zip(days, trend, strict=True):
            if run.readiness is not None:
                axes.annotate(
                    percent(run.readiness), (day, run.readiness), xytext=(0, 7), textcoords="offset points", ha="center",
                    fontsize=8.5, color=colours.ink, zorder=5,
                )  # fmt: skip
        _frame(axes, days, colours)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        _ends(axes, trend, colours)
        if changes:
            _changes(figure.add_axes((0.83, 0.14, 0.13, 0.66), facecolor=colours.paper), changes[:_MOST], colours)
            figure.text(0.69, 0.83, "since the last digest", color=colours.quiet, fontsize=9, parse_math=False)
        words = lettering(title, 110)
        figure.text(0.012, 0.9, words, color=colours.ink, fontsize=11.5, weight="bold", parse_math=False)
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def data_url(
    trend: Sequence[Run], title: str, theme: Literal["light", "dark"], changes: Sequence[tuple[str, int]] = ()
) -> str:
    """The picture as an address that needs nothing to be loaded."""
    return "data:image/png;base64," + base64.b64encode(png(trend, title, theme, changes)).decode("ascii")


def text_of(trend: Sequence[Run], changes: Sequence[tuple[str, int]] = ()) -> str:
    """What the picture shows, for those who cannot see it."""
    told = (
        "nothing seen" if run.readiness is None else f"{percent(run.readiness)} ready, {percent(run.verified)} verified"
        for run in trend
    )
    counted = ", ".join(f"{count} {heading.lower()}" for heading, count in changes)
    since = f" Since the last: {counted}." if counted else ""
    return f"Score of the last {len(trend)} digests: {'; '.join(told)}.{since}"


def _changes(axes, changes: Sequence[tuple[str, int]], colours: Palette) -> None:  # type: ignore[no-untyped-def]
    """A bar for each kind of change, the first on top, with its number at its end."""
    places = range(len(changes))[::-1]
    bars = [colours.alarm if heading in _ALARMING else colours.line for heading, _ in changes]
    axes.barh(list(places), [count for _, count in changes], height=0.62, color=bars, zorder=3)
    axes.set_yticks(list(places), [lettering(heading, 24) for heading, _ in changes])
    # One bar of many would else fill the place of many.
    axes.set_ylim(-0.6 - max(0, 4 - len(changes)), len(changes) - 0.4)
    axes.set_xticks([])
    for place, (_, count) in zip(places, changes, strict=True):
        axes.annotate(
            str(count), (count, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8.5, color=colours.ink,
            annotation_clip=False,
        )  # fmt: skip
    axes.tick_params(colors=colours.quiet, labelsize=8.5, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _frame(axes, days: Sequence[float], colours: Palette) -> None:  # type: ignore[no-untyped-def]
    from matplotlib.dates import DateFormatter

    step = max(1, len(days) // 9)
    axes.set_xticks(days[::-1][::step][::-1])
    axes.xaxis.set_major_formatter(DateFormatter("%-d %b"))  # type: ignore[no-untyped-call]
    axes.grid(True, axis="y", color=colours.grid, lw=0.6, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(colors=colours.quiet, labelsize=8.5, length=0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(colours.grid)


def _ends(axes, trend: Sequence[Run], colours: Palette) -> None:  # type: ignore[no-untyped-def]
    """Name the lines at their right end, apart from each other."""
    if not trend:
        return
    places = [(run, word, colour) for run, word, colour in (
        (trend[-1].readiness, "ready", colours.line), (trend[-1].verified, "verified live", colours.quiet),
    ) if run is not None]  # fmt: skip
    level: float | None = None
    for value, word, colour in sorted(places, key=lambda one: -one[0]):
        y = value if level is None else min(value, level - 0.11)
        level = y
        axes.annotate(
            word, (1.0, y), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points", va="center", fontsize=9,
            color=colour, annotation_clip=False,
        )  # fmt: skip
