"""Since when, what changed before, what recovered: a real Prometheus with pasts that are known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from evals.fleet.prometheus import Prometheus
from tests.tools import past_worlds, worlds
from tests.tools.past_worlds import POD
from tests.tools.worlds import World, listings, node, owned, pod, stamp
from tools.casebook import asks
from tools.diagnose import Within, diagnose
from tools.finding import Finding, Happened
from tools.history import narrowed
from tools.narrowing import KEYS_MOST
from tools.reading import Blind, Reason
from tools.signals import KV_USAGE
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import Points, PromSource
from tools.survey import survey
from tools.timeline import Timeline, timeline

FULL = "kv_saturation_queueing"
UNSET = Blind(Reason.NOT_SET, "nothing is set")
TEAM = Within("team", "app")


@pytest.fixture(scope="module")
def pasts() -> dict[str, World]:
    """Every past by name."""
    return past_worlds.build()


@pytest.fixture(scope="module")
def past_url(pasts: dict[str, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that holds them all."""
    path = tmp_path_factory.mktemp("pasts") / "pasts.om"
    worlds.write(pasts, path)
    with Prometheus([path]) as prometheus:
        yield prometheus.url


def objects(now: float, **more: Any) -> dict[str, Any]:
    """A Deployment of one pod on a node; `more` are further lists."""
    replica = owned("replicasets", "app-6c8d9f7b5", "app")
    kept = {"pods": [pod(POD, now=now)], "nodes": [node("n1")], "replicasets": [replica],
            "deployments": [owned("deployments", "app")]}  # fmt: skip
    return listings(**{**kept, **more})


def told(
    world: World, url: str, *, past: bool = False, kube: Any = None, prom: Any = None, **more: Any
) -> tuple[Timeline, PromSource]:
    """The timeline of a world."""
    source = prom or PromSource(url)
    cluster = FakeKube(objects(world.at, **more)) if kube is None else kube
    taken = survey(source, cluster, asks(), world.at, past=past)
    return timeline(source, taken, diagnose(taken, TEAM), {}), source


def only(found: Timeline, check: str = FULL) -> Finding:
    """The finding of a check."""
    return next(one for one in found.findings if one.id == check)


def ago(finding: Finding, world: World) -> float:
    """How many minutes before now it began."""
    assert finding.since is not None
    assert finding.since.at is not None
    return (world.at - datetime.fromisoformat(finding.since.at).timestamp()) / 60.0


def test_a_fault_that_began_forty_minutes_ago(pasts: dict[str, World], past_url: str) -> None:
    found, _ = told(pasts["forty"], past_url)
    finding = only(found)
    assert ago(finding, pasts["forty"]) == pytest.approx(40, abs=1)
    assert finding.since is not None
    assert not finding.since.at_least
    assert finding.since.within_s == 60
    assert finding.since.times == 1
    assert finding.since.text.startswith("Since ")
    assert "to within 60 s" in finding.since.text
    assert "threshold of 92 % since then" in finding.since.text
    assert "Flapping" not in finding.since.text
    trace = found.traces[finding.key]
    assert trace.threshold == 0.92
    assert trace.above
    assert trace.of == POD
    fired = [moment for moment, fires in zip(trace.times, trace.firing, strict=True) if fires]
    assert trace.onset is not None
    assert trace.onset <= fired[0] <= trace.onset + 600
    assert max(value for value in trace.values if value is not None) == pytest.approx(0.97)
    assert found.recovered == ()


def test_symptoms_have_no_time_of_their_own_and_headlines_do(pasts: dict[str, World], past_url: str) -> None:
    found, _ = told(pasts["forty"], past_url)
    assert {one.id for one in found.findings if not one.root} == {"preemption_thrash"}
    assert [one.id for one in found.findings if one.since is not None] == [FULL]


def test_one_that_began_before_the_look_back_says_at_least(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["always"], past_url)[0])
    assert finding.since is not None
    assert finding.since.at_least
    assert finding.since.text.startswith("For at least 3.0 h")
    assert finding.since.text.endswith("where the look-back ends.")
    assert finding.happened == ()
    assert "began before the look-back" in finding.unseen_before


def test_one_whose_data_begins_with_it_says_so(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["young"], past_url)[0])
    assert finding.since is not None
    assert finding.since.at_least
    assert ago(finding, pasts["young"]) == pytest.approx(45, abs=6)
    assert finding.since.text.endswith("where its data begins.")
    assert "began before the look-back" not in finding.unseen_before


def test_a_hole_before_it_leaves_the_beginning_between_two_moments(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["hole"], past_url)[0])
    assert finding.since is not None
    assert finding.since.text.startswith("Since some time between ")
    assert "with no data in between" in finding.since.text
    assert ago(finding, pasts["hole"]) == pytest.approx(50, abs=1)
    assert 300 <= finding.since.within_s <= 1200
    assert finding.since.times == 1


def test_a_hole_inside_does_not_end_it(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["hole_inside"], past_url)[0])
    assert ago(finding, pasts["hole_inside"]) == pytest.approx(60, abs=1)
    assert finding.since is not None
    assert finding.since.times == 1
    assert "of that without data" in finding.since.text


def test_what_comes_and_goes_is_flapping_with_a_count(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["flapping"], past_url)[0])
    assert finding.since is not None
    assert finding.since.times == 4
    assert finding.since.text.startswith("Flapping: ")
    assert "4 times in the last 3.0 h" in finding.since.text
    assert ago(finding, pasts["flapping"]) == pytest.approx(30, abs=1)


def test_what_is_gone_is_recovered_with_from_and_to_and_no_headline(pasts: dict[str, World], past_url: str) -> None:
    world = pasts["recovered"]
    found, _ = told(world, past_url)
    assert FULL not in {one.id for one in found.findings}
    gone = next(one for one in found.recovered if one.id == FULL)
    begun = (world.at - datetime.fromisoformat(gone.from_).timestamp()) / 60
    ended = (world.at - datetime.fromisoformat(gone.to).timestamp()) / 60
    assert 55 <= begun <= 70
    assert 25 <= ended <= 40
    assert gone.subject == "deployment/team/app"
    assert gone.text.startswith("Recovered: deployment/team/app: ")
    assert not gone.at_least
    assert gone.times == 1
    # A symptom of it is told by it.
    assert [one.id for one in found.recovered] == [FULL]


@pytest.mark.parametrize("name", ["well", "forty", "still_going", "blip"])
def test_what_never_was_or_still_is_has_not_recovered(name: str, pasts: dict[str, World], past_url: str) -> None:
    assert FULL not in {one.id for one in told(pasts[name], past_url)[0].recovered}


def test_a_counter_that_was_reset_neither_begins_nor_ends_anything(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["reset"], past_url)[0], "preemption_thrash")
    assert 25 <= ago(finding, pasts["reset"]) <= 41
    assert finding.since is not None
    assert finding.since.times == 1


def test_what_is_held_against_its_siblings_has_no_threshold_of_its_own(pasts: dict[str, World], past_url: str) -> None:
    world = pasts["skew"]
    pods = [pod(POD, now=world.at), pod(POD.replace("aaaaa", "bbbbb"), now=world.at)]
    found, _ = told(world, past_url, pods=pods)
    finding = only(found, "routing_skew")
    assert finding.since is not None
    assert 30 <= ago(finding, world) <= 40
    # An average over ten minutes says no nearer than that when it began.
    assert finding.since.within_s == 660
    assert "to within 11 min" in finding.since.text
    assert "out of line since then" in finding.since.text
    assert found.traces[finding.key].threshold is None


def test_the_reading_that_came_last_decides_and_a_lowest_value_tells_of_its_whole_window(
    pasts: dict[str, World], past_url: str
) -> None:
    found, _ = told(pasts["queue"], past_url)
    finding = only(found)
    assert found.traces[finding.key].name == "Requests waiting, lowest over 5 min"
    assert ago(finding, pasts["queue"]) == pytest.approx(40, abs=1)


def test_an_exporter_that_fell_silent_says_when(pasts: dict[str, World], past_url: str) -> None:
    world = pasts["silent"]
    source = PromSource(past_url)
    nodes = [node("n1", 1), node("n2", 1), node("n3", 1)]
    taken = survey(source, FakeKube(listings(nodes=nodes)), asks(), world.at)
    found = timeline(source, taken, diagnose(taken), {})
    finding = only(found, "exporter_down")
    # What is new was not missing before it was there.
    assert found.recovered == ()
    assert ago(finding, world) == pytest.approx(41, abs=1)  # a sample is fresh for three minutes
    assert found.traces[finding.key].values[-1] == 0


# ------------------------------------------------------------------ what changed before


def kinds(found: tuple[Happened, ...]) -> list[tuple[str, str, float]]:
    return [(one.kind, one.subject, one.minutes_before) for one in found]


def template(image: str, *args: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [{"name": "engine", "image": image, "args": list(args)}]}}}


def revision(number: int, created: float, image: str, *args: str) -> dict[str, Any]:
    made = owned("replicasets", f"app-{number}", "app")
    made["metadata"] |= {
        "annotations": {"deployment.kubernetes.io/revision": str(number)},
        "creationTimestamp": stamp(created),
    }
    return {**made, "spec": template(image, *args)}


def test_a_rollout_a_scaling_and_a_cordon_before_it_are_named_nearest_first(
    pasts: dict[str, World], past_url: str
) -> None:
    world = pasts["forty"]
    at = world.at - 40 * 60
    event = {"metadata": {"namespace": "team", "name": "e"}, "involvedObject": {"kind": "Node", "name": "n1"},
             "reason": "NodeNotSchedulable", "lastTimestamp": stamp(at - 240)}  # fmt: skip
    elsewhere = {**event, "involvedObject": {"kind": "Node", "name": "n9"}}
    long_before = {**event, "reason": "NodeNotReady", "lastTimestamp": stamp(at - 3 * 3600)}
    after = {**event, "reason": "NodeReady", "lastTimestamp": stamp(at + 600)}
    scaled = {"involvedObject": {"kind": "Deployment", "namespace": "team", "name": "app"}, "reason": "ScalingReplicaSet",
              "message": "Scaled up replica set app-6 from 1 to 3", "lastTimestamp": stamp(at - 900)}  # fmt: skip
    sets = [revision(6, world.at - 9e5, "vllm:1", "--max-model-len=8192"),
            revision(7, at - 120, "vllm:2", "--max-model-len=16384")]  # fmt: skip
    found, _ = told(world, past_url, replicasets=sets, events=[event, elsewhere, long_before, after, scaled])
    finding = only(found)
    assert kinds(finding.happened) == [
        ("rollout", "deployment/team/app", 2),
        ("node", "node/n1", 4),
        ("scale", "deployment/team/app", 15),
    ]
    first = finding.happened[0].text
    assert first == (
        "deployment/team/app rolled out revision 7 (image vllm:1 to vllm:2; --max-model-len 8192 to 16384);"
        " that happened 2 minutes before."
    )
    assert "caused" not in " ".join(one.text for one in finding.happened)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("longer_prompts", "gets prompts of 20,000 tokens on average instead of 900 tokens"),
        ("longer_answers", "gives answers of 900 tokens on average instead of 200 tokens"),
        ("busier", "answers 1.2 requests/s instead of 0.4 requests/s"),
    ],
)
def test_a_change_of_the_traffic_before_it_is_told(
    name: str, said: str, pasts: dict[str, World], past_url: str
) -> None:
    (happened,) = only(told(pasts[name], past_url)[0]).happened
    assert happened.kind == "traffic"
    assert happened.subject == "deployment/team/app"
    assert f"deployment/team/app {said}; that happened" in happened.text
    assert happened.minutes_before == pytest.approx(5, abs=2)
    assert happened.source == "engine metrics via Prometheus"


@pytest.mark.parametrize("name", ["as_ever", "fewer_get_done"])
def test_traffic_as_ever_and_what_a_fault_does_to_it_are_no_change(
    name: str, pasts: dict[str, World], past_url: str
) -> None:
    assert only(told(pasts[name], past_url)[0]).happened == ()


def test_nothing_that_changed_is_said_and_what_could_not_be_seen(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["forty"], past_url)[0])
    assert finding.happened == ()
    assert finding.unseen_before.startswith("Nothing that can be seen changed in the 30 minutes before")
    assert "events older than about an hour" in finding.unseen_before
    assert "changes of ConfigMaps" in finding.unseen_before


def test_events_that_may_not_be_listed_are_said(pasts: dict[str, World], past_url: str) -> None:
    finding = only(told(pasts["forty"], past_url, events=Blind(Reason.FORBIDDEN, "no events for us"))[0])
    assert "events (they could not be listed)" in finding.unseen_before


def test_kube_state_metrics_tells_of_configuration_scale_and_cordon(pasts: dict[str, World], past_url: str) -> None:
    world = pasts["config"]
    mounted = pod(POD, now=world.at)
    mounted["spec"]["volumes"] = [{"name": "c", "configMap": {"name": "app-config"}}]
    finding = only(told(world, past_url, pods=[mounted])[0])
    assert kinds(finding.happened) == [
        ("config", "configmap/team/app-config", 5),
        ("rollout", "deployment/team/app", 7),
        ("node", "node/n1", 9),
        ("scale", "deployment/team/app", 12),
    ]
    assert "was scaled from 3 to 1 replicas" in finding.happened[3].text
    assert "ConfigMaps" not in finding.unseen_before


def test_what_both_tell_is_told_once(pasts: dict[str, World], past_url: str) -> None:
    world = pasts["config"]
    at = world.at - 40 * 60
    sets = [revision(6, world.at - 9e5, "vllm:1"), revision(7, at - 8 * 60, "vllm:2")]
    event = {"involvedObject": {"kind": "Node", "name": "n1"}, "reason": "NodeNotSchedulable",
             "lastTimestamp": stamp(at - 9 * 60)}  # fmt: skip
    finding = only(told(world, past_url, replicasets=sets, events=[event])[0])
    told_of = kinds(finding.happened)
    assert [one for one in told_of if one[0] == "rollout"] == [("rollout", "deployment/team/app", 8)]
    assert [one for one in told_of if one[0] == "node"] == [("node", "node/n1", 9)]


def test_in_the_past_series_tell_and_what_kubernetes_cannot_is_said(pasts: dict[str, World], past_url: str) -> None:
    world = pasts["ksm_past"]
    finding = only(told(world, past_url, past=True, kube=FakeKube({}))[0])
    assert ago(finding, world) == pytest.approx(40, abs=1)
    assert ("scale", "deployment/team/app", 12) in kinds(finding.happened)
    assert ("node", "node/n1", 9) in kinds(finding.happened)
    assert "it keeps no past" in finding.unseen_before
    assert all(one.source != "Kubernetes API" for one in finding.happened)


def test_in_the_past_every_config_map_of_the_namespace_counts_but_those_that_beat_like_a_heart(
    pasts: dict[str, World], past_url: str
) -> None:
    finding = only(told(pasts["config"], past_url, past=True, kube=FakeKube({}))[0])
    configs = {one.subject for one in finding.happened if one.kind == "config"}
    assert configs == {"configmap/team/app-config", "configmap/team/other-config"}


def test_the_past_is_asked_of_the_parts_alone_whatever_stands_in_their_names(
    pasts: dict[str, World], past_url: str
) -> None:
    world = pasts["forty"]
    taken = survey(PromSource(past_url), FakeKube(objects(world.at)), asks(), world.at)
    (query,) = taken.queries[KV_USAGE.now]
    assert 'namespace=~"team",pod=~"app\\\\-1"' in narrowed(query, ["team/app-1"]).text
    assert narrowed(query, []) == query
    assert narrowed(query, [f"team/app-{i}" for i in range(KEYS_MOST + 1)]) == query
    for name in ("a.b", "a|b", 'a"b', "a\\b", "a}b", "日本", "x" * 300):
        asked = narrowed(query, [f"team/{name}"])
        assert PromSource(past_url).query(asked.text, world.at).blind is None, name
        assert PromSource(past_url).query(asked.text, world.at).rows == ()
    rows = PromSource(past_url).query(narrowed(query, [f"team/{POD}"]).text, world.at).rows
    assert [row.labels["pod"] for row in rows] == [POD]


# ------------------------------------------------------------------ what tells nothing


class Refusing(PromSource):
    """Answers instant queries and refuses ranges."""

    def range(self, query: str, start: float, end: float, step_s: float) -> tuple[tuple[Points, ...], Blind | None]:
        """Refuse."""
        return (), Blind(Reason.PARTIAL, "Prometheus refused the query: too many samples")


def test_a_server_that_refuses_ranges_leaves_the_finding_and_says_so(pasts: dict[str, World], past_url: str) -> None:
    found, _ = told(pasts["forty"], past_url, prom=Refusing(past_url))
    finding = only(found)
    assert finding.since is not None
    assert finding.since.at is None
    assert "could not be looked up: partial: Prometheus refused" in finding.since.text
    assert finding.happened == ()
    assert any("could not be asked" in spot.why for spot in found.blind)


def test_without_prometheus_the_objects_say_since_when() -> None:
    now = worlds.START
    status = {"conditions": [{"type": "PodScheduled", "status": "False", "lastTransitionTime": stamp(now - 4200),
                              "message": "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."}],
              "containerStatuses": []}  # fmt: skip
    waiting = pod(POD, now=now, phase="Pending", status=status)
    taken = survey(UNSET, FakeKube(objects(now, pods=[waiting], nodes=[node("n1", 0)])), asks(), now)
    found = timeline(UNSET, taken, diagnose(taken), {})
    finding = only(found, "pending_insufficient_gpu")
    assert finding.since is not None
    assert finding.since.text == (
        f"{POD} has not been scheduled since 21:03 UTC (70 min), says the condition PodScheduled of the pod."
    )
    assert finding.since.source == "Kubernetes API"
    assert found.traces == {}


def test_the_requests_are_few_and_do_not_follow_the_fleet(pasts: dict[str, World], past_url: str) -> None:
    world = pasts["forty"]
    source = PromSource(past_url)
    taken = survey(source, FakeKube(objects(world.at)), asks(), world.at)
    before = source.requests
    found = timeline(source, taken, diagnose(taken, TEAM), {})
    headlines = sum(1 for one in found.findings if one.root)
    assert headlines >= 1
    assert source.requests - before <= 6 * headlines + 12
    assert source.requests <= 80


def test_a_fleet_too_large_for_it_says_what_to_ask(
    pasts: dict[str, World], past_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.recovered.PARTS_MOST", 0)
    found, _ = told(pasts["recovered"], past_url)
    assert found.recovered == ()
    assert [spot.what for spot in found.blind] == ["What recovered lately"]
    assert "ask about a namespace or a workload" in found.blind[0].why
