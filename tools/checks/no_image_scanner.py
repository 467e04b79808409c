"""No image scanner is seen in the cluster.

## What it means
No pod has the name of a known scanner.

## Why it hurts
A hole that becomes known after the build stays in production until somebody looks.

## What would rule it out
Scans in the registry or the pipeline that are repeated for what runs.
"""

from tools.check import Check, On
from tools.rules import advise, lacks
from tools.vocabulary.readiness import IMAGE_SCANNER

CHECK = Check(
    on=(On.CLUSTER,),
    severity="info",
    needs=(IMAGE_SCANNER.now,),
    fires=lacks(IMAGE_SCANNER.now, "No image scanner is seen."),
    remedies=advise(
        "Scan what runs every day, in the registry or by an operator in the cluster.",
        "The report of today names the digest that runs.",
        "platform/container-images",
        "production-readiness/packaging-and-image",
    ),
    pages=(
        "platform/container-images",
        "production-readiness/packaging-and-image",
    ),
    phase=2,
    owner="security",
    rule=True,
    asked=(
        r"\bscan(?:s|ned|ner|ning)?\b[^.?!]{0,40}\b(?:images?|containers?|vulnerab\w+|cves?)\b|\bimages?\b[^.?!]{0,40}\bscan\w*\b|\btrivy\b",
    ),
)
