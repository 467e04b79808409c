"""What can go wrong with an API server, as switches; every switch holds until `heal`."""

from __future__ import annotations

import threading


class Faults:
    """Switches that a test turns while the stand-in answers."""

    def __init__(self) -> None:
        """Nothing is wrong."""
        self.heal()

    def heal(self) -> None:
        """Turn everything off and let go of held requests."""
        held = getattr(self, "_held", None)
        if held is not None:
            held.set()
        self._held: threading.Event | None = None
        self._forbidden: dict[str, frozenset[str] | None] = {}
        self.is_unauthorized = False
        self.pages: int | None = None
        self.expiries = 0
        self.closes = False
        self.nonsense: tuple[bytes, str] | None = None
        self.busy = 0
        self.retry_after = "1"

    def forbid(self, kind: str, *, except_in: tuple[str, ...] = ()) -> None:
        """403 for a resource by its plural (`pods`, `pods/log`); `except_in` names namespaces where it is allowed."""
        self._forbidden[kind] = frozenset(except_in)

    def forbids(self, kind: str, namespace: str) -> bool:
        """Whether a resource is forbidden in a namespace, or cluster-wide when that is empty."""
        allowed = self._forbidden.get(kind)
        return allowed is not None and namespace not in allowed

    def unauthorized(self) -> None:
        """401 for every request."""
        self.is_unauthorized = True

    def gone_after(self, pages: int, times: int = 1) -> None:
        """410 in place of the page that follows so many pages of a list, so many times."""
        self.pages, self.expiries = pages, times

    def expires(self, pages_read: int) -> bool:
        """Whether a list of which so many pages were read expires now; counts it."""
        if self.pages is None or self.expiries < 1 or pages_read < self.pages:
            return False
        self.expiries -= 1
        return True

    def close_connection(self) -> None:
        """Close every connection in the middle of the body."""
        self.closes = True

    def slow(self, until: threading.Event) -> None:
        """Hold every request until the event is set."""
        self._held = until

    def wait(self) -> None:
        """Wait as long as requests are held; a minute at most."""
        if self._held is not None:
            self._held.wait(60)

    def garbage(self, body: bytes = b'{"kind": "PodList", "items": [{', content_type: str = "application/json") -> None:
        """Answer every request with 200 and these bytes."""
        self.nonsense = (body, content_type)

    def overloaded(self, times: int, retry_after: str = "1") -> None:
        """429 for the next requests, with this Retry-After (empty for none)."""
        self.busy, self.retry_after = times, retry_after

    def is_busy(self) -> bool:
        """Whether this request is turned away; counts it."""
        self.busy = max(0, self.busy - 1) if (busy := self.busy > 0) else 0
        return busy
