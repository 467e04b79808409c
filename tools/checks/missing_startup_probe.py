"""The serving container has a liveness probe and no startup probe.

## What it means
From its first second the liveness probe judges a server that has yet to load its model; only its delay and threshold stand between
a slow load and a kill.

## Why it hurts
A larger model, a slower disk or a cold cache turns the next start into a loop of kills.

## What would rule it out
A startup probe on the serving container, or no liveness probe at all.
"""

from tools.asked import asking
from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.autoscaling import STARTUP_TOOK
from tools.vocabulary.startup import NO_STARTUP_PROBE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(NO_STARTUP_PROBE.now,),
    helps=(STARTUP_TOOK.now,),
    fires=names(NO_STARTUP_PROBE.now, "{found_of} has no startup probe: {found}.", STARTUP_TOOK.now),
    remedies=advise(
        "Add a startup probe on the engine's health path with failureThreshold times periodSeconds of twice the longest load.",
        "The slowest start of the last weeks takes less than half of the budget.",
        "kubernetes/probes-for-slow-loading",
        "platform/health-endpoints",
        change=("startupProbe", "none", "failureThreshold 60, periodSeconds 10"),
    ),
    pages=("kubernetes/probes-for-slow-loading", "platform/health-endpoints"),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        *asking(
            r"\b(?:liveness|health ?checks?)\b[^.?!]{0,80}\b(?:before|while|during|until)\b[^.?!]{0,60}\b(?:load\w*|start\w*|boot\w*|warm\w*|ready)\b"
        ),
        *asking(
            r"\b(?:boot\w*|load\w*|start\w*|warm\w*)\b[^.?!]{0,60}\b(?:before|until|while)\b[^.?!]{0,40}\b(?:liveness|health ?checks?)\b"
        ),
        "(?:no|missing|without|lacks?|needs?|have|has|add) (?:an? )?start-?up ?probe",
        r"(?:is|are|does|do|will|would) .{0,40}(?:health ?check\w*|probes?)\b.{0,80}(?:built|made|ready|enough|allow|cope|bear|fit|right|suit)",
    ),
)
