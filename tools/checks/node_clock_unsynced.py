"""The clock of a GPU node is not synchronised.

## What it means
The kernel of the node says for the whole window that its clock follows no time server.

## Why it hurts
Latency over several hops comes out negative, tokens and certificates seem expired, and logs of two nodes cannot be
put in order.

## What would rule it out
A virtual machine whose host keeps its clock, without a time service inside.
"""

from tools.check import Because, Check, Limits, Now, On, because
from tools.rules import advise
from tools.vocabulary.readiness import CLOCK_SYNCED

SYNCED = CLOCK_SYNCED.max("30m")


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where the clock was not synchronised once in the window."""
    synced = now[SYNCED]
    if synced.number:
        return None
    return because("{synced_of} says that its clock is not synchronised.", synced=synced)


CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(SYNCED,),
    fires=fires,
    remedies=advise(
        "Run chrony against the time server of the cloud or the site on every node.",
        "chronyc tracking on the node names a server; node_timex_sync_status is 1.",
        "platform/provisioning-gpu-nodes",
        "signals/node-exporter",
    ),
    pages=("platform/provisioning-gpu-nodes", "signals/node-exporter"),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:clocks?|system times?|wall times?)\b[^.?!]{0,60}\b(?:sync\w*|skew\w*|agree|drift\w*|ntp)\b|\bntp\b|\bchrony\b|\btime sync\w*",
    ),
)
