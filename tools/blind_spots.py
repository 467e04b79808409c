"""What could not be seen, told once for all that it leaves undecided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tools.finding import BlindSpot
from tools.outcomes import Outcome, Verdict
from tools.reading import Reason
from tools.snapshot import Snapshot


def blind_spots(outcomes: Sequence[Outcome], snapshot: Snapshot) -> tuple[BlindSpot, ...]:
    spots = [BlindSpot(source.name, str(source.blind)) for source in snapshot.sources if source.blind is not None]
    said = {str(source.blind) for source in snapshot.sources}
    groups: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    # What exporters leave off by default would fill a page on most fleets: said in one line.
    off: dict[str, set[str]] = {}
    for outcome in outcomes:
        if outcome.verdict is not Verdict.BLIND or outcome.unseen is None:
            continue
        if outcome.unseen.blind is not None and outcome.unseen.blind.reason is Reason.NOT_DEFAULT:
            off.setdefault(outcome.unseen.name, set()).add(outcome.case.id)
        elif (why := str(outcome.unseen.blind)) not in said:
            groups[outcome.unseen.name, why]["subjects"].add(str(outcome.unseen.subject))
            groups[outcome.unseen.name, why]["checks"].add(outcome.case.id)
    for (name, why), group in sorted(groups.items()):
        whom = sorted(group["subjects"])
        of = ", ".join(whom[:3]) + (f" and {len(whom) - 3} more" if len(whom) > 3 else "")
        undecided = ", ".join(sorted(group["checks"]))
        spots.append(BlindSpot(f"{name} of {of}", f"{why}. Undecided: {undecided}"))
    if off:
        names = sorted(off)
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        undecided = ", ".join(sorted(set().union(*off.values())))
        spots.append(
            BlindSpot(
                "Readings that are off by default",
                f"{', '.join(names[:4])}{more}: not exported here. Undecided: {undecided}",
            )
        )
    return tuple(spots)
