"""A pod that waits because another one was put in its place: what the checks of pending pods add to the scheduler's words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tools.check import Because, Fires, Limits, Now
from tools.finding import Remedy
from tools.vocabulary.displaced import PREEMPTED, PREEMPTED_AGO, TOOK_PLACE

HELPS = (PREEMPTED.now, PREEMPTED_AGO.now, TOOK_PLACE.now)


def with_who_took_the_place(fires: Fires) -> Fires:
    """The same check; where a replica of the subject was preempted within the hour, it says when, and by whom where that is seen."""

    def told(now: Now, limits: Limits) -> Because | None:
        found = fires(now, limits)
        said, ago = now.get(PREEMPTED.now), now.get(PREEMPTED_AGO.now)
        if found is None or said is None or not said.text or ago is None:
            return found
        took = now.get(TOOK_PLACE.now)
        readings = {**found.readings, "preempted": said, "preempted_ago": ago}
        template = "A replica was preempted {preempted_ago} ago: {preempted}"
        if took is not None and took.text:
            template += "; its place was taken by {took_place}"
            readings["took_place"] = took
        return replace(found, template=f"{template}. Since then: {found.template}", readings=readings)

    return told


def and_its_remedy(
    remedies: Callable[[Now, Limits], tuple[Remedy, ...]],
) -> Callable[[Now, Limits], tuple[Remedy, ...]]:
    """The same remedies, with that against preemption first where there was one."""

    def told(now: Now, limits: Limits) -> tuple[Remedy, ...]:
        said = now.get(PREEMPTED.now)
        return (*((remedy(),) if said is not None and said.text else ()), *remedies(now, limits))

    return told


def remedy() -> Remedy:
    """Against preemption of what serves."""
    return Remedy(
        "Give what serves a PriorityClass (in Kueue: a WorkloadPriorityClass) above that of batch work, or the batch class"
        " `preemptionPolicy: Never`, so that it waits for free GPUs instead of taking these.",
        None,
        "`kubectl get pods -o custom-columns=N:.metadata.name,P:.spec.priority` shows the replicas above what took their place, and they are ready.",
        ("kubernetes/pending-gpu-pods", "platform/kueue-and-gpu-quotas"),
    )
