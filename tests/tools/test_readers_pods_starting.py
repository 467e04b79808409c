"""What pods and their events tell of a start, on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.pods_starting import LONGEST, read
from tools.signals import Signal
from tools.vocabulary.startup import (
    FAILED_AGO,
    MISSING,
    MOUNT_SAID,
    NO_STARTUP_PROBE,
    PROBE_KILL,
    PROBE_SAID,
    PULL_SAID,
    PULL_TOOK,
    SANDBOX_SAID,
    START_BLOCKED,
)

NOW = 1_790_000_000.0
AGO_10 = "2026-09-21T14:03:20Z"
AGO_5 = "2026-09-21T14:08:20Z"
AGO_2H = "2026-09-21T12:13:20Z"
PULLED = 'Successfully pulled image "r/vllm:1" in {} ({} including waiting). Image size: 9000000000 bytes.'


def facts(pod: dict[str, Any], *events: dict[str, Any], listed: bool = True) -> dict[Signal, float | str]:
    items: dict[str, list[dict[str, Any]]] = {"pods": [{"metadata": {"namespace": "team", "name": "app-0"}, **pod}]}
    if listed:
        items["events"] = list(events)
    found: dict[Signal, float | str] = {}
    for told in read(Listed(NOW, items)):
        assert told.key == "team/app-0"
        found.update(told.facts)
    return found


def event(reason: str, message: str, at: str = AGO_10) -> dict[str, Any]:
    involved = {"kind": "Pod", "namespace": "team", "name": "app-0"}
    return {"reason": reason, "message": message, "involvedObject": involved, "lastTimestamp": at}


def waits(reason: str, message: str = "", field: str = "containerStatuses") -> dict[str, Any]:
    return {"status": {field: [{"name": "c", "state": {"waiting": {"reason": reason, "message": message}}}]}}


def test_what_keeps_a_container_from_starting() -> None:
    missing = waits("CreateContainerConfigError", 'secret "hf-token" not found')
    assert facts(missing)[START_BLOCKED] == 'c: CreateContainerConfigError: secret "hf-token" not found'
    assert facts(waits("ErrImagePull", field="initContainerStatuses"))[START_BLOCKED] == "c: ErrImagePull"
    assert facts(waits("ContainerCreating"))[START_BLOCKED] == ""
    assert facts(waits("PodInitializing"))[START_BLOCKED] == ""
    ended = {"name": "c", "lastState": {"terminated": {"reason": "StartError", "message": "cuda>=12.8"}}}
    assert facts({"status": {"containerStatuses": [ended]}})[START_BLOCKED] == "c: StartError: cuda>=12.8"


@pytest.mark.parametrize(
    ("first", "whole", "took"),
    [("7m12.5s", "7m12.5s", 432.5), ("2s", "6m1s", 361.0), ("850ms", "850ms", 0.85), ("1h0m3s", "1h0m3s", 3603.0)],
)
def test_the_time_of_a_pull_counts_the_wait_for_others(first: str, whole: str, took: float) -> None:
    assert facts({}, event("Pulled", PULLED.format(first, whole)))[PULL_TOOK] == pytest.approx(took)


def test_a_pull_that_is_under_way_has_taken_so_far() -> None:
    assert facts({}, event("Pulling", 'Pulling image "r/vllm:1"'))[PULL_TOOK] == pytest.approx(600)
    done = event("Pulled", PULLED.format("2s", "2s"), AGO_5)
    assert facts({}, done, event("Pulling", "Pulling image"))[PULL_TOOK] == pytest.approx(2)
    present = event("Pulled", 'Container image "r/vllm:1" already present on machine')
    assert facts({}, present)[PULL_TOOK] == 0.0


def test_a_later_success_takes_a_failed_pull_back() -> None:
    failed = event("Failed", 'Failed to pull image "r/x:1": not found')
    assert facts({}, failed)[PULL_SAID] == 'Failed to pull image "r/x:1": not found'
    assert facts({}, failed, event("Pulled", PULLED.format("2s", "2s"), AGO_5))[PULL_SAID] == ""
    assert facts({}, event("Failed", "Error: ErrImagePull"))[PULL_SAID] == ""
    assert facts({}, event("Failed", "Failed to pull image x", AGO_2H))[PULL_SAID] == ""


def test_only_liveness_and_startup_probes_kill() -> None:
    kill = "Container vllm failed {} probe, will be restarted"
    for probe in ("liveness", "startup"):
        assert facts({}, event("Killing", kill.format(probe)))[PROBE_KILL] == kill.format(probe)
    assert facts({}, event("Killing", "Stopping container vllm"))[PROBE_KILL] == ""
    unready = facts({}, event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"))
    assert unready[PROBE_KILL] == ""
    assert "503" in str(unready[PROBE_SAID])


def test_without_events_what_they_tell_is_left_out() -> None:
    assert not {PULL_SAID, PULL_TOOK, PROBE_KILL, PROBE_SAID} & set(facts({}, listed=False))


def test_when_a_pod_failed() -> None:
    failed = {"phase": "Failed", "conditions": [{"lastTransitionTime": AGO_2H}, {"lastTransitionTime": AGO_10}]}
    assert facts({"status": failed})[FAILED_AGO] == pytest.approx(600)
    assert facts({"status": {"phase": "Failed", "startTime": AGO_2H}})[FAILED_AGO] == pytest.approx(7200)
    assert FAILED_AGO not in facts({"status": {"phase": "Running", "startTime": AGO_2H}})
    assert FAILED_AGO not in facts({"status": {"phase": "Failed"}})
    # What its conditions say may be of its life before: the kubelet's own word is newer.
    evicted = {
        "phase": "Failed",
        "reason": "Evicted",
        "startTime": AGO_2H,
        "conditions": [{"lastTransitionTime": AGO_2H}],
    }
    assert facts({"status": evicted}, event("Evicted", "low on memory", AGO_5))[FAILED_AGO] == pytest.approx(300)
    assert facts({"status": evicted}, event("Killing", "Stopping", AGO_5))[FAILED_AGO] == pytest.approx(7200)
    assert facts({"status": evicted}, listed=False)[FAILED_AGO] == pytest.approx(7200)


def test_a_liveness_probe_without_a_startup_probe() -> None:
    alive = {"initialDelaySeconds": 60, "periodSeconds": 15}
    container = {"name": "vllm", "livenessProbe": alive}
    told = facts({"spec": {"containers": [container]}})[NO_STARTUP_PROBE]
    assert told == "the liveness probe gives a start 105 s"
    covered = {**container, "startupProbe": {"periodSeconds": 10}}
    assert facts({"spec": {"containers": [covered]}})[NO_STARTUP_PROBE] == ""
    assert facts({"spec": {"containers": [{"name": "vllm"}]}})[NO_STARTUP_PROBE] == ""


@pytest.mark.parametrize(
    "pod",
    [
        {"status": None, "spec": None},
        {"status": {"containerStatuses": "many", "initContainerStatuses": [None, 3, {"state": "odd"}]}},
        {"status": {"phase": "Failed", "conditions": [{"lastTransitionTime": 5}], "startTime": "yesterday"}},
        {"spec": {"containers": [{"livenessProbe": {"periodSeconds": "ten", "failureThreshold": None}}]}},
    ],
)
def test_odd_objects_say_little_and_break_nothing(pod: dict[str, Any]) -> None:
    assert facts(pod)[START_BLOCKED] == ""


def test_odd_events_and_giant_messages() -> None:
    assert facts(waits("ErrImagePull", "é" * 90_000))[START_BLOCKED] == "c: ErrImagePull: " + "é" * (LONGEST - 17)
    found = facts({}, event("Pulled", PULLED.format("soon", "later")), {"involvedObject": 4}, {"reason": None})
    assert found[PULL_TOOK] == 0.0
    assert len(str(facts({}, event("Failed", "Failed to pull image " + "x" * 90_000))[PULL_SAID])) == LONGEST
    nameless = Listed(NOW, {"pods": [{}, {"metadata": {"name": 3}}], "events": []})
    assert list(read(nameless)) == []


MULTI = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) app-1'
IN_VAIN = "Unable to attach or mount volumes: unmounted volumes=[w]: timed out waiting for the condition"
SECRET = 'MountVolume.SetUp failed for volume "token" : secret "hf-token" not found'
NO_ADDRESS = "Failed to create pod sandbox: plugin failed (add): failed to assign an IP address to container"


def test_a_volume_that_does_not_come_is_told_with_its_reason() -> None:
    waits = facts({}, event("FailedAttachVolume", MULTI, AGO_10), event("FailedMount", IN_VAIN, AGO_5))
    assert waits[MOUNT_SAID] == MULTI
    assert facts({}, event("FailedMount", IN_VAIN))[MOUNT_SAID] == IN_VAIN
    assert facts({}, event("FailedMount", IN_VAIN, AGO_10), event("FailedMount", SECRET, AGO_5))[MOUNT_SAID] == SECRET


@pytest.mark.parametrize("reason", ["Pulling", "Pulled", "Created", "Started"])
def test_what_a_pod_waited_for_before_its_containers_is_over_with_them(reason: str) -> None:
    begun = facts(
        {},
        event("FailedAttachVolume", MULTI, AGO_10),
        event("FailedCreatePodSandBox", NO_ADDRESS, AGO_10),
        event(reason, "Container image already present on machine", AGO_5),
    )
    assert begun[MOUNT_SAID] == begun[SANDBOX_SAID] == ""


def test_a_sandbox_that_could_not_be_made_is_told() -> None:
    assert facts({}, event("FailedCreatePodSandBox", NO_ADDRESS))[SANDBOX_SAID] == NO_ADDRESS
    assert facts({})[SANDBOX_SAID] == ""


@pytest.mark.parametrize(
    ("message", "missing"),
    [(SECRET, True), ('configmap "kube-root-ca.crt" not found', True), ("references non-existent secret key: token", True),
     (MULTI, False), (IN_VAIN, False)],
)  # fmt: skip
def test_an_object_that_is_missing_is_told_from_a_volume_that_is_busy(message: str, missing: bool) -> None:
    assert bool(MISSING.search(message)) is missing
