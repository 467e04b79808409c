"""Alerts on the engine name no runbook.

## What it means
Alert rules that come down to series of this engine carry no annotation with a runbook.

## Why it hurts
Whoever is woken starts from nothing.

## What would rule it out
Runbooks that the alert manager or the incident tool adds.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.watching import NO_RUNBOOK

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(NO_RUNBOOK.now,),
    fires=names(NO_RUNBOOK.now, "No runbook in {found}."),
    remedies=paste(
        "Give each rule the address of its runbook.",
        'annotations: {runbook_url: "https://runbooks.example.com/slow-first-token"}',
        "The page shows a link, and the link opens.",
        "playbooks/observability",
        "deployment-readiness/ownership",
    ),
    pages=(
        "playbooks/observability",
        "deployment-readiness/ownership",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(r"(?:no|without|lack\w*|missing|which|have|has|carry|name|link)\b[^.?!]{0,60}\brunbooks?\b",),
)
