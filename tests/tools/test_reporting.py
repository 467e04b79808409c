"""Who reports to Prometheus, who stopped, and who was never asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.inventory import sources
from tools.measure import Identity, Measured
from tools.reading import Blind, Reason, Subject
from tools.reporting import NOT_SCRAPED, NOT_TOLD, UNUSED, reporting, unscraped
from tools.series import Labels
from tools.signals import ENGINE_REPORTING, ENGINE_UP, NODE_EXPORTER_UP, NODE_GPUS_REPORTING
from tools.sources.prom import Row
from tools.topology import Gpu, Pod, Topology

NOW = 1_700_000_000.0
CHAT, OTHER = Subject("deployment", "team", "chat"), Subject("deployment", "team", "other")
PODS = {
    f"team/{name}": Pod("team", name, "n1", owner, "Running", True, 1.0)
    for name, owner in (
        ("chat-a", CHAT),
        ("chat-b", CHAT),
        ("other-a", OTHER),
        ("web-a", Subject("pod", "team", "web-a")),
    )
}
TOPOLOGY = Topology(
    PODS, {"GPU-0": Gpu("GPU-0", "n1", "0", "", None)}, ("n1", "n2"), engines={CHAT: "vllm", OTHER: "vllm"}
)
DOWN = Blind(Reason.SOURCE_DOWN, "no answer")


def seen(name: str, *keys: str, ago: float | None = 0.0, blind: Blind | None = None) -> dict[str, Identity]:
    source = next(one for one in sources() if one.name == name)
    fresh = {} if ago is None else dict.fromkeys(keys, NOW - ago)
    return {name: Identity(source, Labels(source.keys), {key: {} for key in keys}, fresh, exported=False, blind=blind)}


def up(value: float, **labels: str) -> Row:
    return Row(labels, value)


def engines(measured: Measured) -> dict[str, float | str]:
    part = reporting(measured, TOPOLOGY, NOW, 180)[ENGINE_REPORTING.now]
    assert part.blind is None
    assert set(part.values) | set(part.unseen) == {"team/chat-a", "team/chat-b", "team/other-a"}
    return {**part.values, **{key: str(why) for key, why in part.unseen.items()}}


NEVER = str(NOT_SCRAPED)


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        (Measured(None), (NEVER, NEVER, NEVER)),
        (Measured(None, identities=seen("vllm", "team/chat-a")), (1.0, 0.0, NEVER)),
        (Measured(None, identities=seen("vllm", "team/chat-a", ago=200)), (0.0, 0.0, NEVER)),
        (Measured(None, identities=seen("vllm", "team/chat-a", ago=None)), (0.0, 0.0, NEVER)),
        (Measured(None, up=(up(0, namespace="team", pod="other-a"),)), (NEVER, NEVER, 0.0)),
        (Measured(None, up=(up(1, namespace="team", pod="other-a"),)), (NEVER, NEVER, 0.0)),
        (Measured(None, up=(up(0, job="x"), up(0, namespace="team", pod="gone"))), (NEVER, NEVER, NEVER)),
        (Measured(None, up_blind=DOWN), (str(DOWN),) * 3),
    ],
    ids=[
        "nobody",
        "a sister",
        "stopped",
        "stopped long ago",
        "target down",
        "target without series",
        "others",
        "unknown",
    ],
)
def test_a_server_is_missed_only_where_somebody_looked(measured: Measured, told: tuple[float | str, ...]) -> None:
    assert tuple(engines(measured)[f"team/{name}"] for name in ("chat-a", "chat-b", "other-a")) == told


@pytest.mark.parametrize(
    ("engine", "answers", "identities", "told"),
    [
        ("tei", 1, {}, str(UNUSED)),
        ("tei", 0, {}, 0.0),
        ("tei", 1, seen("tei", "team/other-a", ago=200), 0.0),
        ("tei", 1, seen("tei", "team/other-a"), 1.0),
        ("vllm", 1, {}, 0.0),
    ],
    ids=["never asked", "it does not answer", "it was asked and stopped", "it tells", "another kind"],
)
def test_one_that_counts_from_its_first_request_on_is_not_down_before(
    engine: str, answers: float, identities: dict[str, Identity], told: float | str
) -> None:
    topology = replace(TOPOLOGY, engines={CHAT: "vllm", OTHER: engine})
    measured = Measured(None, up=(up(answers, namespace="team", pod="other-a"),), identities=identities)
    part = reporting(measured, topology, NOW, 180)[ENGINE_REPORTING.now]
    found = {**part.values, **{key: str(why) for key, why in part.unseen.items()}}
    assert found["team/other-a"] == told
    assert not set(part.values) & set(part.unseen)


@pytest.mark.parametrize(
    ("answers", "identities", "told"),
    [(1, {}, str(NOT_TOLD)), (0, {}, 0.0), (1, seen("ray_vllm", "team/other-a", ago=200), 0.0)],
    ids=["it never told of an engine", "it does not answer", "it did tell"],
)
def test_an_agent_that_answers_without_an_engine_is_not_down(
    answers: float, identities: dict[str, Identity], told: float | str
) -> None:
    """Ray's agent exports the node's metrics whatever runs there; the engine's only where that is configured."""
    under_ray = replace(TOPOLOGY, engines={CHAT: "vllm", OTHER: "ray_vllm"})
    measured = Measured(None, up=(up(answers, namespace="team", pod="other-a"),), identities=identities)
    part = reporting(measured, under_ray, NOW, 180)[ENGINE_REPORTING.now]
    assert {**part.values, **{key: str(why) for key, why in part.unseen.items()}}["team/other-a"] == told


@pytest.mark.parametrize("kind", ["leaderworkerset", "deployment"])
def test_the_workers_of_a_group_serve_through_their_leader(kind: str) -> None:
    big = Subject(kind, "team", "big")
    names = ("big-0", "big-0-1", "big-1", "big-1-1", "big-1-12")
    pods = {f"team/{name}": Pod("team", name, "n1", big, "Running", True, 1.0) for name in names}
    topology = Topology(pods, {}, ("n1",), engines={big: "vllm"})
    part = reporting(Measured(None, identities=seen("vllm", "team/big-0")), topology, NOW, 180)[ENGINE_REPORTING.now]
    leaders = {"team/big-0": 1.0, "team/big-1": 0.0}
    group = kind == "leaderworkerset"
    assert part.values == (leaders if group else {**dict.fromkeys(pods, 0.0), **leaders})
    # One that does tell of an engine is missed once it falls silent.
    silent = Measured(None, identities=seen("vllm", "team/big-0-1", ago=200))
    told = reporting(silent, topology, NOW, 180)[ENGINE_REPORTING.now].values
    assert told["team/big-0-1"] == 0.0
    assert told["team/big-1-12"] == 0.0, "where one of them tells of an engine the others are missed, too"


def test_an_identity_that_could_not_be_read_blinds_them_all() -> None:
    part = reporting(Measured(None, identities=seen("vllm", blind=DOWN)), TOPOLOGY, NOW, 180)[ENGINE_REPORTING.now]
    assert part.blind is DOWN


def test_what_is_not_scraped_may_be_read_directly() -> None:
    everyone = {"team/chat-a", "team/chat-b", "team/other-a"}
    assert unscraped(Measured(None), TOPOLOGY) == everyone
    assert unscraped(Measured(DOWN), TOPOLOGY) == everyone
    told = Measured(None, identities=seen("vllm", "team/chat-a", ago=None), up=(up(0, namespace="team", pod="chat-b"),))
    assert unscraped(told, TOPOLOGY) == {"team/other-a"}


def test_targets_of_exporters_tell_of_nodes_and_those_of_engines_of_pods() -> None:
    rows = (
        up(1, job="nvidia_gpu_exporter", instance="n7:9835"),
        up(1, job="dcgm", node="n1"),
        up(0, job="dcgm", node="n1"),
        up(1, job="x", namespace="team", pod="chat-a"),
        up(0, job="y", namespace="team", pod="chat-a"),
    )
    told = reporting(Measured(None, up=rows), TOPOLOGY, NOW, 180)
    assert told[NODE_EXPORTER_UP.now].values == {"n7": 1.0, "n1": 0.0}
    assert told[ENGINE_UP.now].values == {"team/chat-a": 0.0}


def test_gpus_are_counted_once_however_many_exporters_tell_of_them() -> None:
    both = {**seen("dcgm_exporter", "GPU-0"), **seen("nvidia_gpu_exporter", "GPU-0", "GPU-unknown")}
    assert reporting(Measured(None, identities=both), TOPOLOGY, NOW, 180)[NODE_GPUS_REPORTING.now].values == {
        "n1": 1.0,
        "n2": 0.0,
    }
    old = Measured(None, identities=seen("dcgm_exporter", "GPU-0", ago=181))
    assert reporting(old, TOPOLOGY, NOW, 180)[NODE_GPUS_REPORTING.now].values == {"n1": 0.0, "n2": 0.0}


def test_a_node_is_not_said_to_be_silent_while_gpus_report_from_a_host_that_nobody_knows() -> None:
    stranger = replace(
        TOPOLOGY, gpus={"GPU-0": Gpu("GPU-0", "10.9.9.9", "0", "", None)}, addresses={"n1": "n1", "n2": "n2"}
    )
    seen_one = seen("dcgm_exporter", "GPU-0")
    told = reporting(Measured(None, identities=seen_one), stranger, NOW, 180)[NODE_GPUS_REPORTING.now]
    assert told.values == {}
    assert {key: why.reason for key, why in told.unseen.items()} == dict.fromkeys(("n1", "n2"), Reason.AMBIGUOUS)
    assert "10.9.9.9" in told.unseen["n1"].detail
    # An exporter that does not answer its scrape is down, whoever else reports.
    down = Measured(None, identities=seen_one, up=(up(0, job="dcgm", instance="n1:9400"),))
    told = reporting(down, stranger, NOW, 180)[NODE_GPUS_REPORTING.now]
    assert told.values == {"n1": 0.0}
    assert set(told.unseen) == {"n2"}
    both = replace(stranger, gpus={**stranger.gpus, "GPU-1": Gpu("GPU-1", "n1", "0", "", None)})
    told = reporting(Measured(None, identities=seen("dcgm_exporter", "GPU-0", "GPU-1")), both, NOW, 180)
    assert told[NODE_GPUS_REPORTING.now].values == {"n1": 1.0}, "what reports is counted"
    known = replace(stranger, addresses={"10.9.9.9": "n1", "n1": "n1", "n2": "n2"}, gpus=TOPOLOGY.gpus)
    told = reporting(Measured(None, identities=seen_one), known, NOW, 180)[NODE_GPUS_REPORTING.now]
    assert told.values == {"n1": 1.0, "n2": 0.0}


def test_without_an_exporter_or_a_prometheus_nothing_is_counted() -> None:
    assert NODE_GPUS_REPORTING.now not in reporting(Measured(None), TOPOLOGY, NOW, 180)
    assert reporting(replace(Measured(None), blind=DOWN), TOPOLOGY, NOW, 180) == {}


def test_the_workers_of_a_group_are_not_missed() -> None:
    leader, workers, other = (Subject("statefulset", "team", name) for name in ("deep", "deep-0", "other-0"))
    pods = {
        one.key: one
        for one in (
            Pod("team", "deep-0", "n1", leader, "Running", True, 8.0),
            Pod("team", "deep-0-1", "n2", workers, "Running", True, 8.0),
            Pod("team", "other-0-1", "n2", other, "Running", True, 8.0),
        )
    }
    topology = Topology(pods, engines=dict.fromkeys((leader, workers, other), "vllm"))
    rows = tuple(up(0, namespace="team", pod=pod.name) for pod in pods.values())
    told = reporting(Measured(None, up=rows), topology, NOW, 180)[ENGINE_REPORTING.now]
    assert told.values == {"team/deep-0": 0.0, "team/other-0-1": 0.0}, (
        "they serve through their leader, whom somebody has to be"
    )
    assert not told.unseen


def test_the_head_of_a_cluster_of_servers_is_not_missed() -> None:
    ray = Subject("raycluster", "team", "serve")
    pods = {
        f"team/{name}": Pod("team", name, "n1", ray, "Running", True, gpus)
        for name, gpus in (("head", 0.0), ("worker", 1.0))
    }
    topology = Topology(pods, engines={ray: "ray_vllm"})
    told = reporting(Measured(None, identities=seen("ray_vllm", "team/worker")), topology, NOW, 180)[
        ENGINE_REPORTING.now
    ]
    assert told.values == {"team/worker": 1.0}
    # One that reported, and stopped, is missed all the same.
    both = Measured(None, identities=seen("ray_vllm", "team/worker", "team/head", ago=200))
    assert reporting(both, topology, NOW, 180)[ENGINE_REPORTING.now].values == {"team/worker": 0.0, "team/head": 0.0}
