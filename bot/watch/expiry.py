"""What ends: attestations, waivers, and certificates where some exporter tells of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from bot.audit_marks import day
from bot.store.readiness import DAY_S, Mark, Place
from bot.watch.notice import Found, Looked
from tools.reading import Blind, Reason
from tools.sources.prom import PromSource, Result

# cert-manager, x509-certificate-exporter, blackbox-exporter: the moment of the end, in seconds since the epoch.
CERTIFICATES = (
    "certmanager_certificate_expiration_timestamp_seconds",
    "x509_cert_not_after",
    "probe_ssl_earliest_cert_expiry",
)
# What ended longer ago than this is no news.
FORGOTTEN_S = 30 * DAY_S


def ending(marks: Iterable[Mark], place: Place, now: float, days: float) -> list[Found]:
    """Attestations and waivers of a place that end within days, or ended lately and were not renewed."""
    latest: dict[tuple[str, str, Place], Mark] = {}
    for mark in marks:
        ours = place.covers(mark.place) or mark.place.covers(place)
        if ours and mark.withdrawn_at is None and mark.at <= now:
            key = (mark.kind, mark.item, mark.place)
            if key not in latest or latest[key].until < mark.until:
                latest[key] = mark
    found: list[Found] = []
    for mark in sorted(latest.values(), key=lambda one: (one.until, one.item)):
        if now - FORGOTTEN_S < mark.until <= now + days * DAY_S:
            what = "attestation" if mark.kind == "attested" else "waiver"
            verb = "ended" if mark.until <= now else "ends"
            propose = (
                f"Show it anew: `rackside audit attest {mark.item} --evidence URL --by NAME --expires DATE`."
                if mark.kind == "attested"
                else "Mend it, or waive it anew with a reason that still holds."
            )
            found.append(
                Found(f"{what} {mark.item} of {mark.place}", f"it {verb} on {day(mark.until)}.", mark.by, propose)
            )
    return found


def certificates(prom: PromSource | Blind, now: float, days: float, matchers: str = "") -> Looked:
    """Certificates that end within days, asked in one request; not known where nothing tells of them."""
    if isinstance(prom, Blind):
        # Where no Prometheus is set, that is meant.
        dark = "" if prom.reason is Reason.NOT_SET else f"Prometheus: {prom}"
        return Looked(unknown=(("certificates", str(prom)),), dark=dark)
    more = f",{matchers}" if matchers else ""
    return of_certificates(prom.query(f'{{__name__=~"{"|".join(CERTIFICATES)}"{more}}}', now), now, days)


def of_certificates(result: Result, now: float, days: float) -> Looked:
    """The same from an answer."""
    ends: dict[str, float] = {}
    untold: list[str] = []
    for row in result.rows:
        name = _name(row.labels)
        if row.value > 0 and math.isfinite(row.value):
            ends[name] = min(row.value, ends.get(name, math.inf))
        else:
            untold.append(name)
    # Exporters tell 0, or nothing at all, of a certificate that was never issued.
    unknown = [(name, "its end is not told: was it ever issued?") for name in sorted(set(untold) - ends.keys())]
    if result.blind is not None:
        unknown.append(("certificates", str(result.blind)))
    elif not ends and not untold:
        unknown.append(("certificates", "no exporter tells of any"))
    found = [
        Found(
            name,
            f"it {'ended' if until <= now else 'ends'} on {day(until)}.",
            "",
            "Look why it was not renewed: its issuer, its order, its secret.",
        )
        for name, until in sorted(ends.items(), key=lambda one: (one[1], one[0]))
        if until <= now + days * DAY_S
    ]
    return Looked(tuple(found), tuple(unknown), "" if result.blind is None else f"Prometheus: {result.blind}")


def _name(labels: Mapping[str, str]) -> str:
    space = labels.get("exported_namespace") or labels.get("secret_namespace") or labels.get("namespace") or ""
    name = (
        labels.get("name")
        or labels.get("secret_name")
        or labels.get("filepath")
        or labels.get("subject_CN")
        or labels.get("instance")
        or "without a name"
    )
    own = labels.get("__name__") != "probe_ssl_earliest_cert_expiry" and space
    return f"certificate {space}/{name}" if own else f"certificate {name}"
