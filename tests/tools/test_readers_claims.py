"""What claims say of a pod that waits for its volume, on raw events, hostile ones included; and what is done about it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import stamp
from tools.checks.pending_pvc_zone import for_volumes
from tools.readers import Listed
from tools.readers.claims import LONGEST, read
from tools.vocabulary.claims import CLAIM_SAID

NOW = 1_790_000_000.0
NO_CLASS = 'storageclass.storage.k8s.io "fast" not found'
WAITS = 'waiting for a volume to be created, either by external provisioner "efs.csi.aws.com" or manually'
Object = dict[str, Any]


def _event(reason: str, message: str, ago: float = 600.0, claim: str = "weights", **more: Any) -> Object:
    about = {"kind": "PersistentVolumeClaim", "namespace": "team", "name": claim, **more}
    return {"reason": reason, "message": message, "involvedObject": about, "lastTimestamp": stamp(NOW - ago)}


def _said(*events: Any, phase: str = "Pending", node: str = "", volumes: Any = None) -> Any:
    mounted = [{"name": "v", "persistentVolumeClaim": {"claimName": "weights"}}] if volumes is None else volumes
    pod = {
        "metadata": {"namespace": "team", "name": "app-0"},
        "spec": {"volumes": mounted, "nodeName": node},
        "status": {"phase": phase},
    }
    (told,) = read(Listed(NOW, {"pods": [pod], "events": list(events)}))
    assert told.key == "team/app-0"
    return told.facts[CLAIM_SAID]


def test_the_newest_failure_and_its_claim() -> None:
    older = _event("ProvisioningFailed", "rpc error: code = DeadlineExceeded", 900.0)
    newer = _event("ProvisioningFailed", NO_CLASS)
    assert _said(newer, older) == f"weights: {NO_CLASS}"
    assert _said(_event("ProvisioningFailed", NO_CLASS, 3700.0)) == "", "of more than an hour ago"


def test_a_failure_says_more_than_that_it_is_waited_for() -> None:
    assert _said(_event("ProvisioningFailed", NO_CLASS, 700.0), _event("ExternalProvisioning", WAITS, 30.0)).endswith(
        NO_CLASS
    )
    assert _said(_event("ExternalProvisioning", WAITS)) == f"weights: {WAITS}", "nobody has begun"
    begun = _event("Provisioning", 'External provisioner is provisioning volume for claim "team/weights"', 590.0)
    assert _said(_event("ExternalProvisioning", WAITS), begun) == ""


def test_what_came_or_waits_rightly_says_nothing() -> None:
    failed = _event("ProvisioningFailed", NO_CLASS)
    assert _said(failed, _event("ProvisioningSucceeded", "Successfully provisioned volume pvc-1f0e", 60.0)) == ""
    assert _said(_event("WaitForFirstConsumer", "waiting for first consumer to be created before binding")) == ""
    assert _said(_event("WaitForPodScheduled", "waiting for pod app-0 to be scheduled")) == ""
    assert _said(failed, phase="Running") == ""
    assert _said(failed, node="n1") == "", "it has its node, for which its volume was bound"


def test_whose_claim_it_is() -> None:
    assert _said(_event("ProvisioningFailed", NO_CLASS, claim="other")) == ""
    assert _said(_event("ProvisioningFailed", NO_CLASS, namespace="other")) == ""
    assert _said(_event("ProvisioningFailed", NO_CLASS, kind="Pod")) == ""
    own = _event("ProvisioningFailed", NO_CLASS, claim="app-0-scratch")
    assert _said(own, volumes=[{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}}]).startswith("app-0-scr")


def test_hostile_objects() -> None:
    assert list(read(Listed(NOW, {"pods": [{"metadata": {"namespace": "a", "name": "b"}}]}))) == []
    odd = [{}, {"reason": "ProvisioningFailed", "involvedObject": "weights"}, _event("ProvisioningFailed", "")]
    assert _said(*odd, volumes=[{"persistentVolumeClaim": "weights"}, {"ephemeral": 7}]) == ""
    assert len(_said(_event("ProvisioningFailed", "диск-💥" * 10_000))) == LONGEST


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ('Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) app-0', "Recreate"),
        (NO_CLASS, "kubectl get storageclass"),
        ("no persistent volumes available for this claim and no storage class is set", "kubectl get storageclass"),
        ("googleapi: Error 403: Quota 'SSD_TOTAL_GB' exceeded.  Limit: 500.0", "quota"),
        ("rpc error: code = ResourceExhausted desc = Not enough disk space", "quota"),
        ("driver name efs.csi.aws.com not found in the list of registered CSI drivers", "kubectl get csinode"),
        ("error generating accessibility requirements: no topology key found on CSINode n1", "kubectl get csinode"),
        (WAITS, "kubectl get csinode"),
        ("0/4 nodes are available: 4 node(s) had volume node affinity conflict.", "kubectl describe pvc"),
    ],
)
def test_the_words_decide_what_helps(said: str, word: str) -> None:
    assert word in for_volumes("", said)[0].text
