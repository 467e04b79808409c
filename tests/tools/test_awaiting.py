"""Who waits for engines elsewhere in its namespace: a router with nobody to send to, a head of Ray without its workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.tools.pairs import two
from tests.tools.scenes import scene
from tools.casebook import cases
from tools.check import Where
from tools.diagnose import diagnose
from tools.reading import Subject
from tools.snapshot import Snapshot

ENGINE = Subject("deployment", "team", "app")
ALONE = {"router_without_backends": scene("router_without_backends"), "ray_resources_missing": scene("ray_resources_missing")}  # fmt: skip
NEW = (
    "cluster_api_refused",
    "container_right_missing",
    "disk_or_store_full",
    "gpu_access_refused",
    "host_memory_exhausted",
    "native_crash",
    "ray_environment_failed",
    "ray_resources_missing",
    "router_without_backends",
)


def neighbours(engine: Mapping[str, Any], router: Mapping[str, Any], namespace: str = "team") -> Snapshot:
    """Two workloads, mostly of one namespace."""
    beside = Subject("deployment", namespace, "other")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.tools.pairs.OTHER", beside)
        return two((ENGINE, engine), (beside, router))


def roots(snapshot: Snapshot) -> set[tuple[str, str]]:
    return {(finding.id, finding.subject.rpartition("/")[2]) for finding in diagnose(snapshot).findings if finding.root}


CRASHES = {
    "pod.waiting_reason now": "CrashLoopBackOff", "pod.restarts now": 9, "pod.exit_code now": 1,
    "pod.termination_reason now": "Error", "pod.terminated_ago now": 60, "pod.ready now": 0, "log.serving now": "",
}  # fmt: skip


PLACED_NOWHERE = scene("pending_taint")["fires"]
KEPT = (("router_without_backends", CRASHES, "crash_loop"), ("ray_resources_missing", PLACED_NOWHERE, "pending_taint"))


@pytest.mark.parametrize(("symptom", "kept", "cause"), KEPT)
def test_what_keeps_the_engines_is_the_cause_and_who_waits_for_them_its_symptom(
    symptom: str, kept: Mapping[str, Any], cause: str
) -> None:
    waits = ALONE[symptom]["fires"]
    assert roots(neighbours(kept, waits)) == {(cause, "app")}
    assert (symptom, "other") in roots(neighbours(kept, waits, namespace="elsewhere"))


@pytest.mark.parametrize("symptom", ALONE)
def test_it_is_the_cause_where_engines_are_ready(symptom: str) -> None:
    assert roots(neighbours({"pod.ready now": 1}, ALONE[symptom]["fires"])) == {(symptom, "other")}


@pytest.mark.parametrize("symptom", ALONE)
def test_two_that_wait_are_no_cause_of_each_other(symptom: str) -> None:
    waits = ALONE[symptom]["fires"]
    assert roots(neighbours(waits, waits)) == {(symptom, "app"), (symptom, "other")}


def test_who_ends_over_it_again_and_again_is_told_by_it() -> None:
    world = {**ALONE["ray_resources_missing"]["fires"], **CRASHES}
    assert roots(neighbours({"pod.ready now": 1}, world)) == {("ray_resources_missing", "other")}


def test_the_crash_of_a_router_leaves_its_engines_and_their_lack_of_work_alone() -> None:
    """What a workload says of others is none of its own faults' symptoms."""
    world = {**ALONE["router_without_backends"]["fires"], "pod.ready now": [1, 0], "pod.waiting_reason now": ["", "CrashLoopBackOff"],
             "pod.restarts now": [0, 9], "pod.exit_code now": [0, 1], "pod.termination_reason now": ["", "Error"],
             "pod.terminated_ago now": [0, 60]}  # fmt: skip
    assert roots(neighbours({"pod.ready now": 1}, world)) == {
        ("router_without_backends", "other"),
        ("crash_loop", "other"),
    }


@pytest.mark.parametrize("new", NEW)
def test_no_cause_is_explained_by_what_it_explains(new: str) -> None:
    """Within one workload: two findings that explain each other would both be gone from the headlines."""
    apart = {Where.BESIDE, Where.IN_CLUSTER}
    mine = {one.symptom for one in cases()[new].check.explains if one.where not in apart}
    for symptom in mine & cases().keys():
        back = {one.symptom for one in cases()[symptom].check.explains if one.where not in apart}
        assert new not in back, f"{new} and {symptom} explain each other"
