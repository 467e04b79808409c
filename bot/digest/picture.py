"""The picture of a digest for its thread: drawn of what is kept, so that it is the same however often it is drawn."""

from __future__ import annotations

from bot.digest import chart, make, words
from bot.digest.content import Digest
from bot.store.readiness import Readiness
from bot.store.records import Ask

# Title, words for who cannot see it, PNG.
Picture = tuple[str, str, bytes]


def digest_of(readiness: Readiness, ask: Ask) -> Digest | None:
    """The digest that an ask was answered with, as it is kept; None where it is not (any more)."""
    kept = readiness.run(ask.key)
    if kept is None:
        return None
    subscription = str(ask.payload.get("subscription") or "")
    return make.digest(readiness, kept, prefix=f"digest:{subscription}:" if subscription else "digest:")


def drawable(digest: Digest | None) -> bool:
    """Whether there is anything to draw: a baseline has no trend, and a week in which nothing happened is one line."""
    return digest is not None and not digest.uneventful and len(digest.trend) > 1


def picture(digest: Digest) -> Picture:
    """The trend of the score, and what changed since the last digest."""
    title = f"Readiness of {digest.place}, {words.date(digest.now.at)}"
    counted = words.counted(digest.changes)
    return title, chart.text_of(digest.trend, counted), chart.png(digest.trend, title, changes=counted)
