"""The generated pages: complete, stable, and found out when they are stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import handbook
from tools.casebook import cases


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(handbook, "ROOT", tmp_path)
    monkeypatch.setattr(handbook, "PACK", tmp_path / "pack")
    monkeypatch.setattr(handbook, "OVERVIEW", tmp_path / "docs" / "checks.md")
    return tmp_path


def test_what_was_written_is_current_and_written_the_same_again(elsewhere: Path) -> None:
    assert handbook.main([]) == 0
    assert handbook.stale() == []
    before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
    assert len(before) == len(cases()) + 2
    handbook.write()
    assert before == {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
    assert handbook.main(["--check"]) == 0


def test_a_changed_a_missing_and_a_leftover_page_are_stale(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(handbook.stale()) == len(cases()) + 2, "nothing is there yet"
    handbook.write()
    first, second, *_ = sorted((elsewhere / "pack").glob("*.md"))
    first.write_text("by hand", encoding="utf-8")
    second.unlink()
    (elsewhere / "pack" / "gone_check.md").write_text("left over", encoding="utf-8")
    assert {path.name for path in handbook.stale()} == {first.name, second.name, "gone_check.md"}
    assert handbook.main(["--check"]) == 1
    assert capsys.readouterr().err.count("stale: ") == 3
    handbook.write()
    assert handbook.stale() == []
    assert not (elsewhere / "pack" / "gone_check.md").exists()


@pytest.mark.parametrize("check", list(cases()))
def test_a_page_has_its_four_parts_its_limits_and_its_sources(check: str) -> None:
    case = cases()[check]
    text = handbook.page(case)
    for heading in ("## Meaning", "## Impact", "## Diagnosis", "## Mitigation"):
        assert text.count(heading) == 1
    assert case.words.title in text
    assert f"`{check}`" in text
    assert 'url: "https://' in text
    for name in case.check.limits:
        assert f"| {name} |" in text
    for explained in case.check.explains:
        assert f"`{explained.symptom}`" in text
    for ask in case.check.asks:
        assert ask.said in text


def test_the_overview_lists_every_failure_mode_once() -> None:
    text = handbook.overview()
    for check in cases():
        assert text.count(f"[{check}](") == 1
