"""SelfSubjectAccessReviews, the one thing that may be posted: as JSON, or as the protobuf that kubectl sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from evals.fleet.api_answers import RefusedError
from evals.fleet.api_kinds import Object

PROTOBUF = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
# Field numbers of Unknown.raw, SelfSubjectAccessReview.spec and its resourceAttributes, then those attributes' own.
_RAW, _SPEC, _ATTRIBUTES = 2, 2, 1
_NAMES = {1: "namespace", 2: "verb", 3: "group", 4: "version", 5: "resource", 6: "subresource", 7: "name"}


def attributes(body: bytes, media: str) -> dict[str, str]:
    """What a review asks about (verb, resource, subresource, namespace, ...); raises RefusedError for anything else."""
    try:
        if media.startswith(PROTOBUF):
            return _from_protobuf(body)
        if media and not media.startswith("application/json"):
            said = f"the body of the request was in an unknown format - accepted media types include: application/json, {PROTOBUF}"
            raise RefusedError(415, said)
        found = json.loads(body)["spec"]["resourceAttributes"]
        return {name: str(found[name]) for name in ("verb", "resource")} | {k: str(v) for k, v in found.items()}
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise RefusedError(400, "the body is no SelfSubjectAccessReview") from None


def answer(asked: dict[str, str], allowed: bool) -> Object:
    """The review with its outcome."""
    status: dict[str, Any] = {"allowed": allowed}
    return {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": {"resourceAttributes": asked},
        "status": status,
    }


def _from_protobuf(body: bytes) -> dict[str, str]:
    if not body.startswith(_MAGIC):
        raise ValueError("no Kubernetes object")
    inner = body[len(_MAGIC) :]
    for number in (_RAW, _SPEC, _ATTRIBUTES):
        inner = dict(_fields(inner))[number]
    found = {_NAMES[number]: text.decode() for number, text in _fields(inner) if number in _NAMES and text}
    return {"verb": found["verb"], "resource": found["resource"], **found}


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a message by number; numbers (varints) are passed over."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        size, place = _varint(data, place)
        if tag & 7 == 2:
            if place + size > len(data):
                raise ValueError("cut off")
            yield tag >> 3, data[place : place + size]
            place += size
        elif tag & 7:
            raise ValueError("unexpected wire type")


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
