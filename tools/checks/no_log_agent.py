"""No agent collects the logs of a GPU node.

## What it means
No DaemonSet pod on the node has the name of a known log agent.

## Why it hurts
What a crashed engine printed is lost with its pod or its node: the reason of the last incident cannot be read.

## What would rule it out
A log agent on the node, also one of the cloud that is no pod or goes by another name: then this is no finding.
"""

from tools.check import Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import LOG_AGENT

CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(LOG_AGENT.now,),
    fires=lacks(LOG_AGENT.now, "No known log agent runs on {found_of}."),
    remedies=advise(
        "Let the log agent's DaemonSet tolerate the taints of GPU nodes.",
        "The log store shows lines of pods of this node.",
        "platform/log-hygiene",
        "playbooks/observability",
    ),
    pages=(
        "platform/log-hygiene",
        "playbooks/observability",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\b(?:collect\w*|ship\w*|gather\w*|forward\w*|central\w*)\b[^.?!]{0,40}\blogs?\b",
        r"\blogs?\b[^.?!]{0,60}\b(?:collected|shipped|gathered|forwarded|kept|central\w*|lost (?:when|with|after)|gone (?:when|with|after)|surviv\w*|loki|elastic\w*|splunk|fluent\w*|promtail)\b",
    ),
)
