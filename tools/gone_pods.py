"""Whose a pod was that is gone: events still name it, and its owner is told by the ReplicaSet in its name."""

from __future__ import annotations

from collections.abc import Mapping

from tools.facts import many, name_of
from tools.readers import Listed
from tools.reading import Subject
from tools.topology import workload_from_name


def owner_of(listed: Listed, owners: Mapping[str, Subject], namespace: str, name: str) -> Subject:
    """Whose the pod was: by the pod itself, by the ReplicaSet in its name, or whoever is there still under the longest part of it."""
    here = listed.pods.get(f"{namespace}/{name}")
    if here is not None:
        return here.workload
    made_by = owners.get(f"{namespace}/{name.rpartition('-')[0]}")
    if made_by is not None:
        return made_by
    named = [one for one in listed.by_workload if one.namespace == namespace and f"{name}-".startswith(f"{one.name}-")]
    return max(named, key=lambda one: len(one.name), default=workload_from_name(namespace, name))


def deployments(listed: Listed) -> dict[str, Subject]:
    """The Deployment of each ReplicaSet."""
    return {
        "/".join(name_of(item)): Subject("deployment", name_of(item)[0], str(owner.get("name")))
        for item in listed.of("replicasets")
        for owner in many(item, "metadata", "ownerReferences")
        if owner.get("kind") == "Deployment"
    }
