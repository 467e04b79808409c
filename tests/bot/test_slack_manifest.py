"""deploy/slack-manifest.yaml asks for exactly what the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from slack_sdk import WebClient

from bot.listeners import EVENTS, ROUTES
from bot.slack_manifest import declared, text

ROOT = Path(__file__).parents[2]


def test_the_file_is_current() -> None:
    assert (ROOT / "deploy/slack-manifest.yaml").read_text() == text(), "run: python -m bot.slack_manifest"


def test_shape() -> None:
    manifest = yaml.safe_load(text())
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(declared("EVENTS"))
    features = manifest["features"]
    assert "agent_view" in features
    assert "assistant_view" not in features
    assert len(features["agent_view"]["agent_description"]) <= 300
    assert len(manifest["display_information"]["description"]) <= 140
    assert not {"chat:write.public", "chat:write.customize"} & set(manifest["oauth_config"]["scopes"]["bot"])
    assert "user" not in manifest["oauth_config"]["scopes"]


def test_every_event_heard_is_subscribed_to() -> None:
    assert {event.split(".")[0] for event in EVENTS} == set(ROUTES)


def test_every_method_called_has_its_scope_and_none_is_spare() -> None:
    """Any method of the Web API that the Slack edge names is in METHODS, and the other way round."""
    known = {name for name in dir(WebClient) if "_" in name and not name.startswith("_")} - {"api_call"}
    sources = ROOT.glob("bot/**/*.py")
    code = "\n".join(re.sub(r"METHODS: .*?\n}", "", path.read_text(), flags=re.DOTALL) for path in sources)
    used = {name for name in known if re.search(rf"[.\"]{name}[(\"]", code)}
    assert used == set(declared("METHODS"))
