"""Every Slack event that Rackside hears, and where it goes.

| event                                   | who decides         | what happens                                  |
|-----------------------------------------|---------------------|-----------------------------------------------|
| `app_mention`, `message` with a mention | `mention.asked`     | answered in the thread; an empty one: help    |
| `message` in a direct conversation      | `direct.asked`      | answered in its thread                        |
| `message` in a thread that we are in    | `thread.asked`      | answered when it is for us, else silence      |
| a question that is edited or deleted    | `afterwards.asked`  | answered anew in place, or not at all         |
| any other `message`; bots, joins        | `incoming.incoming` | acknowledged, nothing else                    |

Middleware persists what was accepted before Slack gets its acknowledgement; a listener then puts it to work.
Commands, buttons, shortcuts, modals and other events have a module each in this package, found by its name: `attach(app, deps)` adds
its listeners (each persists first, acknowledges second, works third), and its `EVENTS`, `METHODS`, `COMMANDS` and `SHORTCUTS`, where
it has them, go into the manifest.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient

from bot.access.guard import Gate
from bot.desk import Bench, modules
from bot.listeners import afterwards, direct, mention, thread
from bot.listeners.clicked import Click, whisper
from bot.listeners.incoming import Incoming, incoming
from bot.slack_workspaces import Workspaces
from bot.store.records import Ask, Store

log = logging.getLogger("rackside.slack")

Asked = Callable[[Incoming, Store], Ask | None]
ROUTES: dict[str, tuple[Asked, ...]] = {
    "app_mention": (mention.asked,),
    "message": (mention.asked, direct.asked, thread.asked),
}
# What the manifest subscribes to, and the scopes that Slack demands for it.
EVENTS: dict[str, str] = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}
_ASK, _BUSY = "rackside_ask", "busy"
BUSY = "More is asked than I can look into just now, so I did not take this on. Please ask again in a few minutes."


class Work(Protocol):
    """Takes an accepted ask to its answer (bot/answering.py)."""

    def begin(self, ask: Ask) -> None:
        """Start working on a persisted ask; starting twice is harmless."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the listeners stand on. `me` is our own user id in Slack, `gate` says who may see what, `most` how many may wait.

    With `workspaces` there are several, and we have a user id in each.
    """

    store: Store
    work: Work
    me: str
    bench: Bench | None = None
    gate: Gate | None = None
    most: int = 200
    workspaces: Workspaces | None = None

    def mine(self, team: str) -> str:
        """Our own user id in a workspace."""
        return self.workspaces.me(team) if self.workspaces is not None else self.me

    def busy(self, ask: Ask) -> bool:
        """Do so many wait already that a further ask is not taken on? One that was taken on before is."""
        return self.store.crowded(self.most) and self.store.letter(ask.key) is None

    def refusal(self, ask: Ask) -> str:
        """Why an ask that needs no desk is not answered, '' where it is; those with a desk pass the gate there."""
        return self.gate.refusal(ask) if self.gate is not None else ""


def register(app: App, deps: Deps) -> None:
    """Attach the inbox and the listeners to a Bolt app."""

    if deps.workspaces is not None:
        app.use(addressed)
    heard = {event.partition(".")[0] for event in EVENTS} - set(ROUTES)
    for module in modules(sys.modules[__name__]):
        if hasattr(module, "attach"):
            module.attach(app, deps)
            heard |= {event.partition(".")[0] for event in getattr(module, "EVENTS", ())}

    def persist(req: BoltRequest, next_: Callable[[], None]) -> BoltResponse | None:
        event = req.body.get("event")
        kind = event.get("type") if isinstance(event, dict) else None
        if req.body.get("type") != "event_callback" or kind in heard:
            next_()
            return None
        ask = accepted(req.body, deps)
        if ask is None:
            # Nothing for us, or known already: acknowledged and done.
            return BoltResponse(status=200, body="")
        req.context[_ASK] = ask
        next_()
        return None

    def start(context: dict[str, Any], client: WebClient) -> None:
        ask: Ask = context[_ASK]
        if ask.kind == _BUSY:
            whisper(client, Click(ask.team, ask.channel, ask.ts, ask.thread_ts, ask.person, "busy", "", ""), BUSY)
        else:
            deps.work.begin(ask)

    app.use(persist)
    for event in ROUTES:
        app.event(event)(start)


def addressed(req: BoltRequest, next_: Callable[[], None]) -> None:
    """Name the workspace that a delivery is authorised for as its workspace: in a shared channel the body may name another one."""
    team = req.context.team_id
    if isinstance(req.body.get("team"), dict):
        req.body["team"]["id"] = team
    else:
        req.body["team_id"] = team
    next_()


def accepted(body: dict[str, Any], deps: Deps) -> Ask | None:
    """Decide on an event and persist it when it is for us; None also for what was accepted before."""
    event = body["event"] if isinstance(body.get("event"), dict) else {}
    me = deps.mine(str(body.get("team_id") or ""))
    if event.get("subtype") in afterwards.SUBTYPES:
        ask = afterwards.asked(body, deps.store, me)
        return ask if ask is not None and deps.store.accept(ask) else None
    message = incoming(body, me)
    if message is None:
        return None
    for asked in ROUTES.get(body["event"].get("type"), ()):
        ask = asked(message, deps.store)
        if ask is not None:
            if deps.store.crowded(deps.most):
                log.warning("%s is not taken on: %d wait already", ask.key, deps.most)
                return replace(ask, kind=_BUSY) if deps.store.decline(ask) else None
            if deps.store.accept(ask):
                log.info("accepted %s (%s, %d characters)", ask.key, ask.kind, len(ask.text))
                return ask
            return None
    return None
