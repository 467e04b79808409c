"""Kept audits compared: what is new, fixed, worse or newly unseen between two, and since when an item fails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.audit import Broken, Judged
from bot.audit_output import Report
from bot.audit_score import score
from bot.store.readiness import Kept, KeptCell, KeptItem, Past
from knowledge.items import SEVERITIES

# new: fails and did not. fixed: failed, and the check that found it was made again and holds. worse, better: fails on more, on fewer
# subjects. blind: was decided and cannot be seen, or what it was decided by is no longer told. seen: can be seen again, and holds. gone: what failed is no longer there. lapsed: an
# attestation ended. attested, waived: a person said so. added, dropped: the checklists changed.
ChangeKind = Literal[
    "new", "worse", "blind", "lapsed", "fixed", "better", "seen", "attested", "waived", "gone", "added", "dropped"
]
_MOST_SAID = 300


@dataclass(frozen=True, slots=True)
class Change:
    """How one item differs between two audits; `subjects` are those that make the difference."""

    kind: ChangeKind
    id: str
    title: str
    checklist: str
    severity: str
    owners: tuple[str, ...]
    was: str
    now: str
    why: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Streak:
    """How long an item has been in the state of its last audit.

    `first` is the first audit that showed it, `before` the one before that which showed something else (None at the beginning of
    what is kept); `unseen` counts audits in between that could not see it.
    """

    state: str
    first: Past
    last: Past
    before: Past | None
    unseen: int


def to_keep(report: Report, name: str, extra: str = "{}") -> Kept:
    """An audit in the form that is kept, under an id."""
    whole = score(report.judged)
    items = tuple(sorted(map(_item, report.judged), key=lambda one: one.id))
    subjects = {subject for one in report.judged for subject in one.cells()}
    return Kept(
        name,
        report.place,
        report.at,
        whole.held,
        whole.verified,
        frozenset(subjects),
        report.unseen,
        items,
        extra,
    )


def _item(one: Judged) -> KeptItem:
    first: dict[str, Broken] = {}
    remedies: dict[str, str] = {}
    for broken in one.broken:
        first.setdefault(broken.subject, broken)
        remedies.setdefault(broken.check, broken.remedy)
    cells = [KeptCell(subject, "fail", told.said[:_MOST_SAID], told.check) for subject, told in first.items()]
    cells += [KeptCell(subject, "unknown", why[:_MOST_SAID]) for subject, why in one.blind.items()]
    cells += [KeptCell(subject, "waived", why[:_MOST_SAID]) for subject, why in one.waived.items()]
    taken = {cell.subject for cell in cells}
    cells += [KeptCell(who, "silent", "", ",".join(checks)) for who, checks in one.silent.items() if who not in taken]
    item = one.item
    known = tuple(sorted((check, remedy) for check, remedy in remedies.items() if remedy))
    order = tuple(sorted(cells, key=lambda cell: cell.subject))
    return KeptItem(item.id, item.pack, item.title, item.severity, item.owners, one.state, one.why, known, order)


def changes(before: Kept, after: Kept) -> list[Change]:
    """What differs, worst items first within each kind."""
    old = {one.id: one for one in before.items}
    new = {one.id: one for one in after.items}
    found: list[Change] = []
    for name, item in new.items():
        found += _compared(old[name], item, after.subjects) if name in old else [_change("added", None, item)]
    found += [_change("dropped", item, None) for name, item in old.items() if name not in new]
    return sorted(found, key=lambda one: (_rank(one.severity), -len(one.subjects), one.id))


def _compared(old: KeptItem, new: KeptItem, there: frozenset[str]) -> list[Change]:
    failed, fails = old.subjects("fail"), new.subjects("fail")
    hidden = _hidden(old, new)
    mended = (failed - fails - hidden - new.subjects("waived")) & there
    if old.state == new.state == "fail":
        told: tuple[tuple[ChangeKind, frozenset[str]], ...] = (
            ("worse", fails - failed), ("blind", hidden), ("better", mended),
        )  # fmt: skip
        return [_change(kind, old, new, subjects) for kind, subjects in told if subjects]
    if old.state == new.state:
        return []
    if old.state == "fail" and new.state not in {"unknown", "waived"}:
        holds = mended if new.state != "not_applicable" else frozenset()
        told = (("fixed", holds), ("blind", hidden))
        found = [_change(kind, old, new, subjects) for kind, subjects in told if subjects]
        return found or [_change("gone", old, new, failed)]
    kind = _kind(old, new)
    return [_change(kind, old, new, fails if kind == "new" else failed)] if kind else []


def _hidden(old: KeptItem, new: KeptItem) -> frozenset[str]:
    """Those that failed and of which nobody can say now whether they still do: not seen, or not told what the check went by."""
    silent = {cell.subject: cell.check.split(",") for cell in new.cells if cell.state == "silent"}
    failed = [cell for cell in old.cells if cell.state == "fail"]
    unseen = new.subjects("unknown")
    return frozenset(
        cell.subject for cell in failed if cell.subject in unseen or cell.check in silent.get(cell.subject, ())
    )


def _kind(old: KeptItem, new: KeptItem) -> ChangeKind | None:
    if new.state == "fail":
        return "new"
    if new.state == "unknown":
        return "blind" if old.state not in {"not_applicable", "attest", "expired"} else None
    if new.state == "waived":
        return "waived"
    if new.state == "attested":
        return "attested"
    if old.state == "attested" or new.state == "expired":
        return "lapsed"
    if old.state == "unknown" and new.state in {"pass", "attest"}:
        return "seen"
    return None


def _change(
    kind: ChangeKind, old: KeptItem | None, new: KeptItem | None, subjects: frozenset[str] = frozenset()
) -> Change:
    item = new or old
    assert item is not None
    return Change(
        kind, item.id, item.title, item.checklist, item.severity, item.owners, old.state if old else "", new.state if new else "",
        item.why, tuple(sorted(subjects)),
    )  # fmt: skip


def of(found: Iterable[Change], *kinds: ChangeKind) -> list[Change]:
    """The changes of some kinds, in their order."""
    return [one for one in found if one.kind in kinds]


def streak(past: Sequence[Past]) -> Streak | None:
    """Since when an item is what it is in the last audit, None without any; what could not be seen in between ends nothing."""
    if not past:
        return None
    last = past[-1]
    first, before, unseen, waiting = last, None, 0, 0
    for one in reversed(past[:-1]):
        if one.state == last.state:
            first, unseen = one, unseen + waiting
            waiting = 0
        elif one.state == "unknown":
            before = before if waiting else one
            waiting += 1
        else:
            # Unseen audits right before the first one leave open when it began.
            before = one
            break
    return Streak(last.state, first, last, before, unseen)


def _rank(severity: str) -> int:
    known = list(SEVERITIES)
    return known.index(severity) if severity in known else len(known)
