"""What a scan could not see is neither absent nor none nor zero."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from bot.cli.scan import show
from bot.scan import asks, scan
from bot.scan_output import Coverage, Scan
from tests.tools import scenes
from tools.columns import Column
from tools.reading import Blind, Reason
from tools.signals import GPU_REQUEST
from tools.snapshot import Snapshot, SourceState

DOWN = Blind(Reason.SOURCE_DOWN, "refused")
PLAIN = scenes.snapshot({}, scenes.WORKLOAD)


def without_kubernetes(*, gpus: bool) -> Snapshot:
    """Pods are known by their series alone: nobody tells what they request."""
    topology = PLAIN.topology
    pods = {key: replace(one, gpus=0.0) for key, one in topology.pods.items()}
    known = replace(topology, pods=pods, gpus=topology.gpus if gpus else {})
    columns = {ask: Column(ask, (), DOWN) for ask in asks()}
    sources = (SourceState("Prometheus", None, 1), SourceState("Kubernetes", DOWN))
    return replace(PLAIN, topology=known, columns=columns, sources=sources)


def shown(found: Scan) -> str:
    out = io.StringIO()
    show(found, Console(file=out, width=140, highlight=False))
    return out.getvalue()


def test_gpus_that_nobody_tells_of_are_not_none() -> None:
    (one,) = scan(without_kubernetes(gpus=False)).workloads
    assert (one.gpus.held.value, one.gpus.held.why) == (None, "source down: refused")
    (seen,) = scan(without_kubernetes(gpus=True)).workloads
    assert (seen.gpus.held.value, seen.gpus.held.source) == (2.0, "GPU exporter")
    told = shown(scan(without_kubernetes(gpus=False)))
    assert "none" not in told.partition("seen:")[0]
    assert "Workloads that are not listed: there may be more than these: source down: refused" in told
    bare = {key: replace(one, gpus=0.0) for key, one in PLAIN.topology.pods.items()}
    listed = Column(GPU_REQUEST.now, (), Blind(Reason.NO_SERIES, "its object does not state it"))
    whole = replace(
        PLAIN, topology=replace(PLAIN.topology, pods=bare), columns={**PLAIN.columns, GPU_REQUEST.now: listed}
    )
    (none,) = scan(whole).workloads
    assert none.gpus.held.value == 0.0, "they were listed and request none"
    assert scan(whole).blind == ()


def test_what_nobody_was_asked_for_is_unknown_and_not_absent() -> None:
    found = scan(without_kubernetes(gpus=False))
    states = {each.what: each.state for each in found.workloads[0].coverage}
    assert states["readiness"] == "unknown"
    nodes = Coverage("GPU exporter on GPU nodes", "unknown", 0, 0, "no GPU node is known: source down: refused")
    assert nodes in found.coverage


def test_no_workload_seen_is_said_of_what_could_be_seen() -> None:
    found = scan(without_kubernetes(gpus=False))
    nothing = replace(found, workloads=())
    assert "No inference workload was seen, and not all could be seen." in shown(nothing)
    assert "No inference workload was seen." in shown(replace(nothing, blind=()))
