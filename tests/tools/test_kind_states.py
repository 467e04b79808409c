"""What is said of an API that tells only some kinds, or none."""

from __future__ import annotations

from tools.kind_states import kind_states
from tools.observe import CORE_KINDS, NOT_KEPT, Observed, observe
from tools.reading import Blind, Reason
from tools.sources.kube_fake import FakeKube

NODES = Blind(Reason.FORBIDDEN, "we may not list nodes in the whole cluster; add to our ClusterRole: ...")
PODS = Blind(Reason.FORBIDDEN, "we may not list pods in the whole cluster; add to our ClusterRole: ...")
DOWN = Blind(Reason.SOURCE_DOWN, "connection refused")


def said(observed: Observed) -> dict[str, str]:
    return {one.name: str(one.blind) for one in kind_states(observed) if one.blind is not None}


def test_an_api_that_tells_all_is_one_source_and_not_blind() -> None:
    (state,) = kind_states(Observed(None, nodes=("n1",), requests=7))
    assert (state.name, state.blind, state.requests) == ("Kubernetes", None, 7)


def test_a_kind_that_may_not_be_listed_is_said_beside_what_is_seen() -> None:
    found = said(Observed(None, absent={"nodes": NODES}, nodes=("n1",)))
    assert found == {"Kubernetes: nodes": str(NODES)}


def test_logs_that_may_not_be_read_are_said() -> None:
    why = Blind(Reason.FORBIDDEN, "we may not read logs")
    assert said(Observed(None, absent={"logs": why}, nodes=("n1",))) == {"Kubernetes: logs": str(why)}


def test_without_pods_and_nodes_the_api_is_blind_for_the_right_that_is_missing() -> None:
    found = said(Observed(None, absent={"pods": PODS, "nodes": NODES}))
    assert found == {"Kubernetes": str(PODS), "Kubernetes: nodes": str(NODES)}


def test_every_kind_forbidden_is_one_sentence_with_the_role_that_is_needed() -> None:
    everything = Observed(PODS, absent=dict.fromkeys(CORE_KINDS, PODS))
    found = said(everything)
    assert list(found) == ["Kubernetes"]
    assert "we may list none of pods, nodes" in found["Kubernetes"]
    assert "ClusterRole" in found["Kubernetes"]
    assert "shows neither" not in found["Kubernetes"]


def test_core_kinds_forbidden_and_the_others_empty_is_the_same() -> None:
    found = said(Observed(None, absent=dict.fromkeys(CORE_KINDS, PODS)))
    assert list(found) == ["Kubernetes"]
    assert "forbidden" in found["Kubernetes"]


def test_an_empty_cluster_is_said_to_show_nothing() -> None:
    assert "shows neither pods nor nodes" in said(Observed(None))["Kubernetes"]


def test_an_api_that_is_down_or_not_asked_is_said_as_before() -> None:
    assert said(Observed(DOWN, absent={"pods": DOWN, "nodes": DOWN})) == {
        "Kubernetes": str(DOWN),
    }
    assert list(said(observe(NOT_KEPT, 1.0))) == ["Kubernetes"]


def test_an_api_that_refuses_every_list_is_read_through() -> None:
    from tools.observe import KINDS

    observed = observe(FakeKube(dict.fromkeys(KINDS, PODS)), 1.0)
    assert "we may list none of" in said(observed)["Kubernetes"]
