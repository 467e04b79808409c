"""A team asks what it has to sign: its page has every item that names it, and no other."""

from __future__ import annotations

from pathlib import Path

from knowledge import team_pages
from knowledge.home import PACKS
from knowledge.items import OWNERS, items
from knowledge.pages import load_shelf


def test_each_item_stands_on_the_pages_of_its_owners_and_only_there() -> None:
    pages = {file.stem: text for file, text in team_pages.pages().items()}
    assert set(pages) == {f"for-{owner}" for owner in OWNERS}
    for item in items(load_shelf(PACKS).pages):
        named = {owner for owner in OWNERS if f"{item.id} {item.title}" in pages[f"for-{owner}"]}
        assert named == set(item.owners), item.id


def test_the_gravest_are_named_first_and_the_day_is_said() -> None:
    security = next(text for file, text in team_pages.pages().items() if file.stem == "for-security")
    opening = security.split("---\n")[2].split("\n\n")[0]
    assert "Secrets are referenced, never written (DR-31)" in opening
    before = security.split("## Before real traffic (day 1)")[1].split("## While it serves (day 2)")
    assert "DR-32" in before[0]
    assert "GC-28" in before[1]
    assert "GC-28" not in before[0]


def test_packs_without_that_checklist_have_no_such_pages(tmp_path: Path) -> None:
    assert team_pages.pages(tmp_path) == {}
