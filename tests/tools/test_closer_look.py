"""The logs of ready servers that a question names: read where nothing is exported of their requests, and only back over a window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tools.pairs import APP, two
from tests.tools.scenes import WORKLOAD, scene, snapshot
from tests.tools.worlds import listings, pod
from tools.casebook import asks
from tools.closer_look import MOST, WINDOW_S, closer, suspects, unwatched
from tools.columns import Part
from tools.diagnose import Within, diagnose
from tools.failing_replicas import FAILURES
from tools.finding import BlindSpot
from tools.reading import Blind, Reason, Subject
from tools.snapshot import Snapshot
from tools.sources.kube import LogRead
from tools.sources.kube_fake import FakeKube
from tools.survey import survey
from tools.topology import Pod
from tools.vocabulary.startup import LOG_ENGINE_DEAD

UNSET = Blind(Reason.NOT_SET, "no Prometheus")
DIED = "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue."
NAMES = ("a", "b")
KEYS = ["team/a", "team/b"]


def listed(**logs: str | Blind) -> FakeKube:
    pods = [pod(name) for name in NAMES]
    return FakeKube(listings(pods=pods), {("team", name, "engine", False): said for name, said in logs.items()})


def seen(kube: FakeKube) -> Snapshot:
    return survey(UNSET, kube, asks(), 1.7e9)


def test_what_such_a_server_said_lately_is_a_finding() -> None:
    kube = listed(a=DIED, b="all well")
    before = seen(kube)
    assert not diagnose(before, Within("team")).findings
    after = closer(kube, before, KEYS)
    assert after.read(LOG_ENGINE_DEAD.now, "team/a").value == DIED
    assert after.read(LOG_ENGINE_DEAD.now, "team/b").value == ""
    (finding,) = [one for one in diagnose(after, Within("team")).findings if one.root]
    assert finding.id == "engine_dead"
    assert "within 15 min its log said" in finding.because
    assert after.requests == before.requests + 2


def test_where_nothing_is_said_nothing_is_found() -> None:
    kube = listed(a="", b="all well")
    after = closer(kube, seen(kube), KEYS)
    assert after.read(LOG_ENGINE_DEAD.now, "team/a").value == ""
    assert not diagnose(after, Within("team")).findings


def test_a_log_that_may_not_be_read_is_no_all_clear() -> None:
    kube = listed(a=Blind(Reason.FORBIDDEN, "no logs for us"), b="all well")
    before = seen(kube)
    after = closer(kube, before, KEYS)
    assert after.read(LOG_ENGINE_DEAD.now, "team/a").blind == Blind(Reason.FORBIDDEN, "no logs for us")
    refused = BlindSpot("Kubernetes: logs", "forbidden: no logs for us")
    assert refused in diagnose(after, Within("team")).blind
    assert refused not in diagnose(before, Within("team")).blind


def test_whose_failures_are_counted_is_not_read() -> None:
    before = seen(listed())
    part = Part("vLLM via Prometheus", "query", 1.7e9, {"team/a": 0.0})
    column = before.columns[FAILURES]
    counted = {**before.columns, FAILURES: type(column)(column.ask, (part,), column.absent)}
    assert [one.key for one in unwatched(replace(before, columns=counted), KEYS)] == ["team/b"]
    assert [one.key for one in unwatched(before, [*KEYS, "gone/pod"])] == KEYS
    read = Part("Kubernetes API", "GET", 1.7e9, unseen={"team/b": Blind(Reason.FORBIDDEN, "no logs for us")})
    column = before.columns[LOG_ENGINE_DEAD.now]
    tried = {**before.columns, LOG_ENGINE_DEAD.now: replace(column, parts=(*column.parts, read))}
    assert [one.key for one in unwatched(replace(before, columns=tried), KEYS)] == ["team/a"]
    pods = {key: replace(one, ready=key == "team/b") for key, one in before.topology.pods.items()}
    lost = replace(before, topology=replace(before.topology, pods=pods))
    assert [one.key for one in unwatched(lost, KEYS)] == ["team/b"]


def test_it_is_about_the_present_and_about_few() -> None:
    kube = listed(a=DIED, b=DIED)
    before = seen(kube)
    past = replace(before, past=True)
    assert closer(kube, past, KEYS) is past
    assert closer(UNSET, before, KEYS) is before
    assert closer(kube, before, []) is before
    assert len(unwatched(before, KEYS * 5)) == MOST
    assert WINDOW_S == 900


IDLE = {**scene("gpu_idle_no_process")["fires"], "gpu.util max 1h": [0.9, 0.0]}


def test_a_second_look_is_taken_at_those_that_are_named_where_nothing_is_found() -> None:
    before = seen(listed())
    nothing = diagnose(before, Within("team"))
    assert suspects(nothing, before.topology, before.topology.workloads) == KEYS
    assert suspects(nothing, before.topology, []) == []


def test_a_second_look_is_taken_at_those_whose_gpus_do_nothing_the_idle_one_first() -> None:
    taken = snapshot(IDLE, WORKLOAD)
    idle = diagnose(taken)
    assert [one.id for one in idle.findings] == ["gpu_idle_no_process"]
    assert suspects(idle, taken.topology, []) == ["team/app-1", "team/app-0"]
    away = diagnose(taken, Within("elsewhere"))
    assert suspects(away, taken.topology, []) == []


def test_no_second_look_where_it_is_known_why_gpus_do_nothing_or_something_else_is_found() -> None:
    lost = {"pod.ready now": [1, 0], "log.device_gone now": ["", "NVMLError_Unknown: Unknown Error"]}
    known = snapshot({**IDLE, **scene("container_lost_gpu")["fires"], **lost}, WORKLOAD)
    told = diagnose(known)
    assert {"container_lost_gpu", "gpu_idle_no_process"} <= {one.id for one in told.findings}
    assert suspects(told, known.topology, []) == []
    other = snapshot(scene("thermal_throttle")["fires"], WORKLOAD)
    hot = diagnose(other)
    assert hot.findings
    assert suspects(hot, other.topology, []) == []


@pytest.mark.parametrize(
    ("namespace", "name", "image", "gpus", "read"),
    [
        ("team", "way", "lmcache/lmstack-router:v0.1.6", 0.0, True), ("team", "way", "registry.k8s.io/epp:v1.0", 0.0, True),
        ("team", "chat-gateway", "org/own:1", 0.0, True), ("team", "way", "envoyproxy/envoy:v1.31", 0.0, True),
        ("team", "rounter", "org/routerless:1", 0.0, False), ("team", "way", "org/own:1", 0.0, False),
        ("lab", "way", "lmcache/lmstack-router:v0.1.6", 0.0, False), ("team", "router", "org/own:1", 1.0, False),
    ],
)  # fmt: skip
def test_where_nothing_reaches_an_engine_the_log_of_who_stands_before_it_is_read(
    namespace: str, name: str, image: str, gpus: float, read: bool
) -> None:
    taken = two((APP, scene("gpu_idle_no_traffic")["fires"]))
    way = Pod(namespace, f"{name}-0", "n1", Subject("deployment", namespace, name), "Running", True, gpus, image)
    beside = replace(taken, topology=replace(taken.topology, pods={**taken.topology.pods, way.key: way}))
    idle = diagnose(beside)
    assert "gpu_idle_no_traffic" in {one.id for one in idle.findings if one.root}
    assert suspects(idle, beside.topology, []) == ([way.key] if read else [])
    # Engines that are asked need nobody's log.
    assert suspects(diagnose(replace(beside, columns=two().columns)), beside.topology, []) == []


REFUSED = (
    'HTTP response body: {"message":"pods is forbidden: User \\"system:serviceaccount:team:router\\" cannot list resource \\"pods\\" in API group '
    '\\"\\" in the namespace \\"team\\""}'
)
ALONE = "INFO: Scraping metrics from 0 serving engine(s) (engine_stats.py:100:engine_stats)"


class Rolling(FakeKube):
    """The same, whose logs hold what was said in the last minutes apart from what was said before."""

    def __init__(self, early: str, late: str) -> None:
        super().__init__(listings(pods=[pod("a")]), {})
        self.early, self.late = early, late

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
        whole = since_s is not None and since_s > WINDOW_S and not tail_lines
        text = f"{self.early}\n{self.late}" if whole else self.late
        return LogRead(text[:limit_bytes], None, f"/log/{namespace}/{pod}/{container}?previous={previous}", 1.7e9)


def test_a_router_that_still_knows_nobody_is_asked_for_the_refusal_at_its_start() -> None:
    kube = Rolling(REFUSED, ALONE)
    before = seen(kube)
    after = closer(kube, before, ["team/a"])
    (finding,) = [one for one in diagnose(after, Within("team")).findings if one.root]
    assert finding.id == "cluster_api_refused"
    assert "within 10 min" not in finding.because
    assert "within 15 min" not in finding.because, "it was said long before"
    assert after.requests == before.requests + 2


@pytest.mark.parametrize(
    ("early", "late"),
    [
        (REFUSED, "all well"),
        (REFUSED, f"{ALONE}\nINFO: Scraping metrics from 2 serving engine(s)"),
    ],
)
def test_a_router_that_knows_its_engines_is_believed(early: str, late: str) -> None:
    kube = Rolling(early, late)
    assert not diagnose(closer(kube, seen(kube), ["team/a"]), Within("team")).findings


def test_a_router_that_knows_nobody_and_was_refused_nothing() -> None:
    kube = Rolling("INFO: starting", ALONE)
    (finding,) = diagnose(closer(kube, seen(kube), ["team/a"]), Within("team")).findings
    assert finding.id == "router_without_backends"
    assert "within 15 min its log said" in finding.because
