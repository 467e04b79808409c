"""What people say of items, laid over what live evidence says: attested, expired, waived.

A person speaks where no machine can see. Against live evidence an attestation does not stand: the item goes on failing, and the
contradiction is said. Only a waiver lets a failing item be, by name, with a reason and an end.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.audit import Judged
from bot.mrkdwn import visible, web_address
from bot.store.readiness import DAY_S, Mark, MarkKind, Place, Readiness

# Nothing is vouched for, or let be, for longer than a year and a bit.
LONGEST_S = 400 * DAY_S
_LONGEST_TEXT = 500


class MarkProblem(ValueError):  # noqa: N818 - what people read
    """A mark cannot be made; the message says what is missing, `field` where: evidence, note, until, or '' for none of them."""

    def __init__(self, said: str, field: str = "") -> None:
        """Say it, of a field."""
        super().__init__(said)
        self.field = field


def attest(
    readiness: Readiness,
    item: str,
    place: Place,
    *,
    by: str,
    evidence: str,
    until: float,
    now: float,
    note: str = "",
    name: str = "",
) -> Mark:
    """Write down that a person showed an item to hold; raises MarkProblem without a link, a name or an end in time.

    With a `name` it is stored once, however often it is said.
    """
    link = evidence.strip()
    if not web_address(link):
        raise MarkProblem(
            f"the evidence must be a link (https://...), so that the next reader can follow it: {link!r}", "evidence"
        )
    return _made(readiness, "attested", item, place, by=by, until=until, now=now, evidence=link, note=note, name=name)


def waive(
    readiness: Readiness, item: str, place: Place, *, by: str, reason: str, until: float, now: float, name: str = ""
) -> Mark:
    """Write down that an item need not hold for a while; raises MarkProblem without a reason, a name or an end in time.

    With a `name` it is stored once, however often it is said.
    """
    if not visible(reason).strip():
        raise MarkProblem("a waiver needs a reason that the next reader can judge", "note")
    return _made(readiness, "waived", item, place, by=by, until=until, now=now, note=reason, name=name)


def _made(
    readiness: Readiness,
    kind: MarkKind,
    item: str,
    place: Place,
    *,
    by: str,
    until: float,
    now: float,
    evidence: str = "",
    note: str = "",
    name: str = "",
) -> Mark:
    whom = " ".join(visible(by).split())
    if not whom:
        raise MarkProblem("say who: a name, or the name of a team")
    if not math.isfinite(until):
        raise MarkProblem("its end is no date: write for example 2027-03-01", "until")
    if until <= now:
        raise MarkProblem(f"its end, {day(until)}, is past: give a date to come", "until")
    if until - now > LONGEST_S:
        raise MarkProblem(
            f"its end, {day(until)}, is more than 400 days away: things change sooner, give an earlier date",
            "until",
        )
    said = " ".join(visible(note).split())
    if max(len(whom), len(said)) > _LONGEST_TEXT:
        raise MarkProblem(f"at most {_LONGEST_TEXT} characters, please: what is longer belongs behind the link", "note")
    return readiness.mark(kind, item, place, by=whom, until=until, evidence=evidence, note=said, name=name)


def marked(judged: Iterable[Judged], marks: Iterable[Mark], place: Place, now: float) -> list[Judged]:
    """The items of a place with what people said of them at `now` (seconds since the epoch)."""
    by_item: dict[str, list[Mark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda one: (one.at, one.id)):
        if mark.place.cluster == place.cluster:
            by_item[mark.item].append(mark)
    return [_marked(one, by_item[one.item.id], place, now) if one.item.id in by_item else one for one in judged]


def _marked(one: Judged, marks: Sequence[Mark], place: Place, now: float) -> Judged:
    attested = _attested(one, [mark for mark in marks if mark.kind == "attested" and mark.place.covers(place)], now)
    return _waived(attested, [mark for mark in marks if mark.kind == "waived"], place, now)


def _attested(one: Judged, marks: Sequence[Mark], now: float) -> Judged:
    standing = [mark for mark in marks if mark.stands(now)]
    over = [mark for mark in marks if mark.over(now)]
    if standing:
        mark = max(standing, key=lambda mark: mark.until)
        told = f"attested by {mark.by} until {day(mark.until)}: {mark.evidence}"
        if one.state == "attest":
            return replace(one, state="attested", why=told)
        if one.state == "unknown":
            return replace(one, state="attested", why=f"{told}; no machine could see it ({one.why})")
        if one.state == "fail":
            return replace(
                one, why=f"{one.why}; {mark.by} attested it ({mark.evidence}), and live evidence speaks against"
            )
        return one
    if over and one.state in {"attest", "unknown"}:
        last = max(over, key=lambda mark: mark.until)
        told = f"{last.by}'s attestation ended on {day(last.until)}: {last.evidence}"
        unseen = f"; no machine could see it ({one.why})" if one.state == "unknown" else ""
        return replace(one, state="expired", why=f"{told}{unseen}")
    return one


def _waived(one: Judged, marks: Sequence[Mark], place: Place, now: float) -> Judged:
    if one.state not in {"fail", "unknown", "attest", "expired"}:
        return one
    standing = [mark for mark in marks if mark.stands(now)]
    whole = [mark for mark in standing if mark.place.covers(place)]
    if whole:
        told = _words(max(whole, key=lambda mark: mark.until))
        waived = dict.fromkeys((*one.failing, *one.blind), told)
        return replace(one, state="waived", why=f"{told}; it would be: {one.why}", broken=(), blind={}, waived=waived)
    over = [mark for mark in marks if mark.over(now) and mark.place.covers(place)]
    if over:
        last = max(over, key=lambda mark: mark.until)
        one = replace(one, why=f"{one.why}; {last.by}'s waiver ended on {day(last.until)}")
    exempt: dict[str, str] = {}
    for subject in (*one.failing, *one.blind):
        for mark in standing:
            if mark.place.covers(place_of(subject, place.cluster)):
                exempt[subject] = _words(mark)
    if not exempt:
        return one
    broken = tuple(told for told in one.broken if told.subject not in exempt)
    blind = {subject: why for subject, why in one.blind.items() if subject not in exempt}
    rest = replace(one, broken=broken, blind=blind, waived=exempt)
    of = f"{len(exempt)} waived ({next(iter(exempt.values()))})"
    if broken:
        failing = len(rest.failing)
        looked_at = len(rest.quiet) + failing
        return replace(
            rest, why=f"{failing} of {looked_at} looked at {'does' if failing == 1 else 'do'} not hold it; {of}"
        )
    if blind:
        return replace(rest, state="unknown", why=f"{next(iter(blind.values()))}; {of}")
    # What is left holds, but what was let be is no pass.
    return replace(rest, state="waived", why=of)


def place_of(subject: str, cluster: str) -> Place:
    """Where a printed subject lies; nodes, GPUs and the cluster lie in no namespace."""
    parts = subject.split("/")
    named = len(parts) == 3 and parts[0] not in {"gpu", "node", "cluster"}
    return Place(cluster, parts[1], parts[2]) if named else Place(cluster)


def day(moment: float) -> str:
    """The date, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def _words(mark: Mark) -> str:
    return f"waived by {mark.by} until {day(mark.until)}: {mark.note}"
