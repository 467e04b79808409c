"""What kube-state-metrics tells of containers where the API tells nothing, the past above all: init containers, and when one ended."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.tools.worlds import World
from tools.reading import Blind, Reason
from tools.signals import EXIT_CODE, RESTARTS, TERMINATED_AGO, TERMINATION, WAITING_REASON
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.vocabulary.startup import TOLD_OF

ASKS = frozenset({EXIT_CODE.now, RESTARTS.now, TERMINATED_AGO.now, TERMINATION.now, WAITING_REASON.now, TOLD_OF.now})


@pytest.fixture(params=["ksm_init", "ksm_init_exported"])
def taken(prom: PromSource, worlds_by_name: Mapping[str, World], request: pytest.FixtureRequest) -> Snapshot:
    return survey(prom, Blind(Reason.NOT_SET, "not set"), ASKS, worlds_by_name[request.param].at, past=True)


def test_an_init_container_that_loops_is_what_the_pod_waits_for(taken: Snapshot) -> None:
    key = "team/loops"
    assert taken.read(WAITING_REASON.now, key).value == "CrashLoopBackOff"
    assert taken.read(TOLD_OF.now, key).value == "init container fetch"
    assert taken.read(RESTARTS.now, key).value == 6
    assert taken.read(TERMINATION.now, key).value == "OOMKilled"
    assert taken.read(EXIT_CODE.now, key).value == 137
    assert taken.read(TERMINATED_AGO.now, key).value == pytest.approx(300, abs=125)


def test_an_init_container_that_failed_and_came_through_is_nobodys_trouble(taken: Snapshot) -> None:
    key = "team/was-init"
    assert taken.read(WAITING_REASON.now, key).value == ""
    assert taken.read(TOLD_OF.now, key).value == ""
    assert taken.read(RESTARTS.now, key).value == 0
    assert taken.read(TERMINATION.now, key).value == ""
    assert taken.read(EXIT_CODE.now, key).value is None
    assert taken.read(TERMINATED_AGO.now, key).value is None


def test_a_container_that_was_restarted_ended_before_its_present_run(taken: Snapshot) -> None:
    assert taken.read(TERMINATED_AGO.now, "team/again").value == pytest.approx(900, abs=1)
    assert taken.read(EXIT_CODE.now, "team/again").value == 137
    assert taken.read(RESTARTS.now, "team/again").value == 3


def test_one_that_never_ended_did_not_end_when_it_began(taken: Snapshot) -> None:
    assert taken.read(TERMINATED_AGO.now, "team/calm").value is None
    assert taken.read(TERMINATION.now, "team/calm").value == ""
