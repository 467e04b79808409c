"""Two environments: paired by name, else by model; what is not seen on a side is neither the same nor different."""

from __future__ import annotations

from typing import Any

from tests.tools.worlds import START, listings, node, owned, pod
from tools.finding import BlindSpot
from tools.parity import Parity, Side, asks, parity
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot
from tools.sources.kube_fake import FakeKube
from tools.survey import survey

AWAY = Blind(Reason.NOT_SET, "no Prometheus")
MODEL = ["--model", "org/m"]


def taken(*workloads: tuple[str, str, dict[str, Any]]) -> Snapshot:
    """A cluster with one pod for each (namespace, name, more of the pod)."""
    pods, sets, deployments = [], [], []
    for namespace, name, more in workloads:
        told = {"args": MODEL, **more}
        pods.append(pod(f"{name}-6c8d9f7b5-abcde", namespace=namespace, owner=("ReplicaSet", f"{name}-6c8d9f7b5"), node="n1", **told))  # fmt: skip
        sets.append(owned("ReplicaSet", f"{name}-6c8d9f7b5", name, namespace=namespace))
        deployments.append(owned("Deployment", name, namespace=namespace))
    kube = FakeKube(listings(pods=pods, nodes=[node("n1", 8)], replicasets=sets, deployments=deployments))
    return survey(AWAY, kube, asks(), START)


def compared(first: Snapshot, a: str | None, b: str | None, second: Snapshot | None = None) -> Parity:
    return parity(Side("A", first, a), Side("B", second or first, b))


def fields(found: Parity) -> dict[str, tuple[str, str]]:
    (pair,) = found.pairs
    return {one.field: (one.a, one.b) for one in pair.differences}


def test_the_same_is_the_same() -> None:
    found = compared(taken(("dev", "app", {}), ("prod", "app", {})), "dev", "prod")
    assert not found.differs
    assert found.pairs[0].same > 10


def test_flags_settings_and_image_differ() -> None:
    other = {"args": [*MODEL, "-tp", "2", "--enforce-eager"], "gpus": 2, "image": "vllm/vllm-openai:v0.11.0"}
    found = fields(compared(taken(("dev", "app", {}), ("prod", "app", other)), "dev", "prod"))
    assert found["tensor parallel"] == ("1", "2")
    assert found["--enforce-eager"] == ("none", "true")
    assert found["version"] == ("0.10.0", "0.11.0")
    assert found["GPUs of a replica"] == ("1 GPU", "2 GPUs")
    assert found["limits nvidia.com/gpu"] == ("1", "2")
    # A flag that is a setting is told once.
    assert "--tensor-parallel-size" not in found
    assert "--tp" not in found


def test_one_spelling_of_an_amount_is_another() -> None:
    one, two = {"limits": {"cpu": "1000m", "memory": "1Gi"}}, {"limits": {"cpu": "1", "memory": "1024Mi"}}
    assert fields(compared(taken(("dev", "app", one), ("prod", "app", two)), "dev", "prod")) == {}


def test_who_has_another_name_is_paired_by_the_model_where_that_is_one() -> None:
    world = taken(("dev", "chat-dev", {}), ("prod", "chat", {}))
    found = compared(world, "dev", "prod")
    assert [(one.a, one.b, one.paired_by) for one in found.pairs] == [("deployment/dev/chat-dev", "deployment/prod/chat", "model")]  # fmt: skip
    two = taken(("dev", "one", {}), ("dev", "two", {}), ("prod", "chat", {}))
    assert compared(two, "dev", "prod").pairs == ()
    assert len(compared(two, "dev", "prod").only_a) == 2


def test_whole_clusters_are_paired_by_namespace_and_name() -> None:
    first, second = taken(("a", "app", {}), ("b", "app", {})), taken(("a", "app", {}))
    found = compared(first, None, None, second)
    assert [one.a for one in found.pairs] == ["deployment/a/app"]
    assert found.only_a == ("deployment/b/app",)
    assert found.differs


def test_a_side_that_is_not_seen_is_blind_and_not_the_same() -> None:
    seen = taken(("dev", "app", {}))
    dark = survey(AWAY, Blind(Reason.FORBIDDEN, "we may not"), asks(), START)
    found = compared(seen, "dev", "dev", dark)
    assert found.pairs == ()
    assert any("we may not" in one.why for one in found.blind)
    assert (found.only_a, found.differs) == ((), False), "whether the other has it is not known"
    assert BlindSpot("deployment/dev/app of A", "whether B has it cannot be told: forbidden: we may not") in found.blind
    other_way = parity(Side("A", dark, "dev"), Side("B", seen, "dev"))
    assert other_way.only_b == ()
    blind = Blind(Reason.FORBIDDEN, "pods are forbidden")
    without_pods = survey(AWAY, FakeKube(listings(pods=blind, nodes=[node("n1", 8)], deployments=[owned("Deployment", "app", namespace="dev")])), asks(), START)  # fmt: skip
    assert compared(seen, "dev", "dev", without_pods).only_a == ()
    kube = FakeKube(listings(pods=[pod("app-6c8d9f7b5-abcde", namespace="dev", owner=("ReplicaSet", "app-6c8d9f7b5"), args=MODEL, node="n1")], replicasets=[owned("ReplicaSet", "app-6c8d9f7b5", "app", namespace="dev")], deployments=[owned("Deployment", "app", namespace="dev")], nodes=Blind(Reason.FORBIDDEN, "nodes are forbidden")))  # fmt: skip
    half = compared(seen, "dev", "dev", survey(AWAY, kube, asks(), START))
    (pair,) = half.pairs
    assert "GPU" not in {one.field for one in pair.differences}
    assert any(one.what == "GPU in B" for one in pair.unseen)


def test_replicas_that_differ_among_themselves_are_shown_as_such() -> None:
    pods = [
        pod(
            f"app-6c8d9f7b5-abcd{i}",
            namespace="dev",
            owner=("ReplicaSet", "app-6c8d9f7b5"),
            image=f"vllm/vllm-openai:v0.1{i}.0",
            args=MODEL,
            node="n1",
        )
        for i in range(2)
    ]
    kube = FakeKube(
        listings(
            pods=pods,
            nodes=[node("n1", 8)],
            replicasets=[owned("ReplicaSet", "app-6c8d9f7b5", "app", namespace="dev")],
            deployments=[owned("Deployment", "app", namespace="dev")],
        )
    )
    mixed = survey(AWAY, kube, asks(), START)
    found = fields(compared(mixed, "dev", "prod", taken(("prod", "app", {}))))
    assert found["version"] == ("0.10.0 | 0.11.0", "0.10.0")


def test_hostile_names_and_values_stay_text() -> None:
    odd = {
        "args": [*MODEL, "--served-model-name", "a\x1b[31m\u202eb" * 200, "--api-key", "s3cret", "--hf-token=s3cret"]
    }
    found = compared(taken(("dev", "app", odd), ("prod", "app", {})), "dev", "prod")
    told = str(found)
    assert "s3cret" not in told
    assert max(len(one.a) for one in found.pairs[0].differences) <= 8000
