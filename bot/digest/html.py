"""A digest as one HTML page that loads nothing: light and dark, printable, with its chart inside."""

from __future__ import annotations

from bot.audit_history import of
from bot.digest import chart, words
from bot.digest.content import Digest
from bot.digest.page import page
from bot.digest.words import HEADINGS


def as_html(digest: Digest) -> str:
    """The page."""
    found = [(heading, of(digest.changes, kind)) for kind, heading in HEADINGS.items()]  # type: ignore[arg-type]
    return page(
        "digest",
        digest=digest,
        words=words,
        moved=words.moved(digest.before, digest.now),
        changes=[(heading, some) for heading, some in found if some],
        charts=_charts(digest),
    )


def _charts(digest: Digest) -> dict[str, str] | None:
    if len(digest.trend) < 2:
        return None
    title, changes = f"Readiness of {digest.place}", words.counted(digest.changes)
    return {
        "light": chart.data_url(digest.trend, title, "light", changes),
        "dark": chart.data_url(digest.trend, title, "dark", changes),
        "text": chart.text_of(digest.trend, changes),
    }
