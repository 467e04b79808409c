"""No backup agent is seen in the cluster.

## What it means
No pod has the name of a known backup agent.

## Why it hurts
Adapters, indexes and settings that exist only in the cluster are gone with it.

## What would rule it out
A cluster that is rebuilt from Git with all its data elsewhere, or backups by the cloud.
"""

from tools.check import Check, On
from tools.rules import lacks, paste
from tools.vocabulary.readiness import BACKUP_AGENT

CHECK = Check(
    on=(On.CLUSTER,),
    severity="info",
    needs=(BACKUP_AGENT.now,),
    fires=lacks(BACKUP_AGENT.now, "No backup agent is seen."),
    remedies=paste(
        "Back up what cannot be rebuilt, and restore it once into a test cluster.",
        '{apiVersion: velero.io/v1, kind: Schedule, metadata: {name: daily}, spec: {schedule: "0 3 * * *", template: {includedNamespaces: [NAMESPACE]}}}',
        "A restore into a test cluster serves the adapter.",
        "infrastructure-audit/storage-and-data",
        "playbooks/failure-thinking",
    ),
    pages=(
        "infrastructure-audit/storage-and-data",
        "playbooks/failure-thinking",
    ),
    phase=2,
    owner="platform",
    rule=True,
    asked=(r"\bback-?ups?\b|\bbacked up\b|\bvelero\b|\bdisaster recovery\b",),
)
