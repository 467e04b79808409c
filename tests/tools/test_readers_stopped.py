"""Replicas that were told to stop, on raw events, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import stamp
from tools.readers import Listed
from tools.readers.stopped import read
from tools.reading import Subject
from tools.topology import Pod
from tools.vocabulary.stopped import REPLICA_STOPPED, REPLICAS_STOPPED

NOW = 1_790_000_000.0
Object = dict[str, Any]
APP = "deployment/team/app"


def _event(name: str, message: str, ago: float = 600.0, reason: str = "Killing", kind: str = "Pod") -> Object:
    about = {"kind": kind, "namespace": "team", "name": name}
    return {"reason": reason, "message": message, "involvedObject": about, "lastTimestamp": stamp(NOW - ago)}


def _told(*events: Object, there: tuple[str, ...] = ()) -> dict[str, tuple[Any, Any]]:
    of = Subject("deployment", "team", "app")
    sets = [{"metadata": {"namespace": "team", "name": name, "ownerReferences": [{"kind": "Deployment", "name": "app"}]}} for name in ("app-6c8d9f7b5", "app-7f7f7f7f7")]  # fmt: skip
    items: dict[str, list[Any]] = {
        "pods": [{"metadata": {"namespace": "team", "name": name}} for name in there],
        "events": list(events),
        "replicasets": sets,
        "deployments": [{"metadata": {"namespace": "team", "name": "app"}}],
    }
    pods = {f"team/{name}": Pod("team", name, "n1", of) for name in there}
    told = read(Listed(NOW, items, pods))
    return {one.key: (one.facts[REPLICAS_STOPPED], one.facts[REPLICA_STOPPED]) for one in told}


def test_who_was_stopped_is_counted_once_and_the_last_is_named() -> None:
    found = _told(
        _event("app-6c8d9f7b5-aaaaa", "Stopping container server", 7200),
        _event("app-6c8d9f7b5-aaaaa", "Stopping container sidecar", 7200),
        _event("app-7f7f7f7f7-bbbbb", "Stopping container server", 600),
        _event("app-7f7f7f7f7", "Deleted pod: app-7f7f7f7f7-bbbbb", 600, "SuccessfulDelete", "ReplicaSet"),
        there=("app-7f7f7f7f7-ccccc",),
    )
    assert found[APP] == (2.0, "app-7f7f7f7f7-bbbbb at 14:03 UTC")


@pytest.mark.parametrize(("made", "count"), [(300.0, 1.0), (86_400.0, 0.0)])
def test_a_stateful_set_tells_in_its_own_words_and_gives_the_name_again(made: float, count: float) -> None:
    event = _event("app", "delete Pod app-1 in StatefulSet app successful", 600, "SuccessfulDelete", "StatefulSet")
    of = Subject("statefulset", "team", "app")
    again = {"metadata": {"namespace": "team", "name": "app-1", "creationTimestamp": stamp(NOW - made)}}
    listed = Listed(NOW, {"pods": [again], "events": [event]}, {"team/app-1": Pod("team", "app-1", "n1", of)})
    (told,) = read(listed)
    assert told.key == str(of)
    assert told.facts[REPLICAS_STOPPED] == count


@pytest.mark.parametrize(
    ("name", "message", "ago", "reason", "kind"),
    [
        ("app-6c8d9f7b5-aaaaa", "Container server failed liveness probe, will be restarted", 600, "Killing", "Pod"),
        ("app-6c8d9f7b5-aaaaa", "Stopping container server", 25 * 3600, "Killing", "Pod"),
        ("app-6c8d9f7b5-aaaaa", "Stopping container server", -600, "Killing", "Pod"),
        ("app-6c8d9f7b5-here5", "Stopping container server", 600, "Killing", "Pod"),
        ("app-6c8d9f7b5-aaaaa", "Stopping container server", 600, "Unhealthy", "Pod"),
        ("app-6c8d9f7b5-aaaaa", "Stopping container server", 600, "Killing", "Node"),
        ("other-6c8d9f7b5-aaaaa", "Stopping container server", 600, "Killing", "Pod"),
        ("", "Stopping container server", 600, "Killing", "Pod"),
        ("app-6c8d9f7b5-aaaaa", "", 600, "Killing", "Pod"),
        ("app-6c8d9f7b5", "Created pod: app-6c8d9f7b5-aaaaa", 600, "SuccessfulCreate", "ReplicaSet"),
        ("app-6c8d9f7b5-aaaaa", "\u202eStopping container \x00" + "x" * 9000, 600, "Killing", "Pod"),
    ],
)
def test_what_is_no_stop(name: str, message: str, ago: float, reason: str, kind: str) -> None:
    assert _told(_event(name, message, ago, reason, kind), there=("app-6c8d9f7b5-here5",))[APP] == (0.0, "")


def test_nothing_is_told_where_events_cannot_be_listed() -> None:
    assert (
        list(read(Listed(NOW, {"pods": [], "deployments": [{"metadata": {"namespace": "team", "name": "app"}}]}))) == []
    )


@pytest.mark.parametrize("event", [{}, {"involvedObject": None}, {"reason": 5, "message": ["x"]}, {"reason": "Killing", "involvedObject": "app"}])  # fmt: skip
def test_hostile_events_are_passed_over(event: Object) -> None:
    assert _told(event)[APP] == (0.0, "")
