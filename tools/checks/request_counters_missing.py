"""The engine reports without counting how requests end.

## What it means
Other series of the replica arrive, and the counter of finished requests does not.

## Why it hurts
Errors and abandoned requests cannot be counted, so no objective on them can be held.

## What would rule it out
A replica that has not finished its first request, in engines that begin to count with it.
"""

from tools.asked import not_measured
from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.watching import ENDINGS_MISSING
from tools.wanted_series import asks_of

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(ENDINGS_MISSING.now,),
    helps=asks_of(ENDINGS_MISSING),
    fires=names(ENDINGS_MISSING.now, "{found_of} reports without {found}."),
    remedies=advise(
        "Compare the /metrics page of the pod with what Prometheus keeps, and take away the rule that drops it.",
        "Prometheus answers vllm:request_success_total by finished_reason for every replica.",
        "observability/metrics-vllm",
        "production-readiness/metrics-and-logs",
    ),
    pages=(
        "observability/metrics-vllm",
        "production-readiness/metrics-and-logs",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        *not_measured(
            r"\bhow (?:requests|they) end\b|\b(?:finished|failed|successful) requests\b|\brequest (?:counts?|outcomes?|results?)\b"
        ),
    ),
)
