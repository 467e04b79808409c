"""What KEDA's ScaledObjects declare, and how many GPUs a namespace's quota grants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import inf

from tools.facts import Object, at, many, name_of, within
from tools.quantity import quantity
from tools.readers import Listed, Told, Value
from tools.readers.services import around
from tools.reading import Subject
from tools.signals import Signal
from tools.vocabulary import readiness as told

KINDS = ("pods", "deployments", "statefulsets", told.KEDA, "resourcequotas")
FACTS = (told.NO_FALLBACK, told.FROM_ZERO, told.PAUSED, told.QUOTA_GPUS)
_PAUSED = ("autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas")
# Triggers that are always active: with them alone nothing scales to zero.
_RESOURCES = {"cpu", "memory"}


def read(listed: Listed) -> Iterator[Told]:
    """Facts of workloads."""
    scaled: dict[Subject, Object] = {}
    for item in listed.of(told.KEDA):
        target = within(item, "spec", "scaleTargetRef")
        namespace = name_of(item)[0]
        scaled[Subject(str(target.get("kind") or "deployment").lower(), namespace, str(target.get("name") or ""))] = (
            item
        )
    quotas: dict[str, list[Object]] = defaultdict(list)
    for item in listed.of("resourcequotas"):
        quotas[name_of(item)[0]].append(item)
    for whose in around(listed):
        if told.KEDA in listed.items:
            yield Told(str(whose.subject), _scaler(scaled.get(whose.subject, {})), told.KEDA)
        if "resourcequotas" in listed.items:
            granted = _granted(quotas.get(whose.subject.namespace, ()))
            yield Told(str(whose.subject), {told.QUOTA_GPUS: granted}, "resourcequotas")


def _scaler(item: Object) -> dict[Signal, Value]:
    name = name_of(item)[1][:100]
    triggers = many(item, "spec", "triggers")
    floor = at(item, "spec", "minReplicaCount")
    zero = any(str(one.get("type")) not in _RESOURCES for one in triggers) and (floor is None or floor == 0)
    zero = zero or at(item, "spec", "idleReplicaCount") == 0
    marks = within(item, "metadata", "annotations")
    # `paused` counts when it is true, `paused-replicas` by being there.
    paused = str(marks.get(_PAUSED[0], "")).lower() == "true" or _PAUSED[1] in marks
    return {
        told.NO_FALLBACK: "" if not name or within(item, "spec", "fallback") else name,
        told.FROM_ZERO: name if zero else "",
        told.PAUSED: name if paused else "",
    }


def _granted(quotas: Sequence[Object]) -> float:
    found = [
        quantity(value)
        for quota in quotas
        for key, value in within(quota, "spec", "hard").items()
        if key == "requests.nvidia.com/gpu" and isinstance(value, str | int)
    ]
    return min((one for one in found if one is not None), default=inf)
