"""The Kubernetes API refuses a router or controller what it watches: no right, or no such kind.

## What it means
Endpoint pickers, routers and operators find engines and their configuration by watching objects. Without a role that allows it the API answers
"forbidden", and without the custom resource definition "no matches for kind": mostly after a chart was updated without its CRDs or in another namespace.

## Why it hurts
They wait for a cache that never fills and end, again and again; the engines behind them are healthy and get no requests.

## What would rule it out
A single such line at the start of a controller that goes on.
"""

import re

from tools.check import Check, Limits, Now, On, Where
from tools.ended_with import LIMITS, ended_with, helps, needs
from tools.failed_starts import DECISIVE, told
from tools.families import FAILING, QUEUEING, at, named
from tools.finding import Change, Remedy
from tools.vocabulary.cluster_parts import LOG_CLUSTER_API

_USER = re.compile(r"system:serviceaccount:([a-z0-9.-]{1,253}):([a-z0-9.-]{1,253})")
_RIGHT = re.compile(
    r"cannot (\w{1,20}) resource \\{0,4}\"([\w./-]{1,100}?)\\{0,4}\" in API group \\{0,4}\"([\w.-]{0,100})"
)
_KIND = re.compile(
    r"no matches for kind \\{0,4}\"(\w{1,80}?)\\{0,4}\" in version \\{0,4}\"([\w./-]{1,120}?)\\{0,4}\"|\"kind\": \"([\w.]{1,160})\""
)
_CITES = ("systems/llm-d-and-inference-gateway", "platform/helm-and-gitops")


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """The one right, or the one kind, that the line names."""
    line = told(now, LOG_CLUSTER_API)
    user, right, kind = _USER.search(line), _RIGHT.search(line), _KIND.search(line)
    if user:
        space, account = user[1], user[2]
        verb, kinds = (right[1], right[2]) if right else ("list", "KIND")
        rule = (
            f"verbs [get, list, watch] on {kinds} of API group {right[3] or 'core'}" if right else "what the line names"
        )
        return (
            Remedy(
                f"Let the service account {account} of {space} read it: kubectl auth can-i {verb} {kinds} --as=system:serviceaccount:{space}:{account}"
                " says whether it may. At the cluster scope a Role does not do: it takes a ClusterRole and its binding.",
                Change("rules of its Role or ClusterRole", "without it", rule),
                "kubectl auth can-i says yes, and the next start gets past that line.",
                _CITES,
            ),
        )
    named_kind = next((one for one in kind.groups() if one), "") if kind else ""
    version = kind[2] if kind and kind[2] else ""
    what = f"{named_kind}{f' in {version}' if version else ''}" if named_kind else "that the line names"
    return (
        Remedy(
            f"Install the definition of the kind {what}: Helm installs CRDs once and updates none, so that a newer chart meets older ones. Apply those of"
            " the release that runs.",
            Change("CustomResourceDefinition", "absent, or without that version", what),
            "kubectl api-resources lists the kind in that version, and the next start gets past that line.",
            _CITES,
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=needs(LOG_CLUSTER_API),
    helps=helps(DECISIVE),
    limits=LIMITS,
    fires=ended_with(LOG_CLUSTER_API, unless=DECISIVE),
    explains=(
        *QUEUEING,
        *FAILING,
        *at(named("gpu_idle_no_traffic", "small_batches"), Where.SAME_NAMESPACE),
    ),
    remedies=remedies,
    pages=_CITES,
    owner="platform",
)
