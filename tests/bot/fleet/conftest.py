"""A small simulated fleet on a real Prometheus and a Kubernetes API, for the commands that look at all of it; one for the session."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from unittest import mock

import pytest

from bot.__main__ import main
from evals.fleet import openmetrics
from evals.fleet.api_worlds import FleetWorld
from evals.fleet.kubeapi import KubeApi
from evals.fleet.prometheus import Prometheus
from evals.fleet.recipe import parse
from evals.fleet.world import build

ARGS = {"max-model-len": 8192}
TENANT = {"team": "chat-team", "tenant": "acme"}
CONTENT: dict[str, Any] = {
    "history": "110m",
    "dt": 5,
    "seed": 7,
    "scrape": {"interval": "60s"},
    "nodes": [
        {"name": "big-1", "gpu": "h100", "gpus": 8, "memory": "2048Gi", "instance_type": "p5.48xlarge"},
        {"name": "small-1", "gpu": "l4", "gpus": 3, "memory": "256Gi"},
    ],
    "workloads": [
        {"namespace": "chat", "name": "busy", "model": "meta-llama/Llama-3.1-8B-Instruct", "replicas": 2, "args": ARGS,
         "memory": "40Gi", "node_selector": {"kubernetes.io/hostname": "big-1"}, "traffic": {"rate": 3}, "labels": TENANT},
        {"namespace": "chat", "name": "quiet", "model": "meta-llama/Llama-3.1-8B-Instruct", "replicas": 2, "args": ARGS,
         "memory": "40Gi", "node_selector": {"kubernetes.io/hostname": "big-1"}},
        {"namespace": "chat", "name": "spare", "model": "meta-llama/Llama-3.1-8B-Instruct", "replicas": 1, "args": ARGS,
         "memory": "40Gi", "node_selector": {"kubernetes.io/hostname": "small-1"},
         "annotations": {"rackside.dev/standby": "true"}},
        {"namespace": "lab", "name": "large", "model": "meta-llama/Llama-3.3-70B-Instruct", "replicas": 1, "gpus": 8,
         "memory": "100Gi", "node_selector": {"kubernetes.io/hostname": "big-1"}, "args": {"tensor-parallel-size": 8}},
        {"namespace": "staging", "name": "busy", "model": "meta-llama/Llama-3.1-8B-Instruct", "replicas": 1,
         "memory": "40Gi", "node_selector": {"kubernetes.io/hostname": "small-1"}, "image": "vllm/vllm-openai:v0.10.2",
         "args": {"max-model-len": 4096, "api-key": "hunter2", "enable-log-requests": True}, "probes": False, "traffic": {"rate": 0.2}},
    ],
}  # fmt: skip
PRICES = "prices: {h100: 3.0}\nplans: {h100: {reserved: 2.0, on_demand: 3.0, burst: 9.0}}\n"


class Fleet(NamedTuple):
    """Where the fleet answers."""

    prometheus: Prometheus
    api: KubeApi
    environment: dict[str, str]
    at: float


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    scratch = tmp_path_factory.mktemp("costs")
    # Half an hour of it lies ahead, so that however slow the machine is the commands, whose clock is the real one, find fresh samples.
    world = build(parse(CONTENT), time.time() + 1800)
    openmetrics.write(world.columns, scratch / "fleet.om")
    (scratch / "rackside.yaml").write_text(PRICES, encoding="utf-8")
    at = world.end
    with (
        Prometheus([scratch / "fleet.om"]) as prometheus,
        KubeApi(FleetWorld(world, lambda: at), lambda: at) as api,
    ):
        api.kubeconfig(scratch / "kubeconfig")
        environment = {
            "PATH": os.environ["PATH"], "RACKSIDE_HOME": str(scratch), "NO_COLOR": "1",
            "RACKSIDE_PROMETHEUS_URL": prometheus.url, "KUBECONFIG": str(scratch / "kubeconfig"),
        }  # fmt: skip
        yield Fleet(prometheus, api, environment, at)


@dataclass(frozen=True)
class Done:
    """What a command printed, and its exit status."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture(scope="session")
def rackside(fleet: Fleet) -> Command:
    """Run a command against the fleet, with other variables where they are given.

    In this process: starting one for each would take longer than all of them. tests/bot/test_command_line.py starts real ones.
    """

    def run(*arguments: str, **environment: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**fleet.environment, **environment}, clear=True),
            mock.patch.object(sys, "argv", ["rackside", *arguments]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
        return Done(status, out.getvalue(), err.getvalue())

    return run
