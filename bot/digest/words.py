"""The sentences of a digest: every form says the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.audit_history import Change, of
from bot.audit_score import percent
from bot.digest.beside import Triaged
from bot.digest.content import Attention, Digest, Ends
from bot.digest.spending import Idle
from bot.store.readiness import Run

_BARS = "▁▂▃▄▅▆▇█"
NO_INCIDENT = "Rackside was asked about no workload here since the last digest."
UNCHANGED = "Rackside only reads: nothing was changed."
# Of which kinds of change it is no good news to hear.
ALARMING = ("new", "worse", "blind", "lapsed")
# An item's title says what has to hold: beside it stands what is the matter with it.
_MATTER = {"fail": "Fails", "expired": "Evidence ended", "unknown": "Not seen"}
_FRESH = {"fail": "new or worse", "expired": "since the last digest", "unknown": "no longer seen"}
HEADINGS = {
    "new": "Newly failing",
    "worse": "Worse",
    "blind": "No longer seen",
    "lapsed": "Evidence ended",
    "fixed": "Fixed",
    "better": "Better",
    "seen": "Seen again",
    "attested": "Attested",
    "waived": "Waived",
    "gone": "Gone with what it stood on",
    "added": "New in the checklists",
    "dropped": "No longer in the checklists",
}


def date(moment: float) -> str:
    """A date, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%-d %b %Y")


def verdict(digest: Digest) -> str:
    """The week in one sentence."""
    failing, grave = len(digest.failing), sum(one.severity == "critical" for one in digest.failing)
    critical = f", {grave} critical" if grave else ""
    seen = f"{percent(digest.now.verified)} verified live"
    if digest.now.score is None:
        return "Nothing here is what the checklists are about."
    if not digest.counts.get("pass", 0) + failing:
        return f"Nothing could be seen, so how ready this is cannot be told (what people attested makes {percent(digest.now.score)})."
    ready = f"{percent(digest.now.score)} ready"
    if digest.before is None:
        return f"Baseline: {ready}, {seen}; {_fails(failing)}{critical}."
    told = [
        f"{len(found)} {word}"
        for word, found in (
            ("new", of(digest.changes, "new")),
            ("worse", of(digest.changes, "worse")),
            ("fixed", of(digest.changes, "fixed")),
            ("no longer seen", of(digest.changes, "blind")),
        )
        if found
    ]
    if not told:
        # A week in which nothing happened is this line alone: what could not be seen all along belongs into it.
        unseen = digest.counts.get("unknown", 0)
        dark = f", {unseen} could not be seen" if unseen else ""
        # Two moments are compared: what failed and recovered in between was not looked at, so it is not said that nothing did.
        by = _by(digest) if moved(digest.before, digest.now) else ""
        return f"As on {date(digest.before.at)}, nothing is new, worse, fixed or out of sight: {ready}{by}, {seen}; {_fails(failing)}{critical}{dark}."
    return f"{ready}{_by(digest)}, {seen}: {', '.join(told)}; {_fails(failing)} in all{critical}."


def counted(changes: Sequence[Change]) -> tuple[tuple[str, int], ...]:
    """What changed as headings with their numbers, in the order of the digest; nothing for what did not happen."""
    found = ((heading, len(of(changes, kind))) for kind, heading in HEADINGS.items())  # type: ignore[arg-type]
    return tuple((heading, count) for heading, count in found if count)


def _fails(count: int) -> str:
    return f"{count} items fail" if count > 1 else "1 item fails" if count else "no item fails"


def _by(digest: Digest) -> str:
    points = moved(digest.before, digest.now)
    if points is None or digest.before is None:
        return ""
    if points == 0:
        return f" (as on {date(digest.before.at)})"
    return f" ({'up' if points > 0 else 'down'} {abs(points)} {'point' if abs(points) == 1 else 'points'} since {date(digest.before.at)})"


def moved(before: Run | None, now: Run) -> int | None:
    """By how many points the score moved, of the numbers as shown."""
    if before is None or before.readiness is None or now.readiness is None:
        return None
    return int(percent(now.readiness).split()[0]) - int(percent(before.readiness).split()[0])


def score(run: Run) -> str:
    """The score of a digest; where nothing could be seen, that."""
    return "not seen" if run.readiness is None else percent(run.readiness)


def sparkline(trend: Sequence[Run]) -> str:
    """The scores of the trend, 0 to 100 %, as small bars; a dot where none was known."""
    return "".join(
        "·" if run.readiness is None else _BARS[min(len(_BARS) - 1, int(run.readiness * len(_BARS)))] for run in trend
    )


def change(one: Change) -> str:
    """One change."""
    whom = f" ({_some(one.subjects)})" if one.subjects else ""
    return f"{one.id} {one.title}{whom}, {_team(one.owners)}"


def headline(one: Attention) -> str:
    """An item's title with what is the matter with it."""
    return f"{_MATTER.get(one.state, one.state.capitalize())}: {one.title}"


def fresh(one: Attention) -> str:
    """That it came since the last digest, empty where it did not."""
    return _FRESH.get(one.state, "") if one.since_last else ""


def since(one: Attention) -> str:
    """Since when it is so, empty where it came since the last digest."""
    if one.since is None or one.since_last:
        return ""
    return f"since {date(one.since)}{' or longer' if one.ever else ''}"


def attention(one: Attention) -> str:
    """What is wrong, on whom."""
    if one.state == "expired":
        return f"its evidence is no longer valid: {one.said}"
    if one.state == "unknown":
        return f"it cannot be seen: {one.said}"
    more = f" And {len(one.subjects) - 1} more like it." if len(one.subjects) > 1 else ""
    others = f" It fails on {one.others} more for other reasons." if one.others else ""
    return f"{one.subjects[0]}: {one.said}{more}{others}" if one.subjects else one.said


def owner(one: Attention) -> str:
    """Whose it is."""
    workloads = f"; workloads of {_some(one.workload_owners, 4)}" if one.workload_owners else ""
    return f"{_team(one.owners)}{workloads}"


def at_stake(one: Attention) -> str:
    """What the GPUs of the workloads or nodes that it stands on cost."""
    if one.usd_per_hour is None:
        return "cost not known" if one.subjects else ""
    return f"the GPUs concerned cost {usd(one.usd_per_hour)} an hour"


def also(one: Attention) -> str:
    """The other items that fail for the same reason, empty where none does."""
    more = f" and {len(one.also) - 6} more" if len(one.also) > 6 else ""
    return f"also {', '.join(one.also[:6])}{more}" if one.also else ""


def costs(digest: Digest) -> str:
    """What the place costs, and the GPU-hours that nobody used."""
    now, before = digest.spending, digest.spending_before
    if not now.known:
        return f"What it costs is not known: {now.why}."
    if not now.gpus:
        return "No GPU is there, so there is nothing to pay for one."
    gpus = f"{now.gpus:g} GPUs" if now.gpus != 1 else "1 GPU"
    if now.usd_per_hour is None:
        told = f"{gpus}, without a price"
    else:
        told = f"{gpus}, {usd(now.usd_per_hour)} an hour"
        if before is not None and before.usd_per_hour is not None:
            by = now.usd_per_hour - before.usd_per_hour
            if not (now.whole and before.whole):
                # What was not seen, or has no price, would look like money saved.
                told += " (not compared with the last digest: not all was seen and priced both times)"
            elif abs(by) >= 0.01:
                told += f" ({'+' if by > 0 else '-'}{usd(abs(by))} since the last digest)"
    if now.unpriced:
        told += f"; {now.unpriced:g} {'has' if now.unpriced == 1 else 'have'} no price"
    if now.blind:
        told += f"; of what could be seen ({'; '.join(now.blind)})"
    parts = [
        f"{hours:.1f} {kind}{f' ({usd(price)})' if (price := now.usd.get(kind)) is not None else ''}"
        for kind in ("idle", "stranded", "free", "unseen")
        if (hours := now.hours.get(kind, 0.0)) >= 0.05
    ]
    total = sum(now.hours.values())
    if total:
        told += f". Of {total:.1f} GPU-hours {_during(now.window, digest.now.at)}: {', '.join(parts) if parts else 'all used or kept warm'}"
    return f"{told}."


def _during(window: str, until: float) -> str:
    """The window with its beginning: on a Monday, the day before is a Sunday, and whoever reads it has to know."""
    from tools.costs import WindowError, window_of

    try:
        text, hours = window_of(window)
    except WindowError:
        return f"in {window}"
    begun = datetime.fromtimestamp(until - hours * 3600, UTC)
    return f"in the {text} since {begun.strftime('%A %-d %b %H:%M')} UTC"


def idle(one: Idle) -> str:
    """One workload's idle hours."""
    whose = one.owner or one.owner_unseen or "no owner label"
    price = f", {usd(one.usd)}" if one.usd is not None else ""
    return f"{one.workload} ({whose}): {one.gpu_hours:.1f} GPU-hours{price}: {one.reason}"


def triaged(one: Triaged) -> str:
    """One incident and its end."""
    return f"{one.title} ({one.subject}): {one.ended}" if one.subject else f"{one.title}: {one.ended}"


def ends(one: Ends) -> str:
    """One mark that ends."""
    what = "attestation" if one.mark.kind == "attested" else "waiver"
    verb = "ended" if one.over else "ends"
    return f"{one.mark.item} {one.title}: {one.mark.by}'s {what} {verb} on {date(one.mark.until)}"


def blind(why: str, ids: Sequence[str]) -> str:
    """One reason why items cannot be seen."""
    shown = ", ".join(ids[:6]) + (f" and {len(ids) - 6} more" if len(ids) > 6 else "")
    return f"{shown}: {why}"


def usd(amount: float) -> str:
    """Money; whole dollars from a hundred on."""
    return f"${amount:,.0f}" if amount >= 100 else f"${amount:,.2f}"


def _team(owners: Sequence[str]) -> str:
    return " and ".join(owners) or "nobody"


def _some(subjects: Sequence[str], most: int = 2) -> str:
    more = f" and {len(subjects) - most} more" if len(subjects) > most else ""
    return ", ".join(subjects[:most]) + more
