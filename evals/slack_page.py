"""A Slack thread as a page: our own Block Kit, rendered as a person sees it, self-contained, light and dark.

`python -m evals.slack_page --incident evals/incidents/NAME --out DIR` answers an incident and writes the page, and pictures of it where
Chromium is installed. Rendering is apart from running: `page` is a pure function of messages.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.blocks import blocks
from evals.fleet.prometheus import CannotRunError
from evals.incident_runs import answered
from evals.slack_chart import svg
from knowledge.home import default_home
from knowledge.search import Library
from tools.redact import seen

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --ink: #1d1c1d; --soft: #616061; --line: #ddd; --code: #f2f2f2; --red: #c01343; --link: #1264a3 }
@media (prefers-color-scheme: dark) { :root { --bg: #1a1d21; --ink: #d1d2d3; --soft: #9a9b9d; --line: #35373b; --code: #26282c; --red: #e8912d; --link: #1d9bd1 } }
* { box-sizing: border-box } body { margin: 0; padding: 20px 24px; max-width: 760px; background: var(--bg); color: var(--ink); font: 15px/1.46 Lato, "Segoe UI", "DejaVu Sans", sans-serif }
article { display: grid; grid-template-columns: 36px 1fr; gap: 0 10px; margin-bottom: 18px } .face { width: 36px; height: 36px; border-radius: 6px; background: #4a5568; color: #fff; text-align: center; font-weight: 700; line-height: 36px }
.dot { display: inline-block; width: 13px; height: 13px; border-radius: 50%; vertical-align: -1px } .face.app { background: #0b6e4f } header b { margin-right: 6px } header small { color: var(--soft) } .tag { background: var(--line); border-radius: 3px; padding: 0 4px; font-size: 10px; color: var(--soft); margin-right: 6px }
section { margin: 6px 0; overflow-wrap: anywhere } aside { margin: 6px 0; color: var(--soft); font-size: 12.5px } hr { border: 0; border-top: 1px solid var(--line); margin: 12px 0 }
code { background: var(--code); border: 1px solid var(--line); border-radius: 3px; color: var(--red); font: 12px/1.4 Menlo, Consolas, "DejaVu Sans Mono", monospace; padding: 1px 3px } pre { background: var(--code); border: 1px solid var(--line); border-radius: 4px; padding: 8px; margin: 6px 0; white-space: pre-wrap; font: 12px/1.5 Menlo, Consolas, "DejaVu Sans Mono", monospace }
h3 { font-size: 18px; margin: 14px 0 4px } nav { display: flex; gap: 8px; margin: 8px 0 } button { font: 700 13px/1 inherit; padding: 8px 12px; border: 1px solid var(--line); border-radius: 6px; background: var(--bg); color: var(--ink) }
details { border: 1px solid var(--line); border-radius: 8px; padding: 6px 12px; margin: 8px 0 } summary { font-weight: 700; cursor: pointer } ul { margin: 4px 0; padding-left: 20px } .picture { border: 1px solid var(--line); padding: 20px; color: var(--soft) }
blockquote { border-left: 4px solid var(--line); margin: 4px 0; padding-left: 10px } a { color: var(--link); text-decoration: none } .unknown { border: 1px dashed var(--red); padding: 6px }
"""
_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
# Drawn, since a machine that takes pictures may have no emoji font.
_DOTS = {
    "red_circle": "#d72b3f",
    "large_orange_circle": "#ee8a2b",
    "large_yellow_circle": "#e8c22e",
    "large_blue_circle": "#2d7dd2",
    "large_green_circle": "#2e9e5b",
    "white_circle": "#bbb",
}
_LINK = re.compile(r"<(https?://[^|<>\s]+)(?:\|([^<>]*))?>")


@dataclass(frozen=True, slots=True)
class ThreadMessage:
    """One message: who says it, when, and its blocks (or a plain text). `app` marks a bot."""

    author: str
    at: str
    blocks: Sequence[Mapping[str, Any]] = ()
    text: str = ""
    app: bool = False


def page(messages: Sequence[ThreadMessage], title: str = "Thread") -> str:
    """The thread as one HTML page that loads nothing."""
    body = "\n".join(map(_message, messages))
    head = f'<meta charset="utf-8"><title>{html.escape(seen(title))}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def _message(message: ThreadMessage) -> str:
    author, at = seen(message.author), seen(message.at)
    face = f'<div class="face{" app" if message.app else ""}">{html.escape(author[:1].upper())}</div>'
    tag = '<span class="tag">APP</span>' if message.app else ""
    head = f"<header><b>{html.escape(author)}</b>{tag}<small>{html.escape(at)}</small></header>"
    said = (
        "".join(map(_block, message.blocks))
        or f"<section>{mrkdwn(html.escape(seen(message.text), quote=False))}</section>"
    )
    return f"<article>{face}<div>{head}{said}</div></article>"


def _block(block: Mapping[str, Any]) -> str:
    kind = block.get("type")
    if kind == "divider":
        return "<hr>"
    if kind == "section":
        return f"<section>{mrkdwn(_text(block.get('text')))}</section>"
    if kind == "context":
        return "".join(f"<aside>{mrkdwn(_text(element))}</aside>" for element in block.get("elements", ()))
    if kind == "header":
        return f"<h3>{html.escape(_text(block.get('text')))}</h3>"
    if kind == "container":
        inner = "".join(map(_block, block.get("child_blocks", ())))
        state = "" if block.get("default_collapsed") else " open"
        return f"<details{state}><summary>{html.escape(_text(block.get('title')))}</summary>{inner}</details>"
    if kind in {"actions", "context_actions"}:
        return f"<nav>{''.join(map(_element, block.get('elements', ())))}</nav>"
    if kind == "markdown":
        return f"<section>{html.escape(str(block.get('text', '')), quote=False)}</section>"
    if kind == "image":
        return f'<div class="picture">{html.escape(str(block.get("alt_text", "")))}</div>'
    if kind == "data_visualization":
        return svg(block)
    if kind == "plan":
        tasks = "".join(
            f"<li class='{html.escape(str(one.get('status')))}'>{html.escape(str(one.get('title')))}</li>"
            for one in block.get("tasks", ())
        )
        return f"<section><b>{html.escape(str(block.get('title', '')))}</b><ul>{tasks}</ul></section>"
    return f'<div class="unknown">a block of type {html.escape(str(kind))}</div>'


def _element(element: Mapping[str, Any]) -> str:
    if element.get("type") == "feedback_buttons":
        sides = (element.get("positive_button"), element.get("negative_button"))
        return "".join(
            f"<button>{html.escape(_text(one.get('text')))}</button>" for one in sides if isinstance(one, Mapping)
        )
    return f"<button>{html.escape(_text(element.get('text')))}</button>"


def _text(part: object) -> str:
    return str(part.get("text", "")) if isinstance(part, Mapping) else ""


def mrkdwn(text: str) -> str:
    """Slack's markup as HTML. `text` is as Slack is sent it: what is no markup has `&`, `<` and `>` escaped."""
    kept: list[str] = []

    def keep(markup: str) -> str:
        kept.append(markup)
        return f"\x00{len(kept) - 1}\x00"

    text = _FENCE.sub(lambda m: keep(f"<pre>{_shown(m[1])}</pre>"), text.replace("\x00", ""))
    text = _CODE.sub(lambda m: keep(f"<code>{_shown(m[1])}</code>"), text)
    # Before anything is unescaped: an escaped bracket is data, and only a real one makes a link.
    text = _LINK.sub(lambda m: keep(f'<a href="{_shown(m[1])}">{_shown(m[2] or m[1])}</a>'), text)
    text = _shown(text)
    text = re.sub(r":([a-z_]+):", lambda m: _dot(m[1]) or m[0], text)
    text = re.sub(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])", r"<b>\1</b>", text)
    text = re.sub(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])", r"<i>\1</i>", text)
    text = re.sub(r"^&gt; ?(.*)$", r"<blockquote>\1</blockquote>", text, flags=re.MULTILINE)
    text = text.replace("</blockquote>\n", "</blockquote>").replace("\n", "<br>")
    return re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], text)


def _shown(text: str) -> str:
    # Slack's own escapes are undone first: a second escaping would show them.
    return html.escape(html.unescape(text), quote=True)


def _dot(name: str) -> str:
    colour = _DOTS.get(name)
    return f'<span class="dot" style="background:{colour}"></span>' if colour else ""


def picture(source: Path | str, target: Path, *, dark: bool = False, height: int = 1500) -> bool:
    """Take a picture of a page (a file or an address) with Chromium; False where Chromium is not installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        return False
    with tempfile.TemporaryDirectory(prefix="rackside-picture-") as profile:
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--hide-scrollbars",
        ]
        flags += [
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={profile}",
            f"--window-size=800,{height}",
        ]
        flags += ["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]
        address = source if isinstance(source, str) else source.resolve().as_uri()
        # A page that fetches what it shows gets its time.
        flags += ["--virtual-time-budget=6000"] if isinstance(source, str) else []
        done = subprocess.run(
            [chromium, *flags, f"--screenshot={target}", address],
            capture_output=True,
            timeout=120,
            check=False,
        )
    return done.returncode == 0 and target.exists()


def main(arguments: Sequence[str]) -> int:
    """Answer an incident and write its thread."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.slack_page", description="An incident's answer as a Slack thread."
    )
    parser.add_argument("--incident", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--height", type=int, default=1500)
    chosen = parser.parse_args(arguments)
    try:
        incident, answer, _ = answered(chosen.incident, Library.open(default_home()))
    except (ValueError, CannotRunError) as problem:
        print(f"slack_page: {problem}", file=sys.stderr)
        return 2
    chosen.out.mkdir(parents=True, exist_ok=True)
    thread = [
        ThreadMessage("on-call", "03:12", text=f"@Rackside {incident.question}"),
        ThreadMessage("Rackside", "03:12", blocks(answer).blocks, app=True),
    ]
    source = chosen.out / "slack.html"
    source.write_text(page(thread, incident.question), encoding="utf-8")
    for name, dark in (("slack-light.png", False), ("slack-dark.png", True)):
        if not picture(source, chosen.out / name, dark=dark, height=chosen.height):
            print("slack_page: no picture was taken; is Chromium installed?", file=sys.stderr)
            break
    print(source)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
