"""A serving engine's command line, read as the engine reads it: `--flag value`, `--flag=value`, underscores or dashes."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence

from tools.signals import GPU_MEM_UTILIZATION, KV_DTYPE, MAX_NUM_SEQS, TENSOR_PARALLEL, Signal

_FLAGS: dict[str, tuple[Signal, type[float] | type[str]]] = {
    "tensor-parallel-size": (TENSOR_PARALLEL, float),
    "tp": (TENSOR_PARALLEL, float),
    "max-num-seqs": (MAX_NUM_SEQS, float),
    "gpu-memory-utilization": (GPU_MEM_UTILIZATION, float),
    "kv-cache-dtype": (KV_DTYPE, str),
}


def flags(command: Sequence[str]) -> dict[str, str]:
    """Flag to value, `true` for a switch. A shell line (`sh -c "vllm serve ..."`) is split first."""
    words: list[str] = []
    for word in command:
        line = " " in word.strip() and "--" in word and not word.startswith("-")
        words.extend(_split(word) if line else [word])
    found: dict[str, str] = {}
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if not word.startswith("-") or word in {"-", "--"}:
            continue
        name, equals, value = word.lstrip("-").partition("=")
        if not equals:
            following = words[index] if index < len(words) else ""
            if following and (not following.startswith("-") or _is_number(following)):
                value = following
                index += 1
            else:
                value = "true"
        found[name.replace("_", "-").lower()] = value
    return found


def engine_facts(command: Sequence[str]) -> Mapping[Signal, float | str]:
    """The facts that a command line states outright; what it leaves to the engine's defaults is not invented."""
    facts: dict[Signal, float | str] = {}
    for name, value in flags(command).items():
        known = _FLAGS.get(name)
        if known is None:
            continue
        signal, kind = known
        if kind is str:
            facts[signal] = value
        elif _is_number(value):
            facts[signal] = float(value)
    return facts


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:
        return line.split()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
