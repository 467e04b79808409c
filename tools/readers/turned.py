"""Since when each pod that is not ready has not been, and which are not meant to be."""

from __future__ import annotations

from collections.abc import Iterator

from tools.facts import Object, gpus_requested, many, name_of, within
from tools.quantity import seconds
from tools.readers import Listed, Told
from tools.vocabulary.turned import SERVES_NOTHING, UNREADY_FOR

KINDS = ("pods",)


def read(listed: Listed) -> Iterator[Told]:
    """Zero for a pod that is ready, nothing where its condition does not say since when."""
    for pod in listed.of("pods"):
        if all(name_of(pod)):
            yield Told("/".join(name_of(pod)), {SERVES_NOTHING: float(_serves_nothing(pod))}, "pods")
        ready = next((one for one in many(pod, "status", "conditions") if one.get("type") == "Ready"), None)
        if ready is None or not all(name_of(pod)):
            continue
        turned = seconds(ready.get("lastTransitionTime"))
        if ready.get("status") == "True":
            yield Told("/".join(name_of(pod)), {UNREADY_FOR: 0.0}, "pods")
        elif turned is not None:
            yield Told("/".join(name_of(pod)), {UNREADY_FOR: max(0.0, listed.now - turned)}, "pods")


def _serves_nothing(pod: Object) -> bool:
    """KubeRay probes each worker for the proxy of Serve, which runs only beside a replica, and labels those that have none.

    One with a GPU is there to serve: without a proxy something is wrong with it.
    """
    labels = within(pod, "metadata", "labels")
    idle = labels.get("ray.io/node-type") == "worker" and labels.get("ray.io/serve") == "false"
    return idle and not gpus_requested(pod)
