"""Shared fixtures. The network is closed except loopback: a test that reaches out fails at once."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

_connect = socket.socket.connect
_HERE = Path(__file__).parent
# Files are dealt to processes whole, in this order and then as they were found: begun last, one of these would be waited for alone.
_LONGEST = (
    "evals/test_end_to_end.py",
    "evals/test_hand_written_incidents.py",
    "knowledge/test_search.py",
    "bot/advisor/test_advisor.py",
    "test_docs.py",
    "bot/triage/test_alert_webhooks.py",
    "bot/readiness/test_digest_posting.py",
    "bot/test_slack_killed.py",
    "evals/test_bench.py",
    "bot/test_command_line.py",
    "bot/test_slack_on_postgresql.py",
    "tools/test_checks.py",
    "knowledge/test_neighbouring_pages.py",
    "bot/readiness/test_audit_marks.py",
    "bot/test_slack_stream.py",
    "bot/test_blocks.py",
    "knowledge/test_index.py",
    "bot/triage/test_alert_killed.py",
    "evals/test_weeks.py",
)


def _loopback_only(self: socket.socket, address: Any) -> None:
    host = address[0] if isinstance(address, tuple) else ""
    if isinstance(address, tuple) and host not in {"127.0.0.1", "::1", "localhost", "0.0.0.0"}:
        raise AssertionError(f"a test tried to reach {host}: only loopback is open")
    _connect(self, address)


@pytest.fixture(autouse=True)
def _closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _loopback_only)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; every process collects the same order."""
    rank = {_HERE / name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))
