"""The install page for several workspaces (OAuth): slack-bolt's flow over our stores, with pages that say what to do.

Only workspaces that the settings name are let in. A token that is not kept is handed back to Slack at once.
"""

from __future__ import annotations

import html
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.slack_workspaces import Workspaces
from bot.store.installations import States

if TYPE_CHECKING:
    from slack_sdk.oauth.installation_store import Installation

log = logging.getLogger("rackside.slack")

METHODS: dict[str, str] = {"auth_revoke": ""}
INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
AUTHORIZE = "oauth/v2/authorize"
LIVES_S = 600
AGAIN = "Begin again on the install page."
TOLD = {
    "access_denied": "It was not installed: the request was declined in Slack. Whoever may approve apps there can begin again.",
    "invalid_browser": "This browser did not begin the installation, or does not keep cookies for this address. "
    + AGAIN,
    "invalid_state": f"This installation was finished already, or took longer than {LIVES_S // 60} minutes. " + AGAIN,
    "missing_code": "Slack sent no code along. " + AGAIN,
    "invalid_code": "Slack did not accept the code of this installation, or could not be reached. " + AGAIN,
}
ORGANISATION = (
    "Rackside is installed in one workspace at a time, not for a whole Enterprise organisation: install it again and choose a workspace "
    "instead of the organisation."
)
ROTATED = (
    "This app rotates its tokens, which Rackside does not: turn token rotation off in the app's manifest (token_rotation_enabled: false), "
    "then install it again."
)
NO_BOT = "Slack gave no bot token: install the app again with the manifest that comes with Rackside."
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Rackside</title>
<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">
<body style="font: 1.1em/1.5 system-ui, sans-serif; max-width: 36em; margin: 4em auto; padding: 0 1em"><h1>{title}</h1><p>{text}</p>{more}
</body></html>"""
_HEADERS: dict[str, str | Sequence[str]] = {
    "content-type": ["text/html; charset=utf-8"],
    "content-security-policy": ["default-src 'none'; style-src 'unsafe-inline'"],
}


class RefusedError(BoltError):
    """An installation that is not kept; the message is for whoever installs."""


class Flow(OAuthFlow):
    """slack-bolt's flow, which keeps an installation only where it may be."""

    def __init__(self, client: WebClient, settings: OAuthSettings, workspaces: Workspaces) -> None:
        """See `flow`."""
        quiet = logging.getLogger("rackside.install")
        # Below errors, Bolt logs the code of an installation that failed; `_failed` says why without it.
        quiet.setLevel(logging.ERROR)
        super().__init__(client=client, logger=quiet, settings=settings)
        self._workspaces = workspaces

    def store_installation(self, request: BoltRequest, installation: Installation) -> None:  # noqa: ARG002
        """Keep it, or hand its token back and raise RefusedError."""
        problem = refused(installation, self._workspaces.allowed)
        if problem:
            log.warning("an installation in %s (%s) is refused", installation.team_id, installation.team_name)
            self._hand_back(installation)
            raise RefusedError(problem)
        self._workspaces.installations.save(installation)
        log.info("installed in %s (%s) by %s", installation.team_id, installation.team_name, installation.user_id)

    def _hand_back(self, installation: Installation) -> None:
        for token in (installation.bot_token, installation.user_token):
            if token:
                try:
                    self.client.auth_revoke(token=token)
                except (SlackClientError, OSError) as error:
                    log.warning("a token that is not kept was not taken back by Slack (%s)", type(error).__name__)


def refused(installation: Installation, allowed: frozenset[str]) -> str:
    """Why an installation is not kept, '' where it is."""
    if installation.is_enterprise_install or not installation.team_id:
        return ORGANISATION
    if installation.team_id not in allowed:
        return (
            f"The workspace {installation.team_name or ''} ({installation.team_id}) may not install Rackside: whoever runs it has to add "
            f"{installation.team_id} under `workspaces` in the settings file and start it again."
        )
    if installation.bot_refresh_token or installation.user_refresh_token:
        return ROTATED
    return "" if installation.bot_token and installation.bot_user_id else NO_BOT


def flow(
    workspaces: Workspaces, client_id: str, client_secret: str, redirect_url: str, api_url: str, scopes: Sequence[str]
) -> Flow:
    """The flow. `redirect_url` may be '' where the app has one only; `api_url` ends in a slash."""
    settings = OAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=list(scopes),
        user_scopes=[],
        redirect_uri=redirect_url or None,
        install_path=INSTALL,
        install_page_rendering_enabled=False,
        redirect_uri_path=REDIRECT,
        callback_options=CallbackOptions(success=_installed, failure=_failed),
        # Where people approve, beside the Web API: https://slack.com/oauth/v2/authorize.
        authorization_url=api_url.removesuffix("/").removesuffix("/api") + f"/{AUTHORIZE}",
        installation_store=workspaces.installations,
        installation_store_bot_only=True,
        state_store=States(workspaces.installations.engine, LIVES_S),
        state_expiration_seconds=LIVES_S,
    )
    return Flow(WebClient(base_url=api_url, timeout=10), settings, workspaces)


def _installed(told: SuccessArgs) -> BoltResponse:
    text = f"Rackside is installed in {told.installation.team_name or told.installation.team_id}."
    more = "In Slack: <code>/invite @Rackside</code> in a channel, then ask <code>@Rackside what is wrong right now?</code>"
    return _page(200, "Installed", text, f"<p>{more}</p>")


def _failed(told: FailureArgs) -> BoltResponse:
    if isinstance(told.error, RefusedError):
        return _page(403, "Not installed", str(told.error))
    log.warning("an installation failed: %.60r", told.reason)
    text = TOLD.get(told.reason, f"Slack says {told.reason[:60]}. {AGAIN}")
    status = 200 if told.reason == "access_denied" else max(400, told.suggested_status_code)
    return _page(status, "Not installed", text, f'<p><a href="{INSTALL}">Install page</a></p>')


def _page(status: int, title: str, text: str, more: str = "") -> BoltResponse:
    body = _PAGE.format(title=html.escape(title), text=html.escape(text), more=more)
    return BoltResponse(status=status, body=body, headers=_HEADERS)
