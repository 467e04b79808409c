"""A wide fleet as OpenMetrics text, without a simulator: only the series that are read, healthy, with a little noise.

Machines of 8 GPUs; each replica holds two, eight replicas make a workload, and eight workloads a namespace.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

STEP_S = 30
GPUS_PER_NODE, GPUS_PER_REPLICA, REPLICAS, WORKLOADS = 8, 2, 8, 8
# The bounds are those that vLLM declares for these histograms, thinned.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0)
TOKENS = (10.0, 50.0, 100.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0)
MODEL = "meta-llama/Llama-3.1-8B-Instruct"


class Series(NamedTuple):
    """One series: its name, its labels as text, and its value as `start + slope * seconds`, with relative `noise`."""

    name: str
    labels: str
    start: float
    slope: float = 0.0
    noise: float = 0.0


class Replica(NamedTuple):
    """A pod with its place."""

    number: int
    namespace: str
    workload: str
    pod: str
    node: str

    @property
    def labels(self) -> str:
        """Its identity as label matchers."""
        return f'namespace="{self.namespace}",pod="{self.pod}"'


def write(path: Path, gpus: int, steps: int, end: int, replicas_each: int = REPLICAS) -> int:
    """Write a fleet of `gpus` GPUs that was scraped `steps` times until `end` (seconds since the epoch); returns the samples."""
    replicas = [_replica(number, replicas_each) for number in range(max(1, gpus // GPUS_PER_REPLICA))]
    nodes = [f"node-{number:04d}" for number in range(math.ceil(gpus / GPUS_PER_NODE))]
    times = [end - STEP_S * (steps - 1 - step) for step in range(steps)]
    samples = 0
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for family, kind, series in _families(replicas, nodes, end):
            out.write(f"# TYPE {family} {kind}\n")
            samples += sum(_write(out, one, times) for one in series)
        out.write("# EOF\n")
    return samples


def _write(out: TextIO, series: Series, times: list[int]) -> int:
    head = f"{series.name}{{{series.labels}}} "
    wave = len(series.labels) % 7
    for step, at in enumerate(times):
        noise = 1.0 + series.noise * math.sin(step + wave)
        out.write(f"{head}{(series.start + series.slope * STEP_S * step) * noise:.6g} {at}\n")
    return len(times)


def _replica(number: int, each: int) -> Replica:
    workload = number // each
    name = f"serve-{workload % WORKLOADS}"
    node = f"node-{number * GPUS_PER_REPLICA // GPUS_PER_NODE:04d}"
    return Replica(number, f"team-{workload // WORKLOADS}", name, f"{name}-6f9d8c7b5-{_suffix(number)}", node)


def _suffix(number: int) -> str:
    # The letters that Kubernetes draws the names of pods from.
    letters = "bcdfghjklmnpqrstvwxz2456789"
    drawn = ""
    for _ in range(5):
        number, place = divmod(number, len(letters))
        drawn += letters[place]
    return drawn


def _families(replicas: list[Replica], nodes: list[str], end: int) -> Iterator[tuple[str, str, Iterable[Series]]]:
    yield from _of_gpus(replicas)
    yield from _of_engines(replicas)
    yield from _of_containers(replicas)
    yield from _of_objects(replicas, nodes, end)
    scraped = [Series("up", f'job="vllm",{one.labels},instance="{one.pod}:8000"', 1.0) for one in replicas]
    scraped += [Series("up", f'job="dcgm-exporter",node="{node}",instance="{node}:9400"', 1.0) for node in nodes]
    yield "up", "gauge", scraped


def _of_gpus(replicas: list[Replica]) -> Iterator[tuple[str, str, Iterable[Series]]]:
    gauges = {
        "DCGM_FI_DEV_GPU_UTIL": 82.0,
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": 0.31,
        "DCGM_FI_PROF_DRAM_ACTIVE": 0.46,
        "DCGM_FI_DEV_FB_USED": 71000.0,
        "DCGM_FI_DEV_FB_FREE": 9500.0,
        "DCGM_FI_DEV_POWER_USAGE": 440.0,
        "DCGM_FI_DEV_XID_ERRORS": 0.0,
    }
    for name, value in gauges.items():
        yield (
            name,
            "gauge",
            (
                Series(name, _gpu(one, place), value, noise=0.02)
                for one in replicas
                for place in range(GPUS_PER_REPLICA)
            ),
        )


def _gpu(one: Replica, place: int) -> str:
    number = one.number * GPUS_PER_REPLICA + place
    return (
        f'gpu="{number % GPUS_PER_NODE}",UUID="GPU-{number:08x}-0000-4000-8000-000000000000",Hostname="{one.node}",'
        f'modelName="NVIDIA H100 80GB HBM3",{one.labels},container="server",job="dcgm-exporter"'
    )


def _of_engines(replicas: list[Replica]) -> Iterator[tuple[str, str, Iterable[Series]]]:
    def who(one: Replica) -> str:
        return f'{one.labels},model_name="{MODEL}",engine="0",job="vllm"'

    for name, value in {"num_requests_running": 24.0, "num_requests_waiting": 0.0, "kv_cache_usage_perc": 0.48}.items():
        yield f"vllm:{name}", "gauge", (Series(f"vllm:{name}", who(one), value, noise=0.1) for one in replicas)
    rates = {"num_preemptions": 0.0, "prompt_tokens": 2100.0, "generation_tokens": 900.0, "prefix_cache_hits": 400.0}
    for name, rate in rates.items():
        full = f"vllm:{name}"
        yield full, "counter", (Series(f"{full}_total", who(one), 1000.0, rate) for one in replicas)
    done = 'finished_reason="stop"'
    finished = (Series("vllm:request_success_total", f"{who(one)},{done}", 10.0, 3.0) for one in replicas)
    yield "vllm:request_success", "counter", finished
    for name, bounds, typical in (
        ("time_to_first_token_seconds", SECONDS, 0.2),
        ("request_queue_time_seconds", SECONDS, 0.02),
        ("request_prefill_time_seconds", SECONDS, 0.15),
        ("inter_token_latency_seconds", SECONDS, 0.03),
        ("request_prompt_tokens", TOKENS, 700.0),
    ):
        full = f"vllm:{name}"
        yield (
            full,
            "histogram",
            (series for one in replicas for series in _histogram(full, who(one), bounds, typical, rate=3.0)),
        )


def _histogram(name: str, labels: str, bounds: tuple[float, ...], typical: float, rate: float) -> Iterator[Series]:
    for bound in bounds:
        share = 1.0 - math.exp(-bound / typical)
        yield Series(f"{name}_bucket", f'{labels},le="{bound}"', 0.0, rate * share)
    yield Series(f"{name}_bucket", f'{labels},le="+Inf"', 0.0, rate)
    yield Series(f"{name}_sum", labels, 0.0, rate * typical)
    yield Series(f"{name}_count", labels, 0.0, rate)


def _of_containers(replicas: list[Replica]) -> Iterator[tuple[str, str, Iterable[Series]]]:
    def who(one: Replica) -> str:
        return f'{one.labels},container="server",node="{one.node}",job="kubelet"'

    counters = {
        "container_cpu_usage_seconds": 3.0,
        "container_cpu_cfs_periods": 10.0,
        "container_cpu_cfs_throttled_periods": 0.1,
        "container_oom_events": 0.0,
    }
    for name, rate in counters.items():
        yield name, "counter", (Series(f"{name}_total", who(one), 0.0, rate) for one in replicas)
    name = "container_memory_working_set_bytes"
    yield name, "gauge", (Series(name, who(one), 2.4e10, noise=0.01) for one in replicas)


def _of_objects(replicas: list[Replica], nodes: list[str], end: int) -> Iterator[tuple[str, str, Iterable[Series]]]:
    born = float(end - 4 * 86400)

    def of_pods(name: str, more: str, value: float) -> tuple[str, str, Iterable[Series]]:
        return name, "gauge", [Series(name, f"{one.labels}{more}", value) for one in replicas]

    owner = "created_by_kind={kind},created_by_name={name}"
    info = [
        Series(
            "kube_pod_info",
            f'{one.labels},node="{one.node}",' + owner.format(kind='"ReplicaSet"', name=f'"{one.workload}-6f9d8c7b5"'),
            1.0,
        )
        for one in replicas
    ]
    yield "kube_pod_info", "gauge", info
    phase = "kube_pod_status_phase"
    yield (
        phase,
        "gauge",
        [
            Series(phase, f'{one.labels},phase="{name}"', float(name == "Running"))
            for one in replicas
            for name in ("Pending", "Running", "Succeeded", "Failed", "Unknown")
        ],
    )
    yield of_pods("kube_pod_status_ready", ',condition="true"', 1.0)
    yield of_pods("kube_pod_created", "", born)
    yield of_pods("kube_pod_container_state_started", ',container="server"', born + 240.0)
    restarts = "kube_pod_container_status_restarts"
    of_server = ',container="server"'
    yield restarts, "counter", [Series(f"{restarts}_total", f"{one.labels}{of_server}", 0.0) for one in replicas]
    gpu = ',container="server",resource="nvidia_com_gpu",unit="integer"'
    yield of_pods("kube_pod_container_resource_requests", gpu, float(GPUS_PER_REPLICA))
    limits = "kube_pod_container_resource_limits"
    bounds = {"cpu": 16.0, "memory": 1.0e11}
    yield (
        limits,
        "gauge",
        [
            Series(limits, f'{one.labels}{of_server},resource="{name}"', value)
            for one in replicas
            for name, value in bounds.items()
        ],
    )
    yield "kube_node_info", "gauge", [Series("kube_node_info", f'node="{node}"', 1.0) for node in nodes]
    capacity = "kube_node_status_capacity"
    of_gpus = 'resource="nvidia_com_gpu",unit="integer"'
    yield capacity, "gauge", [Series(capacity, f'node="{node}",{of_gpus}', float(GPUS_PER_NODE)) for node in nodes]
    condition = "kube_node_status_condition"
    ready = 'condition="Ready",status="true"'
    yield condition, "gauge", [Series(condition, f'node="{node}",{ready}', 1.0) for node in nodes]
