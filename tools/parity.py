"""Two environments side by side: where the same workload is another thing in one of them. What cannot be seen in one is not the same.

Workloads are the inference workloads of a namespace (or of all), paired by name; those left over, by the model that they serve.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.check import shown
from tools.engines import ENGINES, Key
from tools.finding import BlindSpot
from tools.reading import Reading, Reason, Subject
from tools.rules import NONE
from tools.signals import (
    GPU_REQUEST,
    HPA_MAX,
    HPA_METRICS,
    HPA_MIN,
    REPLICAS_WANTED,
    Ask,
    Per,
)
from tools.snapshot import Snapshot
from tools.unlisted import unlisted
from tools.vocabulary import configuration, deployed, manifests
from tools.vocabulary.costs import NODE_PRODUCT, TEAM

# Group, field, ask. What a group holds is what somebody would change in one place.
FIELDS: tuple[tuple[str, str, Ask], ...] = (
    ("model", "model", configuration.MODEL.now),
    ("model", "revision", configuration.REVISION.now),
    ("model", "served name", deployed.SERVED_NAME.now),
    ("engine", "engine", configuration.ENGINE_NAME.now),
    ("engine", "version", configuration.ENGINE_VERSION.now),
    ("image", "image", deployed.IMAGE.now),
    ("image", "digest", deployed.DIGEST.now),
    ("variables", "names of variables", deployed.ENVIRONMENT.now),
    ("GPU", "GPU", NODE_PRODUCT.now),
    ("GPU", "GPUs of a replica", GPU_REQUEST.now),
    ("replicas", "replicas wanted", REPLICAS_WANTED.now),
    ("replicas", "autoscaler's minimum", HPA_MIN.now),
    ("replicas", "autoscaler's maximum", HPA_MAX.now),
    ("replicas", "autoscaler's metrics", HPA_METRICS.now),
    ("rollout", "rollout", manifests.ROLLOUT.now),
    ("rollout", "grace", manifests.GRACE.now),
    ("rollout", "disruption budget", manifests.BUDGET.now),
    ("placement", "priority class", manifests.PRIORITY.now),
    ("placement", "spread", manifests.SPREAD.now),
    ("owner", "owner", TEAM.now),
)
# Texts that hold several fields, each compared on its own.
_SEVERAL = (deployed.RESOLVED.now, deployed.FLAGS.now, deployed.RESOURCES.now, deployed.PROBES.now)
# Its object was read and does not state it: that is a value, too. A source that is down or forbids is not.
_NOT_STATED = (Reason.NOTHING_OBSERVED, Reason.NO_SERIES)


Named = Callable[[Subject], str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same. `query` is what told it on each side."""

    group: str
    field: str
    a: str
    b: str
    source_a: str
    source_b: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One workload in both environments: what differs, how many fields are the same, and which could not be seen on a side."""

    a: str
    b: str
    paired_by: str
    differences: tuple[Difference, ...]
    same: int
    unseen: tuple[BlindSpot, ...]


@dataclass(frozen=True, slots=True)
class Parity:
    """Two environments. `only_a` and `only_b` are workloads that the other does not have; `blind` is what hid a whole side."""

    a: str
    b: str
    pairs: tuple[Pair, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    blind: tuple[BlindSpot, ...]

    @property
    def differs(self) -> bool:
        """Whether anything is known to differ."""
        return bool(self.only_a or self.only_b or any(pair.differences for pair in self.pairs))


def asks() -> frozenset[Ask]:
    """What a comparison reads."""
    return frozenset({*(ask for _, _, ask in FIELDS), *_SEVERAL})


@dataclass(frozen=True, slots=True)
class Side:
    """One environment: how it is called, its snapshot, and the namespace (None for all)."""

    name: str
    snapshot: Snapshot
    namespace: str | None = None

    def workloads(self) -> list[Subject]:
        """Its inference workloads: those with a known engine, and those whose pods hold GPUs."""
        topology = self.snapshot.topology
        return [
            one
            for one, pods in topology.workloads.items()
            if self.namespace in {None, one.namespace}
            and (one in topology.engines or any(topology.pods[key].gpus for key in pods))
        ]


def parity(a: Side, b: Side) -> Parity:
    """Compare two environments whose snapshots were taken with `asks`."""
    ours, theirs = a.workloads(), b.workloads()
    pairs, only_a, only_b = _paired(a, ours, b, theirs)
    blind = [
        BlindSpot(f"{source.name} of {side.name}", str(source.blind))
        for side in (a, b)
        for source in side.snapshot.sources
        if source.blind is not None
    ]
    # What a side that is not wholly seen does not show may be there all the same.
    for (mine, alone), other in (((a, only_a), b), ((b, only_b), a)):
        why = unlisted(other.snapshot)
        if alone and why:
            some = ", ".join(map(str, alone[:3])) + (f" and {len(alone) - 3} more" if len(alone) > 3 else "")
            blind.append(BlindSpot(f"{some} of {mine.name}", f"whether {other.name} has it cannot be told: {why}"))
            alone.clear()
    return Parity(
        a.name,
        b.name,
        tuple(_pair(a, one, b, other, by) for one, other, by in pairs),
        tuple(map(str, only_a)),
        tuple(map(str, only_b)),
        tuple(dict.fromkeys(blind)),
    )


def _paired(
    a: Side, ours: Sequence[Subject], b: Side, theirs: Sequence[Subject]
) -> tuple[list[tuple[Subject, Subject, str]], list[Subject], list[Subject]]:
    whole = a.namespace is None or b.namespace is None
    left, right = list(ours), list(theirs)
    found: list[tuple[Subject, Subject, str]] = []
    ways: tuple[tuple[Named, Named, str], ...] = (
        (_name(whole), _name(whole), "name"),
        (lambda one: _model(a, one), lambda one: _model(b, one), "model"),
    )
    for mine, its, by in ways:
        first, second = _grouped(left, mine), _grouped(right, its)
        # Two of a name on one side leave open which of them is meant.
        alike = [name for name in first.keys() & second.keys() if name and len(first[name]) == len(second[name]) == 1]
        found += [(first[name][0], second[name][0], by) for name in alike]
        left = [one for one in left if one not in {first[name][0] for name in alike}]
        right = [one for one in right if one not in {second[name][0] for name in alike}]
    return sorted(found), left, right


def _name(whole: bool) -> Named:
    return (lambda one: f"{one.namespace}/{one.name}") if whole else (lambda one: one.name)


def _grouped(subjects: Iterable[Subject], key: Named) -> dict[str, list[Subject]]:
    found: dict[str, list[Subject]] = {}
    for one in subjects:
        found.setdefault(key(one), []).append(one)
    return found


def _model(side: Side, subject: Subject) -> str:
    return _value(side.snapshot, subject, configuration.MODEL.now)[0] or ""


def _pair(a: Side, one: Subject, b: Side, other: Subject, by: str) -> Pair:
    differences: list[Difference] = []
    unseen: list[BlindSpot] = []
    same = 0
    ours, theirs = _profile(a.snapshot, one), _profile(b.snapshot, other)
    for (group, field), mine in ours.items():
        its = theirs[group, field] if (group, field) in theirs else _absent_in(theirs, group)
        same += _compare((group, field), mine, its, a, b, differences, unseen)
    for (group, field), its in theirs.items():
        if (group, field) not in ours:
            same += _compare((group, field), _absent_in(ours, group), its, a, b, differences, unseen)
    return Pair(str(one), str(other), by, tuple(differences), same, tuple(unseen))


Told = tuple[str | None, Reading | None]
Profile = Mapping[tuple[str, str], Told]


def _compare(
    where: tuple[str, str],
    mine: Told,
    its: Told,
    a: Side,
    b: Side,
    differences: list[Difference],
    unseen: list[BlindSpot],
) -> int:
    """1 where both say the same; a difference or a blind spot is noted."""
    group, field = where
    for side, (value, reading) in ((a, mine), (b, its)):
        if value is None:
            why = str(reading.blind) if reading is not None else "nothing tells it"
            unseen.append(BlindSpot(f"{field} in {side.name}", why))
            return 0
    if mine[0] == its[0]:
        return 1
    sources = tuple(f"{one.source}: {one.query}" if one is not None else "" for _, one in (mine, its))
    differences.append(Difference(group, field, mine[0] or "", its[0] or "", *sources))
    return 0


def _absent_in(profile: Profile, group: str) -> Told:
    """A field that one side does not have: `none` where the text that would hold it was read, else unseen."""
    text = profile.get((group, ""))
    return (NONE, text[1]) if text is not None and text[0] is not None else (None, text[1] if text else None)


def _profile(snapshot: Snapshot, subject: Subject) -> Profile:
    found: dict[tuple[str, str], Told] = {
        (group, field): _value(snapshot, subject, ask) for group, field, ask in FIELDS
    }
    engine = snapshot.topology.engines.get(subject, "vllm")
    known = _flags_of(engine) | {"served-model-name"}
    settings, read = _value(snapshot, subject, deployed.RESOLVED.now)
    found["settings", ""] = ("", read) if settings is not None else (None, read)
    for name, told in _mapping(settings).items():
        if isinstance(told, list) and len(told) == 2 and name not in {Key.MODEL, Key.REVISION}:
            value = "not known" if told[0] is None else _written(told[0])
            found["settings", name.replace("_", " ")] = (value, read)
    flags, read = _value(snapshot, subject, deployed.FLAGS.now)
    found["flags", ""] = ("", read) if flags is not None else (None, read)
    for name, given in _mapping(flags).items():
        if name not in known:
            found["flags", f"--{name}"] = (str(given), read)
    for group, ask, split in (("limits", deployed.RESOURCES.now, ", "), ("probes", deployed.PROBES.now, "; ")):
        text, read = _value(snapshot, subject, ask)
        found[group, ""] = ("", read) if text is not None else (None, read)
        for part in text.split(split) if text else ():
            name, _, value = part.partition("=" if group == "limits" else " ")
            found[group, name] = (value, read)
    return found


def _flags_of(engine: str) -> set[str]:
    """The flags that settle a setting which is compared already, short ones too."""
    options = [option for one in ENGINES if one.name in {engine, engine.rpartition("_")[2]} for option in one.options]
    return {name.lstrip("-") for option in options for name in (*option.flags, *option.off)}


def _value(snapshot: Snapshot, subject: Subject, ask: Ask) -> Told:
    """What all parts of a workload say, joined where they differ; None where nothing tells it."""
    keys = snapshot.topology.parts(subject, ask.signal.per)
    readings = [snapshot.read(ask, key) for key in keys]
    seen = [one for one in readings if one.blind is None]
    if not seen:
        first = readings[0] if readings else None
        if first is not None and first.blind is not None and first.blind.reason in _NOT_STATED:
            return NONE, first
        return None, first
    return " | ".join(sorted({_written(one.value) if ask.signal.per is not Per.REPLICA else shown(one) for one in seen})), seen[0]  # fmt: skip


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _mapping(text: str | None) -> Mapping[str, object]:
    # Replicas that differ are joined with a bar, and are no JSON any more: then the first stands for them.
    try:
        found = json.loads(text.split(" | {")[0]) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
