"""Read-only Prometheus source over any Prometheus-compatible endpoint.

`prometheus-api-client` returns only `data.result` and retries 5xx three times. The session below keeps what it drops (the
server's warnings), sends queries in the body, and never retries: a server in trouble is not asked more.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from urllib3.util.retry import Retry

from tools.reading import Blind, Reason

NAMES_WITHIN_S = 3600.0


class Row(NamedTuple):
    """One series of an answer: its labels, and its value (never NaN)."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Result:
    """An instant answer. `blind` is set when the server could not answer, or answered in part (warnings).

    `not_a_number` holds the labels of series whose value was NaN or infinite: they are never rows.
    """

    query: str
    rows: tuple[Row, ...]
    blind: Blind | None
    not_a_number: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Points:
    """One series over time: labels, times in seconds since the epoch, values; `nothing` are the times of NaN or infinity."""

    labels: Mapping[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]
    nothing: tuple[float, ...] = ()


class _Session(requests.Session):
    """A session that posts forms and remembers, per thread, what the server warned of."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self.timeout_s = timeout_s
        self.kept = threading.local()
        self._environment: dict[tuple[object, ...], Any] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Proxies and certificates of the environment, read once for a server: it is asked dozens of times for one answer."""
        if proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        key = (*urlsplit(str(url))[:2], stream, verify, cert)
        if key not in self._environment:
            self._environment[key] = super().merge_environment_settings(url, {}, stream, verify, cert)
        found = self._environment[key]
        return {**found, "proxies": dict(found["proxies"])}

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a query in the body, with this session's timeout; keep the warnings of the answer."""
        if method == "POST" and not kwargs.get("data"):
            kwargs["data"] = kwargs.pop("params", None)
        kwargs["timeout"] = kwargs.get("timeout") or self.timeout_s
        self.kept.warnings = ()
        response = super().request(method, url, *args, **kwargs)
        if response.status_code == requests.codes.ok:
            body = _parsed(response)
            if not isinstance(body, dict) or body.get("status") != "success":
                raise PrometheusApiClientException(f"the server answered {str(body)[:200]!r}")
            said = [str(warning) for warning in body.get("warnings") or ()]
            # Remarks on the query are not missing data.
            self.kept.warnings = tuple(w for w in said if not w.startswith("PromQL info"))
        return response


def _parsed(response: requests.Response) -> Any:
    """What an answer says, read once: the client asks the response for it again."""
    try:
        body = orjson.loads(response.content)
    except ValueError:
        # Its sentence tells what is wrong with it; and what only it can read, it reads.
        body = response.json()
    setattr(response, "json", lambda: body)  # noqa: B010 -- a method may not be assigned to
    return body


class PromSource:
    """A Prometheus server. Nothing here raises: what cannot be had comes back blind, with a sentence."""

    def __init__(
        self, url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 20.0, verify: bool = True
    ) -> None:
        """Make the source; nothing is asked yet. `headers` carry a bearer token or a tenant."""
        self.url = url.rstrip("/")
        self._session = _Session(timeout_s)
        self._session.verify = verify
        self._client = PrometheusConnect(
            self.url,
            headers=dict(headers or {}),
            session=self._session,
            retry=Retry(total=0),
            method="POST",
        )
        self._lock = threading.Lock()
        self.requests = 0

    @classmethod
    def connect(
        cls, url: str | None, headers: Mapping[str, str] | None = None, timeout_s: float = 20.0, verify: bool = True
    ) -> PromSource | Blind:
        """A source for a URL, or blind when none is set or it is no URL."""
        if not url:
            return Blind(Reason.NOT_SET, "no Prometheus is configured; set RACKSIDE_PROMETHEUS_URL")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            return Blind(Reason.NOT_SET, f"{url!r} is no http(s) URL; set RACKSIDE_PROMETHEUS_URL to one")
        return cls(url, headers, timeout_s, verify)

    def names(self, at: float) -> frozenset[str] | Blind:
        """The metric names that exist in the hour before `at`."""
        params = {"start": f"{at - NAMES_WITHIN_S:.3f}", "end": f"{at:.3f}"}
        answer = self._ask(lambda: self._client.get_label_values("__name__", params=params))
        if isinstance(answer, Blind):
            return answer
        if not isinstance(answer, list):
            return Blind(Reason.SOURCE_DOWN, "the list of metric names is no list")
        return frozenset(str(name) for name in answer)

    def query(self, query: str, at: float) -> Result:
        """An instant query at a time in seconds since the epoch. NaN and infinite values are kept apart."""
        answer = self._ask(lambda: self._client.custom_query(query, params={"time": f"{at:.3f}"}))
        if isinstance(answer, Blind):
            return Result(query, (), answer)
        try:
            rows = [Row(series["metric"], float(series["value"][1])) for series in answer]
        except (KeyError, TypeError, ValueError, IndexError):
            return Result(query, (), Blind(Reason.SOURCE_DOWN, "the answer has not the shape of a Prometheus answer"))
        not_a_number = tuple(row.labels for row in rows if not math.isfinite(row.value))
        finite = (row for row in rows if math.isfinite(row.value)) if not_a_number else rows
        return Result(query, tuple(finite), self._partial(), not_a_number)

    def range(self, query: str, start: float, end: float, step_s: float) -> tuple[tuple[Points, ...], Blind | None]:
        """A range query; at most 11,000 points a series are allowed by servers."""
        answer = self._ask(
            lambda: self._client.custom_query_range(
                query, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC), f"{step_s:g}"
            )
        )
        if isinstance(answer, Blind):
            return (), answer
        series: list[Points] = []
        try:
            for one in answer:
                pairs = [(float(t), float(v)) for t, v in one["values"]]
                nothing = tuple(t for t, v in pairs if not math.isfinite(v))
                pairs = [(t, v) for t, v in pairs if math.isfinite(v)]
                series.append(Points(one["metric"], tuple(t for t, _ in pairs), tuple(v for _, v in pairs), nothing))
        except (KeyError, TypeError, ValueError):
            return (), Blind(Reason.SOURCE_DOWN, "the answer has not the shape of a Prometheus answer")
        return tuple(series), self._partial()

    def told(self, path: str) -> Any:
        """The `data` of another read-only part of the API (such as `/api/v1/rules`), or blind."""
        return self._ask(lambda: self._data(path))

    def _data(self, path: str) -> Any:
        answer = self._session.request("GET", f"{self.url}{path}", headers=self._client.headers)
        if answer.status_code in {requests.codes.not_found, requests.codes.method_not_allowed}:
            return Blind(Reason.NO_SERIES, f"this server has no {path}")
        if answer.status_code != requests.codes.ok:
            raise PrometheusApiClientException(f"HTTP Status Code {answer.status_code} ({answer.text!r})")
        return answer.json()["data"]

    def _partial(self) -> Blind | None:
        warnings = getattr(self._session.kept, "warnings", ())
        return Blind(Reason.PARTIAL, f"the server warned: {'; '.join(warnings)[:300]}") if warnings else None

    def _ask(self, call: Any) -> Any:
        with self._lock:
            self.requests += 1
        started = time.monotonic()
        try:
            return call()
        except requests.exceptions.Timeout:
            return Blind(Reason.SOURCE_DOWN, f"Prometheus did not answer within {time.monotonic() - started:.0f} s")
        except (requests.exceptions.JSONDecodeError, json.JSONDecodeError, UnicodeDecodeError):
            return Blind(Reason.SOURCE_DOWN, "what answers at this URL does not answer like Prometheus")
        except requests.exceptions.RequestException as error:
            return Blind(Reason.SOURCE_DOWN, f"Prometheus cannot be reached ({_root(error)})")
        except PrometheusApiClientException as error:
            return _refused(str(error))
        except (KeyError, TypeError, AttributeError, ValueError):
            return Blind(Reason.SOURCE_DOWN, "the answer has not the shape of a Prometheus answer")


def _root(error: BaseException) -> str:
    text = str(error)
    for known in (
        "Connection refused",
        "Name or service not known",
        "timed out",
        "RemoteDisconnected",
        "certificate",
        "reset",
    ):
        if known in text:
            return known.lower() if known != "RemoteDisconnected" else "it closed the connection"
    return type(error).__name__


def _refused(text: str) -> Blind:
    status = next((code for code in ("401", "403") if f"Code {code}" in text), None)
    if status:
        return Blind(Reason.FORBIDDEN, f"Prometheus answered {status}; check its token or tenant header")
    if "Code 4" in text:
        return Blind(Reason.PARTIAL, f"Prometheus refused the query: {_error_of(text)}")
    return Blind(Reason.SOURCE_DOWN, f"Prometheus answered with an error: {_error_of(text)}")


def _error_of(text: str) -> str:
    start = text.find('"error":"')
    if start >= 0:
        return text[start + 9 :].partition('"')[0][:200]
    return " ".join(text.split())[:120]
