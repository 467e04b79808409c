"""Which container of a pod its failures are told of: raw objects as the API sends them, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import START, node, pod, stamp
from tools.casebook import asks
from tools.diagnose import diagnose
from tools.facts import Object
from tools.observe import KINDS
from tools.pod_containers import told_of, under_way
from tools.pod_facts import pod_facts
from tools.reading import Blind, Reason
from tools.signals import EXIT_CODE, MEMORY_LIMIT, RESTARTS, RUNNING_FOR, TERMINATED_AGO, TERMINATION, WAITING_REASON
from tools.sources.kube_fake import FakeKube
from tools.survey import survey
from tools.vocabulary.startup import INIT_CONTAINER, INIT_RUNNING_FOR, TOLD_LIMIT, TOLD_OF

GIB = 2.0**30
TURN = {"waiting": {"reason": "PodInitializing"}}
LOOP = {"waiting": {"reason": "CrashLoopBackOff"}}
RUNS = {"running": {"startedAt": stamp(START - 2400)}}


def ended(code: int, ago: float, reason: str = "Error") -> dict[str, Any]:
    times = {"startedAt": stamp(START - ago - 60), "finishedAt": stamp(START - ago)}
    return {"terminated": {"exitCode": code, "reason": reason, **times}}


def status(name: str, state: dict[str, Any], last: dict[str, Any] | None = None, restarts: int = 0) -> dict[str, Any]:
    return {"name": name, "state": state, "lastState": last or {}, "restartCount": restarts}


def prepared(
    *init: dict[str, Any], serving: dict[str, Any] | None = None, beside: tuple[dict[str, Any], ...] = (), **spec: Any
) -> dict[str, Any]:
    statuses = [serving or status("engine", TURN), *beside]
    item = pod("a", limits={"memory": "32Gi"})
    item["status"] |= {"phase": "Pending", "initContainerStatuses": list(init), "containerStatuses": statuses}
    item["spec"] |= spec
    item["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    return item


def fetch(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "fetch", "resources": {"limits": {"memory": "8Gi"}}, **more}]


def test_a_killed_init_container_is_what_the_pod_tells_of() -> None:
    killed = status("fetch", LOOP, ended(137, 180, "OOMKilled"), restarts=10)
    facts = pod_facts(prepared(killed, initContainers=fetch()), START)
    assert facts[TOLD_OF] == "init container fetch"
    assert facts[TERMINATION] == "OOMKilled"
    assert facts[EXIT_CODE] == 137
    assert facts[TERMINATED_AGO] == 180
    assert facts[RESTARTS] == 10
    assert facts[WAITING_REASON] == "CrashLoopBackOff"
    assert facts[TOLD_LIMIT] == 8 * GIB
    assert facts[MEMORY_LIMIT] == 32 * GIB
    assert facts[RUNNING_FOR] == 0
    assert facts[INIT_CONTAINER] == ""


def test_one_that_runs_again_after_a_failure_is_still_told_of() -> None:
    again = prepared(status("fetch", RUNS, ended(1, 2500), restarts=3), initContainers=fetch())
    facts = pod_facts(again, START)
    assert (facts[TOLD_OF], facts[EXIT_CODE]) == ("init container fetch", 1)
    assert (facts[INIT_CONTAINER], facts[INIT_RUNNING_FOR]) == ("init container fetch", 2400)
    assert under_way(again) is not None


@pytest.mark.parametrize(
    "item",
    [
        prepared(status("fetch", ended(0, 900, "Completed"), ended(1, 990)), serving=status("engine", RUNS)),
        prepared(status("fetch", RUNS)),
        prepared(status("fetch", TURN)),
        prepared(serving=status("engine", RUNS), beside=(status("proxy", RUNS),)),
        prepared(serving=status("engine", RUNS), beside=(status("proxy", RUNS, ended(1, 7200)),)),
        prepared(serving=status("engine", RUNS), beside=(status("proxy", RUNS, ended(0, 60, "Completed")),)),
        prepared(serving=status("engine", LOOP, ended(1, 400)), beside=(status("proxy", LOOP, ended(1, 30)),)),
        prepared(serving=status("engine", RUNS, ended(1, 100)), beside=(status("proxy", RUNS, ended(1, 900)),)),
    ],
    ids=["it succeeded", "it runs", "its turn", "a sidecar", "long ago", "cleanly", "both in a loop", "the later end"],
)
def test_else_the_serving_container_is_told_of(item: Object) -> None:
    assert told_of(item, START).role == ""
    assert pod_facts(item, START)[TOLD_OF] == ""


@pytest.mark.parametrize(
    ("item", "role"),
    [
        (prepared(serving=status("engine", RUNS), beside=(status("proxy", LOOP, ended(1, 30)),)), "container proxy"),
        (prepared(serving=status("engine", RUNS), beside=(status("proxy", RUNS, ended(137, 60)),)), "container proxy"),
        (
            prepared(
                status("proxy", LOOP, ended(1, 30)), initContainers=[{"name": "proxy", "restartPolicy": "Always"}]
            ),
            "container proxy",
        ),
        (
            prepared(
                status("first", ended(0, 99, "Completed")), status("fetch", {"waiting": {"reason": "ErrImagePull"}})
            ),
            "init container fetch",
        ),
    ],
    ids=["in a loop", "killed lately", "a native sidecar", "no image"],
)
def test_a_sidecar_or_init_container_that_fails_is_named(item: Object, role: str) -> None:
    assert told_of(item, START).role == role


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "text",
        7,
        [],
        [None],
        [{}],
        [{"name": "x", "state": "odd"}],
        [{"state": {"waiting": "odd"}, "lastState": 4}],
    ],
)
@pytest.mark.parametrize("field", ["initContainerStatuses", "containerStatuses"])
def test_hostile_statuses_are_no_failure(broken: Any, field: str) -> None:
    item = prepared()
    item["status"][field] = broken
    assert told_of(item, START).role == ""
    assert pod_facts(item, START)[TOLD_OF] == ""
    assert told_of({}, START).role == ""
    assert under_way({}) is None


def answer(item: dict[str, Any], logs: dict[tuple[str, str, str, bool], str | Blind]) -> tuple[set[str], str, FakeKube]:
    kube = FakeKube(dict.fromkeys(KINDS, ()) | {"pods": [item], "nodes": [node()]}, logs)
    snapshot = survey(Blind(Reason.SOURCE_DOWN, "no Prometheus here"), kube, asks(), START)
    diagnosis = diagnose(snapshot)
    said = " ".join(one.because for one in diagnosis.findings)
    return {one.id for one in diagnosis.findings if one.root}, said, kube


def test_the_log_of_the_init_container_says_why() -> None:
    item = prepared(status("fetch", LOOP, ended(1, 60), restarts=4), initContainers=fetch())
    denied = (
        "botocore.exceptions.ClientError: An error occurred (403) when calling the HeadObject operation: Forbidden\n"
    )
    roots, said, kube = answer(item, {("team", "a", "fetch", False): "", ("team", "a", "fetch", True): denied})
    assert roots == {"model_download_failure"}
    assert "The init container fetch of a ended with exit code 1" in said
    assert not [one for one in kube.asked if one[0] == "logs" and one[3] == "engine"]


def test_an_init_container_that_runs_for_long_is_named() -> None:
    item = prepared(status("fetch", RUNS), initContainers=fetch())
    logs: dict[tuple[str, str, str, bool], str | Blind] = {
        ("team", "a", "fetch", False): "Fetching 40 files: 20%",
        ("team", "a", "fetch", True): "",
    }
    roots, said, _ = answer(item, logs)
    assert roots == {"readiness_never_true"}
    assert "its init container fetch has run for 40 min" in said


def test_a_killed_init_container_is_the_cause_of_the_loop() -> None:
    item = prepared(status("fetch", LOOP, ended(137, 60, "OOMKilled"), restarts=4), initContainers=fetch())
    roots, said, _ = answer(item, {("team", "a", "fetch", one): "" for one in (False, True)})
    assert roots == {"host_oomkilled"}
    assert "The init container fetch of a was OOMKilled (exit code 137) 60 s ago under a memory limit of 8 GiB" in said
