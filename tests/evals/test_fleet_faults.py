"""A fault is a changed cause; its symptoms, and nobody else's, follow from the model."""

from __future__ import annotations

from typing import Any

import pytest

from evals.fleet.pods import Pod
from evals.fleet.recipe import parse
from evals.fleet.simulation import Simulation
from evals.fleet.workloads import Deployed

END = 1_770_000_000.0
L8 = "meta-llama/Llama-3.1-8B-Instruct"
L70 = "meta-llama/Llama-3.3-70B-Instruct"
SERVING = {"model": L8, "args": {"max-model-len": 8192}, "memory": "40Gi", "cpu": "4"}


def fleet(
    *workloads: dict[str, Any], changes: tuple[dict[str, Any], ...] = (), gpu: str = "l4", gpus: int = 4, **more: Any
) -> Simulation:
    """Forty minutes of one GPU node and one plain node, up to the end."""
    node = {"name": "g1", "gpu": gpu, "gpus": gpus, "memory": "1024Gi"}
    full = [{"namespace": "a", **SERVING, **workload} for workload in workloads]
    content = {
        "history": "40m",
        "dt": 4,
        "nodes": [{"name": "c1", "cpu": "8", "memory": "64Gi"}, node],
        "workloads": full,
    }
    simulation = Simulation(parse({**content, "changes": changes, **more}), END)
    simulation.advance(END)
    return simulation


def only(simulation: Simulation, name: str = "x") -> tuple[Deployed, Pod]:
    workload = simulation.workloads[f"a/{name}"]
    return workload, workload.pods[0]


def said(pod: Pod) -> str:
    return "\n".join(text for _, text in [*(pod.previous or ()), *pod.log])


def events(simulation: Simulation, reason: str) -> list[str]:
    return [h.message for h in simulation.events.at(simulation.now) if h.reason == reason]


def test_weights_larger_than_the_gpu_end_the_load_with_cuda_oom() -> None:
    simulation = fleet({"name": "x", "model": L70, "created": "-35m"}, gpu="h100")
    _, pod = only(simulation)
    assert pod.container.restarts > 3
    assert pod.container.last is not None
    assert (pod.container.last.exit_code, pod.container.last.reason) == (1, "Error")
    assert "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB" in said(pod)
    assert "GPU 0 has a total capacity of 79.11 GiB of which 91.00 MiB is free" in said(pod)
    assert "Application startup complete" not in said(pod)
    assert "EngineDeadError" not in said(pod)
    assert any("Back-off restarting failed container server" in text for text in events(simulation, "BackOff"))


def test_prompts_that_overflow_activations_end_a_serving_engine() -> None:
    change = {"at": "-20m", "workload": "a/x", "patch": {"traffic": {"prompt": {"mean": 2600, "sigma": 0.2}}}}
    traffic = {"rate": 0.4, "prompt": {"mean": 60, "sigma": 0.1}, "prompt_logprobs": 0.2}
    simulation = fleet({"name": "x", "traffic": traffic}, changes=(change,))
    _, pod = only(simulation)
    last = pod.container.last
    assert last is not None
    assert (last.exit_code, last.reason) == (1, "Error")
    assert last.finished > END - 1200
    assert "EngineCore encountered a fatal error" in said(pod)
    assert "EngineDeadError" in said(pod)
    assert "Application startup complete" in said(pod)
    assert simulation.workloads["a/x"].lost > 0


def test_a_memory_limit_below_the_load_is_oomkilled_with_no_last_words() -> None:
    work = {
        "name": "x",
        "args": {"max-model-len": 8192, "load-format": "pt"},
        "memory_limit": "14Gi",
        "created": "-35m",
    }
    simulation = fleet(work)
    _, pod = only(simulation)
    last = pod.container.last
    assert last is not None
    assert (last.exit_code, last.reason) == (137, "OOMKilled")
    assert "OutOfMemory" not in said(pod)
    assert pod.oom_events == pod.container.restarts + (pod.container.state != "running")
    enough = fleet({**work, "memory_limit": "40Gi"})
    assert only(enough)[1].container.restarts == 0


def test_a_small_shm_ends_tensor_parallel_starts_only() -> None:
    work = {"name": "x", "shm": None, "gpus": 2, "created": "-35m"}
    broken = fleet({**work, "args": {"max-model-len": 8192, "tensor-parallel-size": 2}})
    _, pod = only(broken)
    assert pod.container.restarts > 3
    assert "NCCL WARN Error while creating shared memory segment /dev/shm/nccl-" in said(pod)
    assert "No space left on device" in said(pod)
    single = fleet({**work, "gpus": 1})
    assert only(single)[1].container.ready
    mounted = fleet({**work, "shm": "8Gi", "args": {"max-model-len": 8192, "tensor-parallel-size": 2}})
    assert only(mounted)[1].container.ready


def test_a_fatal_xid_takes_the_gpu_its_pod_and_the_node_s_allocatable() -> None:
    change = {"at": "-10m", "node": "g1", "gpu": 1, "xid": 79}
    simulation = fleet({"name": "x", "replicas": 2, "traffic": {"rate": 1}}, changes=(change,))
    workload = simulation.workloads["a/x"]
    machine = simulation.machines["g1"]
    assert machine.allocatable == 3
    assert machine.devices[1].reading.xid == 79
    assert machine.devices[1].reading.lost
    assert [pod.container.ready for pod in workload.pods] == [True, False]
    failing = workload.pods[1]
    assert failing.container.last is not None
    assert (failing.container.last.reason, failing.container.last.exit_code) == ("StartError", 128)
    assert machine.devices[1].uuid in failing.container.last.message
    # The load of the one that is gone moves to the other.
    assert workload.pods[0].engine is not None
    assert len(workload.pods[0].engine.running) > 8
    plugin = next(pod for pod in simulation.addons if pod.owner.name.startswith("nvidia-device-plugin"))
    assert "XidCriticalError: Xid=79" in said(plugin)


def test_an_application_xid_leaves_the_gpu_alone() -> None:
    simulation = fleet({"name": "x"}, changes=({"at": "-10m", "node": "g1", "gpu": 0, "xid": 31},))
    assert simulation.machines["g1"].allocatable == 4
    assert only(simulation)[1].container.ready
    assert simulation.machines["g1"].devices[0].reading.xid == 31


def test_a_pinned_share_makes_one_replica_hot() -> None:
    work = {"name": "x", "replicas": 3, "traffic": {"rate": 2.4, "prompt": {"mean": 500}, "answer": {"mean": 200}}}
    even = fleet(work)
    pinned = fleet(work, changes=({"at": "-30m", "workload": "a/x", "patch": {"routing": {"pinned": 0.8}}},))
    loads = [[pod.engine.load for pod in s.workloads["a/x"].pods if pod.engine] for s in (even, pinned)]
    assert max(loads[0]) < 3 * (min(loads[0]) + 1)
    assert loads[1][0] > 5 * max(loads[1][1:])


def test_traffic_growth_saturates_the_cache_and_an_autoscaler_on_cpu_does_not_move() -> None:
    traffic = {
        "rate": 1.0,
        "points": [{"at": "-30m", "factor": 3}],
        "prompt": {"mean": 1100, "sigma": 0.4},
        "answer": {"mean": 250, "sigma": 0.3},
    }
    hpa = {"target": 70, "min_replicas": 1, "max_replicas": 4}
    work = {"name": "x", "replicas": 1, "traffic": traffic}
    on_cpu = fleet({**work, "hpa": {**hpa, "metric": "cpu"}})
    workload, pod = only(on_cpu)
    assert pod.engine is not None
    assert pod.engine.kv_usage > 0.93
    assert len(pod.engine.waiting) > 50
    assert pod.engine.stats.preemptions > 0
    assert workload.desired == 1
    assert workload.scaling.value is not None
    assert workload.scaling.value < 60
    on_queue = fleet({**work, "hpa": {**hpa, "metric": "vllm_num_requests_waiting", "target": 4}})
    assert on_queue.workloads["a/x"].desired == 4
    assert any("New size: 4" in text or "New size: 3" in text for text in events(on_queue, "SuccessfulRescale"))


def test_replicas_beyond_free_gpus_stay_pending_and_the_scheduler_says_why() -> None:
    change = {"at": "-20m", "workload": "a/x", "patch": {"replicas": 6}}
    simulation = fleet({"name": "x", "replicas": 3}, changes=(change,))
    workload = simulation.workloads["a/x"]
    pending = [pod for pod in workload.pods if pod.phase == "Pending"]
    assert len(pending) == 2
    text = "0/2 nodes are available: 2 Insufficient nvidia.com/gpu. preemption: 0/2 nodes are available: "
    assert pending[0].scheduling == text + "2 No preemption victims found for incoming pod."
    assert events(simulation, "FailedScheduling").count(pending[0].scheduling) == 2


def test_a_cpu_limit_arrives_with_a_new_revision_and_throttles() -> None:
    traffic = {"rate": 6, "prompt": {"mean": 3000}, "answer": {"mean": 30}, "shared_prefix": 0.9}
    change = {"at": "-25m", "workload": "a/x", "patch": {"cpu_limit": "1"}}
    work = {"name": "x", "traffic": traffic, "model": "Qwen/Qwen2.5-Coder-7B-Instruct"}
    simulation = fleet(work, changes=(change,), gpu="a100")
    before = fleet(work, gpu="a100")
    _, pod = only(simulation)
    assert pod.engine is not None
    assert pod.engine.host.throttled_periods / pod.engine.host.periods > 0.8
    assert pod.created >= END - 1500
    assert pod.owner.name != only(before)[1].owner.name


def test_a_container_that_starts_nothing_leaves_its_gpu_cold_and_an_idle_model_keeps_it_full() -> None:
    simulation = fleet({"name": "x", "runtime": "none", "model": ""}, {"name": "y"})
    cold, full = simulation.machines["g1"].devices[:2]
    assert cold.holder[1].startswith("x-")
    assert cold.reading.memory < 600 * 2**20
    assert cold.reading.busy == full.reading.busy == 0
    assert full.reading.memory > 18 * 2**30
    assert full.reading.power < 0.5 * full.model.tdp


@pytest.mark.parametrize("how", ["crash", "absent"])
def test_an_exporter_that_is_gone_can_come_back(how: str) -> None:
    change = {"at": "-20m", "node": "g1", "exporter": how}
    simulation = fleet({"name": "x"}, changes=(change,))
    pods = [pod for pod in simulation.addons if pod.template.container == "nvidia-dcgm-exporter"]
    assert [pod.container.state == "running" for pod in pods] == ([False] if how == "crash" else [])
    back = fleet({"name": "x"}, changes=(change, {"at": "-6m", "node": "g1", "exporter": "back"}))
    pods = [pod for pod in back.addons if pod.template.container == "nvidia-dcgm-exporter"]
    assert [pod.container.state for pod in pods] == ["running"]


def test_small_batches_are_few_sequences_on_a_busy_gpu() -> None:
    simulation = fleet({"name": "x", "traffic": {"rate": 0.12, "answer": {"mean": 200}}})
    _, pod = only(simulation)
    assert pod.engine is not None
    stats = pod.engine.stats
    assert stats.iteration.total / stats.iteration.count < 16
    assert simulation.machines["g1"].devices[0].reading.tensor < 0.1


def test_a_restart_loses_state_and_a_crashed_replica_comes_back() -> None:
    traffic = {"rate": 0.6, "prompt": {"mean": 700, "sigma": 0.1}, "prompt_logprobs": 0.0}
    bad = {"at": "-30m", "workload": "a/x", "patch": {"traffic": {"prompt_logprobs": 0.02, "prompt": {"mean": 2600}}}}
    good = {"at": "-20m", "workload": "a/x", "patch": {"traffic": {"prompt_logprobs": 0.0, "prompt": {"mean": 300}}}}
    simulation = fleet({"name": "x", "traffic": traffic}, changes=(bad, good))
    _, pod = only(simulation)
    assert pod.container.restarts >= 1
    assert pod.container.ready
    assert pod.engine is not None
    assert pod.engine.stats.stopped < 0.6 * 1300
