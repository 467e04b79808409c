"""What the events of a pending pod's claims say: no storage class, a quota of the cloud, a zone without such disks, nobody who provisions.

The events are about the claim, so that `kubectl describe pod` shows none of them. A claim that waits for its first consumer waits rightly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tools.facts import Object, at, last_seen, many, name_of, within
from tools.readers import Listed, Told
from tools.vocabulary.claims import CLAIM_SAID

KINDS = ("pods", "events")
LATELY_S = 3600.0
LONGEST = 300
# What the volume controller and the CSI provisioner say of a claim that fails; a success afterwards takes it back. That it waits for its first
# consumer, or for its pod to have a node, is said under reasons of its own.
_FAILED = frozenset({"ProvisioningFailed", "FailedBinding", "ClaimLost", "ClaimMisbound", "VolumeMismatch"})
_WAITS = "ExternalProvisioning"
_BEGUN = "Provisioning"
_DONE = frozenset({"ProvisioningSucceeded", "VolumeBound"})


def read(listed: Listed) -> Iterator[Told]:
    """The newest reason of the claims of each pod without a node within the hour; an empty text where none is given."""
    if "events" not in listed.items:
        return
    events: dict[str, list[tuple[float, Object]]] = defaultdict(list)
    for event in listed.of("events"):
        involved, when = within(event, "involvedObject"), last_seen(event)
        if involved.get("kind") == "PersistentVolumeClaim" and when is not None and listed.now - when <= LATELY_S:
            events[f"{involved.get('namespace') or ''}/{involved.get('name') or ''}"].append((when, event))
    for pod in listed.of("pods"):
        namespace, name = name_of(pod)
        if not (namespace and name):
            continue
        said = ""
        if at(pod, "status", "phase") == "Pending" and not at(pod, "spec", "nodeName"):
            told = [(claim, _said(events.get(f"{namespace}/{claim}", ()))) for claim in _claims(pod)]
            said = next((f"{claim}: {words}" for claim, words in told if words), "")
        yield Told(f"{namespace}/{name}", {CLAIM_SAID: said[:LONGEST]}, "events")


def _claims(pod: Object) -> Iterator[str]:
    """The claims of a pod: those that it names, and those that are made for it alone."""
    for volume in many(pod, "spec", "volumes"):
        named = at(volume, "persistentVolumeClaim", "claimName")
        if named:
            yield str(named)
        elif within(volume, "ephemeral"):
            yield f"{name_of(pod)[1]}-{volume.get('name')}"


def _said(events: Sequence[tuple[float, Object]]) -> str:
    """The newest failure; where there is none, that nobody has begun to provision what is waited for."""
    failed = waits = ""
    for _, event in sorted(events, key=lambda one: one[0]):
        reason, message = str(event.get("reason") or ""), str(event.get("message") or "")[:2000]
        if reason in _DONE:
            failed = waits = ""
        elif reason in _FAILED:
            failed = message
        elif reason == _WAITS:
            waits = message
        elif reason == _BEGUN:
            waits = ""
    return failed or waits
