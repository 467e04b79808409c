"""Web API clients, each with the token of the workspace that it is for.

A token is looked up when something is done, never kept beside what is to be done: what was accepted before a restart, or before the app
was installed anew, is answered with the token of then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry.handler import RetryHandler

NOT_INSTALLED = "not_installed"
# From a workspace's id to its bot token; raises NotInstalledError.
Tokens = Callable[[str], str]


class NotInstalledError(SlackClientError):
    """Rackside is not installed in a workspace (any more): nothing can be said there."""


class Clients:
    """The client for a workspace. With one token for all there is one client, and it does not matter which workspace is named."""

    def __init__(
        self, token: str | Tokens, api_url: str, timeout: int, retry_handlers: Sequence[RetryHandler] = ()
    ) -> None:
        """Talk to the Web API under `api_url`; `timeout` is in seconds."""
        self.api_url, self._timeout, self._retry_handlers = api_url, timeout, list(retry_handlers)
        self._tokens = token if callable(token) else None
        self._only = self._client(token) if not callable(token) else None

    @property
    def many(self) -> bool:
        """Has every workspace its own token?"""
        return self._tokens is not None

    def of(self, team: str) -> WebClient:
        """The client for a workspace; raises NotInstalledError where Rackside is not installed."""
        if self._tokens is None:
            assert self._only is not None
            return self._only
        # Made anew each time (it costs microseconds): a token that was replaced is never used again.
        return self._client(self._tokens(team))

    def replaced(self, team: str, client: WebClient) -> bool:
        """Was a workspace's token replaced since this client was made?"""
        return self._tokens is not None and self._tokens(team) != client.token

    def _client(self, token: str) -> WebClient:
        return WebClient(
            token=token, base_url=self.api_url, timeout=self._timeout, retry_handlers=list(self._retry_handlers)
        )
