"""What the doctor says of Slack: the kinds of token, the scopes that are missing, whether Socket Mode or the HTTP port can work."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bot.doctor_workspaces import workspaces
from bot.seen import Seen
from bot.settings import Settings

_KINDS = {
    "xoxb-": "a bot token",
    "xoxp-": "a user token",
    "xoxe.": "a token that is rotated",
    "xoxe-": "a refresh token",
    "xapp-": "an app-level token",
    "xoxa-": "a workspace token of old",
    "xoxc-": "a browser's token",
    "xoxs-": "a browser's token",
}
_WAIT_S = 10.0
_MANIFEST = (
    "Paste deploy/slack-manifest.yaml under App Manifest, save, and install the app again (docs/slack.md, step 3)"
)


def kind_of(token: str) -> str:
    """What kind of token this is, without a character of it."""
    return next((kind for prefix, kind in _KINDS.items() if token.startswith(prefix)), "no token of Slack's")


def slack(settings: Settings) -> Iterator[Seen]:
    """Rows for each part of Slack's set-up; each is really asked."""
    bot, app, secret = (
        value.get_secret_value() if value is not None else ""
        for value in (settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret)
    )
    yield from alerts(settings)
    if settings.slack_client_id:
        yield from workspaces(settings, lambda token, what: _token(settings, token, what))
        yield from _deliveries(settings, app, secret)
        return
    if not bot:
        todo = "Set RACKSIDE_SLACK_BOT_TOKEN and an app token or signing secret (docs/slack.md)"
        yield Seen("Slack", "not set", "only rackside serve needs it", todo)
        return
    if not bot.startswith("xoxb-"):
        todo = "Copy the Bot User OAuth Token (xoxb-...) from OAuth & Permissions"
        yield Seen("Slack", "blind", f"RACKSIDE_SLACK_BOT_TOKEN holds {kind_of(bot)}", todo)
        return
    yield from _token(settings, bot)
    yield from _deliveries(settings, app, secret)


def alerts(settings: Settings) -> Iterator[Seen]:
    """Channels that alerts are posted to and that, by the rules, may see nothing."""
    told = settings.alerts
    channels = [told.channel, *(one.channel for one in told.routes), *(one.channel for one in told.watch)]
    posted = dict.fromkeys(channels)
    blind = [one for one in posted if one and settings.access.seen_from(one) is None]
    if blind:
        todo = "Give each a rule under `access: channels`, or post alerts elsewhere"
        detail = f"alerts for {', '.join(blind)} are not posted: there are rules for channels, and none for these"
        yield Seen("Slack: alerts", "blind", detail, todo)


def _deliveries(settings: Settings, app: str, secret: str) -> Iterator[Seen]:
    if app and not app.startswith("xapp-"):
        todo = "Generate one with connections:write under Basic Information -> App-Level Tokens"
        yield Seen("Slack: Socket Mode", "blind", f"RACKSIDE_SLACK_APP_TOKEN holds {kind_of(app)}", todo)
    elif app:
        yield _socket(settings, app)
    elif secret:
        yield Seen(
            "Slack: HTTP mode",
            "ok",
            f"deliveries are checked with the signing secret; Slack has to reach port {settings.slack_port} at /slack/events",
        )
    else:
        todo = "Set RACKSIDE_SLACK_APP_TOKEN (Socket Mode) or RACKSIDE_SLACK_SIGNING_SECRET (HTTP)"
        yield Seen("Slack: deliveries", "not set", "Slack has no way to tell Rackside anything", todo)


def _token(settings: Settings, token: str, what: str = "Slack") -> Iterator[Seen]:
    told, problem = _call(settings, token, "auth.test")
    if told is None:
        yield Seen(what, "blind", *problem)
        return
    yield Seen(what, "ok", f"the bot token belongs to {told.get('user')} in {told.get('team')}")
    scopes = f"{what}: scopes"
    headers = {str(name).lower(): value for name, value in (told.headers or {}).items()}
    granted = headers.get("x-oauth-scopes")
    if granted is None:
        yield Seen(scopes, "blind", "Slack does not say what the token may do", "Check RACKSIDE_SLACK_API_URL")
        return
    has = {scope.strip() for scope in str(granted).split(",") if scope.strip()}
    wanted = _wanted()
    missing, spare = sorted(wanted - has), sorted(has - wanted)
    more = f"; granted and not needed: {', '.join(spare)}" if spare else ""
    if missing:
        yield Seen(scopes, "blind", f"missing: {', '.join(missing)}{more}", _MANIFEST)
    else:
        yield Seen(scopes, "ok", f"all {len(wanted)} that the manifest asks for{more}")


def _wanted() -> set[str]:
    from bot.slack_manifest import manifest

    return set(manifest()["oauth_config"]["scopes"]["bot"])


def _socket(settings: Settings, token: str) -> Seen:
    told, problem = _call(settings, token, "apps.connections.open")
    what = "Slack: Socket Mode"
    if told is None:
        detail, todo = problem
        refused = "missing_scope" in detail or "not_allowed" in detail
        return Seen(what, "blind", detail, "Give the app token the scope connections:write" if refused else todo)
    where = urlsplit(str(told.get("url") or ""))
    port = where.port or (443 if where.scheme == "wss" else 80)
    try:
        # No handshake: a connection of ours would be sent events that nobody answers.
        with socket.create_connection((where.hostname or "", port), timeout=_WAIT_S):
            return Seen(what, "ok", f"{where.hostname} can be reached, and the app token may connect")
    except OSError as error:
        todo = f"Let this machine out to {where.hostname}:{port}, or use HTTP mode"
        return Seen(what, "blind", f"{where.hostname} cannot be reached ({type(error).__name__})", todo)


def _call(settings: Settings, token: str, method: str) -> tuple[Any, tuple[str, str]]:
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError, SlackClientError

    address = settings.slack_api_url.rstrip("/") + "/"
    client = WebClient(token=token, base_url=address, timeout=int(_WAIT_S), retry_handlers=[])
    try:
        return client.api_call(method), ("", "")
    except SlackApiError as error:
        told = error.response.get("error") if hasattr(error.response, "get") else error.response
        return None, (f"Slack answered {told}", "Reinstall the app and copy its token")
    except OSError as error:
        return None, (f"Slack cannot be reached ({type(error).__name__})", "Check the way out to slack.com")
    except (SlackClientError, ValueError, AttributeError):
        # The client's ways to say: no URL, or what answers there is not Slack.
        return None, ("what answers there does not answer like Slack", "Check RACKSIDE_SLACK_API_URL")
