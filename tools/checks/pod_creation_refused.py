"""The API refuses to create the workload's pods.

## What it means
The controller tries to make a pod and is turned away before it exists: an admission webhook denies it or does not answer, a policy of the
namespace forbids it (Pod Security, a LimitRange), or its service account is not there. A quota that is used up is told apart.

## Why it hurts
Replicas are missing and nothing shows why where people look first: no pod, no scheduling event, no restart. While a webhook is down, every
pod that ends is lost.

## What would rule it out
As many replicas as are wanted, or a refusal by a quota.
"""

from tools.check import Because, Check, Limits, Now, On
from tools.families import UNEQUIPPED, UNPLACED
from tools.finding import Remedy
from tools.refused_creation import NEEDS, refusal
from tools.vocabulary.autoscaling import CREATE_REFUSED


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when fewer replicas exist than are wanted and the API refused the next for another reason than a quota."""
    refused = refusal(now)
    return refused.because if refused is not None and not refused.by_quota else None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """What the refusal names."""
    refused = now.get(CREATE_REFUSED.now)
    text = refused.text if refused is not None else ""
    verify = "The controller's event `SuccessfulCreate` follows, and the ready replicas reach what is wanted."
    cites = ("platform/kubernetes-deployment-for-vllm", "kubernetes/pending-gpu-pods")
    if "x509" in text:
        first = "The webhook's certificate is not valid: renew it (cert-manager, or the operator's own job) and the caBundle of its configuration."
    elif "failed calling webhook" in text or "failed to call webhook" in text:
        first = "The webhook does not answer: bring its pods and its Service back. Until then its failurePolicy decides whether pods may be made."
    elif "denied the request" in text or "violates PodSecurity" in text:
        first = "A policy denies the pod: change what the message names in the pod's template, or have the policy's owner make an exception."
    elif "serviceaccount" in text.lower():
        first = "Create the service account that the template names, or correct its name."
    else:
        first = "Read the refusal: it names the field or the limit of the pod's template that the API does not take."
    return (Remedy(first, verify=verify, cites=cites),)


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=NEEDS,
    fires=fires,
    explains=(*UNPLACED, *UNEQUIPPED),
    remedies=remedies,
    pages=("platform/kubernetes-deployment-for-vllm", "kubernetes/pending-gpu-pods"),
    owner="platform",
)
