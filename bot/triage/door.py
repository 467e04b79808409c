"""Who may post alerts: whoever knows the token, shown as a bearer token, a password or a signature of the body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

# Grafana 12 signs with the first (and signs the time too, when a header for it is named there); ours is the second.
SIGNATURES = ("x-grafana-alerting-signature", "x-rackside-signature")
STAMP = "x-grafana-alerting-timestamp"
STALE_S = 300.0
OFF = "alerts are off: set RACKSIDE_ALERTS_TOKEN (and `alerts` in the settings file) and start again; docs/alerts.md says how"
REFUSED = "the token is missing or wrong: send it as `Authorization: Bearer TOKEN`, as the password of basic authentication, or sign the body"


def allowed(headers: Mapping[str, str], body: bytes, token: str, now: float) -> bool:
    """Does the request show the token? Headers in lower case. Every comparison takes the same time."""
    if not token:
        return False
    kind, _, shown = headers.get("authorization", "").strip().partition(" ")
    if kind.lower() == "bearer":
        return _same(shown.strip(), token)
    if kind.lower() == "basic":
        return _same(_password(shown), token)
    return any(_signed(headers.get(name, ""), headers.get(STAMP, ""), body, token, now) for name in SIGNATURES)


def sign(body: bytes, token: str, stamp: str = "") -> str:
    """The signature of a body: HMAC-SHA256 in hex, over `stamp:body` where there is a stamp."""
    signed = f"{stamp}:".encode() + body if stamp else body
    return hmac.new(token.encode(), signed, hashlib.sha256).hexdigest()


def _signed(shown: str, stamp: str, body: bytes, token: str, now: float) -> bool:
    if not shown:
        return False
    if stamp:
        try:
            at = float(stamp)
        except ValueError:
            return False
        # Seconds, or milliseconds.
        if not abs(now - (at / 1000 if at > 1e11 else at)) <= STALE_S:
            return False
    return _same(shown.strip().removeprefix("sha256="), sign(body, token, stamp))


def _password(shown: str) -> str:
    try:
        return base64.b64decode(shown.strip(), validate=True).decode("utf-8").partition(":")[2]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
