"""Models: layers, KV heads, attention, parameters, context; found by any of the names that people type.

The shapes with their sources and dates are in models.toml beside this module.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tools.catalogue.gpus import Source
from tools.catalogue.spelling import UnknownNameError, fold, index, nearest

Attention = Literal["MHA", "GQA", "MQA", "MLA"]
# Words that a release adds to a model's name without changing its shape.
_RELEASE = re.compile(
    r"(?<!\S)(?:instruct|chat|it|hf|base|gguf|mlx|bnb|fp8|fp16|bf16|int8|int4|w8a8|w4a16|awq|gptq|nvfp4|mxfp4|dynamic|quantized|4bit|8bit|bit"
    r"|fp 8|fp 16|int 8|int 4|nvfp 4|mxfp 4|v0.1|turbo|2501|2507|0528|0324|thinking|preview)(?!\S)"
)
_OWNER = re.compile(r"^[\w.-]+/(?=[\w.-]+$)")


@dataclass(frozen=True, slots=True)
class Model:
    """The shape of a model. Counts are of the text part; `params` and `active` are numbers of parameters, `state_bytes` bytes per sequence.

    `full_layers` cache every token, `window_layers` the last `window` tokens, `linear_layers` nothing but the state.
    `latent` is the width of MLA's one vector per token and layer (0 without MLA); `keep16` are parameters that quantised
    checkpoints leave in 16 bit; `shipped` is the type of the published weights.
    """

    id: str
    title: str
    repo: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    context: int
    params: int
    vocab: int = 0
    intermediate: int = 0
    tied: bool = False
    qkv_bias: bool = False
    active: int = 0
    keep16: int = 0
    full_layers: int = -1
    linear_layers: int = 0
    window: int = 0
    window_kind: str = "sliding window"
    latent: int = 0
    extra_kv_bytes: int = 0
    state_bytes: int = 0
    experts: int = 0
    experts_per_token: int = 0
    expert_intermediate: int = 0
    dense_layers: int = 0
    shipped: str = "bf16"
    aliases: tuple[str, ...] = ()
    like: str = ""
    note: str = ""
    source: Source | None = None
    unconfirmed: frozenset[str] = field(default_factory=frozenset)

    @property
    def caching_layers(self) -> int:
        """Layers that cache every token."""
        return self.full_layers if self.full_layers >= 0 else self.layers - self.linear_layers

    @property
    def window_layers(self) -> int:
        """Layers that cache a window only."""
        return self.layers - self.caching_layers - self.linear_layers

    @property
    def cache_shape(self) -> tuple[int, ...]:
        """What decides how many bytes a token takes in the cache."""
        return (self.caching_layers, self.kv_heads, self.head_dim, self.window_layers, self.window, self.latent)

    @property
    def active_params(self) -> int:
        """Parameters that one token passes: all of a dense model, the chosen experts' of a mixture."""
        return self.active or self.params

    @property
    def attention(self) -> Attention:
        """Which kind of attention fills the cache."""
        if self.latent:
            return "MLA"
        if self.kv_heads == self.heads:
            return "MHA"
        return "MQA" if self.kv_heads == 1 else "GQA"


@cache
def models() -> tuple[Model, ...]:
    """Every model of the catalogue, in its order."""
    content = tomllib.loads(Path(__file__).with_name("models.toml").read_text(encoding="utf-8"))
    sources = {key: Source(**row) for key, row in content["sources"].items()}
    rows: dict[str, dict[str, Any]] = {}
    for row in content["model"]:
        whole = {**{k: v for k, v in rows.get(row.get("like", ""), {}).items() if k != "aliases"}, **row}
        rows[row["id"]] = whole
    return tuple(_model(row, sources) for row in rows.values())


def model(name: str) -> Model:
    """The model of a name, a repository or an alias; raises UnknownNameError with near names."""
    known = names()
    for text in dict.fromkeys((name.strip(), _OWNER.sub("", name.strip()))):
        folded = fold(text)
        found = known.get(folded) or known.get(_bare(folded))
        if found:
            return _by_id()[found]
    near = nearest(_OWNER.sub("", name), {key: _by_id()[identity].title for key, identity in known.items()})
    raise UnknownNameError("model", name, near)


def of_size(size: str, family: str = "") -> tuple[Model, ...]:
    """The models of a size as their titles say it (`70`, `0.5`, in billions), of a family where one is given: those like most of them first.

    The first is the newest of the shape that most of them share (of shapes equally common, the one with the larger cache).
    """
    word = f"{size}b"
    found = [
        one for one in models() if word in (parts := one.title.casefold().split()) and (not family or family in parts)
    ]
    shapes: dict[tuple[int, ...], list[Model]] = {}
    for one in found:
        shapes.setdefault(one.cache_shape, []).append(one)
    ranked = sorted(shapes.values(), key=lambda same: (len(same), math.prod(same[0].cache_shape[:3])), reverse=True)
    return tuple(one for same in ranked for _, one in sorted(enumerate(same), key=_newest))


def _newest(numbered: tuple[int, Model]) -> tuple[bool, int]:
    number, one = numbered
    # A distilled model is its base's shape under another name.
    return ("Distill" in one.title, -number)


def mentioned(text: str) -> tuple[tuple[Model, str], ...]:
    """The models that a text names, in its order, each with the folded words; of overlapping names the longest counts."""
    folded = f" {fold(text)} "
    found: list[tuple[int, int, str]] = []
    for name, identity in sorted(names().items(), key=lambda item: -len(item[0])):
        at = folded.find(f" {name} ")
        while at >= 0:
            if not any(start < at + len(name) + 1 and at + 1 < end for start, end, _ in found):
                found.append((at + 1, at + 1 + len(name), identity))
            at = folded.find(f" {name} ", at + 1)
    return tuple((_by_id()[identity], folded[start:end]) for start, end, identity in sorted(found))


@cache
def names() -> dict[str, str]:
    """Every folded name to the id of its model; a repository also without its owner and without the release's words."""

    def spellings(one: Model) -> tuple[str, ...]:
        short = one.repo.rsplit("/", 1)[-1]
        return (one.title, one.repo, short, *one.aliases)

    found = index((one.id, spellings(one)) for one in models())
    for key, identity in list(found.items()):
        found.setdefault(_bare(key), identity)
    return {key: identity for key, identity in found.items() if len(key) > 2}


def _bare(folded: str) -> str:
    return " ".join(_RELEASE.sub(" ", folded).split())


@cache
def _by_id() -> dict[str, Model]:
    return {one.id: one for one in models()}


def _model(row: dict[str, Any], sources: dict[str, Source]) -> Model:
    row = dict(row)
    return Model(
        source=sources[row.pop("source")],
        aliases=tuple(row.pop("aliases", ())),
        unconfirmed=frozenset(row.pop("unconfirmed", ())),
        **row,
    )
