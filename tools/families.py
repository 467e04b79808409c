"""Symptoms that go together, so that a cause names what it does and not each way in which that shows."""

from __future__ import annotations

from collections.abc import Iterable

from tools.check import Explains, Where


def named(*symptoms: str) -> tuple[Explains, ...]:
    """Symptoms of the same workload, by id."""
    return tuple(map(Explains, symptoms))


# Too little capacity for the load: what waits, is pushed out, given up or turned away.
QUEUEING = (
    *named(
        "kv_saturation_queueing",
        "kv_memory_cliff",
        "preemption_thrash",
        "ttft_breach_queueing",
        "abort_spike",
        "overload_rejections",
        "itl_breach_batch_too_large",
        "embedding_reranker_bottleneck",
        "gateway_router_overloaded",
    ),
    # What befalls engines leaves a router beside them with nobody to send to.
    Explains("router_without_backends", Where.BESIDE),
)
# Pods that are placed nowhere: the head of their Ray cluster waits for them.
UNPLACED = (*QUEUEING, *named("ttft_breach_prefill"), Explains("ray_resources_missing", Where.SAME_NAMESPACE))
# The computation itself is slower than it should be: everything takes longer, queues form behind it, and more replicas are no remedy.
SLOW = (
    *named("ttft_breach_prefill", "head_of_line_blocking", "hpa_at_max"),
    *QUEUEING,
)
# A server that dies or stops answering: what users see of it, and what its replicas show.
BROKEN = named("error_rate_spike", "abort_spike")
# The Xid of the application class is the driver's echo of a process that died.
# Who is left serves the others' requests, too, and computes their prompts in between.
DOWN = named(
    "crash_loop", "gpu_held_by_not_ready_pod", "readiness_never_true", "xid_application", "ttft_breach_prefill"
)
FAILING = (*BROKEN, *DOWN, *named("engine_dead"))


# How what cannot serve without something shows that it is down: it fails, waits at its start, or gets no requests at all.
NEEDING = frozenset(one.symptom for one in FAILING) | {
    "client_error_rise",
    "model_download_failure",
    "gpu_idle_no_traffic",
    "gpu_idle_no_process",
    "small_batches",
    "overprovisioned_replicas",
    "pd_disaggregation_transfer",
    "router_without_backends",
}


# An exporter that does not run tells nothing of the GPUs of its node, a device plugin (or what it waits for) gives none of them out.
UNEQUIPPED = (
    Explains("exporter_down", Where.WATCHES_THIS_NODE),
    Explains("device_plugin_missing", Where.EQUIPS_THIS_NODE),
)


# What a fault of the GPU shows besides its Xid.
HARDWARE = named(
    "ecc_uncorrectable",
    "row_remap_pending",
    "row_remap_failure",
    "nvlink_errors",
    "pcie_degraded",
    "xid_application",
    "stale_metrics",
)
# CUDA or its GPUs are gone under every container of a node: what those say when they start or when they fail.
NO_CUDA = named(
    "container_lost_gpu",
    "cuda_driver_too_old",
    "library_missing",
    "tp_invalid",
    "nccl_init_failure",
    "nccl_hang_tp_stall",
    "gpu_idle_no_process",
    "routing_skew",
)


def at(family: Iterable[Explains], where: Where) -> tuple[Explains, ...]:
    """The same symptoms, lying otherwise to their cause."""
    return tuple(Explains(one.symptom, where) for one in family)
