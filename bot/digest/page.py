"""Self-contained HTML pages: no script, nothing loaded, light and dark, printable. Every text is escaped by the template engine."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot.audit_score import percent
from bot.mrkdwn import visible, web_address

_CODE = re.compile(r"`([^`]+)`")
_PAGES = Path(__file__).parent / "pages"


def page(name: str, **values: Any) -> str:
    """The page of a template in `pages/`, filled."""
    return _environment().get_template(f"{name}.html").render(**values)


def _prose(text: str) -> Markup:
    """A sentence whose closed code spans are shown as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(visible(str(text))))))  # noqa: S704 - escaped before


@functools.cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["percent"] = percent
    made.filters["seen"] = lambda text: visible(str(text))
    made.filters["prose"] = _prose
    made.filters["web"] = lambda text: str(text) if web_address(str(text)) else ""
    return made
