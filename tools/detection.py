"""What is deployed: which serving engines and exporters run in the cluster, in which version, and what stays blind without others."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.casebook import modes
from tools.facts import Object, at, many, name_of, within
from tools.inventory import runtimes, sources
from tools.measure import Measured
from tools.reading import Subject
from tools.scrape_targets import Target, targets
from tools.series import Source
from tools.signals import Ask, Kind, Per
from tools.topology import Pod

# The tag of an image: what follows the colon after its last slash, before a digest.
_TAG = re.compile(r"[^/:@]*:(?P<tag>[\w][\w.+-]{0,127})(?:@.*)?")
_RELEASE = re.compile(r"v?(?P<version>\d+(?:\.\d+)+[\w.+-]*)")


@dataclass(frozen=True, slots=True)
class Found:
    """A kind of engine or exporter that is there: its pods by version (empty where nobody tells), and who reports to Prometheus.

    `reporting` counts what it reports of (replicas, GPUs); `silent` are the keys of its running pods that Prometheus has nothing of, of
    an exporter those whose nodes it has no GPU of. Both are None where Prometheus could not be asked.
    """

    source: Source
    versions: Mapping[str, int]
    reporting: int | None
    silent: tuple[str, ...] | None

    @property
    def pods(self) -> int:
        """How many of its pods run."""
        return sum(self.versions.values())


def detect(pods: Iterable[Object], measured: Measured | None) -> tuple[Found, ...]:
    """Every engine and exporter that runs in the cluster or reports to Prometheus, as sources are ordered."""
    items = list(pods)
    seen = {one.key: one for one in map(_pod, items) if one.namespace and one.name}
    exporters, engines = targets(items, seen)
    by_source: dict[str, list[Target]] = defaultdict(list)
    for target in (*exporters, *engines):
        by_source[target.source.name].append(target)
    labels = {"/".join(name_of(item)): within(item, "metadata", "labels") for item in items}
    found: list[Found] = []
    for source in sources():
        if not (source.serving or source.pods):
            continue
        if source.pods and source.per is not Per.GPU:
            by_source[source.name] = [
                Target(source, seen[key], container) for key, container in _running(items, source, seen)
            ]
        own = by_source.get(source.name, [])
        identity = measured.identities.get(source.name) if measured is not None else None
        if not own and not (identity and identity.rows):
            continue
        versions: dict[str, int] = defaultdict(int)
        for target in own:
            versions[_version(target.image, labels.get(target.pod.key, {}))] += 1
        blind = measured is None or measured.blind is not None
        fresh = set(identity.fresh) if identity else set()
        found.append(
            Found(
                source, dict(versions), None if blind else len(fresh), None if blind else _silent(own, measured, fresh)
            )
        )
    return tuple(found)


def blind_without(measured: Measured | None, present: Collection[Source]) -> dict[str, tuple[str, ...]]:
    """Why failure modes cannot be decided as things are, with their ids: an exporter that is not there, a series that it does not export."""
    here = {source.name for source in present} | set(measured.identities if measured is not None else ())
    checks: dict[tuple[str, bool], set[str]] = defaultdict(set)
    names: dict[tuple[str, bool], dict[str, None]] = defaultdict(dict)
    for case in modes().values():
        for ask in case.check.needs:
            carriers = [source for source in sources() if ask.signal in source.signals]
            answered = measured is not None and ask in measured.parts
            if not carriers or answered or ask.signal.kind is Kind.FACT or ask.signal.optional:
                continue
            installed = [source for source in carriers if source.name in here]
            series = [one for source in installed for one in source.signals[ask.signal]]
            group = (_whose(ask, carriers, installed, here), bool(series) and not any(one.default for one in series))
            checks[group].add(case.id)
            names[group] |= dict.fromkeys(one.metric for one in series)
    return {_said(*group, tuple(names[group])): tuple(sorted(ids)) for group, ids in sorted(checks.items())}


def blind_on(source: Source) -> tuple[str, ...]:
    """The failure modes of a workload that cannot be decided on an engine, since it exports no series for them."""
    return tuple(
        sorted(
            case.id
            for case in modes().values()
            if any(ask.signal.name.startswith("llm.") and not _carries(source, ask) for ask in case.check.needs)
        )
    )


def _carries(source: Source, ask: Ask) -> bool:
    series = source.signals.get(ask.signal, ())
    return ask.signal.optional or any(not one.only or ask.statistic in one.only for one in series)


def _whose(ask: Ask, carriers: Sequence[Source], installed: Sequence[Source], here: Collection[str]) -> str:
    if installed:
        return f"{_titles(installed)} shows no"
    if all(source.serving for source in carriers):
        engines = {source.name for source in runtimes()}
        return f"no engine here tells: {ask.signal.meaning}" if engines & set(here) else "no serving engine reports"
    return f"there is no {_titles(carriers)}"


def _said(whose: str, off: bool, names: Sequence[str]) -> str:
    if not names:
        return whose
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{whose} {', '.join(names[:4])}{more}{', which are off by default' if off else ''}"


def _titles(those: Sequence[Source]) -> str:
    return " or ".join(dict.fromkeys(source.title for source in those))


def _silent(own: Sequence[Target], measured: Measured | None, fresh: set[str]) -> tuple[str, ...]:
    if measured is None:
        return ()
    if own and not own[0].source.serving and own[0].source.per is not Per.GPU:
        return ()  # one of them tells of all, or nobody knows whose pods it tells of
    if own and own[0].source.per is Per.GPU:
        rows = [one.rows for one in measured.identities.values() if one.source.name == own[0].source.name]
        told = {value for row in rows for labels in row.values() for value in labels.values()}
        # A scraped exporter is known by its node, its pod's name, or the instance on its node.
        return tuple(sorted(one.pod.key for one in own if not told & {one.pod.node, one.pod.name}))
    everyone = {key for one in measured.identities.values() if one.source.serving for key in one.fresh}
    return tuple(sorted(one.pod.key for one in own if one.pod.key not in fresh | everyone))


def _running(items: Iterable[Object], source: Source, seen: Mapping[str, Pod]) -> Iterator[tuple[str, Object]]:
    for item in items:
        key = "/".join(name_of(item))
        if key not in seen or seen[key].phase != "Running":
            continue
        for container in many(item, "spec", "containers"):
            if any(mark in str(container.get("image") or "").lower() for mark in source.pods):
                yield key, container
                break


def _version(image: str, labels: Object) -> str:
    tag = _TAG.search(image.rsplit("/", 1)[-1])
    for told in (tag["tag"] if tag else "", str(labels.get("app.kubernetes.io/version") or "")):
        release = _RELEASE.match(told)
        if release:
            return release["version"][:40]
    return ""


def _pod(item: Object) -> Pod:
    namespace, name = name_of(item)
    node, phase = str(at(item, "spec", "nodeName") or ""), str(at(item, "status", "phase") or "")
    return Pod(namespace, name, node, Subject("pod", namespace, name), phase)
