"""The logs of ready servers that a question names: read where nothing is exported of their requests, and only back over a window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tools.worlds import listings, pod
from tools.casebook import asks
from tools.closer_look import MOST, WINDOW_S, closer, unwatched
from tools.columns import Part
from tools.diagnose import Within, diagnose
from tools.failing_replicas import FAILURES
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot
from tools.sources.kube_fake import FakeKube
from tools.survey import survey
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
    assert after is not None
    assert after.read(LOG_ENGINE_DEAD.now, "team/a").value == DIED
    assert after.read(LOG_ENGINE_DEAD.now, "team/b").value == ""
    (finding,) = [one for one in diagnose(after, Within("team")).findings if one.root]
    assert finding.id == "engine_dead"
    assert "within 15 min its log said" in finding.because
    assert after.requests == before.requests + 2


@pytest.mark.parametrize("said", ["", "all well", Blind(Reason.FORBIDDEN, "no logs for us")])
def test_where_nothing_is_said_nothing_changes(said: str | Blind) -> None:
    kube = listed(a=said, b=said)
    assert closer(kube, seen(kube), KEYS) is None


def test_whose_failures_are_counted_is_not_read() -> None:
    before = seen(listed())
    part = Part("vLLM via Prometheus", "query", 1.7e9, {"team/a": 0.0})
    column = before.columns[FAILURES]
    counted = {**before.columns, FAILURES: type(column)(column.ask, (part,), column.absent)}
    assert [one.key for one in unwatched(replace(before, columns=counted), KEYS)] == ["team/b"]
    assert [one.key for one in unwatched(before, [*KEYS, "gone/pod"])] == KEYS


def test_it_is_about_the_present_and_about_few() -> None:
    kube = listed(a=DIED, b=DIED)
    before = seen(kube)
    assert closer(kube, replace(before, past=True), KEYS) is None
    assert closer(UNSET, before, KEYS) is None
    assert len(unwatched(before, KEYS * 5)) == MOST
    assert WINDOW_S == 900
