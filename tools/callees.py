"""Whom workloads send their requests to: by what their objects name, and by what their proxies and the mesh have counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tools.addressing import NOBODY, Addressing, Workloads
from tools.reading import Blind, Subject
from tools.series import braces
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource

# A runner calls a gateway, the gateway a router, the router its engines.
HOPS = 3
_NAME = re.compile(r"[a-z0-9.-]{1,253}")
PODS_MOST = 40
# What Envoy sent to a cluster, or would have: idle clusters, of which a mesh gives each proxy hundreds, were never called.
_ENVOY = r'__name__=~"envoy_cluster_upstream_(?:rq|cx)_(?:total|active|xx|none_healthy)",envoy_cluster_name!=""'
# Routers that label what they count with the address of a server: LiteLLM's `api_base`, `server` of vLLM's production stack.
_ROUTERS = r'__name__=~"litellm_deployment_(?:state|total_requests_total)|vllm:(?:current_qps|healthy_pods_total)"'
_ISTIO = (
    "destination_workload_namespace",
    "destination_workload",
    "destination_service_namespace",
    "destination_service_name",
)


def callees(prom: PromSource | Blind, snapshot: Snapshot, callers: Iterable[Subject]) -> Workloads:
    """Whom these workloads send requests to, and whom those send them on to; only workloads of the snapshot."""
    known = snapshot.topology.workloads
    first = frozenset(callers)
    addressing = snapshot.addressing or Addressing.by_names(snapshot.topology)
    found: set[Subject] = set()
    asking = first
    for _ in range(HOPS):
        named = (one for caller in asking for one in addressing.named_by(caller))
        asking = frozenset(one for one in {*named, *_counted(prom, snapshot, addressing, asking)} if one in known)
        asking -= found | first
        if not asking:
            break
        found |= asking
    return frozenset(found)


def _counted(
    prom: PromSource | Blind, snapshot: Snapshot, addressing: Addressing, callers: Workloads
) -> Iterator[Subject]:
    pods = [snapshot.topology.pods[key] for one in sorted(callers) for key in snapshot.topology.pods_of(one)]
    # Whoever holds GPUs answers; a few replicas of a gateway tell what all of them do.
    pods = [pod for pod in pods if not pod.gpus][:PODS_MOST]
    if isinstance(prom, Blind) or not pods:
        return
    mine = f'namespace=~"{_any(pod.namespace for pod in pods)}",pod=~"{_any(pod.name for pod in pods)}"'
    envoy = f"max by (namespace, pod, envoy_cluster_name) ({braces(_ENVOY, mine, snapshot.matchers)}) > 0"
    routers = f"max by (namespace, pod, api_base, server) ({braces(_ROUTERS, mine, snapshot.matchers)})"
    for query in (envoy, routers):
        for row in prom.query(query, snapshot.at).rows:
            space = row.labels.get("namespace", "")
            if snapshot.topology.pods.get(f"{space}/{row.labels.get('pod', '')}") in pods:
                yield from addressing.cluster(row.labels.get("envoy_cluster_name", ""), space)
                for label in ("api_base", "server"):
                    yield from addressing.hosts(row.labels.get(label, ""), space)
    spaces, names = _any(one.namespace for one in callers), _any(one.name for one in callers)
    sources = f'source_workload_namespace=~"{spaces}",source_workload=~"{names}"'
    query = f"max by ({', '.join(_ISTIO)}) (istio_requests_total{braces(sources, snapshot.matchers)}) > 0"
    for row in prom.query(query, snapshot.at).rows:
        space, name, service_space, service = (row.labels.get(label, "") for label in _ISTIO)
        yield from (one for one in snapshot.topology.workloads if (one.namespace, one.name) == (space, name))
        # Of a Service with nobody behind it the mesh knows no workload.
        yield from addressing.services.get((service_space, service), NOBODY)


def _any(names: Iterable[str]) -> str:
    """Names as the alternatives of a pattern in a query; what is no name of Kubernetes is left out."""
    return "|".join(sorted({name.replace(".", r"\\.") for name in names if _NAME.fullmatch(name)}))
