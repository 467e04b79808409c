"""The Kubernetes stand-in: a real kubectl and the official client work against it, and it goes wrong as servers do."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from kubernetes import client, watch
from kubernetes.config import load_kube_config

from evals.fleet import api_tables
from evals.fleet.api_logs import log_bytes
from evals.fleet.api_reviews import PROTOBUF
from evals.fleet.api_worlds import FleetWorld, StaticWorld
from evals.fleet.folder import write
from evals.fleet.kubeapi import KubeApi
from evals.fleet.recipe import parse
from evals.fleet.world import World, build
from tools.sources.kube import KubeSource

END = 1_770_000_000
RECIPE: dict[str, Any] = {
    "history": "40m",
    "dt": 5,
    "scrape": {"interval": "60s"},
    "nodes": [
        {"name": "c1", "cpu": "8", "memory": "64Gi"},
        {"name": "g1", "gpu": "l4", "gpus": 2, "memory": "128Gi", "labels": {"pool": "l"}},
    ],
    "workloads": [
        {
            "namespace": "ml",
            "name": "small",
            "model": "meta-llama/Llama-3.1-8B-Instruct",
            "memory": "40Gi",
            "replicas": 3,
            "args": {"max-model-len": 8192},
            "traffic": {"rate": 0.2},
        },
        {"namespace": "web", "name": "pad", "runtime": "none", "gpus": 0, "replicas": 1, "cpu": "1", "memory": "1Gi"},
    ],
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def item(kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
    version = {"Deployment": "apps/v1", "HorizontalPodAutoscaler": "autoscaling/v2"}.get(kind, "v1")
    place = {"namespace": namespace} if namespace else {}
    meta = {
        "name": name,
        **place,
        "uid": f"u-{name}",
        "resourceVersion": "7",
        "creationTimestamp": "2026-02-01T10:00:00Z",
    }
    return {"apiVersion": version, "kind": kind, "metadata": {**meta, **more.pop("metadata", {})}, **more}


def pod(name: str, namespace: str = "chat", node: str = "g1", phase: str = "Running", **labels: str) -> dict[str, Any]:
    spec = {"nodeName": node, "containers": [{"name": "server", "image": "vllm:1"}, {"name": "side", "image": "s:1"}]}
    return item("Pod", name, namespace, spec=spec, status={"phase": phase}, metadata={"labels": labels})


def crashed() -> dict[str, Any]:
    found = pod("llm-0", app="llm")
    ended = {
        "reason": "OOMKilled",
        "exitCode": 137,
        "startedAt": "2026-02-02T02:00:00Z",
        "finishedAt": "2026-02-02T02:30:00Z",
    }
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
    status = {"name": "server", "restartCount": 4, "ready": False, "state": state, "lastState": {"terminated": ended}}
    found["status"]["containerStatuses"] = [status | {"image": "vllm:1", "imageID": "", "containerID": ""}]
    return found


def events() -> list[dict[str, Any]]:
    times = {"firstTimestamp": "2026-02-02T01:00:00Z", "lastTimestamp": "2026-02-02T02:39:00Z", "count": 9}
    about = {"kind": "Pod", "namespace": "chat", "name": "llm-0", "uid": "u-llm-0"}
    told = {"type": "Warning", "reason": "BackOff", "message": "Back-off restarting failed container server"}
    other = {"kind": "Pod", "namespace": "chat", "name": "llm-1", "uid": "u-llm-1"}
    source = {"source": {"component": "kubelet", "host": "g1"}}
    return [
        item("Event", "llm-0.1", "chat", involvedObject=about, **told, **times, **source),
        item("Event", "llm-1.1", "chat", involvedObject=other, type="Normal", reason="Pulled", message="ok", **times),
    ]


def static() -> StaticWorld:
    node = item(
        "Node",
        "g1",
        status={
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": None}],
            "capacity": {"cpu": "8", "nvidia.com/gpu": "2"},
            "allocatable": {"cpu": "8", "nvidia.com/gpu": "2"},
            "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
            "nodeInfo": {"kubeletVersion": "v1.33.2"},
        },
    )
    hpa = item(
        "HorizontalPodAutoscaler",
        "llm",
        "chat",
        spec={
            "scaleTargetRef": {"kind": "Deployment", "name": "llm", "apiVersion": "apps/v1"},
            "minReplicas": 1,
            "maxReplicas": 4,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
        status={"currentReplicas": 2, "desiredReplicas": 2},
    )
    labels = {"matchLabels": {"app": "llm"}}
    template = {"metadata": {"labels": {"app": "llm"}}, "spec": {"containers": [{"name": "server", "image": "vllm:1"}]}}
    deployment = item(
        "Deployment",
        "llm",
        "chat",
        spec={"replicas": 2, "selector": labels, "template": template, "strategy": {"type": "RollingUpdate"}},
        status={"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1},
    )
    pods = [crashed(), pod("llm-1", app="llm", track="canary"), pod("web-0", "web", "c1", "Succeeded")]
    logs = {
        ("chat", "llm-0", "server", False): "".join(f"2026-02-02T02:3{n}:00.123456789Z line {n}\n" for n in range(6)),
        ("chat", "llm-0", "server", True): "2026-02-02T02:29:59Z last words\n",
    }
    spaces = [item("Namespace", name, status={"phase": "Active"}) for name in ("chat", "web")]
    return StaticWorld([node, deployment, hpa, *pods, *events(), *spaces], logs)


NOW = 1_770_000_000.0 + 200.0  # 2026-02-02T02:43:20Z


@pytest.fixture(scope="module")
def server() -> Iterator[KubeApi]:
    with KubeApi(static(), clock=lambda: NOW) as api:
        yield api


@pytest.fixture
def api(server: KubeApi) -> Iterator[KubeApi]:
    server.faults.heal()
    server.world = static()
    server.requests.clear()
    yield server
    server.faults.heal()


@pytest.fixture(scope="module")
def fleet() -> World:
    return build(parse(RECIPE), END)


def ask(api: KubeApi, path: str, accept: str = "application/json", **query: str) -> requests.Response:
    return requests.get(api.url + path, params=query, headers={"Accept": accept}, timeout=20)


def names(answer: requests.Response) -> list[str]:
    return [one["metadata"]["name"] for one in answer.json()["items"]]


# ---------------------------------------------------------------------- kubectl


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kubectl")


@pytest.fixture
def kubectl(home: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    program = shutil.which("kubectl")
    assert program is not None, "kubectl is not installed: set-up gets it, see the README"

    def run(api: KubeApi, *words: str) -> subprocess.CompletedProcess[str]:
        config = api.kubeconfig(home / "config")
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(config)}
        command = [program, "--request-timeout=20s", *words]
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)

    return run


Kubectl = Callable[..., subprocess.CompletedProcess[str]]


def table_of(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


def test_kubectl_gets_what_an_operator_looks_at(api: KubeApi, kubectl: Kubectl) -> None:
    pods = table_of(kubectl(api, "get", "pods", "-A", "-o", "wide"))
    assert pods[0][:8] == ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert pods[1][:7] == ["chat", "llm-0", "0/2", "CrashLoopBackOff", "4", "(13m", "ago)"]
    assert pods[2][:4] == ["chat", "llm-1", "0/2", "Running"]
    assert [row[1] for row in pods[1:]] == ["llm-0", "llm-1", "web-0"]
    nodes = table_of(kubectl(api, "get", "nodes"))
    assert nodes[1][:2] == ["g1", "Ready"]
    assert nodes[1][-1] == "v1.33.2"
    deployments = table_of(kubectl(api, "get", "deployments", "-A"))
    assert deployments[1] == ["chat", "llm", "1/2", "2", "1", "16h"]
    told = table_of(kubectl(api, "get", "events", "-A", "--field-selector", "type=Warning"))
    assert told[1][:5] == ["chat", "4m20s", "Warning", "BackOff", "pod/llm-0"]
    assert len(told) == 2
    autoscalers = table_of(kubectl(api, "get", "hpa", "-A"))
    assert autoscalers[1] == ["chat", "llm", "Deployment/llm", "cpu:", "<unknown>/80%", "1", "4", "2", "16h"]


def test_kubectl_describes(api: KubeApi, kubectl: Kubectl) -> None:
    told = kubectl(api, "describe", "pod", "-n", "chat", "llm-0")
    assert told.returncode == 0, told.stderr
    for part in ("CrashLoopBackOff", "OOMKilled", "Exit Code:    137", "Back-off restarting failed container server"):
        assert part in told.stdout
    assert "Pulled" not in told.stdout
    node = kubectl(api, "describe", "node", "g1")
    assert node.returncode == 0, node.stderr
    assert "nvidia.com/gpu" in node.stdout
    assert "llm-1" in node.stdout
    assert "web-0" not in node.stdout


def test_kubectl_reads_logs(api: KubeApi, kubectl: Kubectl) -> None:
    now = kubectl(api, "logs", "-n", "chat", "llm-0", "-c", "server", "--tail=2")
    assert (now.stdout, now.returncode) == ("line 4\nline 5\n", 0)
    stamped = kubectl(api, "logs", "-n", "chat", "llm-0", "-c", "server", "--tail=1", "--timestamps")
    assert stamped.stdout == "2026-02-02T02:35:00.123456789Z line 5\n"
    before = kubectl(api, "logs", "-n", "chat", "llm-0", "-c", "server", "--previous")
    assert (before.stdout, before.returncode) == ("last words\n", 0)
    none = kubectl(api, "logs", "-n", "chat", "llm-1", "-c", "server", "--previous")
    assert none.returncode == 1
    assert 'previous terminated container "server" in pod "llm-1" not found' in none.stderr
    by_owner = kubectl(api, "logs", "-n", "chat", "deployment/llm", "-c", "server", "--tail=1")
    assert by_owner.stdout == "line 5\n"


def test_kubectl_is_told_what_went_wrong(api: KubeApi, kubectl: Kubectl) -> None:
    absent = kubectl(api, "get", "pod", "-n", "chat", "nope")
    assert 'Error from server (NotFound): pods "nope" not found' in absent.stderr
    deleted = kubectl(api, "delete", "pod", "-n", "chat", "llm-0", "--wait=false")
    assert "MethodNotAllowed" in deleted.stderr
    api.faults.forbid("pods")
    refused = kubectl(api, "get", "pods", "-A")
    assert "Error from server (Forbidden): pods is forbidden" in refused.stderr
    api.faults.heal()
    api.faults.unauthorized()
    assert "logged in" in kubectl(api, "get", "pods", "-A").stderr


def test_kubectl_asks_what_it_may_do(api: KubeApi, kubectl: Kubectl) -> None:
    api.faults.forbid("pods/log", except_in=("chat",))
    for words, said in (
        (("list", "pods"), "yes"),
        (("delete", "pods"), "no"),
        (("get", "pods", "--subresource=log", "-n", "web"), "no"),
        (("get", "pods", "--subresource=log", "-n", "chat"), "yes"),
        (("watch", "deployments.apps", "-A"), "yes"),
    ):
        assert kubectl(api, "auth", "can-i", *words).stdout.strip() == said, words


def test_kubectl_watches(api: KubeApi, home: Path) -> None:
    config = str(api.kubeconfig(home / "config"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": config}
    command = ["kubectl", "get", "pods", "-n", "chat", "-w", "-o", "name"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        last_resort = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))
        last_resort.start()
        try:
            assert process.stdout is not None
            assert [next(process.stdout).strip() for _ in range(2)] == ["pod/llm-0", "pod/llm-1"]
            assert isinstance(api.world, StaticWorld)
            api.world.manifests = [*api.world.manifests, pod("llm-2", app="llm")]
            assert next(process.stdout).strip() == "pod/llm-2"
        finally:
            last_resort.cancel()
            os.killpg(process.pid, signal.SIGKILL)
    assert any("watch=true" in request for request in api.requests)


def test_kubectl_works_on_a_simulated_fleet(fleet: World, kubectl: Kubectl) -> None:
    with KubeApi(FleetWorld(fleet, lambda: fleet.end), clock=lambda: fleet.end) as api:
        rows = table_of(kubectl(api, "get", "pods", "-n", "ml"))[1:]
        assert sorted(row[2] for row in rows) == ["Pending", "Running", "Running"]
        waits = next(row[0] for row in rows if row[2] == "Pending")
        told = kubectl(api, "describe", "pod", "-n", "ml", waits).stdout
        assert "FailedScheduling" in told
        assert "Insufficient nvidia.com/gpu" in told
        runs = next(row[0] for row in rows if row[2] == "Running")
        log = kubectl(api, "logs", "-n", "ml", runs, "--tail=3")
        assert (log.returncode, len(log.stdout.splitlines())) == (0, 3)
        assert table_of(kubectl(api, "get", "nodes"))[2][:2] == ["g1", "Ready"]


# ---------------------------------------------------------------------- discovery


def test_discovery_of_both_generations(api: KubeApi) -> None:
    assert ask(api, "/version").json()["gitVersion"] == "v1.33.2"
    assert ask(api, "/api").json()["versions"] == ["v1"]
    groups = {one["name"] for one in ask(api, "/apis").json()["groups"]}
    assert {"apps", "autoscaling", "policy", "authorization.k8s.io"} <= groups
    assert "keda.sh" not in groups
    core = {one["name"]: one for one in ask(api, "/api/v1").json()["resources"]}
    assert core["pods"]["shortNames"] == ["po"]
    assert core["pods/log"]["verbs"] == ["get"]
    assert ask(api, "/apis/apps/v2").status_code == 404
    new = ask(api, "/apis", AGGREGATED)
    assert "as=APIGroupDiscoveryList" in new.headers["Content-Type"]
    apps = next(one for one in new.json()["items"] if one["metadata"].get("name") == "apps")
    assert {one["resource"] for one in apps["versions"][0]["resources"]} >= {"deployments", "daemonsets"}
    assert ask(api, "/api", AGGREGATED).json()["items"][0]["versions"][0]["version"] == "v1"


def test_custom_resources_exist_once_they_are_installed(api: KubeApi) -> None:
    path = "/apis/keda.sh/v1alpha1/scaledobjects"
    assert ask(api, path).status_code == 404
    scaled = item("ScaledObject", "llm", "chat") | {"apiVersion": "keda.sh/v1alpha1"}
    api.world = StaticWorld([scaled])
    assert names(ask(api, path)) == ["llm"]


# ---------------------------------------------------------------------- lists


def test_a_list_has_the_server_s_shape(api: KubeApi) -> None:
    content = ask(api, "/api/v1/pods").json()
    assert (content["kind"], content["apiVersion"]) == ("PodList", "v1")
    assert content["metadata"]["resourceVersion"].isdigit()
    assert "continue" not in content["metadata"]
    assert not {"kind", "apiVersion"} & set(content["items"][0])
    one = ask(api, "/api/v1/namespaces/chat/pods/llm-0").json()
    assert (one["kind"], one["apiVersion"], one["metadata"]["name"]) == ("Pod", "v1", "llm-0")
    assert ask(api, "/apis/apps/v1/deployments").json()["kind"] == "DeploymentList"
    assert names(ask(api, "/api/v1/namespaces/web/pods")) == ["web-0"]
    assert names(ask(api, "/api/v1/namespaces/nowhere/pods")) == []


def test_pages_show_one_moment(api: KubeApi) -> None:
    first = ask(api, "/api/v1/pods", limit="2").json()
    assert first["metadata"]["remainingItemCount"] == 1
    api.world = StaticWorld([])
    rest = ask(api, "/api/v1/pods", limit="2", **{"continue": first["metadata"]["continue"]})
    assert names(rest) == ["web-0"]
    assert rest.json()["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}


def test_how_many_remain_is_not_told_of_a_selection(api: KubeApi) -> None:
    metadata = ask(api, "/api/v1/pods", limit="1", labelSelector="app").json()["metadata"]
    assert "continue" in metadata
    assert "remainingItemCount" not in metadata


def test_lists_come_in_the_order_of_their_names(api: KubeApi) -> None:
    api.world = StaticWorld([pod("b", "web"), pod("c", "chat"), pod("a", "chat")])
    assert names(ask(api, "/api/v1/pods")) == ["a", "c", "b"]


def test_old_tokens_expire_and_false_ones_are_refused(api: KubeApi) -> None:
    token = ask(api, "/api/v1/pods", limit="2").json()["metadata"]["continue"]
    api.faults.gone_after(1)
    gone = ask(api, "/api/v1/pods", limit="2", **{"continue": token})
    assert (gone.status_code, gone.json()["reason"]) == (410, "Expired")
    assert ask(api, "/api/v1/pods", **{"continue": token}).status_code == 200
    for _ in range(70):
        ask(api, "/api/v1/nodes")
    assert ask(api, "/api/v1/pods", **{"continue": token}).status_code == 410
    assert ask(api, "/api/v1/pods", **{"continue": "nonsense"}).status_code == 400
    assert ask(api, "/api/v1/pods", limit="many").status_code == 400


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=llm", ["llm-0", "llm-1"]),
        ("app==llm,track!=canary", ["llm-0"]),
        ("track", ["llm-1"]),
        ("!track", ["llm-0", "web-0"]),
        ("app in (llm, other),track notin (canary)", ["llm-0"]),
        ("app=", []),
        ("", ["llm-0", "llm-1", "web-0"]),
    ],
)
def test_label_selectors(api: KubeApi, selector: str, expected: list[str]) -> None:
    assert names(ask(api, "/api/v1/pods", labelSelector=selector)) == expected


@pytest.mark.parametrize(
    ("path", "selector", "expected"),
    [
        ("pods", "spec.nodeName=g1", ["llm-0", "llm-1"]),
        ("pods", "spec.nodeName=g1,status.phase!=Succeeded,metadata.name=llm-1", ["llm-1"]),
        ("pods", "status.phase==Succeeded", ["web-0"]),
        ("pods", "metadata.namespace=web", ["web-0"]),
        ("events", "involvedObject.kind=Pod,involvedObject.name=llm-0,involvedObject.uid=u-llm-0", ["llm-0.1"]),
        ("events", "involvedObject.name=llm-0,source=kubelet", ["llm-0.1"]),
        ("nodes", "metadata.name=g1,spec.unschedulable=", ["g1"]),
    ],
)
def test_field_selectors(api: KubeApi, path: str, selector: str, expected: list[str]) -> None:
    assert names(ask(api, f"/api/v1/{path}", fieldSelector=selector)) == expected


@pytest.mark.parametrize(
    "query", [{"fieldSelector": "spec.hostname=x"}, {"fieldSelector": "nonsense"}, {"labelSelector": "a in b"}]
)
def test_selectors_that_the_server_refuses(api: KubeApi, query: dict[str, str]) -> None:
    answer = ask(api, "/api/v1/pods", **query)
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


def test_tables_carry_rows_and_what_they_are_of(api: KubeApi) -> None:
    content = ask(api, "/api/v1/pods", TABLE).json()
    assert content["kind"] == "Table"
    assert [row["object"]["kind"] for row in content["rows"]] == ["PartialObjectMetadata"] * 3
    whole = ask(api, "/api/v1/pods", TABLE, includeObject="Object").json()
    assert whole["rows"][0]["object"]["spec"]["nodeName"] == "g1"
    for row in content["rows"]:
        assert len(row["cells"]) == len(content["columnDefinitions"])


@pytest.mark.parametrize("kind", ["replicasets", "statefulsets", "daemonsets"])
def test_every_kind_prints_with_holes(api: KubeApi, kind: str) -> None:
    singular = {"replicasets": "ReplicaSet", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}[kind]
    api.world = StaticWorld([{"apiVersion": "apps/v1", "kind": singular, "metadata": {"name": "x", "namespace": "y"}}])
    rows = ask(api, f"/apis/apps/v1/{kind}", TABLE).json()["rows"]
    assert rows[0]["cells"][0] == "x"


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (590, "9m50s"),
        (600, "10m"),
        (10800, "3h"),
        (11100, "3h5m"),
        (30000, "8h"),
        (172000, "47h"),
        (180000, "2d2h"),
        (700000, "8d"),
        (-1, "0s"),
        (-9, "<invalid>"),
    ],
)
def test_ages_read_as_kubectl_s(span: float, shown: str) -> None:
    assert api_tables.human(span) == shown


# ---------------------------------------------------------------------- what goes wrong


def test_refusals_are_status_objects(api: KubeApi) -> None:
    for path, code, reason in (
        ("/api/v1/namespaces/chat/pods/nope", 404, "NotFound"),
        ("/api/v1/nonsense", 404, "NotFound"),
        ("/api/v1/pods/llm-0", 404, "NotFound"),
        ("/api/v1/namespaces/chat/nodes", 404, "NotFound"),
        ("/api/v1/namespaces/chat/pods/llm-0/exec", 404, "NotFound"),
        ("/", 404, "NotFound"),
        ("/apis/apps/v1/namespaces/chat/deployments/llm/log", 404, "NotFound"),
    ):
        content = ask(api, path).json()
        assert (content["kind"], content["status"], content["code"], content["reason"]) == (
            "Status",
            "Failure",
            code,
            reason,
        ), path
    assert ask(api, "/api/v1/namespaces/chat/pods/nope").json()["message"] == 'pods "nope" not found'
    nowhere = ask(api, "/api/v1/pods/llm-0").json()["message"]
    assert nowhere == "the server could not find the requested resource"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(api: KubeApi, method: str) -> None:
    for path in ("/api/v1/namespaces/chat/pods", "/api/v1/namespaces/chat/pods/llm-0", "/apis/apps/v1/deployments"):
        answer = requests.request(method, api.url + path, json={}, timeout=20)
        assert (answer.status_code, answer.json()["reason"]) == (405, "MethodNotAllowed")
    assert len(ask(api, "/api/v1/pods").json()["items"]) == 3


def test_permissions_are_refused_in_rbac_s_words(api: KubeApi) -> None:
    api.faults.forbid("deployments", except_in=("web",))
    said = ask(api, "/apis/apps/v1/deployments").json()
    assert (said["code"], said["reason"]) == (403, "Forbidden")
    assert 'cannot list resource "deployments" in API group "apps" at the cluster scope' in said["message"]
    inside = ask(api, "/apis/apps/v1/namespaces/chat/deployments/llm").json()
    assert 'cannot get resource "deployments" in API group "apps" in the namespace "chat"' in inside["message"]
    assert ask(api, "/apis/apps/v1/namespaces/web/deployments").status_code == 200


def test_credentials(api: KubeApi) -> None:
    def code(token: str) -> int:
        return requests.get(api.url + "/version", headers={"Authorization": f"Bearer {token}"}, timeout=20).status_code

    assert (code(api.token), code("wrong")) == (200, 401)
    api.faults.unauthorized()
    assert code(api.token) == 401


def test_access_reviews(api: KubeApi) -> None:
    path = f"{api.url}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

    def review(**attributes: str) -> Any:
        body = {"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
        answer = requests.post(path, json=body, timeout=20)
        assert answer.status_code == 201
        return answer.json()["status"]["allowed"]

    api.faults.forbid("pods/log", except_in=("chat",))
    assert review(verb="list", resource="pods") is True
    assert review(verb="delete", resource="pods") is False
    assert review(verb="get", resource="pods", subresource="log") is False
    assert review(verb="get", resource="pods", subresource="log", namespace="chat") is True
    assert requests.post(path, data="{", headers={"Content-Type": "application/json"}, timeout=20).status_code == 400
    for body in (b"", b"k8s\x00", b"k8s\x00\x12\x7f", b"k8s\x00\x12\x02\x12\x00", b"\xff" * 40):
        sent = requests.post(path, data=body, headers={"Content-Type": PROTOBUF}, timeout=20)
        assert (sent.status_code, sent.json()["reason"]) == (400, "BadRequest")
    assert (
        requests.post(path, data=b"a: b", headers={"Content-Type": "application/yaml"}, timeout=20).status_code == 415
    )


def test_faults_hold_until_they_are_healed(api: KubeApi) -> None:
    api.faults.close_connection()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask(api, "/api/v1/pods")
    api.faults.heal()
    api.faults.garbage(b"<html>", "text/html")
    assert ask(api, "/api/v1/pods").text == "<html>"
    api.faults.heal()
    api.faults.overloaded(1, "3")
    busy = ask(api, "/api/v1/pods")
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "3")
    held = threading.Event()
    api.faults.slow(held)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(api.url + "/version", timeout=0.2)
    held.set()
    assert ask(api, "/version").status_code == 200


# ---------------------------------------------------------------------- logs


def log(api: KubeApi, name: str = "llm-0", **query: str) -> requests.Response:
    return ask(api, f"/api/v1/namespaces/chat/pods/{name}/log", **query)


def test_logs_and_their_refusals(api: KubeApi) -> None:
    assert log(api, container="server", tailLines="1").text == "line 5\n"
    assert log(api, container="server", previous="true").text == "last words\n"
    assert log(api, "llm-1", container="server").text == ""
    for query, said in (
        ({}, "choose one of: [server side]"),
        ({"container": "nope"}, "container nope is not valid for pod llm-0"),
        ({"container": "side", "previous": "true"}, 'previous terminated container "side" in pod "llm-0" not found'),
        ({"container": "server", "tailLines": "-1"}, "PodLogOptions is invalid"),
        ({"container": "server", "limitBytes": "many"}, "PodLogOptions is invalid"),
    ):
        answer = log(api, **query)
        assert (answer.status_code, said in answer.json()["message"]) == (400, True), query
    api.world = StaticWorld([crashed()])
    waits = log(api, container="server")
    assert 'container "server" in pod "llm-0" is waiting to start: CrashLoopBackOff' in waits.json()["message"]


def test_what_a_query_selects_of_a_log() -> None:
    text = "".join(f"2026-02-02T02:3{n}:00.123456789Z line {n}\n" for n in range(6)) + "no time\n"
    assert log_bytes(text, {"tailLines": "2"}, NOW) == b"line 5\nno time\n"
    assert log_bytes(text, {"tailLines": "0"}, NOW) == b""
    assert log_bytes(text, {"sinceSeconds": "600"}, NOW) == b"line 4\nline 5\nno time\n"
    # As the kubelet does: the limit cuts the end of what the tail left over.
    assert log_bytes(text, {"tailLines": "3", "limitBytes": "8"}, NOW) == b"line 4\nl"
    assert log_bytes(text, {"tailLines": "2", "timestamps": "true"}, NOW).startswith(
        b"2026-02-02T02:35:00.123456789Z line 5"
    )
    assert log_bytes("caf\u00e9 \U0001f525", {}, NOW) == "caf\u00e9 \U0001f525".encode()
    assert log_bytes("", {"tailLines": "5"}, NOW) == b""


# ---------------------------------------------------------------------- the official client, watches


def core_of(api: KubeApi, tmp_path: Path) -> client.CoreV1Api:
    configuration = client.Configuration()
    load_kube_config(str(api.kubeconfig(tmp_path / "config")), client_configuration=configuration)
    return client.CoreV1Api(client.ApiClient(configuration))


def test_the_official_client_reads_models(api: KubeApi, tmp_path: Path) -> None:
    core = core_of(api, tmp_path)
    found = core.list_namespaced_pod("chat", label_selector="app=llm")
    assert [one.metadata.name for one in found.items] == ["llm-0", "llm-1"]
    assert found.items[0].status.container_statuses[0].last_state.terminated.exit_code == 137
    assert core.read_namespaced_pod_log("llm-0", "chat", container="server", tail_lines=1) == "line 5\n"
    with pytest.raises(client.ApiException) as caught:
        core.read_namespaced_pod("nope", "chat")
    assert caught.value.status == 404


def test_a_watch_tells_what_changed_since_a_list(api: KubeApi, tmp_path: Path) -> None:
    core = core_of(api, tmp_path)
    world = api.world
    assert isinstance(world, StaticWorld)
    version = core.list_namespaced_pod("chat").metadata.resource_version
    changed = crashed()
    changed["metadata"]["labels"] = {"app": "new"}
    others = [one for one in world.manifests if one["metadata"]["name"] not in {"llm-0", "llm-1"}]
    world.manifests = [*others, changed, pod("llm-2")]
    stream = watch.Watch().stream(core.list_namespaced_pod, "chat", resource_version=version, timeout_seconds=1)
    seen = [(event["type"], event["object"].metadata.name) for event in stream]
    assert seen == [("MODIFIED", "llm-0"), ("ADDED", "llm-2"), ("DELETED", "llm-1")]


def test_a_watch_from_the_beginning_ends_in_time_with_a_bookmark(api: KubeApi) -> None:
    query = {"watch": "true", "timeoutSeconds": "1", "allowWatchBookmarks": "true", "sendInitialEvents": "true"}
    began = time.monotonic()
    told = [json.loads(line) for line in ask(api, "/api/v1/namespaces/web/pods", **query).text.splitlines()]
    assert 0.8 < time.monotonic() - began < 10
    assert [one["type"] for one in told] == ["ADDED", "BOOKMARK"]
    assert told[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    later = ask(api, "/api/v1/pods", watch="true", resourceVersion="3")
    assert (later.status_code, later.json()["reason"]) == (410, "Expired")


def test_a_server_that_stops_ends_its_watches() -> None:
    with KubeApi(static()) as short:
        answer = requests.get(f"{short.url}/api/v1/pods", params={"watch": "true"}, stream=True, timeout=20)
        lines = answer.iter_lines()
        assert json.loads(next(lines))["type"] == "ADDED"
    began = time.monotonic()
    rest = list(lines)
    assert len(rest) == 2
    assert time.monotonic() - began < 10
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"{short.url}/version", timeout=5)
    short.close()


# ---------------------------------------------------------------------- worlds


def test_a_folder_holds_the_same_as_the_fleet_that_wrote_it(fleet: World, tmp_path: Path) -> None:
    write(fleet, tmp_path / "incident", 10_000_000)
    kept = StaticWorld.from_folder(tmp_path / "incident")
    live = FleetWorld(fleet, lambda: fleet.end)

    def by_name(world: Any) -> dict[tuple[str, str, str], Any]:
        return {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in world.objects()}

    assert by_name(kept).keys() == by_name(live).keys()
    assert len(kept.texts) == len(fleet.logs) > 2
    for key, text in kept.texts.items():
        assert live.log(*key) == text
    assert live.log("ml", "nobody", "server", False) is None


def test_a_fleet_goes_on_while_it_is_looked_at(tmp_path: Path) -> None:
    fleet = build(parse(RECIPE), END)
    clock = [float(END)]
    with KubeApi(FleetWorld(fleet, lambda: clock[0]), clock=lambda: clock[0]) as api:
        source = KubeSource.connect(str(api.kubeconfig(tmp_path / "config")))
        assert isinstance(source, KubeSource)
        with source:
            name = next(
                p["metadata"]["name"]
                for p in source.list("pods").items
                if p["metadata"]["namespace"] == "ml" and p["spec"].get("nodeName")
            )
            before = source.logs("ml", name, "server", False, tail_lines=1).text
            clock[0] += 900
            assert source.logs("ml", name, "server", False, tail_lines=1).text > before
            assert source.list("events").blind is None


@pytest.mark.parametrize("text", ["a: [", "just words", "- 1", "kind: Pod", "kind: Pod\nmetadata: 3"])
def test_a_file_that_is_no_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"objects/bad\.yaml"):
        StaticWorld.from_folder(tmp_path)


def test_folders_with_lists_many_documents_and_nothing(tmp_path: Path) -> None:
    assert StaticWorld.from_folder(tmp_path).objects() == []
    (tmp_path / "objects").mkdir()
    listed = {"kind": "List", "metadata": {}, "items": [pod("a"), pod("b")]}
    (tmp_path / "objects" / "a.yaml").write_text(f"{json.dumps(listed)}\n---\n---\n{json.dumps(pod('c'))}\n")
    (tmp_path / "logs" / "chat" / "a").mkdir(parents=True)
    (tmp_path / "logs" / "chat" / "a" / "server.previous.log").write_bytes(b"ok \xff\n")
    world = StaticWorld.from_folder(tmp_path)
    assert [one["metadata"]["name"] for one in world.objects()] == ["a", "b", "c"]
    assert world.log("chat", "a", "server", True) == "ok \ufffd\n"
    assert world.log("chat", "a", "server", False) is None
