"""Where addresses, routes and the names of a proxy's clusters lead, and what only looks like one."""

from __future__ import annotations

from typing import Any

import pytest

from tools.addressing import Addressing
from tools.readers import Listed
from tools.readers.routes import HTTP
from tools.reading import Subject
from tools.topology import Pod, Topology

PLANNER = Subject("deployment", "agents", "planner")
GATE = Subject("deployment", "edge", "gate")
CHAT = Subject("deployment", "team", "chat")
SHARED = [Subject("deployment", "red", "embed"), Subject("deployment", "blue", "embed")]
EVERYBODY = [PLANNER, GATE, CHAT, *SHARED]


def made(pod: dict[str, Any] | None = None, labels: dict[str, str] | None = None, **kinds: Any) -> Addressing:
    """Each workload with a pod and a Service of its name; `pod` is the spec of the gate's, `labels` more labels of it."""
    pods, services, known = [], [], {}
    for i, one in enumerate(EVERYBODY):
        mine = {"app": one.name, **(labels or {} if one is GATE else {})}
        meta = {"namespace": one.namespace, "name": f"{one.name}-0", "labels": mine}
        spec = (pod or {}) if one is GATE else {"containers": []}
        pods.append({"metadata": meta, "spec": spec, "status": {"podIP": f"10.0.0.{i}"}})
        known[f"{one.namespace}/{one.name}-0"] = Pod(one.namespace, f"{one.name}-0", "n", one, "Running", True)
        services.append(
            {
                "metadata": {"namespace": one.namespace, "name": one.name},
                "spec": {"selector": {"app": one.name}, "clusterIP": f"10.96.0.{i}"},
            }
        )
    services.append({"metadata": {"namespace": "edge", "name": "outside"}, "spec": {"type": "ExternalName"}})
    return Addressing(Listed(0.0, {"pods": pods, "services": services, **kinds}, known))


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("http://planner.agents:30000/v1", {PLANNER}),
        ("http://planner.agents.svc.cluster.local:30000", {PLANNER}),
        ("http://planner-0.planner.agents.svc:30000", {PLANNER}),
        ("planner.agents.svc", {PLANNER}),
        ("planner.agents:30000,chat.team:8000", {PLANNER, CHAT}),
        ("grpc://user:secret@planner.agents/x", {PLANNER}),
        ("--backends=http://planner.agents:1234,http://chat.team:1", {PLANNER, CHAT}),
        ('{"api_base": "http://chat.team.svc:8000/v1"}', {CHAT}),
        ("http://10.0.0.0:30000", {PLANNER}),
        ("http://10.96.0.2:30000", {CHAT}),
        ("http://gate:8080", {GATE}),
        ("gate:8080", {GATE}),
        ("http://planner:30000", set()),
        ("planner.agents", set()),
        ("gate", set()),
        ("registry.example/team/chat:8000abc", set()),
        ("http://chat.example.com:8000", set()),
        ("http://outside:80", set()),
        ("", set()),
    ],
)
def test_who_is_behind_the_addresses_in_a_text(text: str, whom: set[Subject]) -> None:
    assert made().hosts(text, "edge") == whom


@pytest.mark.parametrize(
    ("name", "whom"),
    [
        ("outbound|30000||planner.agents.svc.cluster.local", {PLANNER}),
        ("outbound_.30000_._.planner.agents.svc.cluster.local", {PLANNER}),
        ("outbound|443||chat.example.com", set()),
        ("inbound|8080||gate.edge.svc.cluster.local", set()),
        ("agents/planner/30000/da39a3ee5e", {PLANNER}),
        ("agents_planner_30000", {PLANNER}),
        ("kube_agents_planner_30000", {PLANNER}),
        ("planner-agents-30000_gloo-system", {PLANNER}),
        ("agents-planner-30000@kubernetes", {PLANNER}),
        ("planner", {PLANNER}),
        ("planner_cluster", {PLANNER}),
        ("gate", {GATE}),
        ("embed", set()),
        ("red/embed/80", {SHARED[0]}),
        ("prometheus_stats", set()),
        ("xds-grpc", set()),
        ("|||", set()),
        ("", set()),
    ],
)
def test_who_is_behind_a_cluster_of_a_proxy(name: str, whom: set[Subject]) -> None:
    assert made().cluster(name, "edge") == whom


def test_a_cluster_that_a_gateway_names_after_its_route() -> None:
    route = {"metadata": {"namespace": "team", "name": "llm"}, "spec": {"rules": [{"backendRefs": [{"name": "chat"}]}]}}
    found = made(**{HTTP: [route]})
    assert found.cluster("httproute/team/llm/rule/0", "edge") == {CHAT}
    assert found.cluster("httproute/edge/llm/rule/0", "edge") == set()


def container(**told: Any) -> dict[str, Any]:
    return {"containers": [{"name": "main", "image": "gate:1", **told}]}


@pytest.mark.parametrize(
    ("pod", "whom"),
    [
        (container(env=[{"name": "LLM_BASE_URL", "value": "http://planner.agents:30000/v1"}]), {PLANNER}),
        (container(args=["--backends", "http://chat.team:8000"]), {CHAT}),
        (container(command=["serve", "--to=planner.agents:30000"]), {PLANNER}),
        (container(env=[{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://planner.agents:4317"}]), set()),
        (container(env=[{"name": "MODEL", "value": "chat"}], args=["--served-model-name=planner"]), set()),
        (container(env=[{"name": "SELF", "value": "http://gate:8080"}]), set()),
        (container(env=[{"name": "FROM", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]), set()),
        ({}, set()),
    ],
)
def test_whom_a_workload_names(pod: dict[str, Any], whom: set[Subject]) -> None:
    assert made(pod).named_by(GATE) == whom


@pytest.mark.parametrize(
    ("labels", "parent", "ref", "whom"),
    [
        ({"gateway.networking.k8s.io/gateway-name": "llm"}, {"name": "llm", "namespace": "edge"}, {}, {CHAT}),
        ({"gateway.networking.k8s.io/gateway-name": "llm"}, {"name": "llm"}, {}, set()),
        ({"gateway.networking.k8s.io/gateway-name": "other"}, {"name": "llm", "namespace": "edge"}, {}, set()),
        (
            {
                "gateway.envoyproxy.io/owning-gateway-name": "llm",
                "gateway.envoyproxy.io/owning-gateway-namespace": "team",
            },
            {"name": "llm"},
            {},
            {CHAT},
        ),
        (
            {"gateway.networking.k8s.io/gateway-name": "llm"},
            {"name": "llm", "namespace": "edge"},
            {"name": "planner", "namespace": "agents"},
            {PLANNER},
        ),
        (
            {"gateway.networking.k8s.io/gateway-name": "llm"},
            {"name": "llm", "namespace": "edge"},
            {"kind": "InferencePool"},
            set(),
        ),
        ({}, {"name": "llm", "namespace": "edge"}, {}, set()),
    ],
)
def test_whom_the_routes_of_its_gateway_name(
    labels: dict[str, str], parent: dict[str, str], ref: dict[str, str], whom: set[Subject]
) -> None:
    spec = {"parentRefs": [parent], "rules": [{"backendRefs": [{"name": "chat", **ref}]}]}
    route = {"metadata": {"namespace": "team", "name": "r"}, "spec": spec}
    assert made(labels=labels, **{HTTP: [route]}).named_by(GATE) == whom


@pytest.mark.parametrize(
    ("image", "args", "name", "whom"),
    [
        ("registry.k8s.io/ingress-nginx/controller:v1.11", [], "nginx", {CHAT}),
        ("registry.k8s.io/ingress-nginx/controller:v1.11", ["--ingress-class=inner"], "inner", {CHAT}),
        ("registry.k8s.io/ingress-nginx/controller:v1.11", ["--ingress-class=inner"], "nginx", set()),
        ("traefik:v3.1", [], "traefik", {CHAT}),
        ("nginx:1.27", [], "nginx", set()),
    ],
)
def test_whom_the_ingresses_of_its_class_name(image: str, args: list[str], name: str, whom: set[Subject]) -> None:
    paths = [{"backend": {"service": {"name": "chat"}}}]
    spec = {"ingressClassName": name, "rules": [{"http": {"paths": paths}}]}
    ingress = {"metadata": {"namespace": "team", "name": "i"}, "spec": spec}
    pod = container(image=image, args=args)
    assert made(pod, ingresses=[ingress]).named_by(GATE) == whom


def test_where_no_object_is_listed_a_service_bears_the_name_of_its_workload() -> None:
    pods = {f"{one.namespace}/{one.name}-0": Pod(one.namespace, f"{one.name}-0", "n", one) for one in EVERYBODY}
    found = Addressing.by_names(Topology(pods))
    assert found.cluster("planner", "edge") == {PLANNER}
    assert found.host("chat.team", "edge") == {CHAT}
    assert found.named_by(GATE) == set()


@pytest.mark.parametrize(
    "pod", [{"containers": "x"}, {"containers": [{"args": 5, "env": "x"}]}, {"containers": [None]}]
)
def test_hostile_objects_name_nobody(pod: dict[str, Any]) -> None:
    assert made(pod, ingresses=[{"metadata": {}}], **{HTTP: [{"spec": {"rules": "x"}}]}).named_by(GATE) == set()
