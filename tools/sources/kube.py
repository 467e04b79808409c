"""Read-only Kubernetes source: whole lists of a fixed table of kinds, and tails of container logs.

Secrets and config maps are not in the table, so no setting can make this source read one. Nothing here raises for what a
server does: what cannot be had comes back blind, with a sentence.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from kubernetes.client import Configuration

from tools.reading import Blind, Reason
from tools.sources.kube_http import Answer, KubeHttp, garbled, of_status
from tools.sources.kube_login import login
from tools.sources.kube_texts import METRIC_PATHS, exposition, log

PAGE = 500
MAX_PAGES = 400
MAX_LIST = 512 * 2**20


class Kind(NamedTuple):
    """Where a kind is listed. `group` is empty for the core API; an `optional` kind may not be installed."""

    group: str
    version: str
    namespaced: bool
    optional: bool = False

    @property
    def root(self) -> str:
        """The path that all its lists begin with."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


def plural(kind: str) -> str:
    """A kind of `KINDS` as it stands in a path: without the group that custom resources are named with."""
    return kind.partition(".")[0]


def path_of(kind: str, namespace: str = "") -> str:
    """The path of a kind's list, in the whole cluster or in a namespace."""
    inside = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{KINDS[kind].root}{inside}/{plural(kind)}"


KINDS = {
    "pods": Kind("", "v1", True),
    "nodes": Kind("", "v1", False),
    "events": Kind("", "v1", True),
    "namespaces": Kind("", "v1", False),
    "services": Kind("", "v1", True),
    "persistentvolumeclaims": Kind("", "v1", True),
    "resourcequotas": Kind("", "v1", True),
    "limitranges": Kind("", "v1", True),
    "deployments": Kind("apps", "v1", True),
    "replicasets": Kind("apps", "v1", True),
    "statefulsets": Kind("apps", "v1", True),
    "daemonsets": Kind("apps", "v1", True),
    "jobs": Kind("batch", "v1", True),
    "horizontalpodautoscalers": Kind("autoscaling", "v2", True),
    "poddisruptionbudgets": Kind("policy", "v1", True),
    "networkpolicies": Kind("networking.k8s.io", "v1", True),
    "ingresses": Kind("networking.k8s.io", "v1", True),
    "roles": Kind("rbac.authorization.k8s.io", "v1", True),
    "rolebindings": Kind("rbac.authorization.k8s.io", "v1", True),
    "clusterroles": Kind("rbac.authorization.k8s.io", "v1", False),
    "clusterrolebindings": Kind("rbac.authorization.k8s.io", "v1", False),
    # Custom resources, named in full as kubectl does.
    "prometheusrules.monitoring.coreos.com": Kind("monitoring.coreos.com", "v1", True, optional=True),
    "scaledobjects.keda.sh": Kind("keda.sh", "v1alpha1", True, optional=True),
    "httproutes.gateway.networking.k8s.io": Kind("gateway.networking.k8s.io", "v1", True, optional=True),
    "rayservices.ray.io": Kind("ray.io", "v1", True, optional=True),
    "inferenceservices.serving.kserve.io": Kind("serving.kserve.io", "v1beta1", True, optional=True),
}
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Listing:
    """Every object of a kind as the API sends it (camelCase, without `kind` and `apiVersion`), its `managedFields` dropped.

    `scope` names the namespaces that were listed one by one, empty when the list is the whole cluster's. `at` is in seconds
    since the epoch. With `blind` set, `items` is empty, except that a partial list holds what could be seen.
    """

    kind: str
    items: tuple[dict[str, Any], ...]
    blind: Blind | None
    path: str
    at: float
    scope: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogRead:
    """The tail of a log as plain text, empty when the container has not run (again); `at` in seconds since the epoch."""

    text: str
    blind: Blind | None
    path: str
    at: float


@dataclass(frozen=True, slots=True)
class ScrapeRead:
    """What a pod shows at its metrics path, as text."""

    text: str
    blind: Blind | None
    path: str


class _ExpiredError(Exception):
    """The server dropped the snapshot that a list was being read from (410)."""


class KubeSource:
    """One cluster, read only. Threads may share it."""

    def __init__(self, configuration: Configuration, timeout_s: float = 10.0, namespaces: Sequence[str] = ()) -> None:
        """Make the source; nothing is asked yet. `namespaces` are listed where a whole cluster may not be."""
        self._http = KubeHttp(configuration, timeout_s)
        self._namespaces = tuple(dict.fromkeys(namespaces))

    @classmethod
    def connect(
        cls,
        kubeconfig: str | None = None,
        context: str | None = None,
        timeout_s: float = 10.0,
        namespaces: Sequence[str] = (),
    ) -> KubeSource | Blind:
        """A source for a kubeconfig's context or the pod's own service account; blind when neither can be used."""
        wrong = next((name for name in namespaces if not _NAME.fullmatch(name)), None)
        if wrong is not None:
            return Blind(Reason.NOT_SET, f"{wrong[:80]!r} is no name of a namespace")
        configuration = login(kubeconfig, context)
        return configuration if isinstance(configuration, Blind) else cls(configuration, timeout_s, namespaces)

    def __enter__(self) -> Self:
        """Use the source in a context that closes its connections."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; may be called twice."""
        self._http.close()

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._http.requests

    # ------------------------------------------------------------------ lists

    def list(self, kind: str) -> Listing:
        """Every object of a kind (a plural of `KINDS`); raises ValueError for any other, secrets and config maps included.

        A custom resource that the cluster does not know has no objects: that is no blindness.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not among the kinds that are read: {', '.join(sorted(KINDS))}")
        whole = self._list(kind, "")
        forbidden = whole.blind is not None and whole.blind.reason is Reason.FORBIDDEN
        if not (forbidden and KINDS[kind].namespaced and self._namespaces):
            return whole
        found = [self._list(kind, namespace) for namespace in self._namespaces]
        blinds = [listing.blind for listing in found]
        items = tuple(item for listing in found for item in listing.items)
        names = ",".join(self._namespaces)
        names = names if len(found) == 1 else "{" + names + "}"
        path = f"GET {KINDS[kind].root}/namespaces/{names}/{plural(kind)}"
        joined = Listing(kind, items, None, path, time.time(), self._namespaces)
        unseen = [blind for blind in blinds if blind is not None]
        if not unseen:
            return joined
        if len(unseen) == len(found):
            return replace(joined, blind=unseen[0])
        missing = ", ".join(n for n, b in zip(self._namespaces, blinds, strict=True) if b is not None)
        return replace(joined, blind=Blind(Reason.PARTIAL, f"{kind} of {missing} are not seen: {unseen[0].detail}"))

    def _list(self, kind: str, namespace: str) -> Listing:
        path = path_of(kind, namespace)
        found: tuple[dict[str, Any], ...] | Blind
        try:
            try:
                found = self._pages(kind, namespace, path)
            except _ExpiredError:
                found = self._pages(kind, namespace, path)
        except _ExpiredError:
            found = Blind(
                Reason.SOURCE_DOWN, f"the list of {kind} expired twice while it was read (410); the API is too slow"
            )
        if isinstance(found, Blind):
            return Listing(kind, (), found, f"GET {path}", time.time())
        return Listing(kind, found, None, f"GET {path}", time.time())

    def _pages(self, kind: str, namespace: str, path: str) -> tuple[dict[str, Any], ...] | Blind:
        items: list[dict[str, Any]] = []
        size = 0
        query: dict[str, str | int] = {"limit": PAGE}
        for _ in range(MAX_PAGES):
            answer = self._http.get(path, query)
            if isinstance(answer, Blind):
                return answer
            if answer.status == 410:
                raise _ExpiredError
            if answer.status == 403:
                return _forbidden(kind, namespace)
            if answer.status == 404 and KINDS[kind].optional:
                return ()
            if answer.status != 200:
                return of_status(answer, kind)
            size += len(answer.body)
            if size > MAX_LIST:
                return Blind(Reason.SOURCE_DOWN, f"the list of {kind} is longer than {MAX_LIST // 2**20} MiB")
            page = _page(answer)
            if page is None:
                return garbled(kind)
            items += page[0]
            if not page[1]:
                return tuple(items)
            if query.get("continue") == page[1]:
                return garbled(kind)
            query = {"limit": PAGE, "continue": page[1]}
        return Blind(Reason.SOURCE_DOWN, f"there are more than {MAX_PAGES * PAGE} {kind}: too many to read")

    # ------------------------------------------------------------------ logs

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int = 400,
        limit_bytes: int = 262144,
        since_s: int | None = None,
    ) -> LogRead:
        """The last lines of a container's log, of its previous run when `previous`, of the last `since_s` seconds when given.

        With no `tail_lines` (0) it is read from its beginning on, as far as `limit_bytes` go.

        A server cuts at `limit_bytes` from the front, which loses the end, where the cause of a crash stands: fewer lines
        are then asked for.
        """
        if not all(_NAME.fullmatch(name) for name in (namespace, pod, container)):
            named = "/".join((namespace, pod, container))
            return LogRead("", Blind(Reason.NOTHING_OBSERVED, f"{named[:200]!r} names no container"), "", time.time())
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        shown = f"GET {path}?container={container}" + ("&previous=true" if previous else "")
        found: str | Blind = ""
        for lines in (tail_lines, max(1, tail_lines // 8), max(1, tail_lines // 64)) if tail_lines else (0,):
            query: dict[str, str | int] = {"container": container, "limitBytes": limit_bytes}
            if lines:
                query["tailLines"] = lines
            if since_s is not None:
                query["sinceSeconds"] = max(1, since_s)
            answer = self._http.get(path, query | ({"previous": "true"} if previous else {}))
            found = log(answer, namespace, f"{pod}/{container}", limit_bytes)
            if isinstance(answer, Blind) or len(answer.body) < limit_bytes:
                break
        if isinstance(found, Blind):
            return LogRead("", found, shown, time.time())
        return LogRead(found, None, shown, time.time())

    # ------------------------------------------------------------------ metrics of pods

    def scrape(self, namespace: str, pod: str, port: int, path: str) -> ScrapeRead:
        """What a pod shows at its metrics path, through the API server; ValueError for any other path.

        It needs `get` on `pods/proxy`, which the stock role leaves out: it is blind without, and says what would give it.
        """
        if path not in METRIC_PATHS:
            raise ValueError(f"{path!r} is no path of metrics: {', '.join(sorted(METRIC_PATHS))}")
        if not (_NAME.fullmatch(namespace) and _NAME.fullmatch(pod) and 0 < port < 65536):
            named = f"{namespace}/{pod}:{port}"
            return ScrapeRead("", Blind(Reason.NOTHING_OBSERVED, f"{named[:200]!r} names no port of a pod"), "")
        asked = f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy{path}"
        answer = self._http.get(asked, {})
        found = exposition(answer, f"{namespace}/{pod}:{port}")
        if isinstance(found, Blind):
            return ScrapeRead("", found, f"GET {asked}")
        return ScrapeRead(found, None, f"GET {asked}")

    # ------------------------------------------------------------------ what else there is to know

    def can_i(self, verb: str, resource: str) -> bool | None:
        """Whether we may use a verb on a resource (`pods`, `pods/log`) everywhere we look; None when nobody says."""
        for namespace in self._namespaces or ("",):
            name, _, part = resource.partition("/")
            asked = {"verb": verb, "resource": plural(name), "group": KINDS[name].group if name in KINDS else ""}
            asked |= ({"subresource": part} if part else {}) | ({"namespace": namespace} if namespace else {})
            body = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": asked},
            }
            answer = self._http.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
            content = answer.json() if isinstance(answer, Answer) and answer.status in {200, 201} else None
            status = (content or {}).get("status")
            allowed = status.get("allowed") if isinstance(status, dict) else None
            if allowed is not True:
                return False if allowed is False else None
        return True

    def version(self) -> str | Blind:
        """The version of the API server, `v1.33.2` for instance."""
        answer = self._http.get("/version", {})
        if isinstance(answer, Blind):
            return answer
        if answer.status == 403:
            return Blind(
                Reason.FORBIDDEN, "the Kubernetes API does not let us read its version; bind system:discovery to us"
            )
        if answer.status != 200:
            return of_status(answer, "its version")
        version = (answer.json() or {}).get("gitVersion")
        return version if isinstance(version, str) and version else garbled("its version")


def _page(answer: Answer) -> tuple[list[dict[str, Any]], str] | None:
    content = answer.json()
    if content is None or "items" not in content or not str(content.get("kind") or "").endswith("List"):
        return None
    items, metadata = content["items"] or [], content.get("metadata") or {}
    if not (isinstance(items, list) and isinstance(metadata, dict)) or not all(isinstance(i, dict) for i in items):
        return None
    for item in items:
        if isinstance(item.get("metadata"), dict):
            # Who wrote which field: often half of an object, and of no use here.
            item["metadata"].pop("managedFields", None)
    return items, str(metadata.get("continue") or "")


def _forbidden(kind: str, namespace: str) -> Blind:
    where, role = (f"in namespace {namespace}", "Role") if namespace else ("in the whole cluster", "ClusterRole")
    return Blind(
        Reason.FORBIDDEN,
        f'we may not list {kind} {where}; add to our {role}: apiGroups ["{KINDS[kind].group}"], '
        f'resources ["{plural(kind)}"], verbs ["list"]',
    )
