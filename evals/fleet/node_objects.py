"""A node as the API server returns it, with the labels that GPU feature discovery gives."""

from __future__ import annotations

from evals.fleet.identity import hexes, stamp, uid
from evals.fleet.pod_objects import Manifest, metadata
from evals.fleet.recipe import Recipe, quantity
from evals.fleet.scheduler import Machine


def node_object(machine: Machine, recipe: Recipe, seen: float) -> Manifest:
    """The whole Node. ``seen`` is when conditions were last heard of."""
    spec = machine.spec
    # A kubelet reports memory in Ki, a little under what the machine has.
    memory = int(quantity(spec.memory) * 0.985 / 1024)
    cpu = quantity(spec.cpu)
    capacity = {
        "cpu": str(int(cpu)),
        "ephemeral-storage": "1843269236Ki",
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": f"{memory}Ki",
        "pods": "110",
    }
    allocatable = {
        **capacity,
        "cpu": f"{int(cpu * 1000) - 190}m",
        "ephemeral-storage": "1698756925Ki",
        "memory": f"{memory - 1_900_000}Ki",
    }
    if machine.devices:
        capacity["nvidia.com/gpu"] = str(len(machine.devices))
        allocatable["nvidia.com/gpu"] = str(machine.allocatable)
    born, key = machine.created, uid("node", spec.name)
    taints = [{"key": t.key, "effect": t.effect, **({"value": t.value} if t.value else {})} for t in spec.taints]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata("", spec.name, key, born, machine.version, labels=_labels(machine, recipe)),
        "spec": {
            "podCIDR": f"10.244.{machine.address.rsplit('.', 1)[1]}.0/24",
            "providerID": f"metal://{hexes(12, key)}",
            **({"taints": taints} if taints else {}),
        },
        "status": {
            "capacity": capacity,
            "allocatable": allocatable,
            "conditions": _conditions(born, seen),
            "addresses": [
                {"type": "InternalIP", "address": machine.address},
                {"type": "Hostname", "address": spec.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": hexes(32, key, "machine"),
                "systemUUID": uid("system", key),
                "bootID": uid("boot", key),
                "kernelVersion": "5.15.0-122-generic",
                "osImage": "Ubuntu 22.04.5 LTS",
                "containerRuntimeVersion": "containerd://1.7.24",
                "kubeletVersion": recipe.kubernetes,
                "kubeProxyVersion": recipe.kubernetes,
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
        },
    }


def _conditions(born: float, seen: float) -> list[Manifest]:
    found = []
    for kind, reason, message, status in (
        ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available", "False"),
        ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", "False"),
        ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available", "False"),
        ("Ready", "KubeletReady", "kubelet is posting ready status", "True"),
    ):
        found.append(
            {
                "type": kind,
                "status": status,
                "reason": reason,
                "message": message,
                "lastHeartbeatTime": stamp(seen),
                "lastTransitionTime": stamp(born + 40),
            }
        )
    return found


def _labels(machine: Machine, recipe: Recipe) -> dict[str, str]:
    spec = machine.spec
    labels = {
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": spec.name,
        "topology.kubernetes.io/zone": spec.zone,
        "topology.kubernetes.io/region": spec.zone[:-1],
    }
    if spec.instance_type:
        labels["node.kubernetes.io/instance-type"] = spec.instance_type
    if machine.devices:
        model = machine.devices[0].model
        major, minor = model.compute.split(".")
        driver = recipe.driver.split(".")
        labels |= {
            "nvidia.com/gpu.present": "true",
            "nvidia.com/gpu.count": str(len(machine.devices)),
            "nvidia.com/gpu.product": model.product.replace(" ", "-"),
            "nvidia.com/gpu.memory": str(model.memory_mib),
            "nvidia.com/gpu.family": {"9": "hopper", "8": "ada-lovelace" if minor == "9" else "ampere"}[major],
            "nvidia.com/gpu.compute.major": major,
            "nvidia.com/gpu.compute.minor": minor,
            "nvidia.com/gpu.replicas": "1",
            "nvidia.com/gpu.sharing-strategy": "none",
            "nvidia.com/mig.capable": "true" if model.hbm else "false",
            "nvidia.com/cuda.driver.major": driver[0],
            "nvidia.com/cuda.driver.minor": driver[1],
            "nvidia.com/cuda.driver.rev": driver[2],
            "nvidia.com/gpu.deploy.dcgm-exporter": "false" if machine.exporter == "absent" else "true",
            "nvidia.com/gpu.deploy.device-plugin": "true",
        }
    return {**labels, **spec.labels}
