"""What `serve` needs to be told of Slack, and one sentence that names all of it that is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bot.slack_workspaces import TEAM


class SettingsError(Exception):
    """`serve` cannot start; the message is one sentence for the person who runs it."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """What `serve` needs. With an app token it uses Socket Mode, else HTTP with the signing secret.

    With a bot token there is one workspace. With the app's `client_id` and `client_secret` instead there are several: those of
    `workspaces` (their ids) may install Rackside on its page, which Slack leads back to at `redirect_url`.
    `token_key` encrypts the tokens of several (bot/store/sealing.py).
    `port` serves /healthz in both modes and /slack/events in HTTP mode; None opens no port (Socket Mode only).
    `grace` is how long running answers may finish on a stop signal, `first_wait` the first pause before an answer
    is delivered again; both in seconds. `queue` is how many people may wait for an answer before a further one is told that it is busy.
    """

    bot_token: str | None
    app_token: str | None
    signing_secret: str | None
    home: Path
    api_url: str = "https://slack.com/api/"
    database_url: str | None = None
    host: str = "0.0.0.0"  # noqa: S104 - Slack, or a probe of the cluster, calls in from outside
    port: int | None = 3000
    workers: int = 4
    grace: float = 20.0
    first_wait: float = 1.0
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_key: str | None = field(default=None, repr=False)
    redirect_url: str = ""
    workspaces: frozenset[str] = frozenset()
    queue: int = 200

    @property
    def many(self) -> bool:
        """Are there several workspaces?"""
        return bool(self.client_id or self.client_secret)

    @property
    def socket_mode(self) -> bool:
        """Socket Mode needs no address that Slack can reach: it wins when both are set."""
        return bool(self.app_token)

    @property
    def base_url(self) -> str:
        """The Web API's address as slack_sdk wants it."""
        return self.api_url.rstrip("/") + "/"


def missing(settings: SlackSettings) -> str:
    """One sentence that names everything that is missing or mistaken; '' when `serve` can start."""
    problems = []
    if settings.many:
        problems += _missing_of_several(settings)
    elif not settings.bot_token:
        problems.append("RACKSIDE_SLACK_BOT_TOKEN (xoxb-...)")
    elif not settings.bot_token.startswith("xoxb-"):
        problems.append("RACKSIDE_SLACK_BOT_TOKEN with a bot token (it starts with xoxb-)")
    if settings.app_token and not settings.app_token.startswith("xapp-"):
        problems.append("RACKSIDE_SLACK_APP_TOKEN with an app-level token (it starts with xapp-)")
    if not settings.app_token and not settings.signing_secret:
        problems.append(
            "RACKSIDE_SLACK_APP_TOKEN (xapp-..., for Socket Mode) or RACKSIDE_SLACK_SIGNING_SECRET (for HTTP)"
        )
    if not problems:
        return ""
    return f"serve needs {' and '.join(problems)}: see deploy/slack-manifest.yaml for how to get them"


def _missing_of_several(settings: SlackSettings) -> list[str]:
    problems = []
    if settings.bot_token:
        problems.append(
            "either RACKSIDE_SLACK_BOT_TOKEN (one workspace) or RACKSIDE_SLACK_CLIENT_ID (several), not both"
        )
    if not (settings.client_id and settings.client_secret):
        problems.append("both RACKSIDE_SLACK_CLIENT_ID and RACKSIDE_SLACK_CLIENT_SECRET (Basic Information)")
    if settings.port is None:
        problems.append("a port for the install page (RACKSIDE_SLACK_PORT)")
    if not settings.workspaces or not all(TEAM.fullmatch(one) for one in settings.workspaces):
        problems.append("`workspaces` in the settings file, with the ids (T...) of the workspaces that may install it")
    return problems
