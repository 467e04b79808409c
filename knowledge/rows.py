"""Hits as rows of JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from knowledge.search import Hit


def search_rows(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """Hits as the command line prints them: `[{"id","title","pack","section","score","text","url"}]`."""
    return [
        {
            "id": hit.passage.id,
            "title": hit.passage.title,
            "pack": hit.passage.pack,
            "section": hit.passage.section,
            "score": hit.score,
            "text": hit.text or hit.passage.text,
            "url": hit.passage.url,
        }
        for hit in hits
    ]
