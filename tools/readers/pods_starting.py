"""What keeps pods from starting: waiting containers, image pulls and their durations, probes that kill, pods that failed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tools.facts import Object, at, last_seen, many, name_of, serving_container, within
from tools.quantity import seconds
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.vocabulary.startup import (
    FAILED_AGO,
    MOUNT_SAID,
    NO_STARTUP_PROBE,
    PROBE_KILL,
    PROBE_SAID,
    PULL_SAID,
    PULL_TOOK,
    SANDBOX_SAID,
    START_BLOCKED,
)

KINDS = ("pods", "events")
LATELY_S = 3600.0
LONGEST = 300
# A duration as Go prints it, `7m12.5s`; the second of a Pulled event includes the wait for other pulls.
_GO = re.compile(r"(?:(\d{1,4})h)?(?:(\d{1,4})m)?(?:(\d{1,6}(?:\.\d{1,9})?)s)?")
_PULLED = re.compile(r"^Successfully pulled image .{1,400}? in (\S{1,30})(?: \((\S{1,30}) including waiting\))?")
_KILL = re.compile(r"failed (?:liveness|startup) probe, will be restarted")
# From then on nothing is missing that the containers stand on.
_BEGUN = frozenset({"Pulled", "Created", "Started"})
_PULL_FAILED = re.compile(r"^Failed to pull image")
# What the kubelet does for a pod before its volumes and containers: its network, its place in the cgroups, its claimed devices, its folders.
_NO_SANDBOX = frozenset(
    {
        "FailedCreatePodSandBox",
        "NetworkNotReady",
        "FailedCreatePodContainer",
        "FailedPrepareDynamicResources",
        "FailedToMakePodDataDirectories",
    }
)
_NO_VOLUME = frozenset({"FailedAttachVolume", "FailedMount", "FailedMapVolume"})
# The kubelet waited in vain, or had just begun to watch the object: neither names a reason.
_WAITED = re.compile(
    r"^Unable to (?:attach or )?mount volumes\b.{0,1500}?(?:timed out waiting|timeout expired waiting|deadline exceeded)"
    r"|timed out waiting for the condition\s*$|\bnot registered\s*$",
    re.DOTALL,
)
_NEVER_RAN = frozenset({"StartError", "ContainerCannotRun"})


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods, from their status and from the events of the last hour about them."""
    events: dict[str, list[tuple[float, Object]]] = defaultdict(list)
    for event in listed.of("events"):
        involved = within(event, "involvedObject")
        when = last_seen(event)
        if involved.get("kind") == "Pod" and when is not None and listed.now - when <= LATELY_S:
            events[f"{involved.get('namespace') or ''}/{involved.get('name') or ''}"].append((when, event))
    turned = _turned_away(listed)
    for pod in listed.of("pods"):
        if not all(name_of(pod)):
            continue
        key = "/".join(name_of(pod))
        yield Told(key, _state(pod, listed.now, turned), "pods")
        if "events" in listed.items:
            about = [event for _, event in sorted(events.get(key, ()), key=lambda one: one[0])]
            yield Told(key, _happened(about, listed.now), "events")


def _turned_away(listed: Listed) -> dict[tuple[str, str, str], float]:
    """When a kubelet last said of a pod what stands as the reason in its status, by namespace, name and reason.

    Conditions may be those of its life before: a pod that a restarted kubelet does not admit again keeps them.
    """
    found: dict[tuple[str, str, str], float] = {}
    for event in listed.of("events"):
        involved, when = within(event, "involvedObject"), last_seen(event)
        if involved.get("kind") == "Pod" and when is not None and when <= listed.now:
            key = (
                str(involved.get("namespace") or ""),
                str(involved.get("name") or ""),
                str(event.get("reason") or ""),
            )
            found[key] = max(when, found.get(key, 0.0))
    return found


def _state(pod: Object, now: float, turned: Mapping[tuple[str, str, str], float]) -> dict[Signal, Value]:
    facts: dict[Signal, Value] = {START_BLOCKED: _blocked(pod), NO_STARTUP_PROBE: _no_startup_probe(pod)}
    if at(pod, "status", "phase") == "Failed":
        times = [seconds(one.get("lastTransitionTime")) for one in many(pod, "status", "conditions")]
        ended = many(pod, "status", "containerStatuses")
        times += [seconds(at(status, "state", "terminated", "finishedAt")) for status in ended]
        times.append(turned.get((*name_of(pod), str(at(pod, "status", "reason") or ""))))
        known = [time for time in times if time is not None]
        # An evicted pod may be all but empty: then it is as old as it is.
        started = seconds(at(pod, "status", "startTime")) or seconds(at(pod, "metadata", "creationTimestamp"))
        if known or started is not None:
            facts[FAILED_AGO] = max(0.0, now - (max(known) if known else float(started or 0.0)))
    return facts


def _blocked(pod: Object) -> str:
    """The first container that waits for another reason than its turn, init containers first."""
    for field in ("initContainerStatuses", "containerStatuses"):
        for status in many(pod, "status", field):
            waiting = within(status, "state", "waiting")
            reason = str(waiting.get("reason") or "")
            ended = within(status, "state", "terminated") or within(status, "lastState", "terminated")
            message = str(waiting.get("message") or "")
            if str(ended.get("reason")) in _NEVER_RAN and at(status, "state", "running") is None:
                reason, message = str(ended["reason"]), str(ended.get("message") or message)
            if reason not in {"", "PodInitializing", "ContainerCreating"}:
                return f"{status.get('name') or 'a container'}: {reason}: {message}".strip(": ")[:LONGEST]
    return ""


def _no_startup_probe(pod: Object) -> str:
    container = serving_container(pod)
    alive = within(container, "livenessProbe")
    if not alive or within(container, "startupProbe"):
        return ""
    delay, period, failures = (
        value if isinstance(value := alive.get(field), int) else default
        for field, default in (("initialDelaySeconds", 0), ("periodSeconds", 10), ("failureThreshold", 3))
    )
    budget = delay + period * failures
    return f"the liveness probe gives a start {budget} s"


def _happened(events: Sequence[Object], now: float) -> dict[Signal, Value]:
    """The newest of each kind; `events` are oldest first."""
    facts: dict[Signal, Value] = dict.fromkeys((PULL_SAID, PROBE_KILL, PROBE_SAID, MOUNT_SAID, SANDBOX_SAID), "")
    facts[PULL_TOOK] = 0.0
    pulling: float | None = None
    for event in events:
        reason, message = str(event.get("reason") or ""), str(event.get("message") or "")[:2000]
        when = last_seen(event)
        if reason == "Pulling":
            pulling = when
            # No image is pulled before the pod has its network and its volumes.
            facts[MOUNT_SAID] = facts[SANDBOX_SAID] = ""
        elif reason == "Pulled":
            pulling = None
            facts[MOUNT_SAID] = facts[SANDBOX_SAID] = ""
            facts[PULL_SAID] = ""
            facts[PULL_TOOK] = max(float(facts[PULL_TOOK]), _took(message))
        elif reason == "Failed" and _PULL_FAILED.search(message):
            pulling = None
            facts[PULL_SAID] = message[:LONGEST]
        elif reason == "Killing" and _KILL.search(message):
            facts[PROBE_KILL] = message[:LONGEST]
        elif reason in _NO_SANDBOX:
            facts[SANDBOX_SAID] = message[:LONGEST]
        elif reason in _NO_VOLUME and (_tells_more(message) or not _tells_more(str(facts[MOUNT_SAID]))):
            facts[MOUNT_SAID] = message[:LONGEST]
        elif reason in _BEGUN:
            facts[MOUNT_SAID] = facts[SANDBOX_SAID] = ""
        elif reason == "Unhealthy":
            facts[PROBE_SAID] = message[:LONGEST]
    if pulling is not None:
        facts[PULL_TOOK] = max(float(facts[PULL_TOOK]), now - pulling)
    return facts


def _tells_more(said: str) -> bool:
    """Whether a message names the reason, which one that only waited in vain does not."""
    return bool(said) and not _WAITED.search(said)


def _took(message: str) -> float:
    match = _PULLED.search(message)
    return max((_go(text) for text in match.groups() if text), default=0.0) if match else 0.0


def _go(text: str) -> float:
    match = _GO.fullmatch(text)
    if not match:
        return float(text[:-2]) / 1000 if re.fullmatch(r"\d{1,6}(?:\.\d{1,9})?ms", text) else 0.0
    hours, minutes, rest = match.groups()
    return float(hours or 0) * 3600 + float(minutes or 0) * 60 + float(rest or 0)
