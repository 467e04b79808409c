"""The fake beside the Kubernetes source: answers what a test prepared and refuses everything else."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from tools.reading import Blind, Reason
from tools.sources.kube import KINDS, Listing, LogRead, ScrapeRead, path_of
from tools.sources.kube_texts import METRIC_PATHS


class FakeKube:
    """Prepared lists by kind and logs by (namespace, pod, container, previous).

    `asked` records every call in order, as ("list", kind), ("logs", namespace, pod, container, previous), ("scrape", namespace, pod,
    port, path), ("can_i", verb, resource) or ("version",). What nobody prepared raises AssertionError. Times are `at`.
    """

    def __init__(
        self,
        listings: Mapping[str, Sequence[dict[str, Any]] | Blind],
        logs: Mapping[tuple[str, str, str, bool], str | Blind] | None = None,
        *,
        allowed: Mapping[tuple[str, str], bool | None] | None = None,
        version: str | Blind | None = None,
        at: float = 0.0,
        metrics: Mapping[tuple[str, str, int], str | Blind] | None = None,
    ) -> None:
        """Prepare; raises AssertionError for a kind that the real source would refuse."""
        unknown = sorted(set(listings) - set(KINDS))
        if unknown:
            raise AssertionError(f"the real source does not read {', '.join(unknown)}")
        self._listings = dict(listings)
        self._logs = dict(logs or {})
        self._allowed = dict(allowed or {})
        self._version = version
        self._metrics = metrics
        self._at = at
        self._lock = threading.Lock()
        self.asked: list[tuple[Any, ...]] = []

    def list(self, kind: str) -> Listing:
        """The prepared list of a kind."""
        self._record("list", kind)
        if kind not in self._listings:
            raise AssertionError(f"nobody prepared a list of {kind}")
        prepared = self._listings[kind]
        path = f"GET {path_of(kind)}"
        if isinstance(prepared, Blind):
            return Listing(kind, (), prepared, path, self._at)
        return Listing(kind, tuple(prepared), None, path, self._at)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int = 400,
        limit_bytes: int = 262144,
        since_s: int | None = None,
    ) -> LogRead:
        """The last lines of a prepared log, no longer than `limit_bytes`; whoever prepared it took care of `since_s`."""
        del since_s
        key = (namespace, pod, container, previous)
        self._record("logs", *key)
        if key not in self._logs:
            raise AssertionError(f"nobody prepared the log of {key}")
        prepared = self._logs[key]
        path = f"GET /api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}"
        path += "&previous=true" if previous else ""
        if isinstance(prepared, Blind):
            return LogRead("", prepared, path, self._at)
        tail = "".join(prepared.splitlines(keepends=True)[-tail_lines:]).encode()[-limit_bytes:]
        return LogRead(tail.decode(errors="replace"), None, path, self._at)

    def scrape(self, namespace: str, pod: str, port: int, path: str) -> ScrapeRead:
        """The prepared metrics of a pod; forbidden, as by the stock role, where no metrics were prepared at all."""
        if path not in METRIC_PATHS:
            raise AssertionError(f"the real source does not read {path}")
        self._record("scrape", namespace, pod, port, path)
        asked = f"GET /api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy{path}"
        if self._metrics is None:
            return ScrapeRead("", Blind(Reason.FORBIDDEN, "we may not ask pods for their metrics"), asked)
        if (namespace, pod, port) not in self._metrics:
            raise AssertionError(f"nobody prepared the metrics of {namespace}/{pod}:{port}")
        prepared = self._metrics[namespace, pod, port]
        if isinstance(prepared, Blind):
            return ScrapeRead("", prepared, asked)
        return ScrapeRead(prepared, None, asked)

    def can_i(self, verb: str, resource: str) -> bool | None:
        """The prepared permission."""
        self._record("can_i", verb, resource)
        if (verb, resource) not in self._allowed:
            raise AssertionError(f"nobody prepared whether we may {verb} {resource}")
        return self._allowed[verb, resource]

    def version(self) -> str | Blind:
        """The prepared version."""
        self._record("version")
        if self._version is None:
            raise AssertionError("nobody prepared a version")
        return self._version

    def _record(self, *call: Any) -> None:
        with self._lock:
            self.asked.append(call)
