"""What a search can be kept to: packs, a checklist's phase, a runtime, checklist items alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.builds import Build
from knowledge.items import Item, items

Rows = NDArray[np.int64]
# Words of `applies` that name what serves a model. A page that names none of them holds for every runtime.
RUNTIMES = frozenset(
    {
        "vllm",
        "sglang",
        "tgi",
        "tei",
        "triton",
        "tensorrt-llm",
        "ray",
        "kserve",
        "torchserve",
        "tensorflow-serving",
        "dynamo",
        "llm-d",
        "bentoml",
        "ollama",
    }
)


@dataclass(frozen=True, slots=True)
class Only:
    """What a search is kept to; a field that is left empty keeps nothing out.

    `phase` (0, 1 or 2) keeps checklist items of that phase; `runtime` (one of RUNTIMES) drops what is only about
    others; `items` keeps checklist items; `pages` keeps pages by their ids.
    """

    packs: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    phase: int | None = None
    runtime: str = ""
    items: bool = False

    def __bool__(self) -> bool:
        """Does it keep anything out?"""
        return bool(self.packs or self.pages or self.runtime or self.items or self.phase is not None)

    @property
    def passages_alone(self) -> bool:
        """Do passages stand for themselves? Else the best one stands for its page."""
        return bool(self.items or self.pages or self.phase is not None)


class Catalogue:
    """The passages of a build by what they can be narrowed by; worked out when it is first asked for."""

    def __init__(self, build: Build) -> None:
        """Remember the build; nothing is read."""
        self._build = build
        self._items: dict[str, Item] | None = None
        self._rows: dict[Only, Rows] = {}

    @property
    def items(self) -> dict[str, Item]:
        """Every checklist item by the id of the passage that begins it."""
        if self._items is None:
            self._items = {item.passage: item for item in items(self._build.pages.values())}
        return self._items

    def rows(self, only: Only) -> Rows:
        """The rows that `only` keeps, ascending."""
        if only not in self._rows:
            kept = [
                row
                for row, passage in enumerate(self._build.passages)
                if self._keeps(only, passage.id, passage.page_id)
            ]
            self._rows[only] = np.array(kept, dtype=np.int64)
        return self._rows[only]

    def _keeps(self, only: Only, passage: str, page_id: str) -> bool:
        page = self._build.pages[page_id]
        if (only.packs and page.pack.id not in only.packs) or (only.pages and page.id not in only.pages):
            return False
        item = self.items.get(passage) if only.items or only.phase is not None or only.runtime else None
        if (only.items or only.phase is not None) and item is None:
            return False
        if only.phase is not None and item is not None and item.phase != only.phase:
            return False
        if only.runtime:
            named = RUNTIMES.intersection((*page.applies, *(item.applies if item else ())))
            return not named or only.runtime in named
        return True
