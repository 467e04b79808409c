"""The costs of a live fleet: settings and sources in, a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bot.app import make_sources
from bot.intent_file import load_intents, promised
from bot.settings import Settings, SettingsProblem
from tools.costs import asks, costs, window_of
from tools.costs_break_even import plans
from tools.costs_output import Costs
from tools.diagnose import Within
from tools.intent import Intent
from tools.intent_text import IntentError
from tools.prices import PricesError, price_book
from tools.snapshot import Snapshot
from tools.survey import survey


def read_costs(
    settings: Settings,
    cluster: str | None = None,
    within: Within | None = None,
    window: str = "1h",
    clock: Callable[[], float] = time.time,
    at: float | None = None,
) -> tuple[Costs, Snapshot]:
    """The costs of a scope, with the snapshot that they rest on.

    `at` is a past moment; then Kubernetes is what kube-state-metrics told of it. Raises WindowError for a window that cannot be looked
    at, SettingsProblem for prices, plans or intent files that cannot be used.
    """
    text, _ = window_of(window)
    prom, kube, matchers = make_sources(settings, cluster)
    now = clock()
    snapshot = survey(prom, kube, asks(text), at if at is not None else now, past=at is not None, matchers=matchers)
    return costs_of(settings, snapshot, window, within, cluster=cluster), snapshot


def costs_of(
    settings: Settings,
    snapshot: Snapshot,
    window: str = "1h",
    within: Within | None = None,
    *,
    cluster: str | None = None,
    intents: Sequence[Intent] | None = None,
) -> Costs:
    """The costs over a snapshot that somebody else took with `tools.costs.asks` among its asks.

    `intents` tell objectives and standbys; those of the settings where none are given.
    """
    wrong: list[str] = []
    for check in (lambda: price_book(settings.prices), lambda: plans(settings.plans)):
        try:
            check()
        except PricesError as problem:
            wrong.append(str(problem))
    if wrong:
        raise SettingsProblem(f"the settings cannot be used: {'; '.join(wrong)}")
    try:
        book, bought = price_book(settings.prices), plans(settings.plans)
        known = load_intents(settings, cluster=cluster) if intents is None else intents
    except IntentError as error:
        raise SettingsProblem("the intent files cannot be used: " + "; ".join(error.problems)) from None
    ttft, standby = promised(known, snapshot.topology)
    weight = settings.output_token_weight
    return costs(snapshot, book, window, within, plans=bought, weight=weight, ttft=ttft, standby=standby)
