"""The doctor on Slack: kinds of token, scopes, the socket; against the stand-in over HTTP."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from bot.doctor_slack import kind_of, slack
from bot.seen import Seen
from bot.settings import Settings
from bot.slack_manifest import manifest
from evals.slack_standin import APP_TOKEN, BOT_TOKEN, Fault, SlackStandIn

SCOPES = tuple(manifest()["oauth_config"]["scopes"]["bot"])


@pytest.fixture
def workspace() -> Any:
    with SlackStandIn() as standing:
        standing.scopes = SCOPES
        yield standing


def rows(workspace: SlackStandIn | None, tmp_path: Path, **given: Any) -> dict[str, Seen]:
    address = workspace.api_url if workspace else "http://127.0.0.1:9/api/"
    chosen = {"slack_bot_token": BOT_TOKEN, "slack_app_token": APP_TOKEN} | given
    settings = Settings(home=tmp_path, slack_api_url=address, **chosen)
    return {row.what.removeprefix("Slack: "): row for row in slack(settings)}


def test_everything_in_order(workspace: SlackStandIn, tmp_path: Path) -> None:
    found = rows(workspace, tmp_path)
    assert [row.state for row in found.values()] == ["ok", "ok", "ok"]
    assert "rackside in Stand-in" in found["Slack"].detail
    assert f"all {len(SCOPES)}" in found["scopes"].detail
    assert not workspace.connected, "no connection of the doctor's is sent events"
    assert workspace.count("apps.connections.open") == 1


def test_a_scope_that_is_missing_is_named_with_what_to_do(workspace: SlackStandIn, tmp_path: Path) -> None:
    workspace.scopes = (*(set(SCOPES) - {"chat:write", "users:read"}), "admin")
    row = rows(workspace, tmp_path)["scopes"]
    assert row.state == "blind"
    assert row.detail == "missing: chat:write, users:read; granted and not needed: admin"
    assert "slack-manifest.yaml" in row.todo
    workspace.scopes = None
    assert rows(workspace, tmp_path)["scopes"].state == "blind"


@pytest.mark.parametrize(
    ("given", "what", "says"),
    [
        ({"slack_bot_token": "xoxp-1"}, "Slack", "a user token"),
        ({"slack_bot_token": "xapp-1"}, "Slack", "an app-level token"),
        ({"slack_bot_token": "hunter2"}, "Slack", "no token of Slack's"),
        ({"slack_app_token": "xoxb-1"}, "Socket Mode", "a bot token"),
        ({"slack_bot_token": "xoxb-wrong"}, "Slack", "invalid_auth"),
        ({"slack_app_token": "xapp-wrong"}, "Socket Mode", "invalid_auth"),
    ],
)
def test_a_wrong_token_is_called_by_its_kind(
    workspace: SlackStandIn, tmp_path: Path, given: dict[str, str], what: str, says: str
) -> None:
    found = rows(workspace, tmp_path, **given)
    assert found[what].state == "blind"
    assert says in found[what].detail
    assert found[what].todo
    assert not any(token in repr(found) for token in given.values()), "no token is printed"


def test_ways_to_deliver(workspace: SlackStandIn, tmp_path: Path) -> None:
    assert rows(workspace, tmp_path, slack_app_token=None, slack_signing_secret="s")["HTTP mode"].state == "ok"
    assert rows(workspace, tmp_path, slack_app_token=None)["deliveries"].state == "not set"
    assert list(rows(workspace, tmp_path, slack_bot_token=None)) == ["Slack"]


def test_the_socket_and_slack_itself_may_be_out_of_reach(workspace: SlackStandIn, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        workspace._ws_url = f"ws://127.0.0.1:{free.getsockname()[1]}/link"
        row = rows(workspace, tmp_path)["Socket Mode"]
        assert (row.state, "cannot be reached" in row.detail) == ("blind", True)
    workspace.fail("apps.connections.open", Fault(error="missing_scope"))
    assert "connections:write" in rows(workspace, tmp_path)["Socket Mode"].todo
    assert rows(None, tmp_path)["Slack"].state == "blind"
    workspace.fail("auth.test", Fault(status=503))
    assert rows(workspace, tmp_path)["Slack"].state == "blind"


def test_kinds() -> None:
    assert kind_of("xoxb-1") == "a bot token"
    assert kind_of("") == "no token of Slack's"
