"""What KEDA says in its events of triggers that it cannot read, told of the workload that the ScaledObject scales.

Its metrics say the same where somebody scrapes the operator; its events are there without.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.facts import Object, at, autoscaler_target, last_seen, name_of, within
from tools.readers import Listed, Told
from tools.vocabulary.autoscaling import KEDA_SAID

KINDS = ("horizontalpodautoscalers", "events")
LATELY_S = 900.0
LONGEST = 300
# One poll may fail; an object that cannot be used at all is told once.
LEAST = 3
_POLLED = frozenset({"KEDAScalerFailed", "KEDAMetricSourceFailed"})
_UNUSABLE = frozenset({"ScaledObjectCheckFailed", "KEDAScaleTargetActivationFailed"})
_MADE = "keda-hpa-"


def read(listed: Listed) -> Iterator[Told]:
    """One fact of each workload that KEDA scales; empty where its triggers were read lately, or where it said they are in order since."""
    if "events" not in listed.items:
        return
    newest: dict[tuple[str, str], tuple[float, str]] = {}
    for event in listed.of("events"):
        involved = within(event, "involvedObject")
        when = last_seen(event)
        if involved.get("kind") != "ScaledObject" or when is None or listed.now - when > LATELY_S:
            continue
        reason = str(event.get("reason"))
        bad = reason in _UNUSABLE or (reason in _POLLED and _times(event) >= LEAST)
        if bad or reason == "ScaledObjectReady":
            key = (str(involved.get("namespace") or ""), str(involved.get("name") or ""))
            said = f"{reason}: {event.get('message') or ''}"[:LONGEST] if bad else ""
            newest[key] = max(newest.get(key, (0.0, "")), (when, said))
    for item in listed.of("horizontalpodautoscalers"):
        namespace, name = name_of(item)
        made_of = within(item, "metadata", "labels").get("scaledobject.keda.sh/name") or name.removeprefix(_MADE)
        if name.startswith(_MADE) or made_of != name:
            said = newest.get((namespace, str(made_of)), (0.0, ""))[1]
            yield Told(str(autoscaler_target(item)), {KEDA_SAID: said}, "events")


def _times(event: Object) -> int:
    count = at(event, "series", "count") or event.get("count")
    return count if isinstance(count, int) else 1
