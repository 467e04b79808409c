"""Declared intent: what a team says that a workload should be. `apiVersion: rackside/v1`, `kind: Intent`; see docs/intent.md.

What is not declared is not compared. Every mistake of a file is told at once, with its line.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from tools.catalogue.spelling import printable
from tools.intent_text import Document, IntentError, documents
from tools.reading import Subject

API_VERSION = "rackside/v1"
KIND = "Intent"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


class _Part(BaseModel):
    # Aliases alone: the schema and the file agree on one spelling.
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=_camel, strict=True)


Text = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)]
Count = Annotated[int, Field(ge=1, le=100_000)]
Whole = Annotated[int, Field(ge=0, le=100_000)]


class Selector(_Part):
    """Which workload is meant. Without `namespace` any namespace, without `kind` any kind."""

    workload: Name
    namespace: Name | None = None
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,40}$")] | None = None
    cluster: Name | None = None


class Metadata(_Part):
    """What the document is called."""

    name: Name
    description: Text | None = None


class Model(_Part):
    """The model that should be served. `id` is what the engine is told to load."""

    id: Text
    served_name: Text | None = None
    revision: Text | None = None


class Engine(_Part):
    """The engine, its version (a prefix: `0.11` holds for 0.11.2), and settings as the engine resolves them."""

    name: Text | None = None
    version: Annotated[str, StringConstraints(pattern=r"^v?\d+(\.\d+){0,3}$")] | None = None
    dtype: Text | None = None
    quantization: Text | None = None
    kv_cache_dtype: Text | None = None
    max_model_len: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    max_num_seqs: Count | None = None
    tensor_parallel: Count | None = None
    gpu_memory_utilization: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    prefix_caching: bool | None = None


class Gpus(_Part):
    """GPUs of one replica."""

    type: Text | None = None
    count: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False, strict=False)] | None = None


class Replicas(_Part):
    """How many replicas there should be."""

    min: Whole | None = None
    max: Whole | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Replicas:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min ({self.min}) is more than max ({self.max})")
        return self


class Objectives(_Part):
    """What users are promised: latencies in seconds, availability in percent of requests."""

    ttft_p95_seconds: Positive | None = None
    tpot_p95_seconds: Positive | None = None
    e2e_p95_seconds: Positive | None = None
    availability_percent: Annotated[float, Field(ge=50, lt=100, allow_inf_nan=False, strict=False)] | None = None


class Canary(_Part):
    """A workload of the same namespace that is tried beside this one, and how many requests a judgement needs."""

    workload: Name
    min_requests: Annotated[int, Field(ge=10, le=10_000_000)] = 500


class Spec(_Part):
    """What is declared."""

    selector: Selector
    owner: Text | None = None
    model: Model | None = None
    engine: Engine | None = None
    gpus: Gpus | None = None
    replicas: Replicas | None = None
    objectives: Objectives | None = None
    budget_usd_per_hour: Positive | None = None
    warm_standby: bool | None = None
    canary: Canary | None = None


class IntentFile(_Part):
    """One document of an intent file."""

    api_version: Literal["rackside/v1"]
    kind: Literal["Intent"]
    metadata: Metadata
    spec: Spec


@dataclass(frozen=True, slots=True)
class Intent:
    """A declared intent, where it was read (`FILE line N`), and remarks on what an import could not carry over."""

    name: str
    spec: Spec
    source: str
    remarks: tuple[str, ...] = ()

    def means(self, subject: Subject) -> bool:
        """Whether it is about a workload."""
        chosen = self.spec.selector
        return (
            subject.name == chosen.workload
            and chosen.namespace in {None, subject.namespace}
            and chosen.kind in {None, subject.kind}
        )

    @property
    def said(self) -> str:
        """Whom it is about, for a reader."""
        chosen = self.spec.selector
        return f"{chosen.kind or 'workload'}/{chosen.namespace or 'any namespace'}/{chosen.workload}"


def read_intents(content: bytes | str, name: str) -> tuple[Intent, ...]:
    """Every intent of a file, ModelSpec documents among them; raises IntentError with all that is wrong."""
    from tools.intent_modelspec import API_VERSIONS, imported

    name = printable(name)
    found: list[Intent] = []
    problems: list[str] = []
    for document in documents(content, name):
        kind = document.data.get("kind")
        try:
            if kind == "ModelSpec" and document.data.get("apiVersion") in API_VERSIONS:
                found.append(imported(document, name))
            else:
                found.append(_intent(document, name))
        except IntentError as error:
            problems += error.problems
    if problems:
        raise IntentError(problems)
    return tuple(found)


def only_one_each(intents: Iterable[Intent]) -> tuple[Intent, ...]:
    """The same intents; raises IntentError where two are about one workload."""
    first: dict[tuple[str | None, ...], Intent] = {}
    problems = []
    for one in intents:
        chosen = one.spec.selector
        key = (chosen.cluster, chosen.namespace, chosen.kind, chosen.workload)
        if key in first:
            problems.append(f"{one.source}: {one.said} is declared in {first[key].source} already")
        first.setdefault(key, one)
    if problems:
        raise IntentError(problems)
    return tuple(first.values())


def _intent(document: Document, name: str) -> Intent:
    try:
        read = IntentFile.model_validate(document.data)
    except ValidationError as error:
        raise IntentError(problems_of(error, document, name)) from None
    odd = [f"{name} line {document.line(path)}: {_dotted(path)} holds characters that cannot be seen" for path in _odd(document.data)]  # fmt: skip
    if odd:
        raise IntentError(odd)
    return Intent(read.metadata.name, read.spec, f"{name} line {document.line(('metadata',))}")


def problems_of(error: ValidationError, document: Document, name: str) -> list[str]:
    """A validation's complaints as sentences with lines."""
    found = []
    for one in error.errors():
        path = tuple(one["loc"])
        where = f"{name} line {document.line(path)}"
        what = _dotted(path)
        shown = printable(str(one.get("input")))[:60]
        if one["type"] == "missing":
            found.append(f"{where}: {what} is missing")
        elif one["type"] == "extra_forbidden":
            near = difflib.get_close_matches(
                str(path[-1]), _keys() if error.title == IntentFile.__name__ else (), 1, 0.75
            )
            found.append(f"{where}: {what} is not known here; {f'did you mean {near[0]}?' if near else 'take it out'}")
        elif one["type"] == "literal_error":
            found.append(f"{where}: {what} must be {one['ctx']['expected']}, not {shown!r}")
        elif one["type"] == "value_error":
            found.append(f"{where}: {what}: {one['ctx']['error']}")
        elif one["type"] == "string_pattern_mismatch":
            found.append(f"{where}: {what} {shown!r} has not the form {one['ctx']['pattern']}")
        elif one["type"] in {"float_type", "int_type", "bool_type", "string_type"}:
            wanted = {"float": "a number", "int": "a whole number", "bool": "true or false", "string": "a text"}
            quoted = "; put it in quotes" if one["type"] == "string_type" else ""
            found.append(f"{where}: {what} must be {wanted[one['type'].removesuffix('_type')]}, not {shown!r}{quoted}")
        else:
            found.append(f"{where}: {what}: {one['msg'][:1].lower()}{one['msg'][1:]}")
    return found


@cache
def _keys() -> tuple[str, ...]:
    """Every key that an intent file may hold, wherever."""
    schema = IntentFile.model_json_schema(by_alias=True)
    parts = (schema, *schema.get("$defs", {}).values())
    return tuple(dict.fromkeys(key for part in parts for key in part.get("properties", {})))


def _dotted(path: Iterable[str | int]) -> str:
    return printable(".".join(map(str, path))) or "the document"


def _odd(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(data, dict):
        return [one for key, value in data.items() for one in _odd(value, (*path, key))]
    if isinstance(data, list):
        return [one for i, value in enumerate(data) for one in _odd(value, (*path, i))]
    return [path] if isinstance(data, str) and _CONTROL.search(data) else []


def number(value: object) -> float | None:
    """A finite number of somebody else's data, None for anything else (truth values too)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
