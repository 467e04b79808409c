"""The engine's container holds a token for the Kubernetes API.

## What it means
Every pod gets the token of its service account unless that is switched off. A serving engine does not talk to the API.

## Why it hurts
Code that gets in, by a model's repository for instance, can use what the service account may do.

## What would rule it out
automountServiceAccountToken: false; or an engine that forms its cluster through the API, as Ray and some operators do.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.security import API_TOKEN

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(API_TOKEN.now,),
    fires=names(API_TOKEN.now, "{found_of} has the token of its service account mounted."),
    remedies=advise(
        "Set automountServiceAccountToken: false on the pod, unless the server needs the API.",
        "/var/run/secrets/kubernetes.io is not there in the container.",
        "playbooks/security",
    ),
    pages=("playbooks/security",),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        "service ?account tokens? .{0,20}mount",
        "automount",
    ),
)
