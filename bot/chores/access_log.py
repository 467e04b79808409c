"""Once an hour, what the access log need not keep any longer is dropped."""

from __future__ import annotations

from collections.abc import Iterable

from bot.access.rules import Access
from bot.desk import Bench, Chore
from bot.store.audit import AuditLog
from bot.store.records import Ask

EVERY_S = 3600.0
DAY_S = 86_400.0


def open_chore(bench: Bench) -> Chore:
    """The chore; it never asks for anything."""
    log = AuditLog(bench.store.engine, bench.clock)
    access = bench.settings.access if bench.settings else Access()
    last = 0.0

    def tidy(now: float) -> Iterable[Ask]:
        nonlocal last
        if now - last >= EVERY_S:
            last = now
            log.forget(now - access.log_days * DAY_S)
        return ()

    return tidy
