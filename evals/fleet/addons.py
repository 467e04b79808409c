"""The pods that watch the fleet: dcgm-exporter, device plugin, node-exporter, kube-state-metrics."""

from __future__ import annotations

from evals.fleet.identity import suffix
from evals.fleet.pods import Owner, Pod, Template
from evals.fleet.recipe import Recipe
from evals.fleet.scheduler import Machine, tolerates

GPU_TAINT = (("key", "nvidia.com/gpu"), ("operator", "Exists"), ("effect", "NoSchedule"))
EVERY_TAINT = (("operator", "Exists"),)

DCGM = Template(
    container="nvidia-dcgm-exporter",
    image="nvcr.io/nvidia/k8s/dcgm-exporter:4.2.3-4.1.3-ubuntu22.04",
    env=(
        ("DCGM_EXPORTER_LISTEN", ":9400"),
        ("DCGM_EXPORTER_KUBERNETES", "true"),
        ("DCGM_EXPORTER_COLLECTORS", "/etc/dcgm-exporter/dcp-metrics-included.csv"),
    ),
    cpu="100m",
    memory="128Mi",
    port=("metrics", 9400),
    node_selector=(("nvidia.com/gpu.deploy.dcgm-exporter", "true"),),
    tolerations=(GPU_TAINT,),
    labels=(("app", "nvidia-dcgm-exporter"),),
    service_account="nvidia-dcgm-exporter",
    priority_class="system-node-critical",
)
PLUGIN = Template(
    container="nvidia-device-plugin",
    image="nvcr.io/nvidia/k8s-device-plugin:v0.17.1",
    env=(("NVIDIA_MIG_MONITOR_DEVICES", "all"), ("PASS_DEVICE_SPECS", "true")),
    node_selector=(("nvidia.com/gpu.deploy.device-plugin", "true"),),
    tolerations=(GPU_TAINT,),
    labels=(("app", "nvidia-device-plugin-daemonset"),),
    service_account="nvidia-device-plugin",
    priority_class="system-node-critical",
)
NODE_EXPORTER = Template(
    container="node-exporter",
    image="quay.io/prometheus/node-exporter:v1.8.2",
    port=("metrics", 9100),
    tolerations=(EVERY_TAINT,),
    labels=(("app.kubernetes.io/name", "prometheus-node-exporter"),),
    service_account="node-exporter",
)
KSM = Template(
    container="kube-state-metrics",
    image="registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0",
    cpu="100m",
    memory="190Mi",
    port=("http", 8080),
    labels=(("app.kubernetes.io/name", "kube-state-metrics"),),
    service_account="kube-state-metrics",
)
DAEMONS: dict[tuple[str, str], Template] = {
    ("gpu-operator", "nvidia-dcgm-exporter"): DCGM,
    ("gpu-operator", "nvidia-device-plugin-daemonset"): PLUGIN,
    ("monitoring", "node-exporter"): NODE_EXPORTER,
}


def daemons(recipe: Recipe) -> dict[tuple[str, str], Template]:
    """The DaemonSets of this fleet by namespace and name."""
    kept = dict(DAEMONS)
    if not recipe.node_exporter:
        del kept["monitoring", "node-exporter"]
    return kept


def wanted_on(name: str, template: Template, machine: Machine) -> bool:
    """Whether the DaemonSet has a pod on the machine."""
    if name.startswith("nvidia") and not machine.spec.gpus:
        return False
    if template is DCGM and machine.exporter == "absent":
        return False
    return all(tolerates(template, t.key, t.value, t.effect) for t in machine.spec.taints)


def daemon_pod(key: tuple[str, str], template: Template, machine: Machine, at: float) -> Pod:
    """The DaemonSet's pod on a machine."""
    namespace, name = key
    owner = Owner("DaemonSet", name, "DaemonSet", name)
    revision = suffix(9, name)
    return Pod(namespace, f"{name}-{suffix(5, name, machine.spec.name, int(at))}", owner, template, revision, at)


def state_metrics_pod(at: float) -> Pod:
    """The pod of kube-state-metrics."""
    revision = suffix(9, "kube-state-metrics", "rs")
    owner = Owner("ReplicaSet", f"kube-state-metrics-{revision}", "Deployment", "kube-state-metrics")
    name = f"kube-state-metrics-{revision}-{suffix(5, 'ksm')}"
    return Pod("monitoring", name, owner, KSM, revision, at)
