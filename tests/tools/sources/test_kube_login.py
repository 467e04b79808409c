"""What logging in does to a kubeconfig, and says of it: nothing is written back, and no token is shown."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import Configuration

from tools.reading import Blind, Reason
from tools.sources.kube_login import login

TOKEN = "s3cr3t-t0ken"


def written(path: Path, user: dict[str, Any], context: dict[str, Any] | None = None) -> Path:
    content = {
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "me", **user}],
        "contexts": [context or {"name": "x", "context": {"cluster": "c", "user": "me"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def renewing(path: Path, answer: str) -> Path:
    """A kubeconfig whose token comes from a command, as cloud providers' do."""
    command = path.with_suffix(".py")
    command.write_text(f"print({answer!r})", encoding="utf-8")
    provider = {"name": "gcp", "config": {"cmd-path": sys.executable, "cmd-args": str(command)}}
    return written(path, {"user": {"auth-provider": provider}})


def test_a_renewed_token_is_used_and_never_written_back(tmp_path: Path) -> None:
    answer = {"credential": {"access_token": TOKEN, "token_expiry": "2126-01-01T00:00:00Z"}}
    path = renewing(tmp_path / "config", json.dumps(answer))
    before = path.read_bytes()
    found = login(str(path), None)
    assert isinstance(found, Configuration)
    assert found.get_api_key_with_prefix("BearerToken") == f"Bearer {TOKEN}"
    assert path.read_bytes() == before


@pytest.mark.parametrize("answer", ["no json", "[]", "{}", '{"credential": 3}', ""])
def test_a_command_that_gives_no_token_is_blind(tmp_path: Path, answer: str) -> None:
    found = login(str(renewing(tmp_path / "config", answer)), None)
    assert isinstance(found, Blind)
    assert found.reason is Reason.NOT_SET
    assert str(tmp_path / "config") in found.detail


def test_a_command_that_is_not_there_is_blind(tmp_path: Path) -> None:
    provider = {"name": "gcp", "config": {"cmd-path": str(tmp_path / "gone"), "cmd-args": "x"}}
    found = login(str(written(tmp_path / "config", {"user": {"auth-provider": provider}})), None)
    assert isinstance(found, Blind)
    assert found.reason is Reason.NOT_SET


def test_an_entry_in_the_wrong_place_is_named_without_what_it_holds(tmp_path: Path) -> None:
    context = {"name": "x", "cluster": "c", "user": "me", "token": TOKEN}
    found = login(str(written(tmp_path / "config", {"token": TOKEN}, context)), None)
    assert isinstance(found, Blind)
    assert "Expected key context" in found.detail
    assert TOKEN not in found.detail


def test_a_line_that_is_no_yaml_is_counted_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(f"users:\n- name: me\n  user:\n    token: {TOKEN}: {TOKEN}\n", encoding="utf-8")
    found = login(str(path), None)
    assert isinstance(found, Blind)
    assert "(line 4)" in found.detail
    assert TOKEN not in found.detail


def test_files_that_are_joined_may_be_missing_but_not_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "config", {"user": {"token": TOKEN}})
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{path}")
    assert isinstance(login(None, None), Configuration)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'absent'}:{tmp_path / 'gone'}")
    found = login(None, None)
    assert isinstance(found, Blind)
    assert found.detail.endswith("does not exist")
