"""Routes, rights and scaling around a workload, read from raw objects; and every reader of readiness on broken ones."""

from __future__ import annotations

from math import inf
from types import ModuleType
from typing import Any

import pytest

from tests.tools.worlds import listings
from tools import readers
from tools.casebook import asks, rules
from tools.observe import CORE_KINDS, observe
from tools.readers import (
    Listed,
    cluster_agents,
    engine_settings,
    gpu_fit,
    gpu_stack,
    resilience,
    rights,
    routes,
    scaling,
)
from tools.reading import Subject
from tools.signals import Signal
from tools.sources.kube_fake import FakeKube
from tools.topology import CLUSTER, Pod
from tools.vocabulary import readiness as told

APP = Subject("deployment", "team", "app")
MINE = (resilience, engine_settings, gpu_stack, gpu_fit, cluster_agents, scaling, routes, rights)


def named(name: str, namespace: str = "team", spec: Any = None, **more: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name, **more.pop("meta", {})}, "spec": spec or {}, **more}


DEPLOYMENT = named("app", spec={"replicas": 2, "template": {"metadata": {"labels": {"app": "a"}}, "spec": {}}})


def told_of(reader: ModuleType, key: Any = str(APP), **listed: Any) -> dict[Signal, float | str]:
    found: dict[Signal, float | str] = {}
    for one in reader.read(Listed(0.0, {"deployments": [DEPLOYMENT], **listed})):
        if one.key == key:
            found.update(one.facts)
    return found


SERVICE = named("svc", spec={"selector": {"app": "a"}})


def routed(
    ingress: Any = None, route: Any = None, services: Any = (SERVICE,), **more: Any
) -> dict[Signal, float | str]:
    listed: dict[str, Any] = {"services": list(services), "ingresses": [ingress] if ingress else [], **more}
    listed |= {routes.HTTP: [route]} if route else {}
    return told_of(routes, **listed)


def ingress(service: str = "svc", marks: Any = None, **spec: Any) -> dict[str, Any]:
    rules_of = [{"http": {"paths": [{"backend": {"service": {"name": service}}}]}}]
    return named("web", spec={"rules": rules_of, **spec}, meta={"annotations": marks or {}})


def test_routes_that_lead_to_the_workload() -> None:
    assert routed()[told.ROUTES] == "none"
    assert routed(ingress())[told.ROUTES] == "ingress web"
    assert routed(ingress("other"))[told.ROUTES] == "none"
    fallback = named("web", spec={"defaultBackend": {"service": {"name": "svc"}}})
    assert routed(fallback)[told.ROUTES] == "ingress web"
    assert routed(named("web", "elsewhere", ingress()["spec"]))[told.ROUTES] == "none"
    assert routed(ingress(), services=[named("svc")])[told.ROUTES] == "none", "a Service without a selector has no pods"
    http = named("r", spec={"rules": [{"backendRefs": [{"name": "svc"}]}]})
    assert routed(None, http)[told.ROUTES] == "route r"


def test_what_cannot_be_listed_is_not_told() -> None:
    assert told_of(routes, ingresses=[]) == {}
    assert told_of(routes, services=[SERVICE]) == {}
    assert told_of(rights) == {}
    assert told_of(scaling) == {}


def test_an_ingress_without_a_certificate() -> None:
    assert routed(ingress())[told.ROUTE_PLAIN] == "web"
    assert routed(ingress(tls=[{"secretName": "s"}]))[told.ROUTE_PLAIN] == ""
    arn = {"alb.ingress.kubernetes.io/certificate-arn": "arn:x"}
    assert routed(ingress(marks=arn))[told.ROUTE_PLAIN] == ""


@pytest.mark.parametrize(
    ("marks", "spec", "seconds"),
    [
        ({}, {"ingressClassName": "nginx"}, 60.0),
        ({"kubernetes.io/ingress.class": "nginx-internal"}, {}, 60.0),
        ({"nginx.ingress.kubernetes.io/proxy-read-timeout": "600"}, {}, 600.0),
        ({"nginx.ingress.kubernetes.io/proxy-read-timeout": "600s"}, {}, 600.0),
        ({"nginx.ingress.kubernetes.io/proxy-read-timeout": "long"}, {}, 60.0),
        ({}, {"ingressClassName": "alb"}, 60.0),
        (
            {"alb.ingress.kubernetes.io/load-balancer-attributes": "a=b,idle_timeout.timeout_seconds=900"},
            {"ingressClassName": "alb"},
            900.0,
        ),
        ({}, {"ingressClassName": "traefik"}, inf),
        ({}, {"ingressClassName": 7}, inf),
        ({}, {}, inf),
    ],
)
def test_how_long_an_ingress_waits(marks: Any, spec: Any, seconds: float) -> None:
    assert routed(ingress(marks=marks, **spec))[told.ROUTE_TIMEOUT] == seconds


@pytest.mark.parametrize(
    ("timeouts", "seconds"),
    [
        ({"request": "30s"}, 30.0),
        ({"request": "1m30s", "backendRequest": "10s"}, 10.0),
        ({"request": "500ms"}, 0.5),
        ({"request": "0s"}, inf),
        ({"request": "soon"}, inf),
        ({"request": 30}, inf),
        ({}, inf),
        ("30s", inf),
    ],
)
def test_how_long_a_route_waits(timeouts: Any, seconds: float) -> None:
    http = named("r", spec={"rules": [{"backendRefs": [{"name": "svc"}], "timeouts": timeouts}]})
    assert routed(None, http)[told.ROUTE_TIMEOUT] == seconds


def test_routes_that_share_requests_out() -> None:
    def shared(*names: str) -> dict[str, Any]:
        return named("r", spec={"rules": [{"backendRefs": [{"name": name, "weight": 1} for name in names]}]})

    assert routed(None, shared("svc"))[told.GRADUAL] == "none"
    assert routed(None, shared("svc", "svc-next"))[told.GRADUAL] == "route r"
    assert routed(None, shared("other", "svc-next"))[told.GRADUAL] == "none"
    assert routed(ingress(marks={"nginx.ingress.kubernetes.io/canary": "true"}))[told.GRADUAL] == "ingress web"
    assert routed(ingress(marks={"nginx.ingress.kubernetes.io/canary": "false"}))[told.GRADUAL] == "none"
    assert routed()[told.GRADUAL] == "none"


def policy(**spec: Any) -> float | str:
    item = named("p", spec={"podSelector": {"matchLabels": {"app": "a"}}, **spec})
    return told_of(routes, networkpolicies=[item])[told.EGRESS_POLICY]


def test_policies_for_what_goes_out() -> None:
    assert policy(policyTypes=["Egress"]) == "p"
    assert policy(policyTypes=["Ingress"]) == "none"
    assert policy(policyTypes=["Ingress"], egress=[{}]) == "none"
    assert policy(egress=[{}]) == "p"
    assert policy() == "none"
    assert policy(policyTypes=["Egress"], podSelector={"matchLabels": {"app": "b"}}) == "none"


def bound(name: str, namespace: str, role: Any, *subjects: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": namespace, "name": name},
        "roleRef": {"kind": role[0], "name": role[1]},
        "subjects": list(subjects),
    }


ACCOUNT = {"kind": "ServiceAccount", "name": "default", "namespace": "team"}
ADMIN = ("ClusterRole", "cluster-admin")


def may(*verbs: str, on: str = "secrets", name: str = "wide", kind: str = "clusterroles") -> dict[str, Any]:
    space = "" if kind == "clusterroles" else "team"
    return {"metadata": {"namespace": space, "name": name}, "rules": [{"verbs": list(verbs), "resources": [on]}]}


def rights_of(*cluster: Any, **listed: Any) -> str:
    return str(told_of(rights, **{told.ROLES: list(cluster), **listed})[told.RIGHTS_WIDE])


def test_rights_of_a_service_account() -> None:
    assert rights_of() == ""
    everything = rights_of(bound("b", "", ADMIN, ACCOUNT))
    assert everything == "default may do everything in the whole cluster (ClusterRole cluster-admin)"
    assert rights_of(bound("b", "", ADMIN, {**ACCOUNT, "namespace": "other"})) == ""
    assert rights_of(bound("b", "", ADMIN, {**ACCOUNT, "name": "mine"})) == ""
    everybody = {"kind": "Group", "name": "system:serviceaccounts:team"}
    assert "everything" in rights_of(bound("b", "", ADMIN, everybody))
    assert rights_of(bound("b", "", ADMIN, {"kind": "Group", "name": "system:serviceaccounts:x"})) == ""


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (may("get"), "read secrets"),
        (may("create", on="pods/exec"), "run or enter pods"),
        (may("patch", on="deployments"), "run or enter pods"),
        (may("*", on="*"), "do everything"),
        (may("impersonate", on="users"), "take other rights"),
        (may("get", on="pods"), ""),
        (may("create", on="secrets"), ""),
        ({"metadata": {"name": "wide"}, "rules": [{"verbs": "get", "resources": "secrets"}]}, ""),
    ],
)
def test_which_rights_are_wide(role: Any, said: str) -> None:
    binding = bound("b", "", ("ClusterRole", "wide"), ACCOUNT)
    found = rights_of(binding, clusterroles=[role])
    assert found == (f"default may {said} in the whole cluster (ClusterRole wide)" if said else "")


def test_a_binding_of_a_namespace_gives_rights_there() -> None:
    role = may("get", kind="roles")
    here, there = bound("b", "team", ("Role", "wide"), ACCOUNT), bound("b", "other", ("Role", "wide"), ACCOUNT)
    assert rights_of(roles=[role], rolebindings=[here]) == "default may read secrets in namespace team (Role wide)"
    assert rights_of(roles=[role], rolebindings=[there]) == "", (
        "a role of the same name in another namespace is another"
    )
    elsewhere = rights_of(rolebindings=[bound("b", "other", ADMIN, ACCOUNT)])
    assert elsewhere == "default may do everything in namespace other (ClusterRole cluster-admin)"


def test_how_many_may_do_everything() -> None:
    masters = {"kind": "Group", "name": "system:masters"}
    bindings = [
        bound("a", "", ADMIN, masters, ACCOUNT),
        bound("b", "", ADMIN, ACCOUNT),
        bound("c", "", ("x", "y"), masters),
    ]
    assert told_of(rights, str(CLUSTER), **{told.ROLES: bindings})[told.ADMINS] == 1.0


def scaled(marks: Any = None, **spec: Any) -> dict[Signal, float | str]:
    whole = {"scaleTargetRef": {"name": "app"}, "triggers": [{"type": "prometheus"}], **spec}
    return told_of(scaling, **{told.KEDA: [named("s", spec=whole, meta={"annotations": marks or {}})]})


def test_scaled_objects() -> None:
    assert scaled()[told.NO_FALLBACK] == "s"
    assert scaled(fallback={"replicas": 2})[told.NO_FALLBACK] == ""
    assert scaled()[told.FROM_ZERO] == "s", "zero is KEDA's minimum where none is written"
    assert scaled(minReplicaCount=1)[told.FROM_ZERO] == ""
    assert scaled(minReplicaCount=1, idleReplicaCount=0)[told.FROM_ZERO] == "s"
    assert scaled(triggers=[{"type": "cpu"}])[told.FROM_ZERO] == ""
    assert scaled(minReplicaCount=[])[told.FROM_ZERO] == ""
    assert scaled()[told.PAUSED] == ""
    assert scaled({"autoscaling.keda.sh/paused": "true"})[told.PAUSED] == "s"
    assert scaled({"autoscaling.keda.sh/paused": "false"})[told.PAUSED] == ""
    assert scaled({"autoscaling.keda.sh/paused-replicas": "4"})[told.PAUSED] == "s"
    other = scaled(scaleTargetRef={"name": "app", "kind": "StatefulSet"})
    assert (other[told.NO_FALLBACK], other[told.FROM_ZERO], other[told.PAUSED]) == ("", "", "")


def test_the_smallest_quota_counts() -> None:
    def granted(*hard: Any) -> float | str:
        quotas = [named(f"q{i}", spec={"hard": one}) for i, one in enumerate(hard)]
        return told_of(scaling, resourcequotas=quotas)[told.QUOTA_GPUS]

    assert granted() == inf
    assert granted({"requests.nvidia.com/gpu": "8"}, {"requests.nvidia.com/gpu": 4}) == 4.0
    assert granted({"limits.cpu": "8"}) == inf
    assert granted({"requests.nvidia.com/gpu": "many"}) == inf
    assert granted([]) == inf


# ------------------------------------------------------------------ asked for, and broken


def test_only_rules_make_their_kinds_be_listed() -> None:
    plain, audited = FakeKube(listings()), FakeKube(listings())
    observe(plain, 0.0, asks())
    observe(audited, 0.0, asks(rules=True))
    listed = {kind for _, kind, *_ in plain.asked}
    assert set(CORE_KINDS) <= listed
    assert not {"roles", told.ROLES} & listed
    assert {"ingresses", told.KEDA, routes.HTTP} <= listed, (
        "a short route and a pause may be why requests are given up, or wait"
    )
    assert {"roles", told.ROLES, "ingresses", told.KEDA, routes.HTTP} <= {kind for _, kind, *_ in audited.asked}


def test_every_fact_of_these_readers_is_looked_at_by_a_rule() -> None:
    asked = {ask.signal for case in rules().values() for ask in case.check.asks}
    for reader in MINE:
        assert set(reader.FACTS) <= asked, reader.__name__
        assert reader in readers.wanted({reader.FACTS[0]})
        assert reader not in readers.wanted(set())


WELL: dict[str, Any] = {
    "pods": named(
        "app-0",
        spec={
            "nodeName": "n1",
            "serviceAccountName": "default",
            "volumes": [{"name": "w", "persistentVolumeClaim": {"claimName": "c"}}, {"name": "e", "emptyDir": {}}],
            "containers": [
                {
                    "name": "engine",
                    "image": "vllm/vllm-openai:v1",
                    "args": ["--model", "/m", "-tp", "2"],
                    "resources": {"limits": {"nvidia.com/gpu": "1", "memory": "2Gi"}, "requests": {"memory": "1Gi"}},
                    "volumeMounts": [{"name": "w", "mountPath": "/m"}, {"name": "e", "mountPath": "/e"}],
                    "livenessProbe": {"httpGet": {"path": "/h", "port": 1}},
                    "readinessProbe": {"httpGet": {"path": "/h", "port": 1}},
                    "env": [{"name": "VLLM_CACHE_ROOT", "value": "/c"}],
                }
            ],
        },
        meta={"labels": {"app": "a"}, "ownerReferences": [{"kind": "DaemonSet", "name": "nvidia-device-plugin"}]},
        status={
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False"}],
            "containerStatuses": [{"name": "engine", "imageID": "x@sha256:1"}],
        },
    ),
    "nodes": {
        "metadata": {
            "name": "n1",
            "labels": {
                "nvidia.com/gpu.product": "H100",
                "nvidia.com/cuda.driver-version.full": "550.1",
                "nvidia.com/gpu.compute.major": "8",
                "nvidia.com/gpu.compute.minor": "0",
            },
        },
        "status": {"nodeInfo": {"kubeletVersion": "v1"}},
    },
    "deployments": DEPLOYMENT,
    "persistentvolumeclaims": named("c", spec={"accessModes": ["ReadWriteOnce"]}),
    "services": SERVICE,
    "ingresses": ingress(ingressClassName="nginx"),
    routes.HTTP: named("r", spec={"rules": [{"backendRefs": [{"name": "svc"}], "timeouts": {"request": "1s"}}]}),
    "networkpolicies": named("p", spec={"podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Egress"]}),
    "resourcequotas": named("q", spec={"hard": {"requests.nvidia.com/gpu": "8"}}),
    told.KEDA: named("s", spec={"scaleTargetRef": {"name": "app"}, "triggers": [{"type": "prometheus"}]}),
    told.ROLES: bound("b", "", ("ClusterRole", "wide"), ACCOUNT),
    "rolebindings": bound("b", "team", ("Role", "wide"), ACCOUNT),
    "clusterroles": may("get"),
    "roles": may("get", kind="roles"),
}
JUNK: list[Any] = [
    None,
    "",
    "x",
    7,
    -1.5,
    True,
    [],
    ["x"],
    {},
    {"x": "y"},
    [{"x": []}],
    "9" * 5000,
    "💥\u202e\x00",
    float("nan"),
]


def paths(item: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [here, *(path for key, value in inner for path in paths(value, (*here, key)))]


def replaced(item: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    if isinstance(item, dict):
        return {key: replaced(inner, path[1:], value) if key == path[0] else inner for key, inner in item.items()}
    return [replaced(inner, path[1:], value) if i == path[0] else inner for i, inner in enumerate(item)]


@pytest.mark.parametrize("reader", MINE, ids=lambda reader: reader.__name__.rpartition(".")[2])
def test_junk_in_any_field_raises_nothing_and_facts_stay_small(reader: ModuleType) -> None:
    pods = {"team/app-0": Pod("team", "app-0", "n1", APP, "Running", True, 1.0)}
    tried = 0
    for kind in reader.KINDS:
        for path in paths(WELL.get(kind, {})):
            for junk in JUNK if path else ():
                items = {one: [WELL[one]] for one in reader.KINDS if one in WELL}
                items[kind] = [replaced(WELL[kind], path, junk)]
                for one in reader.read(Listed(0.0, items, pods)):
                    tried += 1
                    assert set(one.facts) <= set(reader.FACTS)
                    for value in one.facts.values():
                        assert isinstance(value, float | str)
                        assert len(str(value)) <= 400
    assert tried > 100
