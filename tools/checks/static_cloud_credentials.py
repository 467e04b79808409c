"""The pod carries static credentials of a cloud.

## What it means
A variable hands the container a long-lived cloud key. Clouds give pods short-lived credentials for their service account
instead.

## Why it hurts
A key that leaks works from everywhere until somebody revokes it, and all pods with it look alike in the audit log.

## What would rule it out
An identity of the service account (IRSA, EKS Pod Identity, GKE or Azure workload identity).
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.security import CLOUD_KEYS

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(CLOUD_KEYS.now,),
    fires=names(CLOUD_KEYS.now, "{found_of} is given {found}."),
    remedies=advise(
        "Bind the service account to a cloud role that may read the weights and nothing else, and remove the key.",
        "The pod reads its weights without the variable, and the key can be deleted.",
        "platform/secrets-and-hub-tokens",
        "platform/model-weight-storage",
    ),
    pages=(
        "platform/secrets-and-hub-tokens",
        "platform/model-weight-storage",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        r"(?:static|long-?lived|access key|aws|cloud)\b.{0,40}(?:credential|secret)",
        "credentials? of (?:a |the )?cloud",
    ),
)
