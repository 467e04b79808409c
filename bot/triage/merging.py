"""What is known of a group's alerts after a notice, which may be late, repeated, or not tell of all of them."""

from __future__ import annotations

from bot.triage.alert import Alert, Notice

ALERTS_MOST = 1500


def after(items: dict[str, Alert], notice: Notice, now: float) -> dict[str, Alert]:
    """The alerts of an episode after a notice. What came late is left as it is known better."""
    merged = dict(items)
    for one in notice.alerts:
        known = items.get(one.fingerprint)
        back = known is None or (known.state == "resolved" and one.state == "firing")
        # A sender's clock may be ahead, and Alertmanager lets an alert without a beginning begin at its end.
        began = min(one.starts_at, now) or (now if known is None or back else known.starts_at)
        ended = (min(one.ends_at, now) or now) if one.state == "resolved" else 0.0
        kept = Alert(one.labels, one.annotations, one.state, began, ended, one.url, one.fingerprint)
        if known is None or not _late(kept, known):
            # Alertmanager repeats the end of an alert with the same time; only others would move it.
            same_end = known is not None and known.state == kept.state == "resolved"
            merged[one.fingerprint] = known if same_end and known is not None else kept
    told = {one.fingerprint for one in notice.alerts}
    for name, known in items.items():
        if known.state == "firing" and name not in told and (notice.whole or notice.state == "resolved"):
            merged[name] = Alert(known.labels, known.annotations, "resolved", known.starts_at, now, known.url, name)
    if len(merged) > ALERTS_MOST:
        order = sorted(merged, key=lambda name: (merged[name].state == "firing", merged[name].starts_at), reverse=True)
        merged = {name: merged[name] for name in order[:ALERTS_MOST]}
    return merged


def fresh(items: list[Alert], notice: Notice) -> bool:
    """Does a notice tell of an alert that fires, and that is not known to be over?"""
    known = {one.fingerprint: one for one in items}
    return any(
        one.state == "firing"
        and (one.fingerprint not in known or not one.starts_at or not _late(one, known[one.fingerprint]))
        for one in notice.alerts
    )


def _late(new: Alert, known: Alert) -> bool:
    """Was this told before what is known already? (Two deliveries may overtake each other.)"""
    if new.starts_at < known.starts_at:
        return new.state == "firing" or new.ends_at <= known.starts_at
    return new.state == "firing" and known.state == "resolved" and new.starts_at == known.starts_at
