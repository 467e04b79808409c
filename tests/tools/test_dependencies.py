"""What an engine needs besides GPUs: who is told of it, near misses, and hostile objects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tools.pairs import APP, OTHER, two
from tools.casebook import cases
from tools.check_subjects import subjects
from tools.dependencies import supports
from tools.diagnose import Within
from tools.outcomes import Outcome, Verdict
from tools.readers import Listed
from tools.reading import Subject
from tools.relations import explanations, needs
from tools.topology import Pod, Topology

ENGINE = Subject("deployment", "team", "engine")
STORE = Subject("statefulset", "team", "store")
LINE = "ERROR etcd: Check etcd server status at http://store:2379: tcp connect error: Connection refused (os error 111)"


def made(
    *, image: str = "etcd:3.5", env: Any = (), args: Any = (), ready: bool | None = False, gpus: float = 0.0, phase: str = "Running",
    line: str = "", of: Subject = STORE, selector: Any = None, space: str = "team",
) -> dict[Subject, frozenset[Subject]]:  # fmt: skip
    user = Subject("deployment", space, "engine")
    container = {"name": "main", "env": list(env), "args": args}
    pods = [
        {"metadata": {"namespace": space, "name": "engine-0"}, "spec": {"containers": [container]}},
        {"metadata": {"namespace": "team", "name": "store-0", "labels": {"app": "etcd"}}, "spec": {}},
    ]
    known = {
        f"{space}/engine-0": Pod(space, "engine-0", "n1", user, ready=True, gpus=1.0, image="vllm/vllm-openai:v0.11.0"),
        "team/store-0": Pod("team", "store-0", "n2", of, phase=phase, ready=ready, gpus=gpus, image=image),
    }
    wanted = {"app": "etcd"} if selector is None else selector
    service = {"metadata": {"namespace": "team", "name": "leases"}, "spec": {"selector": wanted}}
    return supports(
        Listed(0.0, {"pods": pods, "services": [service]}, known), {f"{space}/engine-0": line} if line else {}
    )


def env(value: Any, name: str = "ETCD_ENDPOINTS") -> list[dict[str, Any]]:
    return [{"name": name, "value": value}]


@pytest.mark.parametrize(
    "world",
    [
        {"line": LINE},
        {"line": LINE.replace("store", "store-0.leases")},
        {"line": LINE, "ready": None, "phase": "Pending"},
        {"env": env("http://leases:2379")},
        {"env": env("leases.team.svc.cluster.local:2379")},
        {"env": env("redis://user@leases:6379/0", "CACHE")},
        {"args": ["--nats-server=nats://leases:4222"]},
        {"args": ["serve", "leases:2379,other:2379"]},
        {"env": env("http://leases.team:2379"), "space": "elsewhere"},
        {"env": env("http://leases.team.svc:2379"), "space": "elsewhere"},
        # A router made for inference stands before every engine of its namespace.
        {"image": "registry.k8s.io/gateway-api-inference-extension/epp:v1.1.0"},
        {"image": "lmcache/lmstack-router:latest"},
    ],
)
def test_who_names_it_needs_it(world: Any) -> None:
    assert made(**world) == {STORE: frozenset({Subject("deployment", world.get("space", "team"), "engine")})}


@pytest.mark.parametrize(
    "world",
    [
        {},
        {"line": LINE, "ready": True},
        {"line": LINE, "ready": None},
        {"line": LINE, "phase": "Succeeded"},
        {"line": LINE, "gpus": 1.0},
        {"env": env("http://leases:2379"), "of": Subject("daemonset", "team", "agent")},
        {"line": LINE.replace("store", "stores")},
        {"env": env("http://my-leases:2379")},
        {"env": env("leases-2:2379")},
        {"env": env("http://leases:4317", "OTEL_EXPORTER_OTLP_ENDPOINT")},
        {"env": env("http://leases:2379"), "selector": {}},
        {"env": env("http://leases:2379"), "selector": {"app": "another"}},
        {"env": env("http://leases:2379"), "space": "elsewhere"},
        {"env": env("http://leases.other.svc:2379"), "space": "elsewhere"},
        # A web server of another purpose is nothing that an engine waits for.
        {"image": "docker.io/library/nginx:1.27"},
        {"image": "registry.k8s.io/epp:v1", "space": "elsewhere"},
    ],
)
def test_a_near_miss_supports_nobody(world: Any) -> None:
    assert not any(made(**world).values())


@pytest.mark.parametrize(
    "value", [None, 7, {"a": 1}, "\x00\n", "http://", "://:2379", "ü" * 100_000, "a." * 100_000, "=" * 200_000]
)
def test_hostile_settings_break_nothing(value: Any) -> None:
    assert not any(made(env=env(value), args=value).values())
    assert not any(made(env=env(value, 5), args=[value]).values())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("replicas", "limits", "found"),
    [(1, {}, True), (0, {}, False), (None, {}, False), ("1", {}, False), (1, {"nvidia.com/gpu": "1"}, False)],
)
def test_what_is_wanted_and_has_no_pod_at_all_is_in_trouble(replicas: Any, limits: Any, found: bool) -> None:
    container = {"args": ["--picker=http://picker:9002"]}
    pod = {"metadata": {"namespace": "team", "name": "engine-0"}, "spec": {"containers": [container]}}
    template = {"metadata": {"labels": {"app": "p"}}, "spec": {"containers": [{"resources": {"limits": limits}}]}}
    wanted = {"metadata": {"namespace": "team", "name": "picker"}, "spec": {"replicas": replicas, "template": template}}
    service = {"metadata": {"namespace": "team", "name": "picker"}, "spec": {"selector": {"app": "p"}}}
    known = {"team/engine-0": Pod("team", "engine-0", "n1", ENGINE, ready=True, gpus=1.0)}
    told = supports(Listed(0.0, {"pods": [pod], "services": [service], "deployments": [wanted]}, known), {})
    assert told == ({Subject("deployment", "team", "picker"): frozenset({ENGINE})} if found else {})


def test_of_two_that_need_each_other_neither_is_the_cause() -> None:
    first, second = Subject("deployment", "team", "a"), Subject("deployment", "team", "b")
    pods = [
        {"metadata": {"namespace": "team", "name": f"{me}-0", "labels": {"app": me}}, "spec": {"containers": [{"args": [f"http://{you}:80"]}]}}
        for me, you in (("a", "b"), ("b", "a"))
    ]  # fmt: skip
    services = [{"metadata": {"namespace": "team", "name": n}, "spec": {"selector": {"app": n}}} for n in "ab"]
    known = {f"team/{n}-0": Pod("team", f"{n}-0", "n1", who, ready=False) for n, who in (("a", first), ("b", second))}
    found = supports(Listed(0.0, {"pods": pods, "services": services}, known), {})
    assert not any(found.values())


def test_what_is_needed_and_down_explains_what_waits_for_it() -> None:
    topology = Topology(pods=two().topology.pods, supports={STORE: frozenset({APP})}, wanted=(STORE,))
    assert needs(APP, STORE, topology)
    assert not needs(OTHER, STORE, topology)
    assert not needs(STORE, APP, topology)
    assert not needs(APP, APP, topology)
    down, up = fired("host_oomkilled", STORE), [fired("crash_loop", one) for one in (APP, OTHER)]
    # A fault of its own is no consequence of what it needs.
    told = explanations([down, *up, fired("hpa_wrong_metric", APP)], topology)
    assert told == {f"crash_loop@{APP}": (f"host_oomkilled@{STORE}",)}


def fired(check: str, subject: Subject) -> Outcome:
    return Outcome(cases()[check], subject, Verdict.FIRES)


ROUTER = Subject("deployment", "team", "way")


def behind(*, engine_ready: bool = False, router_gpus: float = 0.0, router_image: str = "python:3.12") -> Any:
    """A router that names an engine as its backend; both as pods, and what is found of who needs whom."""
    args = {"args": ["launch_router", "--worker-urls", "http://engine:80"]}
    pods = [
        {"metadata": {"namespace": "team", "name": "way-0", "labels": {"app": "way"}}, "spec": {"containers": [args]}},
        {"metadata": {"namespace": "team", "name": "engine-0", "labels": {"app": "e"}}, "spec": {}},
    ]
    known = {
        "team/way-0": Pod("team", "way-0", "n2", ROUTER, "Running", False, router_gpus, image=router_image),
        "team/engine-0": Pod("team", "engine-0", "n1", ENGINE, "Running", engine_ready, 1.0),
    }
    service = {"metadata": {"namespace": "team", "name": "engine"}, "spec": {"selector": {"app": "e"}}}
    return known, supports(Listed(0.0, {"pods": pods, "services": [service]}, known), {})


def test_a_router_needs_the_engines_that_it_names() -> None:
    assert behind()[1] == {ENGINE: frozenset({ROUTER})}
    assert behind(engine_ready=True)[1] == {}
    # Engines that know each other (the sides of a pair) are told by their own checks.
    assert behind(router_gpus=1.0)[1] == {}


def test_between_a_router_and_its_engine_in_trouble_the_engine_comes_first() -> None:
    found = behind(router_image="lmcache/lmstack-router:latest")[1]
    assert found[ENGINE] == frozenset({ROUTER})
    assert not found[ROUTER]


def test_what_takes_an_engine_down_ends_the_router_before_it() -> None:
    known, found = behind()
    topology = Topology(pods=known, supports=found, nodes=("n1", "n2"))
    assert topology.needed_by(ROUTER) == {ENGINE}
    assert topology.needed_by(ENGINE) == frozenset()
    ended, node = fired("crash_loop", ROUTER), Subject("node", "", "n1")
    key = f"crash_loop@{ROUTER}"
    for cause in (fired("node_lost", node), fired("pending_insufficient_gpu", ENGINE), fired("crash_loop", ENGINE)):
        assert explanations([cause, ended], topology) == {key: (cause.key,)}
    # What the router does not suffer from being without engines is its own.
    assert explanations([fired("node_lost", node), fired("routing_skew", ROUTER)], topology) == {}
    # A full cache ends nobody's router, nor does a node that carries none of it.
    for other in (fired("kv_saturation_queueing", ENGINE), fired("node_lost", Subject("node", "", "n3"))):
        assert explanations([other, ended], topology) == {}


def test_whoever_is_named_is_looked_at_whatever_it_holds() -> None:
    pods = {"team/way-0": Pod("team", "way-0", "n2", ROUTER, "Running", False)}
    taken = replace(two(), topology=Topology(pods=pods))
    ends, memory = cases()["crash_loop"], cases()["cuda_oom_load"]
    assert list(subjects(ends, taken)) == []
    assert list(subjects(ends, taken, [ROUTER])) == [ROUTER]
    assert list(subjects(memory, taken, [ROUTER])) == []
    behind_it = replace(taken, topology=Topology(pods=pods, supports={ENGINE: frozenset({ROUTER})}))
    assert list(subjects(ends, behind_it)) == [ROUTER]
    egress, dead = cases()["no_egress_policy"], cases()["routing_skew"]
    on_gpu = {"team/way-0": replace(pods["team/way-0"], gpus=1.0)}
    strange = replace(taken, topology=Topology(pods=on_gpu))
    assert list(subjects(egress, taken, [ROUTER])) == [], "a rule of engines is none of a router's"
    assert list(subjects(egress, strange, [ROUTER])) == [ROUTER], "a server on a GPU that nobody recognises"
    assert list(subjects(egress, strange)) == []
    assert list(subjects(dead, strange, [ROUTER])) == [], "a fault of engines is told of engines"
    assert Within(workload="way").names(ROUTER)
    assert Within(several=frozenset({ROUTER})).names(ROUTER)
    assert not Within(namespace="team").names(ROUTER)
    assert not Within().names(ROUTER)
