"""Remedies name a setting as its engine does, and start from the value that the engine resolves."""

from __future__ import annotations

import pytest

from tests.tools.scenes import SUBJECTS, scene, snapshot
from tools.diagnose import run
from tools.finding import Change


def changes(check: str, **world: object) -> list[Change]:
    told = {
        **scene(check)["fires"],
        **{name.replace("__", " ").replace("_of_", "."): value for name, value in world.items()},
    }
    outcomes = run(snapshot(told, SUBJECTS["workload"]), {})
    found = next(one for one in outcomes if one.case.id == check and one.subject == SUBJECTS["workload"])
    return [remedy.change for remedy in found.remedies if remedy.change is not None]


def engine(name: str, **settings: object) -> dict[str, object]:
    return {"engine_of_name__now": name, **{f"engine_of_{key}__now": value for key, value in settings.items()}}


@pytest.mark.parametrize(
    ("check", "world", "change"),
    [
        (
            "kv_saturation_queueing",
            engine(
                "vllm",
                gpu_memory_utilization=0.9,
                configured_by="model m (argument --model); gpu_memory_utilization 0.9 (default of vLLM 0.11.0)",
            ),
            Change("--gpu-memory-utilization", "0.9 (default of vLLM 0.11.0)", "0.93"),
        ),
        (
            "kv_saturation_queueing",
            engine(
                "sglang",
                gpu_memory_utilization=0.8,
                configured_by="gpu_memory_utilization 0.8 (argument --mem-fraction-static)",
            ),
            Change("--mem-fraction-static", "0.8", "0.93"),
        ),
        ("kv_saturation_queueing", engine("vllm"), Change("--kv-cache-dtype", "auto (not set)", "fp8")),
        ("concurrency_cap_below_kv", engine("sglang"), Change("--max-running-requests", "16", "64")),
        ("concurrency_cap_below_kv", engine("triton"), Change("max num seqs", "16", "64")),
        ("concurrency_cap_below_kv", engine("ray_vllm"), Change("engine_kwargs max_num_seqs", "16", "64")),
        ("concurrency_cap_below_kv", {}, Change("--max-num-seqs", "16", "64")),
        ("tp_vs_gpu_request_mismatch", {}, Change("resources.limits.nvidia.com/gpu", "4", "2")),
        ("tp_vs_gpu_request_mismatch", engine("vllm", tensor_parallel=2), Change("--tensor-parallel-size", "2", "4")),
        (
            "config_drift_args_vs_runtime",
            {},
            Change("gpu_memory_utilization of the running server", "0.7", "0.9"),
        ),
    ],
)
def test_a_change_starts_from_what_the_engine_resolves(check: str, world: dict[str, object], change: Change) -> None:
    assert change in changes(check, **world)


def test_a_share_that_is_large_already_is_not_raised() -> None:
    found = changes("kv_saturation_queueing", **engine("vllm", gpu_memory_utilization=0.95))
    assert not [one for one in found if one.what == "--gpu-memory-utilization"]


def test_a_batch_is_raised_to_what_the_cache_holds() -> None:
    world = {"llm_of_kv_usage__max__10m": 0.4}
    assert Change("--max-num-seqs", "16", "32") in changes("concurrency_cap_below_kv", **world)
    world = {"llm_of_kv_usage__max__10m": 0.001}
    assert Change("--max-num-seqs", "16", "128") in changes("concurrency_cap_below_kv", **world)
