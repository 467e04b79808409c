"""Addresses that open a query where people look at it: Prometheus's own graph, or Grafana's Explore. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from bot.settings import Settings

HOURS = 3
_OBJECT = re.compile(r"/|(GET|LIST) |[^\s({\[]*/|[^({\[]*\s(spec|status|metadata)\.")


@dataclass(frozen=True, slots=True)
class Links:
    """Where queries are opened; '' offers no such link."""

    prometheus: str = ""
    grafana: str = ""
    datasource: str = ""

    @classmethod
    def of(cls, settings: Settings | None, cluster: str | None = None) -> Links:
        """Those of the settings. A Prometheus that only we reach is linked all the same: its address is all that is known."""
        if settings is None:
            return cls()
        place = settings.clusters.get(cluster or "")
        prometheus = settings.prometheus_page_url or (place.prometheus_url if place else settings.prometheus_url) or ""
        return cls(_page(prometheus), _page(settings.grafana_url), settings.grafana_datasource)

    def graph(self, query: str, at: str = "") -> str:
        """The address that shows a PromQL query up to a time (RFC 3339), Grafana's first; '' where there is none."""
        query = query.strip()
        if not query or "\n" in query or _OBJECT.match(query):
            # A path of the Kubernetes API, an object's field, or something else that is no PromQL.
            return ""
        moment = _moment(at)
        if self.grafana:
            return self._explore(query, moment)
        if not self.prometheus:
            return ""
        told = {"g0.expr": query, "g0.tab": "0", "g0.range_input": f"{HOURS}h"}
        if moment is not None:
            told["g0.end_input"] = moment.strftime("%Y-%m-%d %H:%M:%S")
        return f"{self.prometheus}/graph?{urlencode(told)}"

    def _explore(self, query: str, moment: datetime | None) -> str:
        until = int(moment.timestamp() * 1000) if moment is not None else None
        span = {"from": f"now-{HOURS}h", "to": "now"}
        if until is not None:
            span = {"from": str(until - HOURS * 3_600_000), "to": str(until)}
        shown = {"refId": "A", "expr": query}
        pane = {"datasource": self.datasource, "queries": [shown], "range": span}
        panes = json.dumps({"a": pane}, separators=(",", ":"))
        return f"{self.grafana}/explore?{urlencode({'schemaVersion': 1, 'panes': panes})}"


def _page(url: str) -> str:
    """An address without a password and without a query; '' where it is none that a browser opens."""
    try:
        parts = urlsplit(url.strip())
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")


def _moment(at: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
