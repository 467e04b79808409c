"""Where the work on a question looks, as chips on its task cards: addresses that people open. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.deep_links import Links

if TYPE_CHECKING:
    from bot.settings import Settings

Chip = dict[str, str]
_LONGEST = 2000


def chips(settings: Settings | None, cluster: str, title: str) -> list[Chip]:
    """The sources of a step that reads metrics; none for other steps.

    Of several clusters none is pointed to before it is known which one is meant: then only what shows them all is a source.
    """
    if settings is None or "metrics" not in title.lower():
        return []
    links = Links.of(settings, cluster)
    known = not settings.clusters or cluster in settings.clusters or bool(settings.prometheus_page_url)
    found = [("Grafana", f"{links.grafana}/explore")] if links.grafana else []
    found += [("Prometheus", f"{links.prometheus}/graph")] if links.prometheus and known else []
    return [{"type": "url", "url": url, "text": text} for text, url in found if len(url) <= _LONGEST]
