"""A readiness rule that is broken: no news by itself, a cause of what it explains, and none beside another cause."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.pairs import APP, two
from tests.tools.scenes import scene
from tools.diagnose import diagnose

MISMATCH = {"workload.ports_apart now": "the Service sends to port 8080, and the engine listens on 8000"}
UNREADY = {"pod.ready now": 0.0, "pod.running_for now": 3600, "pod.restarts now": 0}
UNREACHED = {
    "workload.no_way_in now": "s", "pod.ready now": 1.0, "pod.running_for now": 7200, "llm.requests_finished increase 1h": 0.0,
}  # fmt: skip
NO_MODEL = {
    "log.model_download now": "OSError: Can't load tokenizer for 'x'. If you were trying", "log.serving now": "",
    "pod.termination_reason now": "Error", "pod.exit_code now": 1, "pod.terminated_ago now": 120,
}  # fmt: skip


@pytest.mark.parametrize(
    ("world", "roots"),
    [
        (MISMATCH, set()),
        (UNREADY, {"readiness_never_true"}),
        ({**MISMATCH, **UNREADY}, {"port_mismatch"}),
        ({**MISMATCH, **UNREACHED}, {"port_mismatch"}),
        ({**MISMATCH, **UNREACHED, "workload.no_way_in now": ""}, set()),
        ({**MISMATCH, **UNREACHED, "llm.requests_finished increase 1h": 3.0}, set()),
        ({**MISMATCH, **UNREACHED, "llm.requests_finished increase 1h": None}, set()),
        ({**MISMATCH, **UNREACHED, "pod.running_for now": 1200}, set()),
        ({**MISMATCH, **UNREADY, **NO_MODEL}, {"model_download_failure"}),
    ],
    ids=[
        "on a quiet day",
        "the fault alone",
        "the rule and what it explains",
        "no Service leads to it and nothing came",
        "another Service leads to it",
        "requests come another way",
        "nobody counts its requests",
        "it has only just started",
        "the fault has another cause",
    ],
)
def test_a_broken_rule_is_told_where_nothing_else_explains_the_fault(world: dict[str, Any], roots: set[str]) -> None:
    told = diagnose(two((APP, world)))
    assert {finding.id for finding in told.findings if finding.root} == roots
    assert all(not outcome.case.check.rule for outcome in told.outcomes)


PAUSED = {"workload.paused now": "app"}
QUEUE = scene("kv_saturation_queueing")["fires"]


@pytest.mark.parametrize(
    ("world", "roots"),
    [
        ({**PAUSED, **QUEUE}, {"autoscaler_paused"}),
        ({**PAUSED, **scene("cuda_oom_load")["fires"]}, {"cuda_oom_load"}),
        (PAUSED, set()),
    ],
    ids=["a queue that no autoscaler meets", "another cause", "no queue"],
)
def test_a_paused_autoscaler_is_told_for_what_it_causes(world: dict[str, Any], roots: set[str]) -> None:
    told = diagnose(two((APP, world)))
    assert {finding.id for finding in told.findings if finding.root} == roots


CUT = {"workload.route_timeout now": 60, "workload.routes now": "ingress llm"}
GIVEN_UP = scene("abort_spike")["fires"]


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({**CUT, "llm.request_time p95 5m": 58}, True),
        ({**CUT, "llm.request_time p95 5m": 47}, False),
        (CUT, False),
        ({"llm.request_time p95 5m": 58}, False),
    ],
    ids=["they take as long as it waits", "they end before", "nobody tells how long they take", "no route"],
)
def test_a_route_that_breaks_long_answers_off_is_told_with_those_that_gave_up(
    world: dict[str, Any], said: bool
) -> None:
    (finding,) = [one for one in diagnose(two((APP, {**GIVEN_UP, **world}))).findings if one.root]
    assert finding.id == "abort_spike"
    assert ("A route to the engine waits 60 s" in finding.because) is said
    assert any(remedy.change is not None and remedy.change.from_ == "60 s" for remedy in finding.remedies) is said


NO_PLUGIN = scene("device_plugin_missing")["fires"]


@pytest.mark.parametrize(
    ("unready", "roots"),
    [
        ("", {"device_plugin_missing"}),
        ("nvidia-driver-daemonset (k8s-driver-manager: CrashLoopBackOff)", {"gpu_stack_unready"}),
        (
            "nvidia-container-toolkit-daemonset (waits at driver-validation), nvidia-dcgm-exporter",
            {"gpu_stack_unready"},
        ),
        ("nvidia-driver-daemonset (waits at x), nvidia-device-plugin-daemonset", {"device_plugin_missing"}),
        ("nvidia-dcgm-exporter", {"device_plugin_missing"}),
    ],
    ids=[
        "nothing",
        "the driver beneath it",
        "the toolkit beneath it",
        "the plugin itself, too",
        "what stands above it",
    ],
)
def test_a_plugin_that_is_kept_off_by_what_is_beneath_it(unready: str, roots: set[str]) -> None:
    told = diagnose(two((APP, {**NO_PLUGIN, "node.stack_unready now": unready})))
    assert {finding.id for finding in told.findings if finding.root} == roots
