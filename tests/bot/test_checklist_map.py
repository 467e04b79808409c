"""The page on what a machine verifies: current, complete, and honest about what it leaves to people."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bot import checklist_map
from bot.checklist_map import PAGE, REASONS, SURVEY, checklist_items, kind, main, page, problems, reasons
from tools.casebook import cases, rules

ITEMS = checklist_items()


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(ITEMS), "run `python -m bot.checklist_map`"


def test_every_item_has_a_check_or_a_reason_and_none_has_both() -> None:
    assert problems(ITEMS) == []
    names = [name for _, listed in REASONS.values() for name in listed.split()]
    assert len(names) == len(set(names)) == len(reasons())


def test_what_is_wrong_with_the_reasons_is_said() -> None:
    verified = next(item for item in ITEMS if item.checks)
    human = next(item for item in ITEMS if not item.checks)
    changed = [
        replace(verified, checks=()),
        replace(human, checks=("never_heard_of",)),
        *(item for item in ITEMS if item not in {verified, human}),
    ]
    assert problems(changed) == [
        f"{verified.id} has neither a check nor a reason",
        f"{human.id} has a check by now and needs no reason",
        "the items name check never_heard_of, which does not exist",
    ]
    gone = [item for item in ITEMS if item is not human]
    assert problems(gone) == [f"{human.id} is no item"]


def test_the_counts_of_the_summary_add_up() -> None:
    text = page(ITEMS)
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    numbers = [[int(one) for one in row[1:]] for row in rows]
    assert len(rows) == 6
    assert rows[-1][0] == "**together**"
    assert numbers[-1] == [sum(column) for column in zip(*numbers[:-1], strict=True)]
    assert all(total == sum(parts) for total, *parts in numbers)
    assert numbers[-1][0] == len(ITEMS)
    assert numbers[-1][3] == sum(not item.checks for item in ITEMS) == sum(kind(item) == "person" for item in ITEMS)


def test_what_a_machine_sees_stands_beside_what_was_thought_possible(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(SURVEY) == {item.pack for item in ITEMS}
    assert main(["--counts"]) == 0
    told = capsys.readouterr().out
    rows = re.findall(
        r"^\| (.+?) \| (\d+) \| (\d+) \((\d+)%\) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \((\d+)%\) \|$", told, re.MULTILINE
    )
    assert len(rows) == 6
    numbers = [[int(one) for one in row[1:]] for row in rows]
    seen = sum(bool(item.checks) for item in ITEMS)
    assert numbers[-1] == [len(ITEMS), seen, round(100 * seen / len(ITEMS)), 246, 101, 76, 177, 72]
    assert [sum(row[at] for row in numbers[:-1]) for at in (0, 1, 3, 4, 5)] == [len(ITEMS), seen, 246, 101, 76]
    reasons_told = re.findall(r"\((\d+)\)", told.rpartition("need a person:")[2])
    assert sum(map(int, reasons_told)) == len(ITEMS) - seen
    assert told.split("Why the others")[0] in page(ITEMS)


def test_every_item_and_every_rule_stands_on_the_page_once() -> None:
    text = page(ITEMS)
    for item in ITEMS:
        assert len(re.findall(rf"^\| \[{item.id}\]", text, re.MULTILINE)) == 1
    for name in rules():
        assert len(re.findall(rf"^\| \[{name}\]", text, re.MULTILINE)) == 1


def test_links_lead_to_pages_that_exist_or_are_generated_from_checks() -> None:
    for target in set(re.findall(r"\]\((\.\./knowledge/[^)]+)\)", page(ITEMS))):
        file = (PAGE.parent / target).resolve()
        assert file.is_file() or (file.parent.name == "failure-modes" and file.stem in cases()), target


def test_most_items_of_the_technical_checklists_are_seen_by_a_machine() -> None:
    technical = [item for item in ITEMS if item.pack != "governance"]
    assert sum(bool(item.checks) for item in technical) / len(technical) > 0.7


def test_it_writes_checks_and_says_what_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checklist_map, "PAGE", tmp_path / "checklists.md")
    assert main(["--check"]) == 1
    assert "stale" in capsys.readouterr().err
    assert main([]) == 0
    assert main(["--check"]) == 0
    (tmp_path / "checklists.md").write_text("old", encoding="utf-8")
    assert main(["--check"]) == 1
    monkeypatch.setattr(checklist_map, "REASONS", {})
    assert main([]) == 1
    assert "neither a check nor a reason" in capsys.readouterr().err


def test_hostile_words_do_not_break_the_table() -> None:
    odd = replace(ITEMS[0], title="a | b\n| c", evidence="x\n\n|y|")
    row = next(line for line in page([odd]).splitlines() if line.startswith(f"| [{odd.id}]"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert "a \\| b \\| c" in row
