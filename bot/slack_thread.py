"""What Rackside does in a thread: post one answer, react, show a status.

A post is never blindly retried: after an unclear failure (connection lost, server error) the thread is searched
for the opaque key that every post carries in its metadata, and what is found is updated instead of posted again.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.blocks import Message
from bot.blocks_actions import simpler
from bot.slack_clients import NOT_INSTALLED, Clients, NotInstalledError, Tokens
from bot.store.records import Ask, Letter

if TYPE_CHECKING:
    from slack_sdk import WebClient

log = logging.getLogger("rackside.slack")

# The Web API methods used, with the scope of each: deploy/slack-manifest.yaml asks for these and no other.
METHODS: dict[str, str] = {
    "auth_test": "",
    "chat_postMessage": "chat:write",
    "chat_update": "chat:write",
    "chat_postEphemeral": "chat:write",
    "conversations_replies": "channels:history",
    "conversations_history": "channels:history",
    "reactions_add": "reactions:write",
    "reactions_remove": "reactions:write",
    "assistant_threads_setStatus": "assistant:write",
}
EVENT_TYPE = "rackside_answer"
WORKING, DONE, FAILED = "eyes", "white_check_mark", "warning"
_LONGEST_WAIT = 60.0
_UNKNOWN_TRIES = 5
# Our clock and Slack's may differ: so far back is looked for what was posted after it arrived.
SKEW_S = 3600.0
UNREACHABLE = (OSError, http.client.HTTPException, SlackClientError)
_FORM = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
# A place where nothing can be said; what holds there says nothing of other places.
REFUSED = {
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "is_inactive",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "cannot_reply_to_message",
    "thread_not_found",
    "messages_tab_disabled",
    "user_is_bot",
    NOT_INSTALLED,
}
# The token itself is no good any more.
_DEAD = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
_NOT_LET_IN = _DEAD | {
    "missing_scope",
    "no_permission",
    "org_login_required",
    "ekm_access_denied",
}
_PASSING = {
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "ratelimited",
    "rate_limited",
    "streaming_state_conflict",
}


class UndeliverableError(Exception):
    """Slack will never take this message; the text is Slack's reason."""


class Leaving(BaseException):
    """The process is stopping: the work stays pending. No Exception, so that no step records it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """How a call failed: Slack's reason, how long Slack asked to wait, and whether the call may have worked."""

    reason: str
    retry_after: float | None
    unclear: bool


def trouble(error: Exception) -> Trouble:
    """Read a failed call."""
    if isinstance(error, NotInstalledError):
        return Trouble(NOT_INSTALLED, None, unclear=False)
    if not isinstance(error, SlackApiError):
        return Trouble(type(error).__name__, None, unclear=True)
    response: Any = error.response
    status = getattr(response, "status_code", 200)
    headers = {str(name).lower(): value for name, value in (getattr(response, "headers", None) or {}).items()}
    try:
        reason = str(response["error"])
    except (KeyError, TypeError, ValueError):
        reason = f"HTTP {status}"
    if status == 429 or reason in {"ratelimited", "rate_limited"}:
        with contextlib.suppress(TypeError, ValueError):
            return Trouble("ratelimited", max(0.0, float(headers.get("retry-after", 1))), unclear=False)
        return Trouble("ratelimited", 1.0, unclear=False)
    return Trouble(reason, None, unclear=status >= 500 or reason in _PASSING or reason.startswith("HTTP"))


class SlackThread:
    """Writes to Slack's threads. Safe to use from many threads of this process."""

    def __init__(self, token: str | Tokens, api_url: str, stop: Event, first_wait: float = 1.0) -> None:
        """Talk to the Web API under `api_url`, with one token or each workspace's own; `stop` ends every wait with `Leaving`."""
        self._stop = stop
        self._first_wait = first_wait
        # Both without retry handlers: posts are repeated here, with care; reactions and status are not worth it.
        self._clients = Clients(token, api_url, 30)
        self._briefly = Clients(token, api_url, 3)

    def deliver(
        self,
        ask: Ask,
        effect: str,
        message: Message,
        *,
        look_first: bool,
        root: str = "",
        since: float = 0.0,
        instead: str = "",
    ) -> str:
        """Bring the message where the ask wants it exactly once and return its ts.

        That is the ask's thread (or that of `root`), the message that it replaces (or `instead`, which showed the work), or the channel itself, where a message of ours
        is looked for from `since` (seconds since the epoch) on.
        Waits out rate limits, outages and, where there is one workspace, a revoked token; among several, one that is gone keeps nobody
        else waiting. Raises UndeliverableError when Slack refuses for good, `Leaving` when the process stops.
        """
        root = root or ask.thread_ts
        replaces = "" if "/" in effect else str(ask.payload.get("replaces") or "") or instead
        wait, unknown = self._first_wait, 0
        while True:
            self._leave_if_stopping()
            client = None
            try:
                client = self._clients.of(ask.team)
                found = self._find(client, ask.channel, root, effect, since) if look_first and not replaces else None
                return self._write(client, ask.channel, root, effect, message, replaces or found)
            except UNREACHABLE as error:
                problem = trouble(error)
            if self._lost(ask.team, client, problem):
                raise UndeliverableError(problem.reason)
            if problem.reason in _GONE and replaces:
                # Somebody deleted it, or it is too old to change: it is said anew.
                replaces, look_first = "", True
                continue
            if problem.reason in _FORM and message.blocks:
                plainer = simpler(message.blocks)
                left = "its plainer form" if plainer != message.blocks else "its text alone"
                log.error("Slack refused the blocks of %s (%s): posting %s", ask.key, problem.reason, left)
                message = Message(message.text, plainer if plainer != message.blocks else [])
                continue
            if problem.reason in REFUSED:
                raise UndeliverableError(problem.reason)
            known = problem.unclear or problem.retry_after is not None or problem.reason in _NOT_LET_IN
            unknown += not known
            if unknown >= _UNKNOWN_TRIES:
                raise UndeliverableError(problem.reason)
            look_first = look_first or problem.unclear
            pause = problem.retry_after if problem.retry_after is not None else wait
            log.warning("answer to %s not delivered yet (%s): next try in %.1f s", ask.key, problem.reason, pause)
            self._stop.wait(pause)
            wait = min(_LONGEST_WAIT, wait * 2)

    def whisper(self, ask: Ask, message: Message, person: str) -> str:
        """Show the message to one person only, in the ask's thread; '' as it is no message that others could answer.

        Slack promises no more than to try, so a failure is only logged. In a direct message it is an ordinary one.
        """
        place: dict[str, Any] = {"thread_ts": ask.thread_ts} if ask.thread_ts not in {"", ask.ts} else {}
        try:
            self._clients.of(ask.team).chat_postEphemeral(
                channel=ask.channel, user=person, text=message.text, blocks=message.blocks or None, **place
            )
        except UNREACHABLE as error:
            log.warning("nothing was said to %s about %s (%s)", person, ask.key, trouble(error).reason)
        return ""

    def patiently(self, look: Callable[[Letter], str], letter: Letter) -> str:
        """Look for something in Slack, through rate limits and outages; '' where Slack refuses for good."""
        wait = self._first_wait
        while True:
            self._leave_if_stopping()
            try:
                return look(letter)
            except UNREACHABLE as error:
                problem = trouble(error)
            lost = self._clients.many and problem.reason in _DEAD
            if lost or not (problem.unclear or problem.retry_after is not None or problem.reason in _NOT_LET_IN):
                return ""
            self._stop.wait(problem.retry_after if problem.retry_after is not None else wait)
            wait = min(_LONGEST_WAIT, wait * 2)

    def tell(self, address: str, text: str) -> None:
        """Say something to whoever gave a command, by the command's own address (Slack takes it for half an hour)."""
        # Never anywhere else than at Slack: the address comes with a delivery that Slack signed, the host is checked all the same.
        host = urlsplit(address).hostname or ""
        if host != "hooks.slack.com" and host != urlsplit(self._clients.api_url).hostname:
            return
        try:
            WebhookClient(address, timeout=10).send(text=text, response_type="ephemeral", replace_original=False)
        except UNREACHABLE as error:
            log.warning("nobody was told that an answer could not be posted (%s)", type(error).__name__)

    def _leave_if_stopping(self) -> None:
        if self._stop.is_set():
            raise Leaving

    def _lost(self, team: str, client: WebClient | None, problem: Trouble) -> bool:
        """Is one of several workspaces gone for good, as far as can be known: its token is dead and there is no newer one?"""
        if client is None or not self._clients.many or problem.reason not in _DEAD:
            return False
        try:
            return not self._clients.replaced(team, client)
        except NotInstalledError:
            return True

    def _write(
        self, client: WebClient, channel: str, root: str, effect: str, message: Message, found: str | None
    ) -> str:
        content: dict[str, Any] = {
            "channel": channel,
            "text": message.text,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"effect": effect}},
        }
        if message.blocks:
            content["blocks"] = message.blocks
        if found:
            client.chat_update(ts=found, parse="none", link_names=False, **content)
            return found
        if root:
            content["thread_ts"] = root
        response = client.chat_postMessage(
            parse="none",
            link_names=False,
            unfurl_links=False,
            unfurl_media=False,
            **content,
        )
        return str(response["ts"])

    def _find(self, client: WebClient, channel: str, root: str, effect: str, since: float) -> str | None:
        """The message in the thread, or in the channel, that carries the key."""
        cursor = ""
        while True:
            args: dict[str, Any] = {
                "channel": channel,
                "include_all_metadata": True,
                "limit": 200,
                "cursor": cursor,
            }
            try:
                if root:
                    page = client.conversations_replies(ts=root, **args)
                else:
                    page = client.conversations_history(oldest=f"{max(0.0, since - SKEW_S):.6f}", **args)
            except SlackApiError as error:
                if trouble(error).reason in {"thread_not_found", "missing_scope"}:
                    # Nothing to find, or nobody may look: an answer twice is better than none.
                    return None
                raise
            for message in page.get("messages") or ():
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                if payload.get("effect") == effect:
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    def react(self, ask: Ask, name: str) -> None:
        """Put a reaction on the question; a failure is only logged."""
        self._try(ask.team, "reactions_add", channel=ask.channel, timestamp=ask.ts, name=name)

    def unreact(self, ask: Ask, name: str) -> None:
        """Take our reaction back; a failure is only logged."""
        self._try(ask.team, "reactions_remove", channel=ask.channel, timestamp=ask.ts, name=name)

    def status(self, ask: Ask, status: str) -> bool:
        """Show what is being done beside the thread ('' clears it); False where Slack does not offer it."""
        place = {"channel_id": ask.channel, "thread_ts": ask.thread_ts}
        return self._try(ask.team, "assistant_threads_setStatus", **place, status=status[:100])

    def _try(self, team: str, method: str, /, **args: str) -> bool:
        """A call that nothing depends on."""
        try:
            getattr(self._briefly.of(team), method)(**args)
        except UNREACHABLE as error:
            log.debug("%s left out: %s", method, trouble(error).reason)
            return False
        return True

    def identity(self) -> dict[str, Any]:
        """Who the one token belongs to (auth.test); raises what slack_sdk raises."""
        return dict(self._clients.of("").auth_test().data)  # type: ignore[arg-type]
