"""How often each readiness rule is broken where nobody asks for it: `python -m evals.asked_rates` writes `bot/advisor/rates.yaml`.

Counted in the incidents of `evals/incidents` in which nothing is wrong, or a rule that somebody asks about; that one is not counted. Who
asks about somebody whose manifests break many rules more probably means one that few others break. Progress goes to standard error.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from unittest.mock import patch

from bot.advisor.question import Question
from bot.advisor.rates import PATH, UNKNOWN, write
from evals.fleet.folder import read_incident
from evals.incident_runs import folders, staged
from knowledge.home import default_home
from knowledge.search import Library
from tools.casebook import asks, rules
from tools.diagnose import Diagnosis, Within, diagnose
from tools.snapshot import Snapshot

Say = Callable[[str], None]


def broken_in(folder: Path, library: Library) -> frozenset[str]:
    """The rules (by id) that are broken in the scope of an incident's question."""
    found: set[str] = set()

    def judged(snapshot: Snapshot, within: Within, *_more: object) -> Diagnosis:
        told = diagnose(snapshot, within, {}, rules())
        found.update(one.id for one in told.findings if one.id in rules())
        return told

    # All rules are looked at, whatever the question asks for.
    every = patch("bot.advisor.advisor.asks", lambda **_: asks(rules=True))
    with every, patch("bot.advisor.advisor.diagnose", judged), staged(folder, library) as (incident, advisor):
        advisor.answer(Question(incident.question, at=None if incident.asked is None else incident.at))
    return frozenset(found)


def counted(all_of: Collection[Path], library: Library, say: Say) -> dict[str, float]:
    """The share of scopes in which each rule is broken, by rule."""
    broken: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for done, folder in enumerate(all_of, 1):
        expected = {one.id for one in read_incident(folder).expected}
        told = broken_in(folder, library)
        seen.update(rule for rule in rules() if rule not in expected)
        broken.update(told - expected)
        if done % 20 == 0:
            say(f"{done} of {len(all_of)} incidents looked at")
    return {rule: round(broken[rule] / seen[rule], 3) if seen[rule] else UNKNOWN for rule in sorted(rules())}


def main(say: Say = lambda line: print(line, file=sys.stderr)) -> None:
    """Count and write."""
    known = set(rules())
    those = [one for one in folders() if {each.id for each in read_incident(one).expected} <= known]
    found = counted(those, Library.open(default_home()), say)
    write(found, len(those))
    print(
        f"{len(those)} incidents without a fault: {sum(one > 0.5 for one in found.values())} of {len(found)} rules are broken in most of them ({PATH.name})"
    )


if __name__ == "__main__":
    main()
