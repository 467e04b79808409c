"""A replica that is told to stop drops the requests it is answering.

## What it means
No preStop hook waits until routes have forgotten the pod and the grace period is the 30 s that Kubernetes grants by itself, or the
slowest answers take longer than the grace period.

## Why it hurts
Each rollout, scale-in and drain ends answers in the middle; users see errors that no metric of the engine counts.

## What would rule it out
A preStop hook, and a grace period above the longest answer.
"""

from dataclasses import replace
from math import ceil

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.rules import NONE
from tools.vocabulary.manifests import GRACE, PRESTOP
from tools.vocabulary.pipelines import REQUEST_TIME
from tools.vocabulary.stopped import REPLICA_STOPPED, REPLICAS_STOPPED

SLOWEST = REQUEST_TIME.p99("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where answers outlast the grace period, or where nothing waits before the stop and the period is short."""
    grace, hook = now[GRACE.now], now.worst(PRESTOP.now)
    slowest = now.get(SLOWEST)
    outlast = slowest is not None and slowest.number > grace.number
    if not outlast and (grace.number > limits["grace"] or hook.value != NONE):
        return None
    if outlast and slowest is not None:
        said = "{grace_of} is killed {grace} after it is told to stop, and of 100 answers the slowest takes {slowest}."
        found = because(said, hook, grace=grace, slowest=slowest, severity="medium")
    else:
        found = because(
            "{grace_of} is stopped without a preStop hook and killed after {grace}.", hook, slowest, grace=grace
        )
    stopped, last = now.get(REPLICAS_STOPPED.now), now.get(REPLICA_STOPPED.now)
    if stopped is None or last is None or not stopped.number:
        return found
    told = f"{found.template} At least {{stopped}} were told to stop within a day, the last {{last}}."
    return replace(found, template=told, readings={**found.readings, "stopped": stopped, "last": last}, felt=True)


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Wait first, and long enough for what is seen."""
    grace, slowest = now.get(GRACE.now), now.get(SLOWEST)
    # The hook's sleep counts against the period as well.
    wanted = max(120, ceil((slowest.number if slowest is not None else 0) * 1.5 + 15))
    return (
        Remedy(
            "Let a preStop hook sleep for some 15 s, so that routes forget the pod first, and grant more than the longest answer takes.",
            Change("terminationGracePeriodSeconds", f"{grace.number:.0f}" if grace else "30", str(wanted)),
            "A rollout under load ends without an error at the gateway.",
            ("kubernetes/graceful-shutdown", "platform/kubernetes-deployment-for-vllm"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(GRACE.now, PRESTOP.now),
    helps=(SLOWEST, REPLICAS_STOPPED.now, REPLICA_STOPPED.now),
    limits={"grace": Limit(30, "seconds", "what Kubernetes grants where nobody sets it; long answers take more")},
    fires=fires,
    remedies=remedies,
    pages=("kubernetes/graceful-shutdown", "platform/kubernetes-deployment-for-vllm"),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        "graceful",
        "pre-?stop",
        "sigterm",
        "grace ?period",
        r"(?:each|every|any|with|during|at|on) (?:a |the |our )?(?:rollout|deploy|release|scale[- ]?(?:in|down))\w* .{0,60}(?:\bcut|chopp|drop|502|503|reset|fail|error)",
        r"(?:\bcut|chopp|dropp|502|503|reset|fail|error)\w*.{0,60}(?:each|every) (?:rollout|deploy|release|scale[- ]?(?:in|down))",
        r"(?:each|every) (?:\w+ )?(?:rollout|deploy\w*|release|update|scale[- ]?(?:in|down)).{0,100}(?:\bcut\b|half-|chopp|dropp|50[0-4]\b|reset|fail|error|interrupt|broken|abort)",
        r"(?:each|every) time (?:we|they|i|you|some(?:body|one)|any(?:body|one)|the team) (?:ship|deploy|roll|release|update|push|change|restart|scale|drain)\w*\b.{0,120}\b(?:cut|half-|chopp|dropp|50[0-4]\b|reset|fail|error|interrupt|broken|abort)",
    ),
    complaints=(
        r"(?:stop|break|broke|end|cut|die|drop|abort|vanish|interrupt|disappear|hang|truncat)\w*\b.{0,40}\b(?:in the middle|mid[- ]?(?:way|sentence|stream|answer|response|reply|generation|flight|request|word)|half-?way|part-?way)",
        r"\b(?:cut|broken|chopped|breaks?|snapped)[- ](?:off|short)\b",
        r"\btruncated\b|\bunfinished\b|\bincomplete (?:answer|response|repl(?:y|ies)\b|stream|report|generation|output|text)",
        r"\bhalf (?:an? |of (?:an? |the |their )?|the )?(?:answer|response|reply|report|sentence|text|stream)\b",
        r"\b(?:connection|stream|socket|session|sse)s?\b[^.?!]{0,40}\b(?:reset|closed|dropp|lost|cut|end|break|broke)",
    ),
)
