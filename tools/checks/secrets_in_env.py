"""A secret is written out in the manifest.

## What it means
A token, key or password stands as a literal value of a variable or an argument.

## Why it hurts
Everybody who may read pods or the repository of manifests has it, it appears in kubectl describe and in process lists, and it
outlives its purpose since nothing rotates it.

## What would rule it out
valueFrom with a secretKeyRef, or a file that a secret store mounts. Only names are looked at here; no value is kept or shown.
"""

from tools.asked import asking
from tools.check import Check, On
from tools.rules import advise, names
from tools.vocabulary.security import SECRET_LITERALS

CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(SECRET_LITERALS.now,),
    fires=names(SECRET_LITERALS.now, "{found_of} has a secret written out: {found}."),
    remedies=advise(
        "Revoke the secret, make a new one, put it into a Secret or a secret store, and refer to it by secretKeyRef.",
        "kubectl get pod -o yaml no longer shows a value, and the old secret is refused.",
        "platform/secrets-and-hub-tokens",
        "playbooks/security",
    ),
    pages=(
        "platform/secrets-and-hub-tokens",
        "playbooks/security",
    ),
    phase=0,
    owner="security",
    rule=True,
    asked=(
        *asking(
            r"\b(?:copy|read|see|steal|extract|lift|find)\b[^.?!]{0,40}\b(?:passwords?|secrets?|credentials?|(?:api[ -]?|access )keys?)\b"
        ),
        r"(?:secret|credential|password|api[ -]?key|(?:hf|hub|access|auth|bearer)[ _-]?token)s?\b.{0,80}(?:plain|clear ?text|manifest|yaml|in sight|leak|expos|visible|hard-?coded|in git)",
        r"(?:plain|clear ?text|leaked|exposed|hard-?coded|visible)\b.{0,60}(?:secret|credential|password|api[ -]?key|token)",
    ),
)
