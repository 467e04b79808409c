"""What a container may write, as whom, and with whom it shares a port: on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.container_rights import read
from tools.signals import Signal
from tools.vocabulary.container_rights import (
    DRIVER_SETTINGS,
    MOUNTS,
    PORTS_SHARED,
    ROOT_READ_ONLY,
    RUNS_AS,
    mounted,
)


def facts(spec: Any, meta: Any = None) -> dict[Signal, Any]:
    pod = {"metadata": meta or {"namespace": "team", "name": "app-0"}, "spec": spec}
    found = [told.facts for told in read(Listed(0.0, {"pods": [pod]}))]
    return dict(found[0]) if found else {}


def engine(**more: Any) -> dict[str, Any]:
    return {"name": "engine", "resources": {"limits": {"nvidia.com/gpu": "1"}}, **more}


def test_a_root_file_system_is_read_only_where_the_serving_container_says_so() -> None:
    locked = {"readOnlyRootFilesystem": True}
    assert facts({"containers": [engine(securityContext=locked)]})[ROOT_READ_ONLY] == "engine"
    other = [{"name": "proxy", "securityContext": locked}, engine()]
    assert facts({"containers": other})[ROOT_READ_ONLY] == ""
    assert facts({"containers": [engine(securityContext={"readOnlyRootFilesystem": "true"})]})[ROOT_READ_ONLY] == ""


def test_the_container_decides_on_its_user_before_the_pod() -> None:
    spec = {
        "securityContext": {"runAsUser": 1000, "fsGroup": 2000},
        "containers": [engine(securityContext={"runAsUser": 0})],
    }
    assert facts(spec)[RUNS_AS] == "user 0, group not set, fsGroup 2000"
    assert facts({"containers": [engine()]})[RUNS_AS] == "user not set, group not set, fsGroup not set"
    odd = {"runAsUser": True, "runAsGroup": "7", "fsGroup": None}
    assert (
        facts({"containers": [engine(securityContext=odd)]})[RUNS_AS] == "user not set, group not set, fsGroup not set"
    )


def test_a_mount_is_read_only_by_itself_by_its_claim_or_by_its_kind() -> None:
    spec = {
        "volumes": [
            {"name": "weights", "persistentVolumeClaim": {"claimName": "w", "readOnly": True}},
            {"name": "settings", "configMap": {"name": "s"}},
            {"name": "cache", "emptyDir": {}},
        ],
        "containers": [
            engine(
                volumeMounts=[
                    {"name": "weights", "mountPath": "/models"},
                    {"name": "settings", "mountPath": "/etc/engine"},
                    {"name": "cache", "mountPath": "/cache"},
                    {"name": "cache", "mountPath": "/spare", "readOnly": True},
                    {"name": "gone", "mountPath": "/gone"},
                    {"name": "cache", "mountPath": 7},
                    "nonsense",
                ]
            )
        ],
    }
    assert facts(spec)[MOUNTS] == "/models (read-only), /etc/engine (read-only), /cache, /spare (read-only), /gone"


def test_two_containers_of_a_pod_that_listen_on_one_port() -> None:
    spec = {
        "containers": [
            engine(command=["vllm", "serve", "m"], args=["--port", "8080"]),
            {"name": "proxy", "ports": [{"containerPort": 8080}, {"containerPort": 9090}]},
            {"name": "exporter", "ports": [{"containerPort": 9090, "protocol": "UDP"}, {"containerPort": "x"}]},
        ]
    }
    assert facts(spec)[PORTS_SHARED] == "8080 (engine and proxy)"
    assert facts({"containers": [engine(ports=[{"containerPort": 8000}, {"containerPort": 8000}])]})[PORTS_SHARED] == ""
    huge = [engine(args=["--port", "9" * 5000]), {"name": "p", "args": ["--port", "9" * 5000]}]
    assert facts({"containers": huge})[PORTS_SHARED] == ""


def test_what_decides_on_the_drivers_libraries() -> None:
    env = [
        {"name": "NVIDIA_VISIBLE_DEVICES", "value": ""},
        {"name": "LD_LIBRARY_PATH", "value": "/opt/lib"},
        {"name": "HF_TOKEN", "value": "x"},
        {"name": "CUDA_VISIBLE_DEVICES", "valueFrom": {}},
    ]
    assert facts({"containers": [engine(env=env)]})[DRIVER_SETTINGS] == (
        "runtimeClassName not set, NVIDIA_VISIBLE_DEVICES empty, LD_LIBRARY_PATH=/opt/lib"
    )
    spec = {"runtimeClassName": "nvidia", "containers": [engine()]}
    assert facts(spec)[DRIVER_SETTINGS] == "runtimeClassName nvidia"


@pytest.mark.parametrize("spec", [None, {}, {"containers": []}, {"containers": "x"}, {"containers": [None, 3]}])
def test_a_pod_without_containers_tells_nothing(spec: Any) -> None:
    assert facts(spec) == {}


def test_hostile_values_stay_short_and_break_nothing() -> None:
    spec = {
        "securityContext": [],
        "volumes": {"a": 1},
        "runtimeClassName": "ü" * 10_000,
        "containers": [
            engine(
                env=[{"name": "LD_LIBRARY_PATH", "value": "/" * 100_000}] * 50,
                volumeMounts=[{"name": "x", "mountPath": "/" + "a" * 100_000}] * 100,
                ports={"x": 1},
            )
        ],
    }
    found = facts(spec)
    assert all(len(str(value)) <= 600 for value in found.values())
    assert facts(spec, meta={"name": "app-0"}) == {}


def test_the_innermost_mount_holds_a_path() -> None:
    mounts = "/models (read-only), /models/cache, /data"
    assert mounted(mounts, "/models/a/b") == ("/models", True)
    assert mounted(mounts, "/models/cache/x") == ("/models/cache", False)
    assert mounted(mounts, "/data") == ("/data", False)
    assert mounted(mounts, "/database/x") is None
    assert mounted("", "/x") is None
