"""The liveness probe gives up no later than the readiness probe.

## What it means
Both probes ask the same question, and the one that restarts the container is not more patient than the one that only
takes it out of the Service.

## Why it hurts
A server that is merely overloaded is restarted instead of being left alone for a while: it loses its queue and its
cache, loads for minutes, and its neighbours get its load.

## What would rule it out
A liveness probe of longer patience, or one that asks something else.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import LIVENESS_AS_READINESS

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(LIVENESS_AS_READINESS.now,),
    fires=names(LIVENESS_AS_READINESS.now, "{found}."),
    remedies=paste(
        "Let readiness react first, and liveness only to what a restart mends.",
        "livenessProbe: {httpGet: {path: /health, port: 8000}, periodSeconds: 10, failureThreshold: 12, timeoutSeconds: 10}",
        "Under overload pods leave the Service and come back without a restart.",
        "kubernetes/probes-for-slow-loading",
        "platform/health-endpoints",
    ),
    pages=(
        "kubernetes/probes-for-slow-loading",
        "platform/health-endpoints",
    ),
    phase=1,
    owner="ml platform",
    rule=True,
    asked=(
        r"\bliveness\b[^.?!]{0,80}\breadiness\b[^.?!]{0,80}\b(?:same|identical|equal\w*|strict\w*|soon\w*|early|earlier|before|apart|differ\w*|gentler|patient)\b",
        r"\b(?:same|identical|equal\w*|strict\w*|sooner|earlier|before|gentler|patient)\b[^.?!]{0,80}\b(?:liveness\b[^.?!]{0,40}\breadiness|readiness\b[^.?!]{0,40}\bliveness)\b",
        r"\brestart\w*\b[^.?!]{0,40}\b(?:before|instead of|rather than)\b[^.?!]{0,40}\b(?:out of (?:the )?(?:service|rotation|endpoints)|unready|not ready|taken out)\b",
        r"\bliveness\b[^.?!]{0,60}\b(?:same|identical|equal\w*|as strict|stricter|sooner|earlier|before)\b[^.?!]{0,60}\breadiness\b",
    ),
)
