"""Which series are missing of those that decisions need: told for who reports at all, so that silence is never taken for absence."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tools.columns import Part, Value
from tools.inventory import sources
from tools.measure import Identity, Measured
from tools.series import Source
from tools.signals import Ask, Per
from tools.topology import Topology
from tools.wanted_series import WANTED


def missing(asks: Collection[Ask], measured: Measured, now: float, stale_after_s: float) -> dict[Ask, Part]:
    """For each fact that is asked for: what lacks of each replica or GPU that reports, empty where nothing does."""
    found: dict[Ask, Part] = {}
    for signal, wanted in WANTED.items():
        if signal.now not in asks:
            continue
        values: dict[str, Value] = {}
        for source in sources():
            identity = measured.identities.get(source.name)
            if source.per is signal.per and identity is not None and (source.serving or signal.per is Per.GPU):
                values |= _of_source(source, identity, wanted, measured, now - stale_after_s)
        query = " or ".join(str(ask) for ask in wanted.values())
        found[signal.now] = Part("Prometheus", f"series that exist: {query}", now, values)
    return found


def _of_source(
    source: Source, identity: Identity, wanted: Mapping[str, Ask], measured: Measured, since: float
) -> dict[str, Value]:
    # What the source cannot export under any name is nobody's omission.
    able = {name: ask for name, ask in wanted.items() if ask.signal in source.signals}
    parts = {name: measured.parts.get(ask, ()) for name, ask in able.items()}
    if not able or any(part.blind is not None for found in parts.values() for part in found):
        return {}
    begins = [name for name, ask in able.items() if any(one.at_first_use for one in source.signals[ask.signal])]
    lacking: dict[str, Value] = {}
    for key, sampled in identity.fresh.items():
        if sampled < since:
            continue
        # A counter that begins with its first use, and stands at nought, may be there or not.
        if any(part.values.get(key) == 0.0 for name in begins for part in parts[name]):
            continue
        names = [
            name
            for name, found in parts.items()
            if not any(key in part.values or key in part.not_a_number for part in found)
        ]
        lacking[key] = ", ".join(names)
    return lacking


def unnamed(topology: Topology, measured: Measured, now: float) -> Part:
    """Workloads whose GPUs are measured on their nodes, in series that do not name the pod."""
    values: dict[str, Value] = {}
    reporting = {key for source in sources() if source.per is Per.GPU for key in _fresh(measured, source)}
    for workload, keys in topology.workloads.items():
        pods = [topology.pods[key] for key in keys if topology.pods[key].active and topology.pods[key].gpus]
        if not pods:
            continue
        here = {gpu for pod in pods for gpu in topology.gpus_of(pod.subject)}
        nodes = {pod.node for pod in pods}
        loose = [
            gpu for gpu in topology.gpus.values() if gpu.node in nodes and gpu.pod is None and gpu.key in reporting
        ]
        wanted = sum(pod.gpus for pod in pods)
        if loose and len(here) < wanted:
            values[str(workload)] = f"{wanted:.0f} GPUs allocated, {len(here)} with the pod in their series"
        elif len(here) >= wanted:
            values[str(workload)] = ""
    return Part("Prometheus", "GPU series by pod", now, values)


def _fresh(measured: Measured, source: Source) -> Collection[str]:
    identity = measured.identities.get(source.name)
    return identity.fresh if identity is not None else ()
