"""Whether a readiness rule is asked for beside what ails, or its words only tell of that."""

from __future__ import annotations

import re
from collections.abc import Collection

from tools.casebook import cases
from tools.diagnose import Diagnosis

_GRAVE = frozenset({"critical", "high"})
# Who has a second question says so.
_ANOTHER = re.compile(
    r"\b(?:two|three|both|several|couple of) (?:\w+ )?(?:things|questions|points|items|matters|topics)\b|[(\[]\s?(?:2|b|ii)\s?[)\]]|(?:^|\s)2[.)]\s"
    r"|\b(?:also|separately|besides|unrelated|second(?:ly)?|another (?:question|thing|point|matter)|one more|by the way|btw|p\.?s\.?|apart from that|on top of that|while (?:you|we)(?:'re| are) at it)\b",
    re.IGNORECASE,
)


def only_of_what_ails(question: str, diagnosis: Diagnosis, asked: Collection[str]) -> bool:
    """Whether the rules that a question seems to ask for are broken beside a grave fault of the same workload, and it has one question only.

    "The same digest as the others, so it is not our build" asks why the pod dies, and not whether images are pinned.
    """
    told = [one for one in diagnosis.findings if one.root and one.id in asked]
    # What a fault does to a workload is as grave as where it sits: a machine, a card.
    grave = {one.subject for one in diagnosis.findings if one.severity in _GRAVE and not cases()[one.id].check.rule}
    if not told or not grave or _ANOTHER.search(question):
        return False
    apart = {one.id for one in told if not (one.subject in grave or one.subject.startswith(("cluster/", "node/")))}
    return not apart or apart <= {one.id for one in told if one.subject in grave}
