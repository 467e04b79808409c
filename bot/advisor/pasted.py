"""A long paste, as it is worked with: the person's own words, and the lines of it that say what failed.

A question is looked through up to a length. Of a log that is longer, its beginning says least: the lines that engines print when something
breaks are looked for instead, in all of it, and its last ones.
"""

from __future__ import annotations

import re

from bot.advisor.intent import LONGEST_QUESTION
from tools.log_lines import matches

PASTED = "Of what was pasted, the lines that name a failure and the last ones were looked at."
_FENCE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_OWN, _LAST, _LINES = 600, 3, 12
_LONGEST_LINE = 300
# Slack delivers no longer message; whoever pastes more elsewhere has its end looked at.
_MOST = 100_000


def condensed(text: str) -> str:
    """The text itself where it is short enough to be read whole, else its own words with the lines that matter."""
    if len(text) <= LONGEST_QUESTION:
        return text
    outside = _FENCE.sub("\n", text)
    # Without a fence, what was pasted follows what was asked.
    own = (
        outside
        if outside.strip() and len(outside) <= _OWN
        else next((one for one in outside.splitlines() if one.strip()), "")
    )
    pasted = text[-_MOST:]
    lines = [line.strip()[:_LONGEST_LINE] for line in pasted.splitlines() if line.strip(" `")]
    telling = list(dict.fromkeys(line[:_LONGEST_LINE] for line in matches(pasted).values() if line))
    kept = [own.strip()[:_OWN], *telling[:_LINES], *(line for line in lines[-_LAST:] if line not in telling)]
    return "\n".join(line for line in kept if line)[:LONGEST_QUESTION]
