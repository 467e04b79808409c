"""What ended hours ago has recovered by now, and is no headline; unless somebody asks what ended it."""

from __future__ import annotations

import re

from tools.casebook import cases
from tools.diagnose import Overrides

# How far back a shift asks.
BACK_S = 6 * 3600.0
_RECENT = "recent"
_ENDED = re.compile(
    # What comes again and again has not recovered between two times.
    r"\b(?:restart\w*|die[sd]?|dying|crash\w*|disappear\w*|vanish\w*|killed)\b[^.?!]{0,60}"
    r"\b(?:(?:every|each|once an?) [^.?!]{0,20}\b(?:min|mins|minutes?|hours?|h)|hourly)\b|"
    r"\b(?:what|who) (?:has |had )?(?:killed|evicted|ended|stopped|restarted|removed|crashed|threw|kicked)\b"
    r"|\bwhy (?:did|was|were|has|had)\b[^.?!]{0,80}\b(?:die[ds]?|dead|vanish\w*|disappear\w*|restart\w*|crash\w*|go (?:down|away)|gone|killed|evict\w*|away|ended|recreat\w*|thrown)\b",
    re.IGNORECASE,
)


def looking_back(question: str, limits: Overrides) -> Overrides:
    """The limits with which a question is answered: of what ended, as far back as who asks what ended it may mean. Limits of the settings stay."""
    if not _ENDED.search(question):
        return limits
    found = {check: dict(values) for check, values in limits.items()}
    for case in cases().values():
        limit = case.check.limits.get(_RECENT)
        if limit is not None and limit.unit == "seconds" and limit.value < BACK_S:
            found.setdefault(case.id, {}).setdefault(_RECENT, BACK_S)
    return found
