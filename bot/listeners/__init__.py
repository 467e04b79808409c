"""Every Slack event that Rackside hears, and where it goes.

| event                                   | who decides         | what happens                                  |
|-----------------------------------------|---------------------|-----------------------------------------------|
| `app_mention`, `message` with a mention | `mention.asked`     | answered in the thread; an empty one: help    |
| `message` in a direct conversation      | `direct.asked`      | answered in its thread                        |
| `message` in a thread that we are in    | `thread.asked`      | answered when it is for us, else silence      |
| any other `message`; bots, edits, joins | `incoming.incoming` | acknowledged, nothing else                    |

Middleware persists what was accepted before Slack gets its acknowledgement; a listener then puts it to work.
Commands, buttons, shortcuts, modals and other events have a module each in this package, found by its name: `attach(app, deps)` adds
its listeners (each persists first, acknowledges second, works third), and its `EVENTS`, `METHODS`, `COMMANDS` and `SHORTCUTS`, where
it has them, go into the manifest.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt import App, BoltRequest, BoltResponse

from bot.access.guard import Gate
from bot.desk import Bench, modules
from bot.listeners import direct, mention, thread
from bot.listeners.incoming import Incoming, incoming
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
_ASK = "rackside_ask"


class Work(Protocol):
    """Takes an accepted ask to its answer (bot/answering.py)."""

    def begin(self, ask: Ask) -> None:
        """Start working on a persisted ask; starting twice is harmless."""


@dataclass(frozen=True, slots=True)
class Deps:
    """What the listeners stand on. `me` is our own user id in Slack, `gate` says who may see what."""

    store: Store
    work: Work
    me: str
    bench: Bench | None = None
    gate: Gate | None = None

    def refusal(self, ask: Ask) -> str:
        """Why an ask that needs no desk is not answered, '' where it is; those with a desk pass the gate there."""
        return self.gate.refusal(ask) if self.gate is not None else ""


def register(app: App, deps: Deps) -> None:
    """Attach the inbox and the listeners to a Bolt app."""

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

    def start(context: dict[str, Any]) -> None:
        deps.work.begin(context[_ASK])

    app.use(persist)
    for event in ROUTES:
        app.event(event)(start)


def accepted(body: dict[str, Any], deps: Deps) -> Ask | None:
    """Decide on an event and persist it when it is for us; None also for what was accepted before."""
    message = incoming(body, deps.me)
    if message is None:
        return None
    for asked in ROUTES.get(body["event"].get("type"), ()):
        ask = asked(message, deps.store)
        if ask is not None:
            if deps.store.accept(ask):
                log.info("accepted %s (%s, %d characters)", ask.key, ask.kind, len(ask.text))
                return ask
            return None
    return None
