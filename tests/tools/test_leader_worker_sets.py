"""A LeaderWorkerSet makes a StatefulSet of its leaders, and one of the workers of each leader: all of them are the one workload."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools import worlds
from tools.observe import observe
from tools.reading import Subject
from tools.signals import REPLICAS_WANTED
from tools.sources.kube_fake import FakeKube

Object = dict[str, Any]


def stateful(name: str, kind: str = "", by: str = "", replicas: int = 1) -> Object:
    owners = [{"kind": kind, "name": by, "controller": True}] if kind else []
    return {
        "metadata": {"namespace": "team", "name": name, "ownerReferences": owners},
        "spec": {"replicas": replicas},
        "status": {},
    }


PODS = [
    worlds.pod("xl-0", owner=("StatefulSet", "xl")),
    worlds.pod("xl-0-1", owner=("StatefulSet", "xl-0")),
    worlds.pod("xl-1", owner=("StatefulSet", "xl")),
    worlds.pod("xl-1-1", owner=("StatefulSet", "xl-1")),
]


def seen(*sets: Object) -> tuple[set[str], Any]:
    logs = {("team", pod["metadata"]["name"], "engine", previous): "" for pod in PODS for previous in (False, True)}
    found = observe(FakeKube(worlds.listings(pods=PODS, statefulsets=list(sets)), logs), worlds.START)
    return {str(pod.workload) for pod in found.pods.values()}, found


def test_leaders_and_workers_are_one_workload() -> None:
    whose, found = seen(
        stateful("xl", "LeaderWorkerSet", "xl", replicas=2),
        stateful("xl-0", "Pod", "xl-0"),
        stateful("xl-1", "Pod", "xl-1"),
    )
    assert whose == {"leaderworkerset/team/xl"}
    assert set(found.wanted) == {Subject("leaderworkerset", "team", "xl")}
    (part,) = (found.facts[REPLICAS_WANTED.now],)
    assert part.values == {"leaderworkerset/team/xl": 2.0}


@pytest.mark.parametrize(
    "sets",
    [
        (stateful("xl"), stateful("xl-0"), stateful("xl-1")),
        (stateful("xl", "Other", "xl"), stateful("xl-0", "Pod", "xl-0"), stateful("xl-1", "Pod", "xl-1")),
        (),
    ],
)
def test_sets_that_nobody_says_are_a_group_stay_what_they_are(sets: tuple[Object, ...]) -> None:
    assert seen(*sets)[0] == {"statefulset/team/xl", "statefulset/team/xl-0", "statefulset/team/xl-1"}


def test_odd_owners_do_no_harm() -> None:
    odd = {"metadata": {"namespace": "team", "name": "xl", "ownerReferences": [{"kind": "LeaderWorkerSet"}, 3]}}
    assert seen(odd, {"metadata": 7})[0] >= {"statefulset/team/xl"}
