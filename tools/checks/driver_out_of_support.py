"""The GPU driver's branch is out of support.

## What it means
The major version of the driver is older than the oldest branch that NVIDIA supports for data centres.

## Why it hurts
Security fixes and fixes for faults that Xids report no longer arrive, and images with a newer CUDA do not start.

## What would rule it out
A vendor that keeps the branch up, as some cloud images do.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because, objective
from tools.rules import paste
from tools.vocabulary.manifests import DRIVER
from tools.vocabulary.readiness import DRIVER_BRANCH


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire below the oldest supported branch."""
    branch = now[DRIVER_BRANCH.now]
    if branch.number >= limits["oldest"]:
        return None
    oldest = objective(branch, limits["oldest"])
    return because(
        "{branch_of} runs driver branch {branch}; {oldest} is the oldest that is supported.",
        now.get(DRIVER.now),
        branch=branch,
        oldest=oldest,
    )


CHECK = Check(
    on=(On.NODE,),
    severity="medium",
    needs=(DRIVER_BRANCH.now,),
    helps=(DRIVER.now,),
    fires=fires,
    remedies=paste(
        "Move the pool to a long-term branch, a drained node at a time, after one node has served a day.",
        'spec: {driver: {version: "580.95.05", upgradePolicy: {autoUpgrade: true, maxParallelUpgrades: 1}}}',
        "kubectl get nodes -L nvidia.com/cuda.driver-version.full shows the new branch.",
        "platform/gpu-operator-and-drivers",
        "production-readiness/gpu-nodes",
    ),
    limits={
        "oldest": Limit(
            580.0,
            "version",
            "docs.nvidia.com/datacenter/tesla/drivers: R535 ended in June 2026, R580 lasts until June 2028 (read 2026-11-21)",
        )
    },
    pages=("platform/gpu-operator-and-drivers", "production-readiness/gpu-nodes"),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\bdrivers?\b[^.?!]{0,60}\b(?:supported|out of support|in support|end[- ]of[- ]life|eol|outdated|maintained|lts|still get)\b",
        r"\b(?:supported|out of support|end[- ]of[- ]life|eol|outdated|unsupported)\b[^.?!]{0,40}\bdrivers?\b",
    ),
)
