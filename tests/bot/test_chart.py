"""Pictures of evidence: what is on them, in both themes, whatever the data holds."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from bot import chart
from bot.chart_figure import DARK, LIGHT, Palette, draw
from tests.bot.timed import NOW, ONSET, TIMED, TIMES, TRACE, answer, happened
from tools.finding import Finding
from tools.past_reading import Trace

STATE = replace(TIMED, happened=TIMED.happened[:1])


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in [*figure.texts, *figure.axes[0].texts]]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_everything_that_is_read_stands_out_from_the_paper(colours: Palette) -> None:
    for name in ("ink", "quiet", "line", "alarm", "event"):
        high, low = sorted((luminance(getattr(colours, name)), luminance(colours.paper)), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, name


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_picture_bears_the_themes_paper_and_line(theme: str, colours: Palette) -> None:
    shown = pixels(chart.png(TIMED, TRACE, NOW, theme))  # type: ignore[arg-type]
    assert shown.shape[1] == 1350
    wanted = {
        name: tuple(int(getattr(colours, name)[i : i + 2], 16) for i in (1, 3, 5))
        for name in ("paper", "line", "event")
    }
    assert tuple(shown[0, 0]) == wanted["paper"]
    for name in ("line", "event"):
        assert (np.abs(shown.astype(int) - wanted[name]).sum(axis=2) < 12).sum() > 100, name


def test_it_says_the_threshold_the_beginning_the_gap_and_each_event_in_order() -> None:
    said = words(draw(TIMED, TRACE, NOW, LIGHT))
    assert "threshold 92 %" in said
    assert "since 13:33" in said
    assert "no data" in said
    legend = [text for text in said if re.match(r"\d \d\d:\d\d ", text)]
    assert [text[:7] for text in legend] == ["1 13:08", "2 13:31"]
    assert any(text.endswith("times in UTC") for text in said)


def test_the_line_is_broken_where_there_is_no_data_and_the_band_lies_where_it_fires() -> None:
    axes = draw(TIMED, TRACE, NOW, LIGHT).axes[0]
    line = next(one for one in axes.lines if np.asarray(one.get_xdata()).size == len(TIMES))
    assert np.isnan(np.asarray(line.get_ydata(), dtype=float)).sum() == 20
    below = draw(TIMED, replace(TRACE, above=False), NOW, LIGHT).axes[0]

    def band(of: object) -> tuple[float, float]:
        tall = next(one for one in of.patches if one.get_alpha() == 0.12)  # type: ignore[attr-defined]
        return float(tall.get_y()), float(tall.get_y() + tall.get_height())

    assert band(axes)[0] == pytest.approx(0.92)
    assert band(below)[1] == pytest.approx(0.92)


def test_without_a_threshold_there_is_no_band() -> None:
    figure = draw(TIMED, replace(TRACE, threshold=None), NOW, LIGHT)
    assert not any("threshold" in text for text in words(figure))
    assert not any(one.get_alpha() == 0.12 for one in figure.axes[0].patches)


def test_one_that_began_before_says_already() -> None:
    assert TIMED.since is not None
    before = replace(TIMED, since=replace(TIMED.since, at_least=True))
    assert "already at 13:33" in words(draw(before, TRACE, NOW, LIGHT))


def test_a_state_is_a_bar_from_its_beginning_until_now() -> None:
    figure = draw(STATE, None, NOW, LIGHT)
    bar = max((one for one in figure.axes[0].patches if isinstance(one, Rectangle)), key=Rectangle.get_width)
    assert bar.get_x() * 86400 == pytest.approx(ONSET, abs=1)
    assert (bar.get_x() + bar.get_width()) * 86400 == pytest.approx(NOW, abs=1)
    assert chart.png(STATE, None, NOW, "dark") != chart.png(STATE, None, NOW)


def test_one_svg_serves_both_themes_and_says_what_it_shows() -> None:
    picture = chart.svg(TIMED, TRACE, NOW)
    root = ET.fromstring(picture)
    titles = [one.text for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles == [chart.text_of(TIMED)]
    assert root.get("role") == "img"
    styles = "".join(one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}style"))
    assert "prefers-color-scheme: dark" in styles
    for name in ("paper", "ink", "line", "alarm", "event"):
        assert getattr(LIGHT, name) in styles
        assert getattr(DARK, name) in styles
    # Nothing is painted in a colour that the dark theme does not know.
    painted = set(
        re.findall(
            r'(?:fill|stroke)(?::|=") ?(#[0-9a-f]{6})', re.sub(r"<style.*?</style>", "", picture, flags=re.DOTALL)
        )
    )
    assert painted <= {getattr(LIGHT, name) for name in Palette.__slots__}
    assert "<script" not in picture
    assert picture == chart.svg(TIMED, TRACE, NOW), "the same evidence gives the same file"


HOSTILE = "</svg><script>alert(1)</script> $\\nosuch{$ & \u202e\x1b[31m日本🔥\ud800 " + "x" * 5000


@pytest.mark.parametrize(
    ("finding", "trace"),
    [
        (replace(TIMED, title=HOSTILE, subject=HOSTILE, happened=(happened(3, HOSTILE),)), replace(TRACE, name=HOSTILE, of=HOSTILE, unit=HOSTILE)),
        (TIMED, replace(TRACE, values=(None,) * len(TIMES), firing=(None,) * len(TIMES))),
        (TIMED, replace(TRACE, values=(0.0,) * len(TIMES), threshold=0.0)),
        (TIMED, replace(TRACE, values=(None,) * 180 + (5.0,), unit="bytes", threshold=1e15)),
        (TIMED, replace(TRACE, values=(-3.0,) * len(TIMES), threshold=-1.0, above=False)),
        (replace(TIMED, happened=tuple(happened(1, f"change {i}") for i in range(4))), TRACE),
        (replace(TIMED, since=None, happened=()), TRACE),
    ],
)  # fmt: skip
def test_whatever_the_data_holds_there_is_a_picture(finding: Finding, trace: Trace) -> None:
    assert pixels(chart.png(finding, trace, NOW)).shape[1] == 1350
    picture = chart.svg(finding, trace, NOW)
    ET.fromstring(picture)
    assert "<script" not in picture


def test_files_are_named_by_what_they_show_and_written_for_headlines_alone(tmp_path: Path) -> None:
    found = chart.write(answer(), tmp_path / "new" / "folder", NOW)
    assert [(one.format, one.theme) for one in found] == [("svg", "both"), ("png", "light"), ("png", "dark")]
    assert {one.finding for one in found} == {TIMED.key}
    assert Path(found[0].path).name == "01-hpa-wrong-metric-deployment-chat-llama-70b-chat.svg"
    assert all(Path(one.path).stat().st_size > 1000 for one in found)
    assert found[0].text.startswith(TIMED.subject)


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    evil = replace(TIMED, id="../../../etc/passwd", subject="../x/\x00y")
    written = chart.write(answer(evil, replace(TRACE, finding=evil.key)), tmp_path, NOW)
    assert all(Path(one.path).resolve().parent == tmp_path.resolve() for one in written)


def test_a_headline_without_a_time_has_no_picture(tmp_path: Path) -> None:
    assert chart.write(answer(replace(TIMED, since=None), None), tmp_path, NOW) == ()


def test_pictures_may_be_drawn_side_by_side() -> None:
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda i: (chart.png(TIMED, TRACE, NOW), chart.svg(TIMED, TRACE, NOW))[i % 2], range(4)))
    assert len(set(map(str, drawn))) == 2
