"""Items, judged items and reports for tests of readiness."""

from __future__ import annotations

from typing import Any

from bot.audit import Broken, Judged, State
from bot.audit_output import Report
from bot.store.readiness import Place
from knowledge.items import Item
from knowledge.pages import Source

NOW = 1_790_000_000.0
DAY = 86_400.0


def item(name: str = "XX-01", severity: str = "high", **fields: Any) -> Item:
    told: dict[str, Any] = {
        "id": name, "pack": "mine", "page": "mine/page", "area": "Area", "title": "A title", "statement": "It holds.", "phase": 1,
        "owners": ("sre",), "severity": severity, "why": "because", "verify": "look", "fix": "mend",
        "sources": (Source("A source", "https://example.org/a"),), "date": "2026-11-21",
    }  # fmt: skip
    return Item(**{**told, **fields})


def deployment(name: str, namespace: str = "team") -> str:
    return f"deployment/{namespace}/{name}"


def judged(
    state: State = "pass",
    name: str = "XX-01",
    *,
    fails: tuple[str, ...] = (),
    blind: tuple[str, ...] = (),
    quiet: tuple[str, ...] = (),
    severity: str = "high",
    said: str = "",
    **fields: Any,
) -> Judged:
    broken = tuple(Broken("a_check", subject, f"{subject} is wrong{said}", "mend it") for subject in fails)
    return Judged(
        item(name, severity, **fields), state, f"it is {state}", broken, len(quiet), frozenset(quiet),
        dict.fromkeys(blind, "no series: nothing exports it"),
    )  # fmt: skip


def report(*found: Judged, place: Place | None = None, at: float = NOW, unseen: tuple[str, ...] = ()) -> Report:
    return Report(found, place or Place(), at, unseen)
