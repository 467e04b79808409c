"""How a generated page of the hardware pack is put together: its head, and figures as they are written there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from tools.catalogue.gpus import Source

DATE = "2026-11-21"


def page(title: str, aliases: str, sources: Iterable[Source], related: str, body: Sequence[str]) -> str:
    told = [
        f'  - {{title: {json.dumps(one.title, ensure_ascii=False)}, url: "{one.url}"}}'
        for one in dict.fromkeys(sources)
    ]
    head = [
        "---",
        f"title: {title}",
        f"aliases: [{aliases}]",
        f"date: {DATE}",
        "sources:",
        *told,
        f"related: [{related}]",
        "---",
    ]
    return "\n".join([*head, *body, ""])


def figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}".removesuffix(".0")


def billions(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count < 1e11 else f"{count / 1e9:.0f} B"
