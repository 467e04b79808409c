"""Since when each pod that is not ready has not been."""

from __future__ import annotations

from collections.abc import Iterator

from tools.facts import many, name_of
from tools.quantity import seconds
from tools.readers import Listed, Told
from tools.vocabulary.turned import UNREADY_FOR

KINDS = ("pods",)


def read(listed: Listed) -> Iterator[Told]:
    """Zero for a pod that is ready, nothing where its condition does not say since when."""
    for pod in listed.of("pods"):
        ready = next((one for one in many(pod, "status", "conditions") if one.get("type") == "Ready"), None)
        if ready is None or not all(name_of(pod)):
            continue
        turned = seconds(ready.get("lastTransitionTime"))
        if ready.get("status") == "True":
            yield Told("/".join(name_of(pod)), {UNREADY_FOR: 0.0}, "pods")
        elif turned is not None:
            yield Told("/".join(name_of(pod)), {UNREADY_FOR: max(0.0, listed.now - turned)}, "pods")
