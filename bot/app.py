"""Wiring: the one place where the parts are constructed from settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from bot.advisor.advisor import Advisor
from bot.settings import Settings, SettingsProblem
from knowledge.search import Library
from tools.inventory import use
from tools.observe import Cluster
from tools.prices import PriceBook, PricesError, price_book
from tools.reading import Blind
from tools.sources.kube import KubeSource
from tools.sources.prom import PromSource


def make_library(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Library:
    """The knowledge base over the index in the settings' home."""
    return Library.open(
        settings.home,
        embeddings=settings.embeddings,
        chroma_url=settings.chroma_url,
        base_url=settings.pages_url,
        say=say,
    )


def make_sources(settings: Settings, cluster: str | None) -> tuple[PromSource | Blind, Cluster | Blind, str]:
    """Prometheus, the Kubernetes API and label matchers of a cluster; blind where one is not set."""
    chosen = settings.cluster(cluster)
    use(settings.custom_servers)
    prom = PromSource.connect(
        chosen.prometheus_url, settings.prometheus_headers, timeout_s=settings.prometheus_timeout_s
    )
    kube = KubeSource.connect(chosen.kubeconfig, chosen.context, namespaces=chosen.namespaces)
    return prom, kube, chosen.matchers


def _prices(settings: Settings) -> PriceBook:
    try:
        return price_book(settings.prices)
    except PricesError as problem:
        raise SettingsProblem(f"the settings cannot be used: {problem}") from None


def make_advisor(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    library: Library | None = None,
    with_model: bool = True,
) -> Advisor:
    """The advisor over the settings' sources."""
    model = None
    if with_model and settings.model:
        from bot.advisor.model import ModelDoor

        model = ModelDoor.open(settings.model, base_url=settings.model_base_url)
    return Advisor(
        lambda cluster: make_sources(settings, cluster),
        library or make_library(settings),
        limits=settings.limits,
        prices=_prices(settings),
        model=model,
        clock=clock,
    )


# Chroma reports to nobody, and no tokenizer forks helpers.
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
