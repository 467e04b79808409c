"""One read of the Kubernetes API over HTTP: an answer, or blind with a sentence. Bounded in time and size, not repeated.

The official client signs the request and speaks TLS; its typed models are left out, since a diagnosis reads the raw manifests.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3.exceptions as broken
from kubernetes.client import ApiClient, ApiException, Configuration
from kubernetes.config import ConfigException

from tools.reading import Blind, Reason

MAX_BODY = 128 * 2**20
RETRY_AFTER_S = 5.0
_CHUNK = 2**16


@dataclass(frozen=True, slots=True)
class Answer:
    """Status code, body, and the pause in seconds that the server asked for, when it asked for one."""

    status: int
    body: bytes
    retry_after: float | None = None

    def json(self) -> dict[str, Any] | None:
        """The body as a JSON object, None when it is anything else."""
        try:
            content = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    @property
    def message(self) -> str:
        """What the server says of itself in a Status object, on one line of 300 characters at most; else empty."""
        content = self.json() or {}
        return " ".join("".join(c if c.isprintable() else " " for c in str(content.get("message") or "")).split())[:300]


class KubeHttp:
    """A signed, thread-safe door to one API server. `timeout_s` bounds a whole answer, not only its first byte."""

    def __init__(self, configuration: Configuration, timeout_s: float) -> None:
        """Nothing is asked yet."""
        configuration.retries = False  # a server in trouble is not asked more, and redirects are not followed
        configuration.connection_pool_maxsize = 16
        self.timeout_s = timeout_s
        self.requests = 0
        self._client = ApiClient(configuration)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, str | int]) -> Answer | Blind:
        """Read a path; an answer of any status except those that mean the same for every path."""
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer | Blind:
        """Send a review, which changes nothing in the cluster."""
        return self._ask("POST", path, {}, body)

    def _ask(
        self, method: str, path: str, query: Mapping[str, str | int], body: Mapping[str, Any] | None
    ) -> Answer | Blind:
        answer = self._once(method, path, query, body)
        if isinstance(answer, Answer) and answer.status == 429:
            if answer.retry_after is None or answer.retry_after > RETRY_AFTER_S:
                return _of_status(answer)
            time.sleep(answer.retry_after)
            answer = self._once(method, path, query, body)
        if isinstance(answer, Answer) and answer.status in {401, 429}:
            return _of_status(answer)
        return answer

    def _once(
        self, method: str, path: str, query: Mapping[str, str | int], body: Mapping[str, Any] | None
    ) -> Answer | Blind:
        with self._lock:
            self.requests += 1
        try:
            return self._read(method, path, query, body)
        except broken.NewConnectionError as error:  # in urllib3 a kind of timeout, hence first
            why = "connection refused" if "refused" in str(error) else "its address cannot be reached"
            return _unreachable(why)
        except (broken.TimeoutError, TimeoutError):
            return Blind(Reason.SOURCE_DOWN, f"the Kubernetes API did not answer within {self.timeout_s:g} s")
        except (broken.SSLError, ssl.SSLError, ApiException) as error:
            return _unreachable(f"TLS failed: {_certificate(str(error))}")
        except (broken.ProtocolError, broken.DecodeError, ConnectionError):
            return _unreachable("it closed the connection before its answer was complete")
        except ConfigException:
            return Blind(Reason.FORBIDDEN, "the credentials of the kubeconfig could not be renewed; log in again")
        except (broken.HTTPError, OSError, ValueError) as error:
            return _unreachable(type(error).__name__)

    def _read(
        self, method: str, path: str, query: Mapping[str, str | int], body: Mapping[str, Any] | None
    ) -> Answer | Blind:
        until = time.monotonic() + self.timeout_s
        # gzip: a server compresses long lists for whoever accepts it, and manifests shrink tenfold.
        headers = {"Accept": "application/json, */*", "Accept-Encoding": "gzip"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        with self._lock:  # a token close to its end is renewed here, by one thread
            verb, url, signed, sent, _ = self._client.param_serialize(
                method,
                path,
                query_params=list(query.items()),
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
            )
        response = self._client.call_api(verb, url, signed, sent, _request_timeout=self.timeout_s).response
        whole = False
        try:
            parts: list[bytes] = []
            size = 0
            while part := response.read1(_CHUNK):
                parts.append(part)
                size += len(part)
                if time.monotonic() > until:
                    raise TimeoutError
                if size > MAX_BODY:
                    return Blind(Reason.SOURCE_DOWN, f"an answer is longer than {MAX_BODY // 2**20} MiB")
            whole = True
        finally:
            if whole:
                response.release_conn()
            else:
                response.close()
        return Answer(response.status, b"".join(parts), _seconds(response.headers.get("Retry-After")))


def of_status(answer: Answer, what: str) -> Blind:
    """Why an answer that is no success is blind; `what` names what was asked for."""
    if answer.status in {401, 429}:
        return _of_status(answer)
    if answer.status == 404:
        return Blind(Reason.SOURCE_DOWN, f"the Kubernetes API does not know {what}{_said(answer)}")
    if 300 <= answer.status < 400:
        return Blind(
            Reason.SOURCE_DOWN,
            "the server of the kubeconfig sends us elsewhere (a log-in page?): it is no Kubernetes API",
        )
    return Blind(Reason.SOURCE_DOWN, f"the Kubernetes API answered {answer.status} for {what}{_said(answer)}")


def garbled(what: str) -> Blind:
    """Why an answer that is no JSON of the expected shape is blind."""
    return Blind(
        Reason.SOURCE_DOWN,
        f"the answer for {what} is not that of a Kubernetes API; check the kubeconfig's server address",
    )


def _of_status(answer: Answer) -> Blind:
    if answer.status == 401:
        return Blind(
            Reason.FORBIDDEN, "the Kubernetes API does not accept our credentials (401); renew the token or log in"
        )
    asked = f" (it asks for {answer.retry_after:g} s of patience)" if answer.retry_after is not None else ""
    return Blind(Reason.SOURCE_DOWN, f"the Kubernetes API is overloaded and turned us away (429){asked}")


def _said(answer: Answer) -> str:
    return f": {answer.message}" if answer.message else ""


def _unreachable(why: str) -> Blind:
    return Blind(Reason.SOURCE_DOWN, f"the Kubernetes API cannot be read ({why})")


def _certificate(text: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not signed by the kubeconfig's authority"
    return "the server does not speak TLS as expected"


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
