"""Names, uids and addresses as a cluster gives them, reproducible from the recipe's seed."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes draws names from: no vowels, no look-alikes


def digest(*parts: object) -> bytes:
    """A hash of the parts, the same in every process."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


def suffix(length: int, *parts: object) -> str:
    """A random-looking name part as ReplicaSets and pods carry it."""
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest(*parts)[:length])


def uid(*parts: object) -> str:
    """An object's uid."""
    return str(uuid.UUID(bytes=digest("uid", *parts)[:16], version=4))


def hexes(length: int, *parts: object) -> str:
    """Hexadecimal digits, as container and image ids have them."""
    return (digest(*parts).hex() * 2)[:length]


def stamp(at: float) -> str:
    """RFC 3339 in UTC with whole seconds, as the API server writes times."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(at: float) -> str:
    """RFC 3339 in UTC with nanosecond digits, as container logs and Event times carry it."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{int(at * 1e9) % 1000:03d}Z"


def seed_of(*parts: object) -> int:
    """A seed for a random generator of its own."""
    return int.from_bytes(digest("seed", *parts)[:8], "big")
