from __future__ import annotations

from pathlib import Path

import pytest

from knowledge import home


def test_named_home_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RACKSIDE_HOME", str(tmp_path / "there"))
    assert home.default_home() == tmp_path / "there"
    assert not (tmp_path / "there").exists()


def test_tilde_and_relative_names_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RACKSIDE_HOME", "~/racks")
    assert home.default_home() == tmp_path / "racks"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RACKSIDE_HOME", "here")
    assert home.default_home() == tmp_path / "here"


def test_a_checkout_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RACKSIDE_HOME", "  ")
    assert home.default_home() == Path(home.__file__).parent.parent / ".rackside"


def test_installed_it_is_under_the_users_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RACKSIDE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(home, "__file__", str(tmp_path / "site-packages" / "knowledge" / "home.py"))
    assert home.default_home() == tmp_path / ".rackside"
