"""A read-only Kubernetes API over HTTP on a free loopback port: kubectl and the official client cannot tell the difference.

It serves the manifests of a world (`api_worlds`), which may change under it, and goes wrong on request (`faults`).
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from evals.fleet import api_kinds, api_reviews
from evals.fleet.api_answers import BrokenOff, RefusedError, as_json, forbidden, no_such_path, not_found, status
from evals.fleet.api_faults import Faults
from evals.fleet.api_kinds import AGGREGATED, Object, Resource
from evals.fleet.api_lists import Lists, changes, expired, select
from evals.fleet.api_logs import log_bytes
from evals.fleet.api_tables import table
from evals.fleet.api_worlds import ApiWorld
from tools.facts import at, many, name_of

VERSION = "v1.33.2"
LOOK_S = 0.1
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Asked(NamedTuple):
    """A request: path in parts, query, Accept header, method and body."""

    parts: list[str]
    query: dict[str, str]
    accept: str
    method: str
    body: bytes
    media: str = ""


class Target(NamedTuple):
    """What a path names below its group and version. `name` and `sub` may be empty."""

    resource: Resource
    namespace: str
    name: str
    sub: str


class KubeApi:
    """A context manager. `url` is where it answers, `requests` what it was asked ("GET /api/v1/pods?limit=500"), in order."""

    def __init__(
        self,
        world: ApiWorld,
        clock: Callable[[], float] = time.time,
        proxied: Mapping[tuple[str, str, int], str] | None = None,
    ) -> None:
        """Serve a world; `clock` (seconds since the epoch) is used for ages and for what is recent in a log.

        `proxied` is what pods show at `/metrics`, by namespace, name and port; without it `pods/proxy` is forbidden, as to the
        stock role.
        """
        self.world, self._clock, self._proxied = world, clock, proxied
        self.faults = Faults()
        self.requests: list[str] = []
        self.token = secrets.token_hex(16)
        self.url = ""
        self._lists = Lists()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Listen on a free loopback port."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)  # from here on nobody is refused, even before the thread runs
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = Starlette(routes=[Route("/{path:path}", self._endpoint, methods=_METHODS)])
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", access_log=False, lifespan="off", ws="none",
            timeout_graceful_shutdown=2,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="kube-api", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self.close()

    def close(self) -> None:
        """End open watches and stop listening; may be called twice."""
        self.faults.heal()
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.should_exit = True
            self._thread.join(10)

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig that logs in here; returns its path."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "fleet", "cluster": {"server": self.url}}],
            "users": [{"name": "reader", "user": {"token": self.token}}],
            "contexts": [{"name": "fleet", "context": {"cluster": "fleet", "user": "reader"}}],
            "current-context": "fleet",
        }
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        path.chmod(0o600)
        return path

    # ------------------------------------------------------------------ answering

    async def _endpoint(self, request: Request) -> Response:
        query = request.url.query
        self.requests.append(f"{request.method} {request.url.path}" + (f"?{query}" if query else ""))
        parts = [part for part in request.url.path.split("/") if part]
        accept = request.headers.get("accept", "")
        media = request.headers.get("content-type", "")
        asked = Asked(parts, dict(request.query_params), accept, request.method, await request.body(), media)
        try:
            return await run_in_threadpool(self._answer, asked, request.headers.get("authorization", ""))
        except RefusedError as refused:
            return as_json(status(refused), refused.code, refused.headers)

    def _answer(self, asked: Asked, authorization: str) -> Response:
        faults = self.faults
        faults.wait()
        if faults.closes:
            return BrokenOff()
        if faults.nonsense is not None:
            return Response(faults.nonsense[0], media_type=faults.nonsense[1])
        if faults.is_busy():
            after = {"Retry-After": faults.retry_after} if faults.retry_after else {}
            raise RefusedError(429, "Too many requests, please try again later.", after)
        # kubectl sends no token without TLS: no credentials pass, wrong ones do not.
        if faults.is_unauthorized or authorization not in {"", f"Bearer {self.token}"}:
            raise RefusedError(401, "Unauthorized")
        if asked.parts == ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"] and asked.method == "POST":
            return self._review(asked)
        if asked.method not in {"GET", "HEAD"}:
            raise RefusedError(405, "the server does not allow this method on the requested resource")
        return self._read(asked)

    def _read(self, asked: Asked) -> Response:
        match asked.parts:
            case ["healthz" | "livez" | "readyz", *_]:
                return PlainTextResponse("ok")
            case ["version"]:
                return self._version()
            case ["api" | "apis"] | ["api", _] | ["apis", _, _]:
                return self._discovery(asked)
            case ["api", "v1", "namespaces", namespace, "pods", named, "proxy", *rest]:
                return self._proxy(namespace, named, rest)
            case ["api", version, *rest]:
                return self._resource(asked, "", version, rest)
            case ["apis", group, version, *rest]:
                return self._resource(asked, group, version, rest)
        raise no_such_path()

    def _version(self) -> Response:
        if self.faults.forbids("version", ""):
            raise RefusedError(403, 'forbidden: User "system:anonymous" cannot get path "/version"')
        major, minor = VERSION.removeprefix("v").split(".")[:2]
        return as_json({"major": major, "minor": minor, "gitVersion": VERSION, "platform": "linux/amd64"})

    def _discovery(self, asked: Asked) -> Response:
        resources = api_kinds.served(self.world.objects())
        if len(asked.parts) == 1:
            core = asked.parts == ["api"]
            if "as=APIGroupDiscoveryList" in asked.accept and ";v=v2;" in asked.accept:
                return as_json(api_kinds.aggregated(resources, core), media=AGGREGATED)
            return as_json(api_kinds.core_versions() if core else api_kinds.groups(resources))
        group, version = ("", asked.parts[1]) if asked.parts[0] == "api" else (asked.parts[1], asked.parts[2])
        found = api_kinds.resource_list(resources, group, version)
        if found is None:
            raise no_such_path()
        return as_json(found)

    # ------------------------------------------------------------------ resources

    def _resource(self, asked: Asked, group: str, version: str, rest: list[str]) -> Response:
        objects = self.world.objects()
        target = _target(api_kinds.served(objects), group, version, rest)
        verb = "get" if target.name else "watch" if asked.query.get("watch") in {"true", "1"} else "list"
        named = target.resource.plural + (f"/{target.sub}" if target.sub else "")
        if self.faults.forbids(named, target.namespace):
            raise forbidden(verb, target.resource, target.sub, target.namespace)
        if target.sub:
            return self._log(asked, objects, target)
        if target.name:
            return self._one(asked, objects, target)
        return self._watch(asked, target) if verb == "watch" else self._list(asked, objects, target)

    def _list(self, asked: Asked, objects: Sequence[Object], target: Target) -> Response:
        found = None if asked.query.get("continue") else select(objects, target.resource, target.namespace, asked.query)
        page, read = self._lists.page(found, asked.query)
        if self.faults.expires(read):
            raise expired()
        if _as_table(asked):
            return as_json(self._table(asked, target.resource, page.items, page.metadata))
        # Like the server, leave kind and apiVersion out of a list's items.
        items = [{k: v for k, v in item.items() if k not in {"kind", "apiVersion"}} for item in page.items]
        kind = {"kind": f"{target.resource.kind}List", "apiVersion": target.resource.api_version}
        return as_json({**kind, "metadata": page.metadata, "items": items})

    def _one(self, asked: Asked, objects: Sequence[Object], target: Target) -> Response:
        item = _named(objects, target)
        if not _as_table(asked):
            return as_json(item)
        version = {"resourceVersion": str(at(item, "metadata", "resourceVersion") or "1")}
        return as_json(self._table(asked, target.resource, [item], version))

    def _table(self, asked: Asked, resource: Resource, items: Sequence[Object], metadata: Object) -> Object:
        whole = asked.query.get("includeObject") == "Object"
        return table(resource, items, self._clock(), metadata, whole)

    def _log(self, asked: Asked, objects: Sequence[Object], target: Target) -> Response:
        pod = _named(objects, target)
        container = _container(pod, target.name, asked.query.get("container", ""))
        previous = asked.query.get("previous", "").lower() in {"true", "1"}
        text = self.world.log(target.namespace, target.name, container, previous)
        if text is None and previous:
            said = f'previous terminated container "{container}" in pod "{target.name}" not found'
            raise RefusedError(400, said)
        if text is None:
            states = {str(s.get("name")): s for s in many(pod, "status", "containerStatuses")}
            reason = at(states.get(container, {}), "state", "waiting", "reason")
            if reason:
                raise RefusedError(400, f'container "{container}" in pod "{target.name}" is waiting to start: {reason}')
        try:
            return Response(log_bytes(text or "", asked.query, self._clock()), media_type="text/plain")
        except ValueError as why:
            raise RefusedError(400, f"PodLogOptions is invalid: {why}") from None

    def _proxy(self, namespace: str, named: str, rest: list[str]) -> Response:
        pods = Resource("", "v1", "pods", "Pod", namespaced=True)
        if self._proxied is None or self.faults.forbids("pods/proxy", namespace):
            raise forbidden("get", pods, "proxy", namespace)
        name, _, port = named.partition(":")
        _named(self.world.objects(), Target(pods, namespace, name, "proxy"))
        text = self._proxied.get((namespace, name, int(port) if port.isdecimal() else 80))
        if text is None:
            said = f"error trying to reach service: dial tcp 10.1.2.3:{port or 80}: connect: connection refused"
            raise RefusedError(503, said)
        if rest != ["metrics"]:
            return PlainTextResponse("404 page not found", 404)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    def _review(self, asked: Asked) -> Response:
        if self.faults.forbids("selfsubjectaccessreviews", ""):
            resource = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview")
            raise forbidden("create", resource, "", "")
        about = api_reviews.attributes(asked.body, asked.media)
        named = about["resource"] + (f"/{about['subresource']}" if about.get("subresource") else "")
        allowed = about["verb"] in api_kinds.READ and not self.faults.forbids(named, about.get("namespace", ""))
        allowed = allowed and (named != "pods/proxy" or self._proxied is not None)
        return as_json(api_reviews.answer(about, allowed), 201)

    # ------------------------------------------------------------------ watches

    def _watch(self, asked: Asked, target: Target) -> Response:
        since = asked.query.get("resourceVersion", "")
        initial = since in {"", "0"} or asked.query.get("sendInitialEvents") == "true"
        view = [] if initial else self._lists.view(since)
        if view is None:
            raise RefusedError(410, f"too old resource version: {since}")
        return StreamingResponse(self._events(asked, target, view), media_type="application/json")

    async def _events(self, asked: Asked, target: Target, view: Sequence[Object]) -> AsyncIterator[bytes]:
        until = time.monotonic() + float(asked.query.get("timeoutSeconds") or 1800)
        marks = asked.query.get("allowWatchBookmarks") in {"true", "1"}
        known: Mapping[tuple[str, str], Object] = {name_of(item): item for item in view}
        begun = False
        while self._server is not None and time.monotonic() < until:
            present = await run_in_threadpool(self._present, asked, target)
            for kind, item in changes(known, present):
                yield self._event(asked, target.resource, kind, item)
            known = present
            if marks and not begun:
                yield self._bookmark(asked, target.resource, list(present.values()))
            begun = True
            await asyncio.sleep(LOOK_S)  # the world tells nobody when it changes

    def _present(self, asked: Asked, target: Target) -> Mapping[tuple[str, str], Object]:
        found = select(self.world.objects(), target.resource, target.namespace, asked.query)
        return {name_of(item): item for item in found}

    def _event(self, asked: Asked, resource: Resource, kind: str, item: Object) -> bytes:
        if _as_table(asked):
            item = self._table(
                asked, resource, [item], {"resourceVersion": str(at(item, "metadata", "resourceVersion"))}
            )
        return json.dumps({"type": kind, "object": item}).encode() + b"\n"

    def _bookmark(self, asked: Asked, resource: Resource, items: list[Object]) -> bytes:
        metadata: dict[str, Any] = {"resourceVersion": self._lists.keep(items), "creationTimestamp": None}
        if asked.query.get("sendInitialEvents") == "true":
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        mark: Object = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if _as_table(asked):
            mark = {**table(resource, [], 0.0, {}, whole=False), "rows": [{"cells": [], "object": mark}]}
        return json.dumps({"type": "BOOKMARK", "object": mark}).encode() + b"\n"


def _as_table(asked: Asked) -> bool:
    return "as=Table" in asked.accept and "v=v1;" in asked.accept


def _target(resources: Sequence[Resource], group: str, version: str, rest: list[str]) -> Target:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    plural, name, sub = [*rest, "", ""][:3]
    resource = next((r for r in resources if (r.group, r.version, r.plural) == (group, version, plural)), None)
    if (
        resource is None
        or len(rest) > 3
        or (sub and (sub, plural) != ("log", "pods"))
        or (bool(namespace) and not resource.namespaced)
        or (bool(name) and resource.namespaced and not namespace)
    ):
        raise no_such_path()
    return Target(resource, namespace, name, sub)


def _named(objects: Sequence[Object], target: Target) -> Object:
    wanted = (target.namespace, target.name)
    for item in objects:
        if api_kinds.belongs(item, target.resource) and name_of(item) == wanted:
            return item
    raise not_found(target.resource, target.name)


def _container(pod: Object, name: str, asked: str) -> str:
    names = [str(c.get("name")) for part in ("containers", "initContainers") for c in many(pod, "spec", part)]
    if asked in names:
        return asked
    if asked:
        raise RefusedError(400, f"container {asked} is not valid for pod {name}")
    if len(names) == 1:
        return names[0]
    said = f"a container name must be specified for pod {name}, choose one of: [{' '.join(names)}]"
    raise RefusedError(400, said)
