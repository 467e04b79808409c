"""The logs of pods that run: whose are read, what they tell, and that one which may not be read is blind and said so."""

from __future__ import annotations

from tests.tools.worlds import listings, pod
from tools.columns import Column, Part
from tools.failing_replicas import ERRORS
from tools.measure import Measured
from tools.observe import observe
from tools.pod_logs import LOGS_OF_FAILING, SOURCE, LogsRead, known, read_failing, read_running
from tools.reading import Blind, Reason
from tools.signals import LOG_CUDA_OOM
from tools.snapshot import SourceState
from tools.sources.kube_fake import FakeKube
from tools.survey import _failing as worst_first
from tools.vocabulary.outcomes import LOG_WINDOW
from tools.vocabulary.startup import LOG_ENGINE_DEAD

UNSET = Blind(Reason.NOT_SET, "no cluster")
REFUSED = Blind(Reason.FORBIDDEN, "not yours")
UNREAD = Blind(Reason.NO_SERIES, "its log was not read")
DIED = "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue."
NOW = 1.7e9
DEAD, OOM = LOG_ENGINE_DEAD.now, LOG_CUDA_OOM.now


def kube(count: int = 7, **logs: str | Blind) -> FakeKube:
    prepared: dict[tuple[str, str, str, bool], str | Blind] = {
        ("team", f"w{i}", "engine", False): logs.get(f"w{i}", DIED) for i in range(count)
    }
    return FakeKube(listings(pods=[pod(f"w{i}") for i in range(count)]), prepared)


def column(*parts: Part) -> dict[object, Column]:
    return {DEAD: Column(DEAD, parts, UNREAD)}


def test_the_first_few_that_fail_are_read_and_nobody_twice() -> None:
    cluster = kube()
    pods = observe(cluster, NOW).pods
    failing = ["gone/pod", *(f"team/w{i}" for i in range(7))]
    read = Part("Kubernetes API", "GET w0", NOW, {"team/w0": ""})
    refused = Part("Kubernetes API", "GET w1", NOW, unseen={"team/w1": REFUSED})
    found = read_failing(cluster, pods, {DEAD: Column(DEAD, (read, refused), UNREAD)}, failing, NOW)
    assert found.requests == LOGS_OF_FAILING
    assert [dict(part.values) for part in found.parts[DEAD]] == [{f"team/w{i}": DIED} for i in range(2, 6)]
    assert [dict(part.values) for part in found.parts[OOM]] == [{f"team/w{i}": ""} for i in range(2, 6)]
    assert LOG_WINDOW.now not in found.parts
    assert read_failing(UNSET, pods, {}, failing, NOW) == LogsRead()


def test_each_pod_has_its_own_request_and_one_that_is_refused_its_reason() -> None:
    cluster = kube(2, w1=REFUSED)
    pods = observe(cluster, NOW).pods
    found = read_running(cluster, list(pods.values()), NOW, 900)
    assert found.blind == REFUSED
    columns = found.into({DEAD: Column(DEAD, (), UNREAD)})
    assert list(columns) == [DEAD]
    value, part, at, why = columns[DEAD].find("team/w0", 180.0, NOW)
    assert (value, at, why) == (DIED, NOW, None)
    assert part is not None
    assert part.query == "GET /api/v1/namespaces/team/pods/w0/log?container=engine"
    assert columns[DEAD].find("team/w1", 180.0, NOW)[3] == REFUSED
    assert columns[DEAD].find("team/w9", 180.0, NOW)[3] == UNREAD
    assert [dict(part.values) for part in found.parts[LOG_WINDOW.now]] == [{"team/w0": 900.0}]
    assert known(columns) == {"team/w0", "team/w1"}


def test_that_logs_cannot_be_read_is_said_once() -> None:
    refused = LogsRead({}, 1, REFUSED)
    assert refused.state(()) == (SourceState(SOURCE, REFUSED, 0, 1),)
    assert refused.state((SourceState(SOURCE, REFUSED),)) == ()
    assert LogsRead({}, 1).state(()) == ()


def test_who_fails_is_told_by_what_is_known_to_be_an_engines() -> None:
    part = Part(
        "vLLM via Prometheus",
        "q",
        NOW,
        {"team/a": 9.0, "team/b": 7.0, "team/c": 4.0, "team/d": 30.0},
        {"team/a": NOW, "team/b": NOW, "team/c": NOW},
    )
    measured = Measured(None, parts={ERRORS: (part,)})
    assert worst_first(measured) == ["team/a", "team/b"], (
        "whose count is nobody's reading is looked at when asked about"
    )
