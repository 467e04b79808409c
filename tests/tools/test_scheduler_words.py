"""The scheduler's own sentences, from the plugins of Kubernetes 1.27 to 1.34."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.scheduler_words import Refusal, Why, refusals


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("0/6 nodes are available: 6 Insufficient nvidia.com/gpu.", {Why.GPU: 6}),
        (
            (
                "0/7 nodes are available: 3 Insufficient nvidia.com/gpu, 4 node(s) had untolerated taint {nvidia.com/gpu: present}."
                " preemption: 0/7 nodes are available: 3 No preemption victims found for incoming pod, 4 Preemption is not helpful for scheduling."
            ),
            {Why.GPU: 3, Why.TAINT: 4},
        ),
        (
            "0/5 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 4 Insufficient cpu, 4 Insufficient memory.",
            {Why.HEALTH: 1, Why.RESOURCE: 8},
        ),
        ("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.", {Why.SELECTOR: 3}),
        ("0/4 nodes are available: 4 node(s) had volume node affinity conflict.", {Why.VOLUME: 4}),
        (
            "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/4 nodes are available: 4 x.",
            {Why.VOLUME: 0},
        ),
        ('0/4 nodes are available: persistentvolumeclaim "weights" not found.', {Why.VOLUME: 0}),
        ("0/2 nodes are available: 2 Insufficient nvidia.com/mig-1g.10gb.", {Why.MIG: 2}),
        ("0/2 nodes are available: 2 node(s) were unschedulable.", {Why.HEALTH: 2}),
        (
            "0/2 nodes are available: 1 node(s) had untolerated taint {dedicated: a, b}, 1 Insufficient cpu.",
            {Why.TAINT: 1, Why.RESOURCE: 1},
        ),
        ("6 Insufficient nvidia.com/gpu.", {Why.GPU: 6}),
        ("skip schedule deleting pod: team/app-0", {Why.OTHER: 0}),
        (
            (
                "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 cannot allocate all claims."
                " still not schedulable, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
            ),
            {Why.CONTROL: 1, Why.CLAIM: 2},
        ),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {node-role.example.org/control-plane: }.",
            {Why.TAINT: 1},
        ),
        (
            "0/2 nodes are available: 2 node(s) had untolerated taint {CriticalAddonsOnly: true}.",
            {Why.CONTROL: 2},
        ),
        (
            "0/2 nodes are available: 2 node(s) had untolerated taint {CriticalAddonsOnlyForUs: true}.",
            {Why.TAINT: 2},
        ),
        ("0/2 nodes are available: 2 node(s) had untolerated taint {karpenter.sh/disrupted: }.", {Why.HEALTH: 2}),
        ("0/2 nodes are available: 2 node(s) had untolerated taint {karpenter.sh/nodepool: gpu}.", {Why.TAINT: 2}),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {ebs.csi.aws.com/agent-not-ready: }.",
            {Why.HEALTH: 1},
        ),
        (
            "0/5 nodes are available: 2 node(s) didn't match pod anti-affinity rules, 3 node(s) didn't match pod topology spread constraints.",
            {Why.SELECTOR: 5},
        ),
        ("", {}),
    ],
)
def test_reasons(message: str, expected: dict[Why, int]) -> None:
    assert {why: one.nodes for why, one in refusals(message).items()} == expected


def test_the_words_are_kept() -> None:
    found = refusals("0/1 nodes are available: 1 node(s) had untolerated taint {team: nlp}.")
    assert found == {Why.TAINT: Refusal(1, "node(s) had untolerated taint {team: nlp}")}


@given(st.text(max_size=400))
def test_any_text_is_read(message: str) -> None:
    assert all(isinstance(why, Why) and one.nodes >= 0 for why, one in refusals(message).items())
