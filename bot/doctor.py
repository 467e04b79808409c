"""Can it see what it needs? Each source is really asked; green means that data came back."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import Any

from bot.doctor_found import deployed, mapped
from bot.doctor_slack import slack
from bot.seen import Seen, State
from bot.settings import Settings
from knowledge.encoder import EncoderProblem
from knowledge.index import IndexProblem
from tools.casebook import asks
from tools.inventory import use
from tools.measure import Measured, measure
from tools.observe import KINDS
from tools.reading import Blind, Reason
from tools.sources.kube import KubeSource
from tools.sources.prom import PromSource

PROBE = "how full is the KV cache"


def examine(settings: Settings, cluster: str | None = None) -> Iterator[Seen]:
    """Ask every source a real question."""
    from bot.app import make_library

    chosen = settings.cluster(cluster)
    use(settings.custom_servers)
    prom = PromSource.connect(chosen.prometheus_url, settings.prometheus_headers, settings.prometheus_timeout_s)
    measured = prom if isinstance(prom, Blind) else measure(prom, asks(), time.time(), chosen.matchers)
    yield from _prometheus(chosen.prometheus_url or "", measured)
    if settings.custom_servers and isinstance(prom, PromSource):
        names = prom.names(time.time())
        yield from mapped(settings.custom_servers, frozenset() if isinstance(names, Blind) else names)
    pods: list[dict[str, Any]] = []
    kube = KubeSource.connect(chosen.kubeconfig, chosen.context, namespaces=chosen.namespaces)
    listed = yield from _kubernetes(kube, pods)
    yield from deployed(pods if listed else None, None if isinstance(measured, Blind) else measured)
    library = make_library(settings)
    try:
        hits = library.search(PROBE, 3)
        yield Seen(
            "Knowledge base",
            "ok",
            f"{len(library.pages())} pages; a search found {hits[0].passage.id}" if hits else "empty",
        )
    except (IndexProblem, EncoderProblem) as problem:
        yield Seen("Knowledge base", "blind", str(problem), "Run: rackside knowledge index")
    yield from slack(settings)
    if settings.model is None:
        yield Seen(
            "Language model", "not set", "answers are worded from rules", "Optional: set RACKSIDE_MODEL=provider:model"
        )
    else:
        yield Seen("Language model", "ok", f"{settings.model} is set; its drafts are posted only when grounded")


def _prometheus(url: str, measured: Measured | Blind) -> Iterator[Seen]:
    if isinstance(measured, Blind):
        yield _blind("Prometheus", measured, "Set RACKSIDE_PROMETHEUS_URL to a Prometheus-compatible endpoint")
        return
    if measured.blind is not None:
        yield _blind(
            "Prometheus", measured.blind, f"Check that {url} can be reached from here, and its token or tenant"
        )
        return
    yield Seen("Prometheus", "ok", f"answers at {url} in {measured.requests} requests for everything that is asked")
    if not measured.identities:
        yield Seen(
            "Known exporters",
            "blind",
            "not one series that Rackside knows",
            "Scrape vLLM, dcgm-exporter, cAdvisor and kube-state-metrics",
        )
    for identity in measured.identities.values():
        if identity.blind is not None:
            yield _blind(identity.source.title, identity.blind, "Look at the query in the server's log")
            continue
        state: State = "ok" if identity.fresh else "blind"
        detail = f"{len(identity.fresh)} {identity.source.per.value}s with fresh samples"
        gone = len(identity.rows) - len(identity.fresh)
        todo = f"{gone} seen in the last hour are silent now" if gone else ""
        yield Seen(f"{identity.source.title} ({identity.source.per.value})", state, detail, todo)


def _kubernetes(kube: KubeSource | Blind, pods: list[dict[str, Any]]) -> Generator[Seen, None, bool]:
    """Rows of the API; gathers the pods, and says whether they could be listed."""
    if isinstance(kube, Blind):
        yield _blind(
            "Kubernetes API", kube, "Set KUBECONFIG, or run inside the cluster with the service account of deploy/"
        )
        return False
    version = kube.version()
    if isinstance(version, Blind):
        yield _blind("Kubernetes API", version, "Check the kubeconfig's server, certificate and token")
        return False
    listed = False
    yield Seen("Kubernetes API", "ok", f"version {version}")
    for kind in KINDS:
        listing = kube.list(kind)
        if listing.blind is not None:
            yield _blind(f"  {kind}", listing.blind, "Grant get, list and watch as in deploy/base/rbac.yaml")
        else:
            if kind == "pods":
                listed = True
                pods += listing.items
            yield Seen(f"  {kind}", "ok", f"{len(listing.items)} listed")
    logs = kube.can_i("get", "pods/log")
    if logs is None:
        yield Seen("  pods/log", "ok", "cannot be asked for without selfsubjectaccessreviews; crashes will show")
    elif logs:
        yield Seen("  pods/log", "ok", "may be read")
    else:
        yield Seen("  pods/log", "blind", "forbidden", "Grant get on pods/log: crashes are told apart by their logs")
    if kube.can_i("get", "pods/proxy"):
        yield Seen("  pods/proxy", "ok", "exporters and engines that are not scraped are read directly")
    else:
        yield Seen(
            "  pods/proxy",
            "not set",
            "not granted, as is the default",
            "Optional: deploy/options/pods-proxy lets it read what Prometheus does not scrape",
        )
    return listed


def _blind(what: str, blind: Blind, todo: str) -> Seen:
    return Seen(what, "not set" if blind.reason is Reason.NOT_SET else "blind", str(blind), todo)
