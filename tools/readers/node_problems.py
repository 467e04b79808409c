"""Conditions of nodes that the kubelet does not set, and which of them are bad.

They come in two manners: node-problem-detector and those built like it name what is wrong and set it to True (KernelDeadlock,
ReadonlyFilesystem, XIDErrors), the EKS agent and others name what should be (AcceleratedHardwareReady) and set it to False.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from tools.facts import Object, last_seen, many, name_of, within
from tools.quantity import seconds
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.vocabulary.node_problems import DISK_NOT_CLEARED, NODE_DISK_PRESSURE, NODE_PROBLEM, NODE_PROBLEM_FOR

KINDS = ("nodes", "events")
LONGEST = 250
# Memory and processes under pressure make taints, and are told by what waits for the node; a disk does not empty by itself.
_KUBELETS_OWN = frozenset({"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"})
_SHOULD_BE = re.compile(r"(?:Ready|Healthy|Ok|OK)$")
# What a node may be apart in without harm: something was achieved, is planned, or it has a part to play.
_NO_HARM = re.compile(
    r"Done|Pass|Succe|Complet|Valid|Available|Enabled|Active|Install|Initiali|Established|Synced|Leader|Voter|Master|Reserved|Allocat|Busy|InUse"
    r"|Idle|Schedul|Event|Maintenance|Upgrad|Updat|Drift"
)
_IS_WRONG = re.compile(
    r"Deadlock|Read-?[oO]nly|Corrupt|Frequent|Unhealthy|NotHealthy|Missing|Errors?(?![a-z])|Inactive|Unavailable|Flapping|Fail|Fault|Problem|Degraded|(?<!Not)Shut-?[dD]own|Hung|Stuck|Panic"
)

# The kubelet tries every five minutes while there is too little room.
_NOT_CLEARED = frozenset({"ImageGCFailed", "FreeDiskSpaceFailed"})
_LATELY_S = 1200.0

# What AKS announces of its machine: one that is frozen for seconds is none of these.
_IS_TAKEN = re.compile(r"^(?:Preempt|Reboot|Redeploy|Terminate) (?:Scheduled|Started)")


def read(listed: Listed) -> Iterator[Told]:
    """The problems of each node as one text, empty for none."""
    uncleared = {
        str(within(event, "involvedObject").get("name")): " ".join(str(event.get("message") or "").split())[:LONGEST]
        for event in listed.of("events")
        if str(event.get("reason")) in _NOT_CLEARED
        and within(event, "involvedObject").get("kind") == "Node"
        and 0 <= listed.now - (last_seen(event) or 0.0) <= _LATELY_S
    }
    apart = _apart(listed)
    for item in listed.of("nodes"):
        name = name_of(item)[1]
        if not name:
            continue
        bad = [one for one in many(item, "status", "conditions") if _bad(one, apart)]
        told = "; ".join(_said(one) for one in sorted(bad, key=lambda one: str(one.get("type"))))
        facts: dict[Signal, Value] = {NODE_PROBLEM: told[:LONGEST]}
        disk = next((one for one in many(item, "status", "conditions") if one.get("type") == "DiskPressure"), None)
        if disk is not None:
            facts[NODE_DISK_PRESSURE] = _reason(disk)[:LONGEST] if disk.get("status") == "True" else ""
        since = [time for one in bad if (time := seconds(one.get("lastTransitionTime"))) is not None]
        if since:
            facts[NODE_PROBLEM_FOR] = max(0.0, listed.now - min(since))
        yield Told(name, facts, "nodes")
        if "events" in listed.items:
            yield Told(name, {DISK_NOT_CLEARED: uncleared.get(name, "")}, "events")


def _apart(listed: Listed) -> frozenset[str]:
    """Kinds of conditions that are True of few nodes and False of most: their names need not be known."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for item in listed.of("nodes"):
        for one in many(item, "status", "conditions"):
            said[str(one.get("type") or "")][str(one.get("status") or "")] += 1
    few = (kind for kind, told in said.items() if 0 < told["True"] < told["False"])
    return frozenset(kind for kind in few if not _NO_HARM.search(kind))


def _bad(one: Object, apart: frozenset[str] = frozenset()) -> bool:
    kind, status = str(one.get("type") or ""), str(one.get("status") or "")
    if kind in _KUBELETS_OWN:
        return False
    if _SHOULD_BE.search(kind):
        return status == "False"
    said = _IS_WRONG.search(kind) or _IS_WRONG.search(str(one.get("reason") or "")) or _IS_TAKEN.search(_message(one))
    return status == "True" and (bool(said) or kind in apart)


def _reason(one: Object) -> str:
    return ": ".join(part for part in (str(one.get("reason") or "no reason given"), _message(one)) if part)


def _said(one: Object) -> str:
    message = _message(one)
    return f"{one.get('type')}={one.get('status')} ({one.get('reason') or 'no reason given'}){': ' if message else ''}{message}"


def _message(one: Object) -> str:
    return " ".join(str(one.get("message") or "").split())
