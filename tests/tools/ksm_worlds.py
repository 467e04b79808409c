"""What kube-state-metrics tells of pods whose containers are not alike."""

from __future__ import annotations

from tests.tools.worlds import World


def init_containers(world: World, prefix: str) -> None:
    """Init containers, and a kube-state-metrics that does not say when a container ended."""
    own = {"namespace": "monitoring", "pod": "ksm-0", "container": "ksm"} if prefix else {}

    def who(name: str, container: str = "") -> dict[str, str]:
        told = {f"{prefix}container": container} if container else {}
        return {**own, f"{prefix}namespace": "team", f"{prefix}pod": name, **told}

    for name in ("loops", "was-init", "again", "calm"):
        world.gauge("kube_pod_info", 1, **who(name), node="n1", created_by_kind="StatefulSet", created_by_name=name)
        world.gauge("kube_pod_created", world.at - 7200, **who(name))
        restarts = {"loops": 0, "was-init": 0, "again": 3, "calm": 0}[name]
        world.gauge("kube_pod_container_status_restarts_total", restarts, **who(name, "engine"))
        if name != "loops":
            world.gauge("kube_pod_container_state_started", world.at - 900, **who(name, "engine"))
    for name, reason in (("loops", "OOMKilled"), ("was-init", "Error")):
        world.gauge("kube_pod_init_container_status_last_terminated_reason", 1, **who(name, "fetch"), reason=reason)
        counted = (lambda before: 6 if before <= 300 else 5) if name == "loops" else 6
        world.gauge("kube_pod_init_container_status_restarts_total", counted, **who(name, "fetch"))
    world.gauge("kube_pod_container_status_waiting_reason", 1, **who("loops", "engine"), reason="PodInitializing")
    world.gauge("kube_pod_init_container_status_waiting_reason", 1, **who("loops", "fetch"), reason="CrashLoopBackOff")
    world.gauge("kube_pod_init_container_status_waiting_reason", 1, **who("loops", "warm"), reason="PodInitializing")
    world.gauge("kube_pod_container_status_last_terminated_reason", 1, **who("again", "engine"), reason="OOMKilled")
    world.gauge("kube_pod_container_status_last_terminated_exitcode", 137, **who("again", "engine"))
