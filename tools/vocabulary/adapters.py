"""Adapters (LoRA) beside a model: what one batch may hold, what is asked for, and what waits for a slot.

vLLM tells it in the labels of one gauge, `lora_requests_info`, whose value is the Unix time of the last step that found the adapters so.
Each combination of them ever seen leaves a series until the process ends, so the highest value is the newest state. Read in
vllm/engine/metrics.py and vllm/v1/metrics of 0.6.4 to 0.33: until 0.11.0 one label lists what runs and the other what waits; releases
after that (vLLM pull request 26801) list every adapter with a request in flight in both. With several API servers the values of alike series
are summed over their processes, and the engines of one pod share the series. Under Ray the names have its prefix.

SGLang has three gauges with LoRA on, since its pull request 15149: adapters of the running batch, slots, and the share of the two. The base
model takes a slot as well while its requests run, and is not counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from tools.series import Series
from tools.signals import Kind, Per, Signal, fact, gauge, signal

ADAPTER_SLOTS = fact(
    "engine.adapter_slots", "slots", Per.REPLICA, "Adapters in a batch, as configured", evidence="config"
)
# `2 | running,names | waiting,names`, of the newest state.
ADAPTERS = signal(
    "llm.adapters",
    "",
    Per.REPLICA,
    Kind.FACT,
    "Newest state of its adapters",
    evidence="metric",
    optional=True,
)
ADAPTERS_AGE = gauge(
    "llm.adapters_age", "seconds", Per.REPLICA, "Age of the newest state of its adapters", "min", optional=True
)
SCHEDULERS = gauge("llm.schedulers", "schedulers", Per.REPLICA, "Schedulers that report", optional=True)
# Of several schedulers in a pod the least tells that all are full.
POOL_USED = gauge("llm.adapter_pool_used", "ratio", Per.REPLICA, "Slots for adapters in use", "min", optional=True)
POOL_SLOTS = gauge("llm.adapter_pool_slots", "slots", Per.REPLICA, "Slots for adapters", optional=True)

BETWEEN = " | "
_LABELS = '"max_lora", "running_lora_adapters", "waiting_lora_adapters"'


def _vllm(prefix: str) -> Mapping[Signal, tuple[Series, ...]]:
    state, running = f"{prefix}lora_requests_info", f"{prefix}num_requests_running"
    return {
        ADAPTERS: (
            Series(
                state,
                label="adapters",
                expr=(
                    f"max by ({{by}}) (label_join(topk by ({{keys}}) (1, {state}{{{{{{sel}}}}}}),"
                    f' "adapters", "{BETWEEN}", {_LABELS}))'
                ),
            ),
        ),
        ADAPTERS_AGE: (Series(state, expr=f"time() - max by ({{by}}) ({state}{{{{{{sel}}}}}})", only=("now",)),),
        # A pod that two jobs scrape has each of them once.
        SCHEDULERS: (
            Series(
                running,
                expr=f"count by ({{by}}) (max by ({{by}}, engine, WorkerId) ({running}{{{{{{sel}}}}}}))",
                only=("now",),
            ),
        ),
    }


def _either(*prefixes: str) -> Mapping[Signal, tuple[Series, ...]]:
    found: dict[Signal, tuple[Series, ...]] = {}
    for prefix in prefixes:
        for one, series in _vllm(prefix).items():
            found[one] = (*found.get(one, ()), *series)
    return found


SERIES = {
    "vllm": _either("vllm:"),
    "ray_vllm": _either("ray_vllm_", "ray_vllm:"),
    "sglang": {
        POOL_USED: (Series("sglang:lora_pool_utilization"),),
        POOL_SLOTS: (Series("sglang:lora_pool_slots_total"),),
    },
}
