"""Who people are and what a channel is, as Slack says, remembered for some minutes."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any, TypeVar, cast

from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)

from bot.access.decide import Person
from bot.access.guard import UnknownPersonError
from bot.slack_clients import Clients, Tokens

METHODS: dict[str, str] = {
    "users_info": "users:read",
    "usergroups_users_list": "usergroups:read",
    "conversations_info": "channels:read groups:read",
}
FRESH_S = 300.0
_KEPT = 5000
_NOT_LET = {"missing_scope", "no_permission", "not_allowed_token_type", "access_denied"}
Value = TypeVar("Value")


class SlackPeople:
    """Asks Slack and remembers the answer. Safe to use from many threads."""

    def __init__(
        self, token: str | Tokens, api_url: str, clock: Callable[[], float] = time.monotonic, team: str = ""
    ) -> None:
        """Talk to the Web API under `api_url`, of the workspace `team` where each has a token of its own."""
        handlers = [
            RateLimitErrorRetryHandler(max_retry_count=2),
            ConnectionErrorRetryHandler(max_retry_count=2),
            ServerErrorRetryHandler(max_retry_count=2),
        ]
        self._clients, self._team = Clients(token, api_url, 10, handlers), team
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[float, Any]] = OrderedDict()

    def person(self, team: str, user: str) -> Person:
        """Who a user is; raises UnknownPersonError where Slack does not let us see it."""
        return self._remembered(f"user {team} {user}", lambda: self._person(team, user))

    def _person(self, team: str, user: str) -> Person:
        told = self._ask(
            lambda: self._clients.of(self._team).users_info(user=user), {"user_not_found", "user_not_visible"}
        )
        if told is None:
            return Person(user, stranger=True)
        about = told["user"]
        theirs = str(about.get("team_id") or team)
        return Person(
            user,
            theirs,
            guest=bool(about.get("is_restricted") or about.get("is_ultra_restricted")),
            stranger=bool(about.get("is_stranger")) or bool(team and theirs != team),
            bot=bool(about.get("is_bot")) or user == "USLACKBOT",
        )

    def shared(self, channel: str) -> bool:
        """Does another organisation read along?"""
        return self._remembered(f"channel {channel}", lambda: self._shared(channel))

    def _shared(self, channel: str) -> bool:
        told = self._ask(
            lambda: self._clients.of(self._team).conversations_info(channel=channel), {"channel_not_found"}
        )
        if told is None:
            # We see what is said there and may not look at it: nothing speaks for another organisation.
            return False
        about = told["channel"]
        return bool(about.get("is_ext_shared") or about.get("is_pending_ext_shared"))

    def groups(self, user: str, among: Collection[str]) -> frozenset[str]:
        """Which of these user groups somebody is in; one that does not exist has nobody in it."""
        return frozenset(one for one in among if user in self._members(one))

    def _members(self, group: str) -> frozenset[str]:
        return self._remembered(f"group {group}", lambda: self._group(group))

    def _group(self, group: str) -> frozenset[str]:
        gone = {"no_such_subteam", "subteam_not_found", "plan_upgrade_required", "invalid_arguments"}
        told = self._ask(lambda: self._clients.of(self._team).usergroups_users_list(usergroup=group), gone)
        return frozenset(told["users"]) if told else frozenset()

    def _ask(self, call: Callable[[], Any], none: Collection[str]) -> Any:
        try:
            return call()
        except SlackApiError as error:
            reason = str(error.response.get("error", "")) if hasattr(error.response, "get") else ""
            if reason in none:
                return None
            if reason in _NOT_LET:
                raise UnknownPersonError(reason) from None
            raise

    def _remembered(self, what: str, find: Callable[[], Value]) -> Value:
        with self._lock:
            at, known = self._known.get(what, (0.0, None))
            if what in self._known and self._clock() - at < FRESH_S:
                return cast("Value", known)
        found = find()
        with self._lock:
            self._known[what] = (self._clock(), found)
            self._known.move_to_end(what)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found
