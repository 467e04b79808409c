"""Small worlds in one real Prometheus, a month apart so that none sees another, and Kubernetes objects to go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

START = 1_700_000_000.0
MONTH = 30 * 86_400.0
STEP = 60.0
Labels = Mapping[str, str]
EXPORTER = {"job": "dcgm", "namespace": "gpu-system"}


@dataclass
class World:
    """Series up to `at`. `ago` ends a series that long before, `over` is how far back it goes."""

    at: float
    series: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def gauge(
        self,
        name: str,
        value: float | Callable[[float], float],
        /,
        *,
        ago: float = 0.0,
        over: float = 900.0,
        **labels: str,
    ) -> None:
        """A value (or one by time, in seconds before `at`) a minute."""
        told = ",".join(f'{k}="{v}"' for k, v in labels.items() if v)
        points = []
        steps = int((over - ago) // STEP)
        for i in range(steps + 1):
            before = over - i * STEP
            if before >= ago:
                points.append((self.at - before, value(before) if callable(value) else value))
        self.series[f"{name}{{{told}}}" if told else name] = points

    def counter(self, name: str, per_s: float, *, ago: float = 0.0, over: float = 900.0, **labels: str) -> None:
        """A counter that grows evenly."""
        self.gauge(name, lambda before: (over - before) * per_s, ago=ago, over=over, **labels)

    def histogram(
        self,
        name: str,
        buckets: Mapping[str, float],
        total: float,
        *,
        ago: float = 0.0,
        over: float = 900.0,
        **labels: str,
    ) -> None:
        """Observations per second by upper bound (not cumulated), and seconds observed per second."""
        count = 0.0
        for bound, rate in buckets.items():
            count += rate
            self.counter(f"{name}_bucket", count, ago=ago, over=over, **labels, le=bound)
        self.counter(f"{name}_count", count, ago=ago, over=over, **labels)
        self.counter(f"{name}_sum", total, ago=ago, over=over, **labels)

    def gpu(self, uuid: str, *, util: float = 50.0, ago: float = 0.0, over: float = 900.0, **labels: str) -> None:
        """A GPU as dcgm-exporter shows it."""
        who = {"UUID": uuid, "modelName": "NVIDIA H100", **labels}
        self.gauge("DCGM_FI_DEV_FB_USED", 70_000, ago=ago, over=over, **who)
        self.gauge("DCGM_FI_DEV_GPU_UTIL", util, ago=ago, over=over, **who)

    def engine(
        self, pod: str, *, namespace: str = "team", running: float = 2.0, ago: float = 0.0, over: float = 900.0
    ) -> None:
        """An engine that reports."""
        who = {"namespace": namespace, "pod": pod, "model_name": "org/Model-7B"}
        self.gauge("vllm:num_requests_running", running, ago=ago, over=over, **who)


def write(worlds: Mapping[str, World], path: Path) -> None:
    """All of them as OpenMetrics text."""
    lines = []
    families: dict[str, list[str]] = {}
    for world in worlds.values():
        for series, points in world.series.items():
            told = [f"{series} {'NaN' if v != v else repr(v)} {t}" for t, v in points]
            families.setdefault(series.split("{")[0], []).extend(told)
    for name in sorted(families):
        lines += [f"# TYPE {name} unknown", *families[name]]
    path.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")


def stamp(at: float) -> str:
    """A time as Kubernetes writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(
    name: str, *, namespace: str = "team", owner: tuple[str, str] | None = ("ReplicaSet", "app-6c8d9f7b5"), **more: Any
) -> dict[str, Any]:
    """A running pod with an engine and a GPU; `more` are node, image, gpus, args, phase, created, status, limits."""
    now = more.get("now", START)
    container: dict[str, Any] = {
        "name": "engine", "image": more.get("image", "vllm/vllm-openai:v0.10.0"), "args": more.get("args", []),
        "resources": {"limits": {"nvidia.com/gpu": str(more.get("gpus", 1)), **more.get("limits", {})}},
    }  # fmt: skip
    metadata: dict[str, Any] = {
        "namespace": namespace,
        "name": name,
        "creationTimestamp": stamp(more.get("created", now - 7200)),
    }
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": owner[0], "name": owner[1], "controller": True}]
    if more.get("deleted"):
        metadata["deletionTimestamp"] = stamp(now)
    phase = more.get("phase", "Running")
    running = phase == "Running"
    status: dict[str, Any] = {
        "phase": phase,
        "conditions": [{"type": "Ready", "status": "True" if running else "False"}],
        "containerStatuses": [{"name": "engine", "restartCount": 0, "state": {"running": {"startedAt": stamp(now - 7200)}}}],
    }  # fmt: skip
    status.update(more.get("status", {}))
    return {
        "metadata": metadata,
        "spec": {"nodeName": more.get("node", "n1"), "containers": [container]},
        "status": status,
    }


def crashed(
    ago: float, *, now: float = START, code: int = 1, reason: str = "Error", waiting: str = "CrashLoopBackOff"
) -> dict[str, Any]:
    """The status of a container that ended badly."""
    ended = {"reason": reason, "exitCode": code, "startedAt": stamp(now - ago - 60), "finishedAt": stamp(now - ago)}
    return {
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {"name": "engine", "restartCount": 4, "state": {"waiting": {"reason": waiting}}, "lastState": {"terminated": ended}}
        ],
    }  # fmt: skip


def node(name: str = "n1", gpus: int = 8, *, ready: str = "True", **spec: Any) -> dict[str, Any]:
    """A node with GPUs."""
    told = {"nvidia.com/gpu": str(gpus)}
    conditions = [{"type": "Ready", "status": ready}]
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"capacity": told, "allocatable": told, "conditions": conditions},
    }


def owned(kind: str, name: str, owner: str | None = None, namespace: str = "team", **more: Any) -> dict[str, Any]:
    """A ReplicaSet, Deployment or StatefulSet; `owner` is the Deployment that owns it."""
    metadata: dict[str, Any] = {"namespace": namespace, "name": name}
    if owner:
        metadata["ownerReferences"] = [{"kind": "Deployment", "name": owner, "controller": True}]
    return {"metadata": metadata, "spec": {"replicas": 1}, "status": {"readyReplicas": 1}, **more}


def hpa(target: str, metric: str = "cpu", namespace: str = "team", desired: int = 2) -> dict[str, Any]:
    """An autoscaler that follows a resource metric."""
    return {
        "metadata": {"namespace": namespace, "name": f"{target}-hpa"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": target}, "minReplicas": 1, "maxReplicas": 8,
            "metrics": [{"type": "Resource", "resource": {"name": metric}}],
        },
        "status": {"desiredReplicas": desired},
    }  # fmt: skip


def listings(**some: Any) -> dict[str, Any]:
    """Every kind that is listed: empty but for those that are given."""
    from tools.observe import KINDS
    from tools.watching import DECLARED

    return {**{kind: [] for kind in (*KINDS, DECLARED)}, **some}


def build() -> dict[str, World]:
    """Every world, by name."""
    from tests.tools import gpu_worlds, ksm_worlds

    names = (
        "generations", "nothing", "true_labels", "exported", "mig", "vanished", "stale", "ksm", "ksm_exported", "rollout",
        "four", "four_hundred", "sick", "fqdn", "nvidia_smi", "side_by_side", "nvitop", "house",
        "clocks", "reported", "ksm_init", "ksm_init_exported", "plain_smi",
    )  # fmt: skip
    worlds = {name: World(START + i * MONTH) for i, name in enumerate(names)}
    _engines(worlds["generations"], worlds["nothing"])
    _gpus(worlds)
    _ksm(worlds["ksm"], "")
    _ksm(worlds["ksm_exported"], "exported_")
    _ksm(worlds["rollout"], "")
    ksm_worlds.init_containers(worlds["ksm_init"], "")
    ksm_worlds.init_containers(worlds["ksm_init_exported"], "exported_")
    worlds["rollout"].engine("app-11111111aa-old00", ago=1500, over=3600)
    worlds["rollout"].engine("app-6c8d9f7b5-aaaaa", over=1500)
    for name, count in (("four", 4), ("four_hundred", 400)):
        for i in range(count):
            worlds[name].gpu(
                f"GPU-{i}", gpu=str(i % 8), Hostname=f"n{i // 8}", pod=f"app-{i}", namespace="team", over=300
            )
            worlds[name].engine(f"app-{i}", over=300)
            worlds[name].gauge("vllm:num_requests_waiting", 1, over=300, namespace="team", pod=f"app-{i}")
    _sick(worlds["sick"])
    gpu_worlds.nvidia_smi(worlds["nvidia_smi"])
    gpu_worlds.side_by_side(worlds["side_by_side"])
    gpu_worlds.nvitop(worlds["nvitop"])
    _house(worlds["house"])
    gpu_worlds.clocks(worlds["clocks"])
    gpu_worlds.reported(worlds["reported"])
    gpu_worlds.plain_smi(worlds["plain_smi"])
    return worlds


def _engines(world: World, nothing: World) -> None:
    new, old = {"namespace": "team", "pod": "app-new"}, {"namespace": "team", "pod": "app-old"}
    for who in (new, old):
        world.gauge("vllm:num_requests_running", 2, **who)
        world.gauge("vllm:engine_sleep_state", 1, **who, sleep_state="awake")
        world.gauge("vllm:engine_sleep_state", 0, **who, sleep_state="weights_offloaded")
    world.gauge("vllm:kv_cache_usage_perc", 0.9, **new)
    world.gauge("vllm:gpu_cache_usage_perc", 0.4, **old)
    world.gauge("vllm:num_requests_waiting", lambda before: 10 if before > 300 else 4, **new, engine="0")
    world.gauge("vllm:num_requests_waiting", 1, **new, engine="1")
    world.gauge("stairs", lambda before: 6 - abs(before - 300) // 60, namespace="team")
    world.gauge("waves", lambda before: 5 if before // 120 % 2 else 2, namespace="team")
    world.gauge("flat", 3, namespace="team")
    world.histogram("vllm:time_to_first_token_seconds", {"0.5": 1.0, "1.0": 0.0, "2.5": 1.0, "+Inf": 0.0}, 1.5, **new)
    world.histogram("vllm:inter_token_latency_seconds", {"0.1": 10.0, "+Inf": 0.0}, 0.5, **new)
    world.histogram("vllm:time_per_output_token_seconds", {"0.1": 10.0, "+Inf": 0.0}, 0.9, **old)
    world.counter("vllm:generation_tokens_total", 100.0, **new)
    for reason in ("stop", "abort"):
        world.counter("vllm:request_success_total", 0.5, **new, finished_reason=reason)
    quiet, broken = {"namespace": "team", "pod": "quiet-0"}, {"namespace": "team", "pod": "broken-0"}
    gone = {"namespace": "team", "pod": "gone-0"}
    for who, ago in ((quiet, 0.0), (broken, 0.0), (gone, 200.0)):
        nothing.gauge("vllm:num_requests_running", 0, ago=ago, **who)
        nothing.histogram("vllm:time_to_first_token_seconds", {"0.5": 0.0, "+Inf": 0.0}, 0.0, ago=ago, **who)
    nothing.gauge("vllm:kv_cache_usage_perc", float("nan"), **broken)
    nothing.counter("vllm:request_success_total", 0.5, namespace="team", pod="busy-0", finished_reason="stop")
    # Servers whose counters begin with their first request: one that had some, one that had none, one that had its first a moment ago.
    for pod in ("used-0", "unused-0", "first-0", "busy-1", "dropped-0"):
        nothing.gauge("tgi_queue_size", 0, namespace="team", pod=pod)
        nothing.gauge("tgi_batch_current_size", 2 if pod == "busy-1" else 0, namespace="team", pod=pod)
    nothing.counter("tgi_request_success", 0.5, namespace="team", pod="used-0")
    nothing.counter("tgi_request_generated_tokens_sum", 9.0, namespace="team", pod="dropped-0")
    nothing.counter("tgi_request_success", 0.5, over=0.0, namespace="team", pod="first-0")


def _gpus(worlds: Mapping[str, World]) -> None:
    true = worlds["true_labels"]
    true.gpu("GPU-a", gpu="0", Hostname="n1", pod="app-6c8d9f7b5-aaaaa", namespace="team", job="dcgm")
    true.gpu("GPU-b", gpu="1", Hostname="nvidia-dcgm-exporter-x1", pod="nvidia-dcgm-exporter-x1", **EXPORTER)
    true.gpu("GPU-c", gpu="2", hostname="n3", pod="train-0", namespace="lab", job="dcgm")
    exported = worlds["exported"]
    mine = {"pod": "nvidia-dcgm-exporter-x1", **EXPORTER, "Hostname": "nvidia-dcgm-exporter-x1"}
    exported.gpu("GPU-a", gpu="0", exported_pod="app-6c8d9f7b5-aaaaa", exported_namespace="team", **mine)
    exported.gpu("GPU-b", gpu="1", **mine)
    exported.gpu("GPU-c", gpu="0", node="n7", exported_pod="train-0", exported_namespace="lab", **mine)
    mig = worlds["mig"]
    for instance, used in (("1", 10_000), ("2", 20_000)):
        who = {
            "UUID": "GPU-a",
            "gpu": "0",
            "GPU_I_ID": instance,
            "Hostname": "n1",
            "pod": f"slice-{instance}",
            "namespace": "team",
        }
        mig.gauge("DCGM_FI_DEV_FB_USED", used, **who)
        mig.gauge("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.25, **who)
    vanished = worlds["vanished"]
    who = {"Hostname": "n1", "namespace": "team"}
    vanished.gpu("GPU-gone", gpu="0", pod="app-0", ago=1200, over=3600, **who)
    vanished.gauge(
        "DCGM_FI_DEV_XID_ERRORS",
        lambda before: 79 if before <= 1500 else 0,
        ago=1200,
        over=3600,
        UUID="GPU-gone",
        gpu="0",
        pod="app-0",
        **who,
    )
    vanished.gpu("GPU-here", gpu="1", pod="app-1", **who)
    vanished.gauge("DCGM_FI_DEV_XID_ERRORS", 0, UUID="GPU-here", gpu="1", pod="app-1", **who)
    stale = worlds["stale"]
    stale.gpu("GPU-old", gpu="0", pod="app-0", ago=240, Hostname="n1", namespace="team")
    stale.gpu("GPU-new", gpu="0", pod="app-1", Hostname="n2", namespace="team")
    stale.gauge(
        "kube_horizontalpodautoscaler_info",
        1,
        ago=240,
        namespace="team",
        horizontalpodautoscaler="app-hpa",
        scaletargetref_kind="Deployment",
        scaletargetref_name="app",
    )
    stale.gauge(
        "kube_horizontalpodautoscaler_spec_max_replicas",
        8,
        ago=240,
        namespace="team",
        horizontalpodautoscaler="app-hpa",
    )
    worlds["fqdn"].gpu("GPU-a", gpu="0", Hostname="n1.example.internal", pod="app-6c8d9f7b5-aaaaa", namespace="team")


def _ksm(world: World, prefix: str) -> None:
    own = {"namespace": "monitoring", "pod": "ksm-0", "container": "ksm"} if prefix else {}

    def who(name: str, namespace: str = "team") -> dict[str, str]:
        return {**own, f"{prefix}namespace": namespace, f"{prefix}pod": name}

    owners = {
        "app-6c8d9f7b5-aaaaa": ("ReplicaSet", "app-6c8d9f7b5"),
        "db-0": ("StatefulSet", "db"),
        "job-x-abcde": ("Job", "job-x"),
        "bare": ("", ""),
        "static-n1": ("Node", "n1"),
    }
    for name, (kind, owner) in owners.items():
        world.gauge(
            "kube_pod_info",
            1,
            **who(name),
            node="n1",
            created_by_kind=kind or "<none>",
            created_by_name=owner or "<none>",
        )
        world.gauge("kube_pod_status_phase", 1, **who(name), phase="Running")
        world.gauge("kube_pod_status_phase", 0, **who(name), phase="Pending")
        world.gauge("kube_pod_status_ready", 0 if name == "db-0" else 1, **who(name), condition="true")
        world.gauge("kube_pod_created", world.at - 7200, **who(name))
    app = {**who("app-6c8d9f7b5-aaaaa"), f"{prefix}container": "engine"}
    world.gauge("kube_pod_container_resource_requests", 2, **app, resource="nvidia_com_gpu")
    world.gauge("kube_pod_container_resource_limits", 8 * 2**30, **app, resource="memory")
    world.gauge("kube_pod_container_state_started", world.at - 3000, **app)
    world.gauge("kube_pod_container_status_last_terminated_reason", 1, **app, reason="OOMKilled")
    world.gauge(
        "kube_pod_container_status_last_terminated_reason", 1, **{**app, f"{prefix}container": "side"}, reason="Error"
    )
    world.gauge("kube_pod_container_status_last_terminated_exitcode", 137, **app)
    world.gauge("kube_node_info", 1, node="n1")
    world.gauge("kube_node_status_capacity", 8, node="n1", resource="nvidia_com_gpu")
    world.gauge("kube_node_status_condition", 1, node="n1", condition="Ready", status="true")
    scaler = {**own, f"{prefix}namespace": "team", "horizontalpodautoscaler": "app-hpa"}
    world.gauge(
        "kube_horizontalpodautoscaler_info", 1, **scaler, scaletargetref_kind="Deployment", scaletargetref_name="app"
    )
    world.gauge("kube_horizontalpodautoscaler_spec_max_replicas", 8, **scaler)
    for metric in ("cpu", "memory"):
        world.gauge("kube_horizontalpodautoscaler_spec_target_metric", 70, **scaler, metric_name=metric)


def _house(world: World) -> None:
    """The same trouble on a server that nobody but its owner knows: percent, milliseconds, a queue of two tiers, other labels."""
    who = {"kubernetes_namespace": "team", "kubernetes_pod_name": "house-6c8d9f7b5-aaaaa"}
    world.gauge("house_up_info", 1, over=3600, **who)
    world.gauge("house_active", 40, over=3600, **who)
    world.gauge("house_cache_percent", 99, over=3600, **who)
    world.gauge("house_queue_depth", 12, over=3600, **who, tier="live")
    world.gauge("house_queue_depth", 5000, over=3600, **who, tier="batch")
    late = {"500": 0.0, "2500": 0.0, "10000": 1.0, "+Inf": 0.0}
    world.histogram("house_first_token_ms", late, 6000.0, over=3600, **who)
    world.histogram("house_wait_ms", late, 5500.0, over=3600, **who)
    world.counter("house_answers_total", 1.0, over=3600, **who)


def _sick(world: World) -> None:
    """A replica whose cache is full and whose queue never empties, under an autoscaler that watches the CPU."""
    who = {"namespace": "team", "pod": "app-6c8d9f7b5-aaaaa", "model_name": "org/Model-7B"}
    world.engine(who["pod"], running=40, over=3600)
    world.gauge("vllm:kv_cache_usage_perc", 0.99, over=3600, **who)
    world.gauge("vllm:num_requests_waiting", 12, over=3600, **who)
    late = {"0.5": 0.0, "2.5": 0.0, "10.0": 1.0, "+Inf": 0.0}
    world.histogram("vllm:time_to_first_token_seconds", late, 6.0, over=3600, **who)
    world.histogram("vllm:request_queue_time_seconds", late, 5.5, over=3600, **who)
    world.gpu("GPU-a", gpu="0", Hostname="n1", pod=who["pod"], namespace="team", over=3600, util=97)
    world.gauge(
        "DCGM_FI_DEV_XID_ERRORS", 0, over=7200, UUID="GPU-a", gpu="0", Hostname="n1", pod=who["pod"], namespace="team"
    )
