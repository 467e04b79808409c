"""The incidents that ship are well formed, give nothing away, stay within budget, and show what they are about."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
import yaml

from evals.fleet.folder import Incident, read_incident
from evals.fleet.openmetrics import INCIDENT_BUDGET
from evals.fleet.recipe import Recipe, load
from evals.fleet.world import World, build
from tools.reading import Subject

HERE = Path(__file__).parents[2] / "evals"
FOLDERS = sorted(path.parent for path in (HERE / "incidents").glob("*/fleet.yaml"))
CHECKS = {path.stem for path in (HERE.parent / "tools" / "checks").glob("[a-z]*.py")}
TELLING = re.compile(r"(?i)fault|broken|oom|throttl|saturat|skew|xid|crash|hot\b|idle|leak|starv|kv-|bug|fail")


@functools.cache
def lived(name: str) -> tuple[Incident, World]:
    folder = HERE / "incidents" / name
    incident = read_incident(folder)
    # The coarsest step keeps the suite quick; the budget does not depend on it.
    return incident, build(load(folder / "fleet.yaml").model_copy(update={"dt": 5.0}), incident.at)


def test_the_set_covers_what_was_promised() -> None:
    expected = {e.id for folder in FOLDERS for e in read_incident(folder).expected}
    assert expected >= {
        "kv_saturation_queueing",
        "cpu_bound_host",
        "routing_skew",
        "host_oomkilled",
        "cuda_oom_load",
        "gpu_idle_no_traffic",
        "xid_critical",
        "exporter_down",
        "shm_too_small",
    }
    assert any(not read_incident(folder).expected for folder in FOLDERS)
    assert any(len(read_incident(folder).expected) == 2 for folder in FOLDERS)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_incident_is_well_formed_and_gives_nothing_away(folder: Path) -> None:
    incident, recipe = read_incident(folder), load(folder / "fleet.yaml")
    assert set(incident.forbidden) <= CHECKS
    # What is expected may be a failure mode that is not there yet; its id is written like one.
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", e.id) for e in incident.expected)
    assert not {e.id for e in incident.expected} & set(incident.forbidden)
    assert len(set(incident.forbidden)) == len(incident.forbidden)
    subjects = _subjects(recipe)
    for expected in incident.expected:
        assert str(Subject.parse(expected.subject)) in subjects
    assert 3600 < recipe.history <= 4 * 3600
    names = [folder.name, *(n.name for n in recipe.nodes)]
    for workload in recipe.workloads:
        names += [workload.namespace, workload.name, *workload.labels.values(), *workload.annotations.values()]
    assert not [name for name in names if TELLING.search(name)]


def _subjects(recipe: Recipe) -> set[str]:
    found = {f"{w.kind.lower()}/{w.namespace}/{w.name}" for w in recipe.workloads}
    found |= {f"node/{node.name}" for node in recipe.nodes}
    return found | {f"gpu/{node.name}/{index}" for node in recipe.nodes for index in range(node.gpus)}


@pytest.mark.parametrize("name", ["answers-take-longer", "completions-lag", "routine-question", "two-teams-ask"])
def test_an_incident_stays_within_its_budget(name: str) -> None:
    _, world = lived(name)
    assert 40_000 < world.columns.count <= INCIDENT_BUDGET
    assert any(len(text) > 10_000 for text in world.logs.values())


def test_answers_take_longer_because_the_cache_is_full() -> None:
    _, world = lived("answers-take-longer")
    engines = [pod.engine for pod in world.simulation.workloads["support/helpdesk"].pods if pod.engine]
    assert len(engines) == 2
    for engine in engines:
        assert engine.kv_usage > 0.97
        assert len(engine.waiting) > 100
        assert len(engine.running) < engine.config.max_num_seqs


def test_completions_lag_with_a_half_idle_gpu_and_an_empty_engine_queue() -> None:
    _, world = lived("completions-lag")
    (pod,) = world.simulation.workloads["ide/autocomplete"].pods
    assert pod.engine is not None
    assert pod.engine.host.speed < 0.5
    assert len(pod.engine.waiting) <= 2
    assert world.simulation.machines["gpu-11"].devices[0].reading.busy < 0.5
    free = [p.engine for p in world.simulation.workloads["ide/review"].pods if p.engine]
    assert all(engine.host.speed == 1 for engine in free)


def test_a_healthy_fleet_is_healthy() -> None:
    _, world = lived("routine-question")
    for pod in world.simulation.pods:
        assert pod.container.ready
        assert pod.container.restarts == 0
    for workload in world.simulation.workloads.values():
        assert workload.lost == 0
    waiting = [c for c in world.columns if c.name == "vllm:num_requests_waiting"]
    assert all(sum(c.values) / len(c.values) < 2 for c in waiting)


def test_two_faults_side_by_side_touch_two_workloads() -> None:
    _, world = lived("two-teams-ask")
    workloads = world.simulation.workloads
    assert not workloads["claims/triage"].ready
    assert len(workloads["voice/transcripts"].ready) == 2
    log = "".join(text for key, text in world.logs.items() if key[0] == "claims")
    assert "No space left on device" in log


def test_the_demo_has_six_machines_and_32_gpus_of_three_kinds() -> None:
    recipe = load(HERE / "fleet" / "recipes" / "demo.yaml")
    assert (len(recipe.nodes), sum(node.gpus for node in recipe.nodes)) == (6, 32)
    assert {node.gpu for node in recipe.nodes if node.gpus} == {"h100", "a100", "l4"}
    assert recipe.history == 7200
    names = [w.name for w in recipe.workloads] + [w.namespace for w in recipe.workloads]
    assert not [name for name in names if TELLING.search(name)]
    content = yaml.safe_load((HERE / "fleet" / "recipes" / "demo.yaml").read_text(encoding="utf-8"))
    assert len(content["changes"]) == 2
