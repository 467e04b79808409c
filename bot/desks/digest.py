"""A digest that is due, and its full report in the thread."""

from __future__ import annotations

from bot.access.narrow import narrowed
from bot.access.places import placed
from bot.access.visit import allowed
from bot.blocks import plain
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.digest.content import Digest
from bot.digest.schedule import lateness
from bot.settings import SettingsProblem
from bot.store.readiness import DAY_S, Kept, Place, Readiness
from bot.store.records import Ask
from bot.store.subscriptions import Subscription, Subscriptions

KINDS = ("digest", "digest_report")
NARROWS = KINDS
GONE = "This digest is no longer kept, so its full report cannot be shown. `rackside digest` makes a new one."


def open_desk(bench: Bench) -> Desk:
    """The desk."""
    readiness, subscriptions = Readiness(bench.store.engine), Subscriptions(bench.store.engine)

    def compose(ask: Ask, progress: Progress) -> Composed:
        if ask.kind == "digest_report":
            return _report(ask, readiness)
        name = str(ask.payload.get("subscription", ""))
        subscription = subscriptions.subscription(name) if name else None
        place, refusal = placed(_place(ask, subscription), allowed())
        if refusal:
            return composed(plain(refusal), good=False)
        # Not before it is needed: it loads every check.
        from bot.audit_run import NoSuchWorkload

        try:
            found = made(bench, readiness, ask, subscription, place, progress)
        except NoSuchWorkload:
            said = f"Nothing runs in {place} any more that could be audited: was it renamed, moved or taken away?"
            return composed(plain(_with_end(said, subscription)), good=False)
        except SettingsProblem as problem:
            said = f"The digest of {place} could not be made: {problem}."
            return composed(plain(_with_end(said, subscription)), good=False)
        return _composed(found, subscription)

    return compose


def _with_end(said: str, subscription: Subscription | None) -> str:
    """What is said of a digest that cannot be made any more, with the way to end it."""
    return said if subscription is None else f"{said} `rackside digest unsubscribe {subscription.id}` ends this digest."


def _place(ask: Ask, subscription: Subscription | None) -> Place:
    return subscription.place if subscription is not None else Place(**(ask.payload.get("place") or {}))


def made(
    bench: Bench, readiness: Readiness, ask: Ask, subscription: Subscription | None, place: Place, progress: Progress
) -> Digest:
    """The digest of an ask: its audit is taken once and kept under the ask's key, so that a second time tells the same."""
    from bot.audit_run import within_of
    from bot.digest import incidents, make
    from tools.diagnose import diagnose

    assert bench.settings is not None
    prefix = f"digest:{subscription.id}:" if subscription is not None else "digest:"
    now = bench.clock()
    kept = readiness.run(ask.key)
    if kept is None:
        from bot.app import make_library

        progress("reads the fleet")
        snapshot = narrowed(make.look(bench.settings, place, now), allowed())
        progress("holds it against the checklists")
        before = readiness.latest(place, now, prefix)
        since = before.at if before is not None else now - 7 * DAY_S
        found = diagnose(snapshot, within_of(place), bench.settings.limits)
        told_of = incidents.triaged(
            bench.store.engine,
            ask.channel,
            place,
            since,
            now,
            snapshot,
            found,
            subscription.team if subscription else "",
        )
        items = make_library(bench.settings).items()
        kept, _ = make.judged(bench.settings, items, place, snapshot, readiness, ask.key, told_of, found=found)
        if not readiness.keep(kept):
            kept = readiness.run(ask.key) or kept
        readiness.prune()
    late = ""
    if subscription is not None and "due" in ask.payload:
        late = lateness(float(ask.payload["due"]), kept.at, subscription.zone)
    return make.digest(readiness, kept, prefix=prefix, late=late)


def _composed(found: Digest, subscription: Subscription | None) -> Composed:
    from bot.digest.slack import messages

    first, *more = messages(found, subscription.id if subscription is not None else "")
    return composed(first, more=more)


def _report(ask: Ask, readiness: Readiness) -> Composed:
    from bot.digest import make
    from bot.digest.report import messages

    kept: Kept | None = readiness.run(str(ask.payload.get("key", "")))
    if kept is None:
        return composed(plain(GONE), good=False)
    _, refusal = placed(kept.place, allowed())
    if refusal:
        return composed(plain(refusal), good=False)
    first, *more = messages(make.digest(readiness, kept, prefix=kept.id.rpartition(":")[0] + ":"))
    return composed(first, more=more)
