"""Services that select nobody, on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.lost_services import read
from tools.reading import Subject
from tools.topology import Pod
from tools.vocabulary.reachability import LOST_SERVICE

APP = Subject("deployment", "team", "app")
LABELS = {"app": "app", "tier": "llm"}


def service(name: str, selector: Any, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "team", "name": name}, "spec": {"selector": selector, **spec}}


def said(*services: Any, labels: Any = LABELS, others: Any = (), pods: bool = True) -> str | None:
    made = [
        ("app-0", labels, APP),
        *((f"o-{i}", one, Subject("pod", "team", f"o-{i}")) for i, one in enumerate(others)),
    ]
    items = [{"metadata": {"namespace": "team", "name": name, "labels": one}} for name, one, _ in made]
    known = {f"team/{name}": Pod("team", name, "n1", whose) for name, _, whose in made}
    form = {"metadata": {"labels": labels}}
    deployment = {"metadata": {"namespace": "team", "name": "app"}, "spec": {"template": form}}
    lists: dict[str, Any] = {"services": services, "deployments": [deployment], "pods": items if pods else []}
    told = {one.key: one.facts for one in read(Listed(0.0, lists, known if pods else {}))}
    found = told.get(str(APP), {}).get(LOST_SERVICE)
    return None if found is None else str(found)


def test_one_that_is_named_like_it_and_asks_for_another_label() -> None:
    lost = service("app", {"app": "app", "release": "blue"})
    assert said(lost) == "service app selects release=blue, which the pods do not have"
    assert (
        said(service("front", {"app": "app", "tier": "web"}))
        == "service front selects tier=web, which the pods do not have"
    )
    assert said(service("app", {"name": "x"})) == "service app selects name=x, which the pods do not have"


@pytest.mark.parametrize(
    "services",
    [
        (),
        (service("app", {"app": "app"}),),
        (service("app", {"app": "app"}), service("app-canary", {"app": "app", "track": "canary"})),
        (service("other", {"name": "x"}),),
        (service("app", {}),),
        (service("app", None),),
        (service("app", {"app": "app", "release": "blue"}, type="ExternalName"),),
    ],
    ids=["none", "it selects", "another one selects", "a stranger's", "no selector", "nothing", "a name outside"],
)
def test_nothing_is_lost(services: Any) -> None:
    assert said(*services) == ""


def test_one_that_selects_other_pods_is_theirs() -> None:
    assert said(service("app", {"app": "app", "release": "blue"}), others=[{"app": "app", "release": "blue"}]) == ""


def test_a_workload_without_pods_has_lost_nothing() -> None:
    assert said(service("app", {"app": "app", "release": "blue"}), pods=False) is None


def test_what_was_not_listed_is_not_told() -> None:
    assert list(read(Listed(0.0, {"pods": []}))) == []
    assert list(read(Listed(0.0, {"services": []}))) == []


@pytest.mark.parametrize(
    "broken", [{}, {"metadata": None}, {"metadata": {"namespace": 3}, "spec": []}, {"spec": {"selector": 7}}]
)
def test_hostile_services(broken: Any) -> None:
    assert said(broken, service("app", ["x"]), labels={"app": None}) == ""


def test_a_giant_selector_is_cut() -> None:
    text = said(service("app", {f"key-{i}": "é" * 60 for i in range(500)}))
    assert text is not None
    assert len(text) == 250
