"""What GPU time is spent on: hours in which a GPU was seen, held no process, ran something; in which an engine had nothing to do.

Hours are counted in slots of five minutes. What happens within a slot counts for all of it, so that a GPU or an engine with a little
to do is never called idle. They are the past of a window, so that a source which fell silent takes none of them back; the hours of
its silence are in none of them. Also which product and machine type a node is, and whose tenant a workload is labelled with.
"""

from __future__ import annotations

from tools.series import Series
from tools.signals import Kind, Per, Signal, fact, signal

SLOT = "5m"
SLOTS_PER_HOUR = 12
# An unused GPU shows up to some 600 MiB, by driver and ECC: the limit of the check gpu_idle_no_process.
EMPTY_MIB = 600


def _hours(name: str, per: Per, meaning: str) -> Signal:
    return signal(f"cost.{name}", "hours", per, Kind.GAUGE, f"Hours in which {meaning}", "sum", lasting=True)


GPU_SEEN = _hours("gpu_seen", Per.GPU, "the GPU was seen")
GPU_EMPTY = _hours("gpu_empty", Per.GPU, "the GPU held no process")
GPU_ACTIVE = _hours("gpu_active", Per.GPU, "the GPU ran something")
ENGINE_SEEN = _hours("engine_seen", Per.REPLICA, "the engine was seen")
ENGINE_QUIET = _hours("engine_quiet", Per.REPLICA, "the engine had no request")
NOT_READY = _hours("not_ready", Per.REPLICA, "the pod was not ready")

NODE_PRODUCT = fact("node.gpu_product", "", Per.NODE, "GPU product of the node", evidence="config")
NODE_MACHINE = fact("node.machine_type", "", Per.NODE, "Machine type of the node", evidence="config")
NODE_CAPACITY = fact("node.capacity_type", "", Per.NODE, "How the node is bought", evidence="config")
TENANT = fact(
    "workload.tenant", "", Per.WORKLOAD, "Tenant that it is labelled with", evidence="config", told_by="namespaces"
)
TEAM = fact("workload.team", "", Per.WORKLOAD, "Team that it is labelled with", evidence="config", told_by="namespaces")


def _slots(test: str, metric: str, *also: str) -> tuple[Series, ...]:
    """Hours of a window: `test` is 1 in a slot that counts and 0 in one that does not."""
    expr = f"sum_over_time(({test})[{{w}}:{SLOT}])"
    return (Series(metric, scale=1 / SLOTS_PER_HOUR, expr=expr, also=also, only=("max",)),)


def _seen(metric: str) -> tuple[Series, ...]:
    return _slots(f"max by ({{by}}) (max_over_time({metric}{{{{{{sel}}}}}}[{SLOT}])) * 0 + 1", metric)


def _gpu(memory: str, empty: float, busy: str) -> dict[Signal, tuple[Series, ...]]:
    most = f"max by ({{by}}) (max_over_time(%s{{{{{{sel}}}}}}[{SLOT}]))"
    return {
        GPU_SEEN: _seen(memory),
        GPU_EMPTY: _slots(f"{most % memory} < bool {empty:.0f}", memory),
        GPU_ACTIVE: _slots(f"{most % busy} > bool 0", busy),
    }


def _engine(running: str, waiting: str, finished: str) -> dict[Signal, tuple[Series, ...]]:
    most = f"sum by ({{by}}) (max_over_time(%s{{{{{{sel}}}}}}[{SLOT}]))"
    now = f"{most % running} + {most % waiting}"
    done = f"sum by ({{by}}) (increase({finished}{{{{{{sel}}}}}}[{SLOT}]))"
    # A counter that nothing has counted yet may not be exported.
    return {
        ENGINE_SEEN: _seen(running),
        ENGINE_QUIET: _slots(f"(({now} + {done}) or ({now})) == bool 0", running, waiting, finished),
    }


SERIES: dict[str, dict[Signal, tuple[Series, ...]]] = {
    "dcgm_exporter": _gpu("DCGM_FI_DEV_FB_USED", EMPTY_MIB, "DCGM_FI_DEV_GPU_UTIL"),
    "nvidia_gpu_exporter": _gpu(
        "nvidia_smi_memory_used_bytes", EMPTY_MIB * 2.0**20, "nvidia_smi_utilization_gpu_ratio"
    ),
    "nvitop_exporter": _gpu("gpu_memory_used_MiB", EMPTY_MIB, "gpu_utilization_Percentage"),
    "vllm": _engine("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:request_success_total"),
    "sglang": _engine("sglang:num_running_reqs", "sglang:num_queue_reqs", "sglang:num_requests_total"),
    "tgi": _engine("tgi_batch_current_size", "tgi_queue_size", "tgi_request_success"),
    "tensorrt_llm": _engine(
        "trtllm_num_requests_running", "trtllm_num_requests_waiting", "trtllm_request_success_total"
    ),
    "kube_state_metrics_pods": {
        NOT_READY: _slots(
            'max by ({by}) (kube_pod_status_ready{{condition="true",{sel}}}) == bool 0', "kube_pod_status_ready"
        )
    },
}
