"""What a Kubernetes API server serves: its resources, their discovery documents, and how an object belongs to one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

Object = dict[str, Any]
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
READ = ["get", "list", "watch"]
# What `kubectl get all` shows.
_ALL = {"Pod", "Service", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"}


class Resource(NamedTuple):
    """A resource of the API. `group` is empty for the core API."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    singular: str = ""

    @property
    def api_version(self) -> str:
        """Group and version, as manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """The name in messages: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


RESOURCES = (
    Resource("", "v1", "namespaces", "Namespace", False, ("ns",)),
    Resource("", "v1", "nodes", "Node", False, ("no",)),
    Resource("", "v1", "pods", "Pod", True, ("po",)),
    Resource("", "v1", "services", "Service", True, ("svc",)),
    Resource("", "v1", "endpoints", "Endpoints", True, ("ep",), "endpoints"),
    Resource("", "v1", "events", "Event", True, ("ev",)),
    Resource("", "v1", "configmaps", "ConfigMap", True, ("cm",)),
    Resource("", "v1", "secrets", "Secret"),
    Resource("", "v1", "serviceaccounts", "ServiceAccount", True, ("sa",)),
    Resource("", "v1", "persistentvolumes", "PersistentVolume", False, ("pv",)),
    Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True, ("pvc",)),
    Resource("", "v1", "resourcequotas", "ResourceQuota", True, ("quota",)),
    Resource("", "v1", "limitranges", "LimitRange", True, ("limits",)),
    Resource("apps", "v1", "deployments", "Deployment", True, ("deploy",)),
    Resource("apps", "v1", "replicasets", "ReplicaSet", True, ("rs",)),
    Resource("apps", "v1", "statefulsets", "StatefulSet", True, ("sts",)),
    Resource("apps", "v1", "daemonsets", "DaemonSet", True, ("ds",)),
    Resource("batch", "v1", "jobs", "Job"),
    Resource("batch", "v1", "cronjobs", "CronJob", True, ("cj",)),
    Resource("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True, ("hpa",)),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",)),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",)),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",)),
    Resource("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False),
    Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False),
    Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, ("sc",)),
    Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False, ("pc",)),
    Resource("coordination.k8s.io", "v1", "leases", "Lease"),
)
# Served only when the world holds an object of the kind, as a custom resource exists only once it is installed.
CUSTOM = (
    Resource("monitoring.coreos.com", "v1", "prometheusrules", "PrometheusRule", True, ("promrule",)),
    Resource("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", True, ("so",)),
    Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute"),
    Resource("ray.io", "v1", "rayservices", "RayService"),
    Resource("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService", True, ("isvc",)),
)


def served(objects: Iterable[Object]) -> tuple[Resource, ...]:
    """The resources that the server knows while these objects exist."""
    kinds = {item.get("kind") for item in objects}
    return RESOURCES + tuple(resource for resource in CUSTOM if resource.kind in kinds)


def belongs(item: Object, resource: Resource) -> bool:
    """Whether an object is one of the resource, whatever version of the group it was written in."""
    group = str(item.get("apiVersion", "")).rpartition("/")[0]
    return item.get("kind") == resource.kind and group == resource.group


# ------------------------------------------------------------------ discovery


def core_versions() -> Object:
    """What `/api` answers to a client that does not ask for aggregated discovery."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(resources: Iterable[Resource]) -> Object:
    """What `/apis` answers to such a client."""
    found = []
    for name in dict.fromkeys((r.group, r.version) for r in resources if r.group):
        version = {"groupVersion": "/".join(name), "version": name[1]}
        found.append({"name": name[0], "versions": [version], "preferredVersion": version})
    found.append(_group("authorization.k8s.io", "v1"))
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def _group(name: str, version: str) -> Object:
    one = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [one], "preferredVersion": one}


def resource_list(resources: Iterable[Resource], group: str, version: str) -> Object | None:
    """What `/api/v1` or `/apis/GROUP/VERSION` answers; None for a version that is not served."""
    mine = [r for r in resources if (r.group, r.version) == (group, version)]
    found: list[Object] = [
        {
            "name": r.plural,
            "singularName": r.singular or r.kind.lower(),
            "namespaced": r.namespaced,
            "kind": r.kind,
            "verbs": READ,
            "shortNames": list(r.short),
            "categories": ["all"] if r.kind in _ALL else [],
        }
        for r in mine
    ]
    if (group, version) == ("", "v1"):
        found.append({"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]})
    if (group, version) == ("authorization.k8s.io", "v1"):
        review = {"name": "selfsubjectaccessreviews", "singularName": "selfsubjectaccessreview", "namespaced": False}
        found.append({**review, "kind": "SelfSubjectAccessReview", "verbs": ["create"]})
    if not found:
        return None
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": found}


def aggregated(resources: Iterable[Resource], core: bool) -> Object:
    """What `/api` (core) and `/apis` answer to a client that asks for aggregated discovery."""
    versions: dict[tuple[str, str], list[Object]] = defaultdict(list)
    for r in resources:
        if (r.group == "") is core:
            versions[r.group, r.version].append(_aggregated(r))
    if not core:
        review = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False)
        versions[review.group, review.version] = [{**_aggregated(review), "verbs": ["create"]}]
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [{"version": version, "resources": found, "freshness": "Current"}],
        }
        for (group, version), found in versions.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated(resource: Resource) -> Object:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    found: Object = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular or resource.kind.lower(),
        "verbs": READ,
        "shortNames": list(resource.short),
        "categories": ["all"] if resource.kind in _ALL else [],
    }
    if resource.plural == "pods":
        found["subresources"] = [{"subresource": "log", "responseKind": kind, "verbs": ["get"]}]
    return found
