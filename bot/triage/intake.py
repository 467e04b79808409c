"""A posted notification, from its bytes to what is kept and begun; it is answered 200 only when it is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from bot.slack_workspaces import split
from bot.triage.door import OFF, REFUSED, allowed
from bot.triage.plan import Triage
from bot.triage.settings import AlertSettings
from bot.triage.webhook import BadBodyError, read

if TYPE_CHECKING:
    from bot.desk import Bench
    from bot.listeners import Work
    from bot.slack_http import Route
    from bot.store.records import Ask, Store

log = logging.getLogger("rackside.alerts")
NO_CHANNEL = (
    "no channel is set for these alerts: set `alerts: {channel: C...}` in the settings file, or a route that fits them"
)


def triage(bench: Bench) -> Triage:
    """The triage over this bench's settings."""
    chosen = bench.settings.alerts if bench.settings else AlertSettings()
    return Triage(bench.store, chosen, bench.team, bench.clock)


def intake(bench: Bench, work: Work, source: Literal["alertmanager", "grafana"]) -> Route:
    """The route for one sender."""
    settings = bench.settings
    secret = settings.alerts_token if settings else None
    token = secret.get_secret_value() if secret else ""
    taking = triage(bench)
    chosen = taking.settings
    if source == "alertmanager":
        # Said once, at the start: both routes share the settings.
        if not token and chosen != AlertSettings():
            log.warning("%s", OFF)
        elif token and not chosen.channel and not chosen.routes:
            log.warning("%s", NO_CHANNEL)

    def route(headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        if not token:
            return 403, {"error": OFF}
        if not allowed(headers, body, token, bench.clock()):
            return 401, {"error": REFUSED}
        try:
            notice = read(body, source)
        except BadBodyError as problem:
            return 400, {"error": str(problem)}
        team, channel = split(taking.settings.channel_for(notice.common))
        if not channel:
            return 422, {"error": NO_CHANNEL}
        try:
            begun = start(taking.take(replace(notice, team=team, channel=channel)), bench.store, work)
        except Exception:
            log.exception("a notification of %s could not be kept", source)
            # The sender tries again on a 5xx.
            return 503, {"error": "it could not be kept; please send it again"}
        return 200, {"ok": True, "alerts": len(notice.alerts), "begun": begun}

    return route


def start(asks: Iterable[Ask], store: Store, work: Work) -> int:
    """Accept and begin each; how many were new. Beginning may fail: what was accepted is taken up by the sweep."""
    new = 0
    for ask in asks:
        if store.accept(ask):
            new += 1
            try:
                work.begin(ask)
            except Exception:
                log.exception("%s is kept and will be begun later", ask.key)
    return new
