"""The model cannot be fetched at start.

## What it means
The replica, or an init container that prepares it, asks a hub, a bucket or a volume for weights and configuration and is refused, cannot reach it, finds nothing, or
has no room to store them; or what was fetched before is not whole. (Where the server says that the files lay there and that it fetched
nothing, they cannot be read: that is a failure mode of its own.)

## Why it hurts
No replica can start or scale, and what runs is lost with its next restart.

## What would rule it out
A log that shows the weights loading: then the start fails for another reason.
"""

import re

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.damaged_files import FETCH_AGAIN, LIES_WHERE, damaged, lay_there
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.signals import LOG_SERVING, POD_READY, RUNNING_FOR
from tools.vocabulary.startup import INIT_CONTAINER, INIT_RUNNING_FOR, LOG_DOWNLOAD
from tools.vocabulary.volumes import LOG_FILES_THERE

_BUCKET = re.compile(r"credentials|Credentials|storage\.objects|\((?:401|403|AccessDenied|Expired|Invalid|Signature)")

_START = failed_start(LOG_DOWNLOAD)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended at its start with such a line, or goes on trying for long without being ready."""
    found = _START(now, limits)
    return found if found is not None and not lay_there(now, found.readings["line"]) else _tries(now, limits)


def _tries(now: Now, limits: Limits) -> Because | None:
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        line, served = now.of(ready.subject, LOG_DOWNLOAD.now), now.of(ready.subject, LOG_SERVING.now)
        if ready.number or line is None or not line.text or (served is not None and served.text):
            continue
        if lay_there(now, line):
            continue
        prepared, ran = now.of(ready.subject, INIT_RUNNING_FOR.now), now.of(ready.subject, RUNNING_FOR.now)
        whom = now.of(ready.subject, INIT_CONTAINER.now)
        if prepared is not None and prepared.number >= limits["trying"] and whom is not None:
            said = "{prepared_of} has been trying for {prepared} ({whom}); its log says: {line}"
            return because(said, ready, prepared=prepared, whom=whom, line=line)
        if ran is not None and ran.number >= limits["trying"]:
            return because("{ran_of} has been trying for {ran}; its log says: {line}", ready, ran=ran, line=line)
    return None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    line = told(now, LOG_DOWNLOAD)
    verify = "The log shows the weights loading, and the pod turns ready."
    cites = ("platform/model-weight-storage", "platform/secrets-and-hub-tokens")
    if "No space left" in line:
        first = "Give the cache room: HF_HOME on a volume of at least 1.2 times the weights, with an ephemeral-storage request."
    elif _BUCKET.search(line):
        first = (
            "The bucket refuses: give the pod's service account (or the Secret that the download uses) the right to list and read"
            " the path of the model, and check region and endpoint."
        )
    elif damaged(line) or "Consistency check failed" in line:
        first = FETCH_AGAIN
    elif "429" in line:
        first = "Too many replicas fetch at once: fetch the weights once to a shared volume, or authenticate for a higher limit."
    elif any(mark in line for mark in ("401", "403", "Gated", "restricted")):
        first = "Accept the model's licence with the account of the token, and pass HF_TOKEN from a Secret to the pod."
    elif any(
        mark in line for mark in ("Max retries", "LocalEntryNotFound", "Offline", "EndpointConnection", "Timeout")
    ):
        first = "The hub or bucket cannot be reached: allow egress to it on port 443 and check DNS and proxy, or serve from a volume."
    else:
        first = "Check the name, the revision and the path of the model: what was found there holds no such repository or weights."
    return (
        Remedy(first, None, verify, cites),
        Remedy(
            "Keep the weights in the cluster (a volume or an image) and set HF_HUB_OFFLINE=1, so that no start needs the hub.",
            None,
            verify,
            ("platform/model-weight-storage", "serving/cold-start"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_DOWNLOAD),
    helps=(
        *HELPS,
        POD_READY.now,
        RUNNING_FOR.now,
        INIT_RUNNING_FOR.now,
        INIT_CONTAINER.now,
        LOG_FILES_THERE.now,
        *LIES_WHERE,
    ),
    limits={**LIMITS, "trying": Limit(600, "seconds", "ten minutes: what was only slow to answer has answered")},
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("platform/model-weight-storage", "platform/secrets-and-hub-tokens"),
    owner="ml platform",
)
