"""Prometheus cannot evaluate some of its rules.

## What it means
Rules are marked unhealthy: their last evaluation ended with an error.

## Why it hurts
An alert that cannot be evaluated never fires, and nothing on a dashboard shows it.

## What would rule it out
An error that a passing restart explains.
"""

from tools.check import Check, On
from tools.rules import advise, names
from tools.vocabulary.watching import RULES_FAILING

CHECK = Check(
    on=(On.CLUSTER,),
    severity="medium",
    needs=(RULES_FAILING.now,),
    fires=names(RULES_FAILING.now, "Not evaluated: {found}."),
    remedies=advise(
        "Mend the expression that the error names; many-to-many matches and renamed series are the usual ones.",
        "The rules page of Prometheus shows every rule as healthy.",
        "platform/prometheus-stack",
        "signals/prometheus",
    ),
    pages=(
        "platform/prometheus-stack",
        "signals/prometheus",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\b(?:recording|alerting|alert|prometheus) rules?\b[^.?!]{0,60}\b(?:fail\w*|evaluat\w*|work|load\w*|broken|errors?)\b",
    ),
)
