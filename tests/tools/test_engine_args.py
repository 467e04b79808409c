"""A command line as the engine reads it."""

from __future__ import annotations

import pytest

from tools.engine_args import engine_facts, flags
from tools.signals import GPU_MEM_UTILIZATION, KV_DTYPE, MAX_NUM_SEQS, TENSOR_PARALLEL


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["--tensor-parallel-size", "4"], {"tensor-parallel-size": "4"}),
        (["--tensor-parallel-size=4"], {"tensor-parallel-size": "4"}),
        (["--tensor_parallel_size", "4"], {"tensor-parallel-size": "4"}),
        (["-tp", "4"], {"tp": "4"}),
        (["--enable-prefix-caching", "--seed", "-1"], {"enable-prefix-caching": "true", "seed": "-1"}),
        (["sh", "-c", "exec vllm serve 'org/My Model' --max-num-seqs 8 # --max-num-seqs 9"], {"c": "exec", "max-num-seqs": "8"}),
        (["vllm serve m --a 'unbalanced --b 2"], {"a": "'unbalanced", "b": "2"}),
        (["--last"], {"last": "true"}),
        (["-", "--", "serve"], {}),
        ([], {}),
        (["--json={\"a\": 1}"], {"json": '{"a": 1}'}),
        (["--x", "1", "--x", "2"], {"x": "2"}),
    ],
)  # fmt: skip
def test_flags(command: list[str], found: dict[str, str]) -> None:
    assert flags(command) == found


def test_only_what_is_stated_is_a_fact() -> None:
    assert engine_facts(["vllm", "serve", "m"]) == {}
    assert engine_facts(["-tp=2", "--max-num-seqs", "64", "--gpu-memory-utilization=.85", "--kv-cache-dtype", "fp8"]) == {
        TENSOR_PARALLEL: 2.0, MAX_NUM_SEQS: 64.0, GPU_MEM_UTILIZATION: 0.85, KV_DTYPE: "fp8",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["$(TP)", "nan", "inf", "-inf", "1e999", "four", "", "🔥"])
def test_what_is_no_number_is_no_fact(value: str) -> None:
    assert engine_facts([f"--tensor-parallel-size={value}"]) == {}
