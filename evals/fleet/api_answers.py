"""Answers in the shape of the API server's: Status objects for what goes wrong, JSON, and a body that breaks off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from evals.fleet.api_kinds import Resource

USER = "system:serviceaccount:rackside:rackside"
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    410: "Expired",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}


class RefusedError(Exception):
    """The request ends in a Status object."""

    def __init__(self, code: int, message: str, headers: Mapping[str, str] | None = None, **details: Any) -> None:
        """`details` are the Status object's own."""
        super().__init__(message)
        self.code, self.message, self.headers, self.details = code, message, dict(headers or {}), details


def as_json(content: object, code: int = 200, headers: Mapping[str, str] | None = None, media: str = "") -> Response:
    """A JSON answer."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"
    return Response(body, code, dict(headers or {}), media or "application/json")


def status(refused: RefusedError) -> dict[str, Any]:
    """The Status object of a refusal."""
    details = {"details": refused.details} if refused.details else {}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": refused.message,
        "reason": _REASONS.get(refused.code, "InternalError"),
        **details,
        "code": refused.code,
    }


def forbidden(verb: str, resource: Resource, sub: str, namespace: str) -> RefusedError:
    """403 in RBAC's words."""
    name = resource.plural + (f"/{sub}" if sub else "")
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    said = (
        f'{resource.qualified} is forbidden: User "{USER}" cannot {verb} resource "{name}" in API group '
        f'"{resource.group}" {where}'
    )
    return RefusedError(403, said, kind=resource.plural, group=resource.group)


def not_found(resource: Resource, name: str) -> RefusedError:
    """404 for an object."""
    said = f'{resource.qualified} "{name}" not found'
    return RefusedError(404, said, name=name, group=resource.group, kind=resource.plural)


def no_such_path() -> RefusedError:
    """404 for a path."""
    return RefusedError(404, "the server could not find the requested resource")


class BrokenOff(Response):
    """Headers that promise more than is sent: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the beginning only."""
        del scope, receive
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"kind": "PodList", "items": [', "more_body": True})
