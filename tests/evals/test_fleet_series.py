"""What the exporters expose: real names, types and labels, counters that only grow, histograms that add up."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from evals.fleet.columns import Column, Columns
from evals.fleet.recipe import parse
from evals.fleet.sample import Sample, labels_of
from evals.fleet.targets import Target, merged
from evals.fleet.world import World, build, schedule

END = 1_770_000_000
CONTENT: dict[str, Any] = {
    "history": "45m",
    "dt": 4,
    "scrape": {"interval": "30s"},
    "node_exporter": True,
    "nodes": [
        {"name": "c1", "cpu": "8", "memory": "64Gi"},
        {
            "name": "g1",
            "gpu": "h100",
            "gpus": 4,
            "memory": "1024Gi",
            "labels": {"pool": "h"},
            "taints": [{"key": "nvidia.com/gpu", "value": "present"}],
        },
        {"name": "g2", "gpu": "l4", "gpus": 2, "memory": "128Gi", "labels": {"pool": "l"}},
    ],
    "workloads": [
        {
            "namespace": "chat",
            "name": "big",
            "model": "meta-llama/Llama-3.3-70B-Instruct",
            "served_name": "llama-70b",
            "gpus": 2,
            "node_selector": {"pool": "h"},
            "cpu_limit": "16",
            "args": {"tensor-parallel-size": 2, "quantization": "fp8", "max-model-len": 8192},
            "traffic": {"rate": 1.5, "patience": "40s"},
        },
        {
            "namespace": "ml",
            "name": "small",
            "model": "meta-llama/Llama-3.1-8B-Instruct",
            "memory": "40Gi",
            "node_selector": {"pool": "l"},
            "args": {"max-model-len": 8192},
            "traffic": {"rate": 0.5, "prompt": {"mean": 60, "sigma": 0.1}, "prompt_logprobs": 0.05},
        },
        {"namespace": "ml", "name": "pad", "runtime": "none", "gpus": 0, "replicas": 1, "cpu": "1", "memory": "1Gi"},
    ],
    "changes": [
        {"at": "-25m", "workload": "ml/small", "patch": {"traffic": {"prompt": {"mean": 2600, "sigma": 0.2}}}},
        {"at": "-12m", "workload": "ml/small", "patch": {"traffic": {"prompt": {"mean": 60, "sigma": 0.1}}}},
        {"at": "-15m", "node": "g1", "gpu": 3, "xid": 79},
        {"at": "-10m", "node": "g2", "exporter": "crash"},
    ],
}

# Names as the exporters' own sources have them; a typo here or there would be found by nobody else.
VLLM = {
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
    "vllm:kv_cache_usage_perc",
    "vllm:num_preemptions_total",
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
    "vllm:request_success_total",
    "vllm:cache_config_info",
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_hits_total",
    "vllm:time_to_first_token_seconds_bucket",
    "vllm:inter_token_latency_seconds_bucket",
    "vllm:e2e_request_latency_seconds_sum",
    "vllm:request_queue_time_seconds_count",
    "vllm:request_prefill_time_seconds_bucket",
    "vllm:request_decode_time_seconds_bucket",
    "vllm:iteration_tokens_total_sum",
    "vllm:request_prompt_tokens_bucket",
    "vllm:request_generation_tokens_bucket",
    "http_requests_total",
}
DCGM = {
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_DEV_MEM_COPY_UTIL",
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
    "DCGM_FI_PROF_DRAM_ACTIVE",
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_FB_FREE",
    "DCGM_FI_DEV_POWER_USAGE",
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
    "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_MEMORY_TEMP",
    "DCGM_FI_DEV_SM_CLOCK",
    "DCGM_FI_DEV_MEM_CLOCK",
    "DCGM_FI_DEV_XID_ERRORS",
    "DCGM_FI_DEV_ROW_REMAP_FAILURE",
    "DCGM_FI_DEV_PCIE_REPLAY_COUNTER",
    "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
    "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS",
    "DCGM_FI_PROF_PCIE_TX_BYTES",
    "DCGM_FI_PROF_PCIE_RX_BYTES",
    "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL",
}
NODE = {
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_seconds_total",
    "container_memory_working_set_bytes",
    "container_memory_rss",
    "container_memory_cache",
    "container_spec_memory_limit_bytes",
    "container_oom_events_total",
    "container_network_receive_bytes_total",
    "container_network_transmit_bytes_total",
    "node_memory_MemAvailable_bytes",
    "node_load1",
    "node_boot_time_seconds",
    "up",
    "scrape_samples_scraped",
}
STATE = {
    "kube_pod_info",
    "kube_pod_status_phase",
    "kube_pod_container_resource_requests",
    "kube_pod_container_status_restarts_total",
    "kube_pod_container_status_last_terminated_reason",
    "kube_pod_container_status_last_terminated_exitcode",
    "kube_node_status_allocatable",
    "kube_node_status_capacity",
    "kube_node_status_condition",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas_available",
}
# Exported only by a configuration that is not the default: the fleet must not have them.
NOT_DEFAULT = {
    "DCGM_FI_PROF_SM_ACTIVE",
    "DCGM_EXP_XID_ERRORS_COUNT",
    "DCGM_FI_DEV_POWER_MGMT_LIMIT",
    "DCGM_FI_DEV_FB_TOTAL",
}


@pytest.fixture(scope="module")
def world() -> World:
    return build(parse(CONTENT), END)


def named(columns: Columns, name: str, **labels: str) -> list[Column]:
    return [c for c in columns if c.name == name and labels.items() <= dict(c.labels).items()]


def test_names_are_the_exporters_own(world: World) -> None:
    names = {column.name for column in world.columns}
    assert names >= VLLM | DCGM | NODE | STATE
    assert not names & NOT_DEFAULT
    known = VLLM | DCGM | NODE | STATE
    families = ("vllm:", "DCGM_FI_", "container_", "node_", "kube_", "scrape_", "process_", "http_", "up")
    assert all(name.startswith(families) for name in names - known)


def test_gpu_series_arrive_with_exported_labels_of_the_workload(world: World) -> None:
    for column in named(world.columns, "DCGM_FI_DEV_GPU_UTIL", Hostname="g1"):
        labels = dict(column.labels)
        assert labels["namespace"] == "gpu-operator"
        assert labels["pod"].startswith("nvidia-dcgm-exporter-")
        assert labels["job"] == "nvidia-dcgm-exporter"
        if labels["gpu"] in {"0", "1"}:
            assert labels["exported_namespace"] == "chat"
            assert labels["exported_pod"].startswith("big-")
            assert labels["exported_container"] == "server"
        else:
            assert not {"exported_namespace", "exported_pod", "exported_container"} & set(labels)
        assert "" not in labels.values()


def test_engine_series_carry_model_engine_and_pod(world: World) -> None:
    (column,) = named(world.columns, "vllm:num_requests_running", namespace="chat")
    labels = dict(column.labels)
    assert (labels["model_name"], labels["engine"], labels["container"]) == ("llama-70b", "0", "server")
    assert labels["instance"].endswith(":8000")
    (info,) = named(world.columns, "vllm:cache_config_info", namespace="chat")
    assert dict(info.labels)["block_size"] == "16"
    assert int(dict(info.labels)["num_gpu_blocks"]) > 10_000


def test_kubelet_series_carry_the_workload_and_the_node(world: World) -> None:
    (column,) = named(world.columns, "container_cpu_cfs_periods_total", namespace="chat")
    labels = dict(column.labels)
    assert (labels["job"], labels["metrics_path"], labels["node"]) == ("kubelet", "/metrics/cadvisor", "g1")
    assert labels["pod"].startswith("big-")
    # Quota periods exist only where there is a limit.
    assert not named(world.columns, "container_cpu_cfs_periods_total", namespace="ml")


def test_state_metrics_keep_the_workload_s_own_labels(world: World) -> None:
    (gpus,) = named(world.columns, "kube_node_status_allocatable", node="g1", resource="nvidia_com_gpu")
    assert (gpus.values[0], gpus.values[-1]) == (4.0, 3.0)
    (restarts,) = named(world.columns, "kube_pod_container_status_restarts_total", namespace="ml", container="server")[
        :1
    ]
    labels = dict(restarts.labels)
    assert labels["job"] == "kube-state-metrics"
    assert labels["pod"].startswith("small-")
    assert "exported_pod" not in labels
    assert restarts.values[-1] >= 1
    codes = named(world.columns, "kube_pod_container_status_last_terminated_exitcode", namespace="ml")
    assert {c.values[-1] for c in codes} == {1.0}


def test_counters_only_grow_but_for_restarts(world: World) -> None:
    restarted = 0
    for column in world.columns:
        if not (
            column.type == "histogram"
            or (column.type == "counter" and column.name != "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL")
        ):
            continue
        falls = sum(b < a for a, b in zip(column.values, column.values[1:], strict=False))
        if falls:
            assert dict(column.labels)["namespace"] == "ml", column.name
            restarted += 1
    assert restarted > 20


def test_histograms_are_cumulative_and_end_in_their_count(world: World) -> None:
    families: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[float, Column]]] = defaultdict(list)
    counts = {}
    for column in world.columns:
        if column.type != "histogram":
            continue
        rest = tuple(pair for pair in column.labels if pair[0] != "le")
        if column.name.endswith("_bucket"):
            families[column.family, rest].append((float(dict(column.labels)["le"]), column))
        elif column.name.endswith("_count"):
            counts[column.family, rest] = column
    assert len(families) > 20
    for key, members in families.items():
        ordered = [column.values for _, column in sorted(members, key=lambda member: member[0])]
        for step in range(len(counts[key].values)):
            row = [values[step] for values in ordered]
            assert row == sorted(row)
            assert row[-1] == counts[key].values[step]


def test_buckets_are_vllm_s(world: World) -> None:
    def bounds(name: str) -> list[float]:
        return sorted({float(dict(c.labels)["le"]) for c in named(world.columns, name, namespace="chat")})

    assert bounds("vllm:time_to_first_token_seconds_bucket")[:4] == [0.001, 0.005, 0.01, 0.02]
    assert bounds("vllm:time_to_first_token_seconds_bucket")[-3:] == [640.0, 2560.0, float("inf")]
    assert bounds("vllm:request_queue_time_seconds_bucket")[0] == 0.3
    assert bounds("vllm:request_prompt_tokens_bucket")[-2:] == [5000.0, float("inf")]


def test_a_crashed_replica_has_no_series_while_it_is_down(world: World) -> None:
    (up,) = named(world.columns, "up", job="monitoring/vllm", namespace="ml")
    (running,) = named(world.columns, "vllm:num_requests_running", namespace="ml")
    down = {t for t, value in zip(up.times, up.values, strict=True) if value == 0}
    assert 0 < len(down) < len(up.times)
    assert not down & set(running.times)
    assert len(down) + len(running.times) == len(up.times)


def test_a_gpu_that_fell_off_keeps_only_its_xid(world: World) -> None:
    since = END - 15 * 60 + 60
    xids = named(world.columns, "DCGM_FI_DEV_XID_ERRORS", Hostname="g1", gpu="3")
    assert {(dict(c.labels)["err_code"], dict(c.labels)["err_msg"]) for c in xids} == {
        ("0", "No Error"),
        ("79", "GPU has fallen off the bus"),
    }
    (after,) = [c for c in xids if dict(c.labels)["err_code"] == "79"]
    assert after.times[-1] == END
    assert set(after.values) == {79.0}
    (util,) = named(world.columns, "DCGM_FI_DEV_GPU_UTIL", Hostname="g1", gpu="3")
    assert util.times[-1] < since


def test_an_exporter_that_crashed_is_down_and_its_gpus_are_unseen(world: World) -> None:
    since = END - 10 * 60
    ups = [c for c in named(world.columns, "up", job="nvidia-dcgm-exporter") if 0.0 in c.values]
    assert len(ups) == 1
    assert all(value == (t <= since) for t, value in zip(ups[0].times, ups[0].values, strict=True))
    assert all(c.times[-1] <= since for c in named(world.columns, "DCGM_FI_DEV_GPU_UTIL", Hostname="g2"))


def test_gddr_cards_have_no_memory_temperature_and_no_nvlink(world: World) -> None:
    for name in ("DCGM_FI_DEV_MEMORY_TEMP", "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL"):
        assert {dict(c.labels)["Hostname"] for c in named(world.columns, name)} == {"g1"}


def test_gpu_values_change_at_most_every_thirty_seconds_and_stay_in_range(world: World) -> None:
    for column in named(world.columns, "DCGM_FI_DEV_GPU_UTIL"):
        assert all(0 <= value <= 100 and value == int(value) for value in column.values)
    for column in named(world.columns, "DCGM_FI_PROF_DRAM_ACTIVE"):
        assert all(0 <= value < 0.95 for value in column.values)
    used = named(world.columns, "DCGM_FI_DEV_FB_USED", Hostname="g1", gpu="0")[0].values[-1]
    free = named(world.columns, "DCGM_FI_DEV_FB_FREE", Hostname="g1", gpu="0")[0].values[-1]
    assert used + free == 81559 - 551
    assert 0.88 < used / (used + free) < 0.93


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    short = {**CONTENT, "history": "6m", "changes": []}
    first, again, other = (build(parse({**short, "seed": seed}), END) for seed in (7, 7, 8))
    flat = [[(c.name, c.labels, list(c.times), list(c.values)) for c in w.columns] for w in (first, again, other)]
    assert flat[0] == flat[1]
    assert first.objects == again.objects
    assert first.logs == again.logs
    assert flat[0] != flat[2]


def test_steps_give_every_stored_sample_once(world: World) -> None:
    total, last = 0, 0
    for at, samples in world.steps():
        assert at > last
        last = at
        total += len(samples)
        assert len({(s.name, s.labels) for s in samples}) == len(samples)
    assert total == world.columns.count
    assert last == END


def test_older_history_is_coarser() -> None:
    content = {**CONTENT, "history": "8h", "scrape": {"interval": "30s", "coarse": "60s", "fine_for": "30m"}}
    times = schedule(parse(content), END)
    gaps = {(END - b, b - a) for a, b in pairwise(times)}
    assert {gap for age, gap in gaps if age < 29 * 60} == {30}
    assert {gap for age, gap in gaps if 31 * 60 < age < 5.9 * 3600} == {60}
    assert {gap for age, gap in gaps if age > 6.1 * 3600} == {300}
    assert (times[-1], times == sorted(times)) == (END, True)


def test_dropped_series_are_not_stored() -> None:
    content = {
        **CONTENT,
        "history": "4m",
        "changes": [],
        "scrape": {"interval": "60s", "drop": "vllm:time_to.*|node_.*"},
    }
    names = {column.name for column in build(parse(content), END).columns}
    assert not any(name.startswith(("vllm:time_to", "node_")) for name in names)
    assert "vllm:num_requests_running" in names


@pytest.mark.parametrize(
    ("honor", "own", "expected"),
    [
        (False, {"pod": "w"}, {"pod": "exporter", "exported_pod": "w", "job": "j"}),
        (True, {"pod": "w"}, {"pod": "w", "job": "j"}),
        (False, {"pod": ""}, {"pod": "exporter", "job": "j"}),
        (False, {"gpu": "1"}, {"pod": "exporter", "gpu": "1", "job": "j"}),
    ],
)
def test_colliding_labels_are_settled_as_prometheus_does(
    honor: bool, own: dict[str, str], expected: dict[str, str]
) -> None:
    target = Target("x", "a:1", labels_of(pod="exporter", job="j"), honor, lambda: [Sample("up", (), 1.0)])
    assert dict(merged(target, labels_of(**own))) == expected
