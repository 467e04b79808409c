"""The evidence of a headline as a picture: its decisive reading over the look-back, the threshold, when it began, what happened before.

A headline that rests on the state of objects has no series: its picture is the time that the state has lasted. PNGs come in a light
and a dark version, the SVG follows what the reader's screen prefers. Texts from data are drawn as they are, never as formulas.
"""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path
from typing import Literal

from bot.advisor.question import Answer, ChartFile
from bot.chart_figure import DARK, LIGHT, Palette, draw
from tools.finding import Finding
from tools.past_reading import Trace

DPI = 150
_lock = threading.Lock()
_THEMES: dict[Literal["light", "dark"], Palette] = {"light": LIGHT, "dark": DARK}


def drawable(finding: Finding, answer: Answer) -> bool:
    """Whether there is anything of a headline to draw over time."""
    return finding.key in answer.traces or (finding.since is not None and finding.since.at is not None)


def png(finding: Finding, trace: Trace | None, now: float, theme: Literal["light", "dark"] = "light") -> bytes:
    """The picture as PNG, 1,350 pixels wide."""
    with _lock:
        figure = draw(finding, trace, now, _THEMES[theme])
        out = io.BytesIO()
        figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def svg(finding: Finding, trace: Trace | None, now: float) -> str:
    """The picture as SVG: light, and dark where the reader's screen prefers that. Lettering is drawn, so it needs no font."""
    import matplotlib as mpl

    with _lock, mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "rackside"}):
        figure = draw(finding, trace, now, LIGHT)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return _both(out.getvalue(), text_of(finding))


def text_of(finding: Finding) -> str:
    """What the picture shows, for those who cannot see it."""
    parts = [f"{finding.subject}: {finding.title}", finding.since.text if finding.since else ""]
    return " ".join(part for part in (*parts, *(one.text for one in finding.happened)) if part)


def write(answer: Answer, folder: Path, now: float) -> tuple[ChartFile, ...]:
    """Write the pictures of an answer's headlines into a folder, made if need be; raises OSError where that cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[ChartFile] = []
    for number, finding in enumerate((one for one in answer.headlines if drawable(one, answer)), 1):
        name = f"{number:02}-{_slug(finding.id)}-{_slug(finding.subject)}"
        trace, text = answer.traces.get(finding.key), text_of(finding)
        path = folder / f"{name}.svg"
        path.write_text(svg(finding, trace, now), encoding="utf-8")
        found.append(ChartFile(finding.key, str(path), "svg", "both", text))
        for theme in _THEMES:
            path = folder / f"{name}-{theme}.png"
            path.write_bytes(png(finding, trace, now, theme))
            found.append(ChartFile(finding.key, str(path), "png", theme, text))
    return tuple(found)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:80] or "unnamed"


def _both(picture: str, text: str) -> str:
    """Make a light SVG follow the reader's screen, and say what it shows."""
    rules = []
    for name in Palette.__slots__:
        light, dark = getattr(LIGHT, name), getattr(DARK, name)
        rules += [
            f'[style*="{kind}: {light}"],[{kind}="{light}"]{{{kind}:{dark}!important}}' for kind in ("fill", "stroke")
        ]
    style = f"<style>@media (prefers-color-scheme: dark){{{''.join(rules)}}}</style>"
    told = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    told = "".join(char for char in told if char >= " " and not "\ud800" <= char <= "\udfff")
    head = re.search(r"<svg [^>]*>", picture)
    assert head is not None
    return f'{picture[: head.end() - 1]} role="img"><title>{told}</title>{style}{picture[head.end() :]}'
