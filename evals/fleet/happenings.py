"""Events as the API server keeps them: aggregated by object, reason and message, forgotten after an hour."""

from __future__ import annotations

from dataclasses import dataclass

KEPT = 3600.0


@dataclass(slots=True)
class Happening:
    """One Event about one object, with how often it came."""

    kind: str
    namespace: str
    name: str
    uid: str
    reason: str
    message: str
    type: str
    component: str
    host: str
    first: float
    last: float
    count: int
    field: str = ""


class Happenings:
    """All Events of the cluster."""

    def __init__(self) -> None:
        """Nothing happened yet."""
        self._kept: dict[tuple[str, ...], Happening] = {}

    def add(
        self,
        at: float,
        about: tuple[str, str, str, str],
        reason: str,
        message: str,
        component: str,
        *,
        warning: bool = False,
        host: str = "",
        field: str = "",
    ) -> None:
        """Record that something happened to ``about`` (kind, namespace, name, uid) at a time."""
        key = (*about, reason, message, component)
        seen = self._kept.get(key)
        if seen is not None and at - seen.last < KEPT:
            seen.last = at
            seen.count += 1
            return
        kind = "Warning" if warning else "Normal"
        self._kept[key] = Happening(*about, reason, message, kind, component, host, at, at, 1, field)

    def at(self, now: float) -> list[Happening]:
        """What is still kept at a time, oldest first."""
        kept = [h for h in self._kept.values() if h.last >= now - KEPT]
        return sorted(kept, key=lambda h: (h.last, h.namespace, h.name, h.reason))
