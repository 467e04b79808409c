"""What a node exposes of its containers (cAdvisor in the kubelet) and of itself (node-exporter)."""

from __future__ import annotations

from evals.fleet.pods import Pod
from evals.fleet.recipe import quantity
from evals.fleet.sample import Labels, Sample, labels_of
from evals.fleet.scheduler import Machine


def containers(pods: list[Pod]) -> list[Sample]:
    """cAdvisor's exposition for the running containers of one node."""
    found: list[Sample] = []
    for pod in pods:
        if pod.container.state == "running":
            found += _container(pod)
            found += _network(pod)
    return found


def _slice(pod: Pod) -> str:
    form = pod.template
    burstable = "burstable" if form.memory or form.cpu else "besteffort"
    own = f"kubepods-{burstable}-pod{pod.uid.replace('-', '_')}.slice"
    return f"/kubepods.slice/kubepods-{burstable}.slice/{own}"


def _container(pod: Pod) -> list[Sample]:
    form, cid = pod.template, pod.container_id
    who = labels_of(
        container=form.container,
        id=f"{_slice(pod)}/cri-containerd-{cid}.scope",
        image=form.image,
        name=cid,
        namespace=pod.namespace,
        pod=pod.name,
    )
    memory, cache = pod.memory, pod.cache
    usage = tuple(sorted((*who, ("cpu", "total"))))
    found = [
        Sample(
            "container_cpu_usage_seconds_total",
            usage,
            round(pod.cpu_seconds, 6),
            "counter",
            "container_cpu_usage_seconds",
        ),
        Sample("container_memory_working_set_bytes", who, float(round(memory + 0.15 * cache))),
        Sample("container_memory_rss", who, float(round(memory * 0.93))),
        Sample("container_memory_cache", who, float(round(cache))),
        Sample(
            "container_spec_memory_limit_bytes",
            who,
            quantity(form.memory_limit) if form.memory_limit else 0.0,
        ),
        Sample("container_oom_events_total", who, float(pod.oom_events), "counter", "container_oom_events"),
    ]
    if form.cpu_limit:
        host = pod.engine.host if pod.engine is not None else None
        periods = host.periods if host else pod.cpu_seconds / 0.02
        for name, value in (
            ("container_cpu_cfs_periods", float(int(periods))),
            ("container_cpu_cfs_throttled_periods", float(int(host.throttled_periods)) if host else 0.0),
            ("container_cpu_cfs_throttled_seconds", round(host.throttled_seconds, 4) if host else 0.0),
        ):
            found.append(Sample(f"{name}_total", who, value, "counter", name))
        found.append(Sample("container_spec_cpu_period", who, 100000.0))
        found.append(Sample("container_spec_cpu_quota", who, quantity(form.cpu_limit) * 100000))
    return found


def _network(pod: Pod) -> list[Sample]:
    who: Labels = labels_of(
        id=_slice(pod),
        image="registry.k8s.io/pause:3.9",
        interface="eth0",
        namespace=pod.namespace,
        pod=pod.name,
    )
    return [
        Sample(f"{name}_total", who, float(round(value)), "counter", name)
        for name, value in (
            ("container_network_receive_bytes", pod.received),
            ("container_network_transmit_bytes", pod.sent),
        )
    ]


def machine(host: Machine, pods: list[Pod]) -> list[Sample]:
    """A few of node-exporter's series."""
    total = quantity(host.spec.memory)
    used = sum(pod.memory + 0.15 * pod.cache for pod in pods) + 0.03 * total
    cores = sum(pod.cores for pod in pods)
    return [
        Sample("node_memory_MemTotal_bytes", (), total),
        Sample("node_memory_MemAvailable_bytes", (), float(round(total - used))),
        Sample("node_load1", (), round(0.4 + 1.06 * cores, 2)),
        Sample("node_boot_time_seconds", (), float(int(host.created))),
    ]
