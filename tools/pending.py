"""Pods that stay pending, with the scheduler's reasons: what the checks of pending pods share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.check import Because, Now, because, counted
from tools.reading import Reading
from tools.scheduler_words import Refusal, Why, refusals, unnamed
from tools.signals import CLUSTER_LARGEST_BLOCK, GPU_REQUEST, PENDING_FOR, UNSCHEDULABLE
from tools.vocabulary.admission import ROOM_CORDONED, UNTOLERATED

PENDING = PENDING_FOR.now
SAID = UNSCHEDULABLE.now
WANTS = GPU_REQUEST.now
BLOCK = CLUSTER_LARGEST_BLOCK.now
TAINTS = UNTOLERATED.now
BEHIND_CORDON = ROOM_CORDONED.now
PENDING_S = 300.0
PENDING_SOURCE = "five minutes: longer than an autoscaler's first node usually takes to be asked for"


@dataclass(frozen=True, slots=True)
class Stuck:
    """A pod that has been pending for too long: since when, what was said of it, what it asks for."""

    pending: Reading
    said: Reading
    wants: Reading | None
    reasons: Mapping[Why, Refusal]
    taints: Reading | None = None


def stuck(now: Now, after_s: float) -> list[Stuck]:
    """The subject's pods that have been pending for `after_s` and of which the scheduler spoke, longest first.

    Raises Unseen where how long they wait, or what was said of one that waits, cannot be seen.
    """
    found = []
    for pending in now.each(PENDING):
        if pending.number < after_s:
            continue
        said = now.of(pending.subject, SAID)
        if said is None:
            now[SAID]  # raises: why it does not fit cannot be seen
            continue
        taints = now.of(pending.subject, TAINTS) if unnamed(said.text) else None
        reasons = refusals(said.text, taints.text if taints is not None else "")
        found.append(Stuck(pending, said, now.of(pending.subject, WANTS), reasons, taints))
    return sorted(found, key=lambda one: -one.pending.number)


def told(now: Now, waiting: Sequence[Stuck], lacking: str) -> Because | None:
    """How many of the subject's pods wait, the longest for how long, and what the scheduler says; None where none waits.

    `lacking` ends `Pods pending for lack of`.
    """
    if not waiting:
        return None
    longest = waiting[0]
    said, named = "{count} pending, for {longest} at most; the scheduler says: {said}", {}
    if longest.taints is not None and longest.taints.text:
        said, named = f"{said} By the nodes' taints: {{taints}}", {"taints": longest.taints}
    return because(
        said,
        longest.wants,
        now.get(BLOCK),
        count=counted([one.pending for one in waiting], f"Pods pending for lack of {lacking}", "pods", now.subject),
        longest=longest.pending,
        severity=None,
        said=longest.said,
        **named,
    )


def room(now: Now, one: Stuck) -> bool | None:
    """Has some node as many free GPUs as the pod asks for? None where that cannot be seen."""
    block = now.get(BLOCK)
    if block is None or one.wants is None:
        return None
    return block.number >= one.wants.number


def behind_a_cordon(now: Now, one: Stuck) -> bool:
    """Would the pod run on a node that is cordoned or lacks something, by its selector, affinity, tolerations and free GPUs?"""
    kept = now.of(one.pending.subject, BEHIND_CORDON)
    # Where only some of the pods may be listed, what the others hold looks free.
    if kept is None or one.wants is None or now.get(BLOCK) is None:
        return False
    return kept.number >= one.wants.number > 0


def only(one: Stuck, *whys: Why) -> bool:
    """Are these the only reasons, beside that the control plane is not for models?"""
    return bool(one.reasons) and set(one.reasons) <= {*whys, Why.CONTROL}


def lacks_no_gpu(one: Stuck) -> bool:
    """Does some node lack another resource, and no GPU? Each resource that a node lacks is named, and counted."""
    other, gpus = one.reasons.get(Why.RESOURCE), one.reasons.get(Why.GPU)
    return other is not None and (gpus is None or other.nodes > gpus.nodes)


def kept_off(now: Now, one: Stuck, why: Why) -> bool:
    """Is this what keeps the pod off nodes that could hold it: the reason is named, and GPUs are not what is missing?"""
    if why not in one.reasons:
        return False
    # A node that was refused for its volumes or devices had passed taints, selector and resources: it is the one that could hold the pod.
    if Why.VOLUME in one.reasons or (Why.CLAIM in one.reasons and why is not Why.CLAIM):
        return False
    # Whether there is an instance of a profile on the others is not known: that nobody has one is told by itself.
    if Why.MIG in one.reasons and why in {Why.TAINT, Why.SELECTOR}:
        return False
    # So had one that lacks CPU or memory and no GPU.
    if lacks_no_gpu(one) and why is not Why.RESOURCE:
        return False
    return Why.GPU not in one.reasons or room(now, one) is True
