"""The playground's web side: a channel to look at, and what people do in it, over the stand-in's own workspace.

Every action becomes what Slack would deliver, over Socket Mode, to the same Bolt app that `rackside serve` runs.
"""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from evals import slack_people
from evals.playground_blocks import ME, PNG, attachment_html, blocks_html, file_html, said
from evals.slack_standin import BOT_USER, SlackStandIn
from evals.slack_web import BOT_ID
from tools.redact import seen

PAGE = Path(__file__).parent / "playground.html"
ALERTS, ALERTS_BOT = "C0ALERTS", "B0ALERTMANAGER"
CHANNELS = {"C1": "# gpu-ops", "C2": "# ml-serving", ALERTS: "# alerts", "D1": "Rackside (direct)"}
# What Alertmanager's own Slack receiver posts, for the demo's fleet.
FIRING = {
    "title": "[FIRING:1] InferenceQueueGrows chat (page llama-70b-chat)",
    "text": "*Alert:* requests wait for a place\n*Details:*\n • *alertname:* `InferenceQueueGrows`\n • *namespace:* `chat`\n"
    " • *deployment:* `llama-70b-chat`\n • *severity:* `page`",
}
_POLL_S = 0.15
_LONGEST = 12_000
Json = dict[str, Any]


class Desk:
    """One person before one workspace; `shortcuts` are those that the app has."""

    def __init__(self, slack: SlackStandIn, shortcuts: dict[str, dict[str, str]]) -> None:
        """Look at a stand-in."""
        self.slack, self.shortcuts = slack, shortcuts

    # What is seen.

    def state(self) -> Json:
        """Everything that the page shows; `version` changes when something does."""
        slack = self.slack
        with slack.changed:
            channels = {name: [self._message(name, one) for one in slack.messages.get(name, ())] for name in CHANNELS}
            whispers = [self._whisper(one) for one in slack.kept.get("whispers", ()) if one.get("user") == ME]
            responses = [str(one.get("text", "")) for one in slack.kept.get("responses", ())]
            views = slack.kept.get("views", [])
            home = next((view for view in reversed(views) if view["type"] == "home"), None)
            modal = next((view for view in reversed(views) if view["type"] == "modal" and not view.get("closed")), None)
            status = self._status()
            version = (
                f"{len(slack.calls)}.{sum(len(some) for some in slack.messages.values())}.{len(whispers)}.{len(views)}"
            )
        for one in whispers:
            channels.setdefault(one["channel"], []).append(one)
        return {
            "version": version + f".{sum(bool(view.get('closed')) for view in views)}",
            "channels": CHANNELS,
            "messages": channels,
            "responses": responses,
            "home": None if home is None else {"id": home["id"], "html": blocks_html(home.get("blocks", ()))},
            "modal": None if modal is None else _modal(modal),
            "status": status,
            "shortcuts": {name: one for name, one in self.shortcuts.items() if one.get("type") == "global"},
            "message_shortcuts": {name: one for name, one in self.shortcuts.items() if one.get("type") == "message"},
        }

    def _message(self, channel: str, message: Json) -> Json:
        ours = message.get("bot_id") == BOT_ID
        others = "" if ours else str(message.get("username") or message.get("user", ""))
        shown = (
            blocks_html(message["blocks"])
            if message.get("blocks")
            else f"<section>{said(str(message.get('text', '')))}</section>"
        )
        shown += "".join(map(attachment_html, message.get("attachments", ())))
        shown += "".join(file_html(one, self._content(one["id"])) for one in message.get("files", ()))
        return {
            "ts": message["ts"], "thread_ts": message.get("thread_ts", ""), "app": bool(message.get("bot_id")), "channel": channel,
            "author": "Rackside" if ours else "you" if message.get("user") == ME else others,
            "html": shown, "reactions": self.slack.reactions(channel, message["ts"]), "edited": bool(message.get("edited")),
            "only_you": False,
        }  # fmt: skip

    def _content(self, name: str) -> bytes:
        return next((one["content"] for one in self.slack.kept.get("uploads", ()) if one["id"] == name), b"")

    def picture(self, name: str) -> bytes:
        """A picture that was uploaded; raises KeyError for anything else."""
        with self.slack.changed:
            content = self._content(name)
        if not content.startswith(PNG):
            raise KeyError(name)
        return content

    def _whisper(self, whisper: Json) -> Json:
        shown = (
            blocks_html(whisper["blocks"])
            if whisper.get("blocks")
            else f"<section>{said(whisper.get('text', ''))}</section>"
        )
        return {
            "ts": whisper["ts"], "thread_ts": whisper.get("thread_ts", ""), "app": True, "channel": whisper["channel"],
            "author": "Rackside", "html": shown, "reactions": [], "edited": False, "only_you": True,
        }  # fmt: skip

    def _status(self) -> Json:
        for name, args in reversed(self.slack.calls):
            if name == "assistant.threads.setStatus":
                return {
                    "channel": args.get("channel_id"),
                    "thread_ts": args.get("thread_ts"),
                    "text": seen(args.get("status", "")),
                }
        return {}

    # What is done.

    def say(self, what: Json) -> Json:
        """Write a message; one that starts with `/` is a command."""
        text, channel = _cut(what.get("text")), _channel(what)
        if text.startswith("/"):
            name, _, rest = text.partition(" ")
            body = slack_people.command(self.slack, rest, channel=channel, user=ME, name=name)
            told = self.slack.push_acknowledged(body, kind="slash_commands")
            if told.get("text") or told.get("blocks"):
                self._keep_whisper(channel, told)
            return {"ok": True}
        body = self.slack.say(
            channel,
            ME,
            html.escape(text, quote=False).replace("@Rackside", f"<@{BOT_USER}>"),
            what.get("thread_ts") or None,
        )
        self.slack.push_acknowledged(body)
        return {"ok": True, "ts": body["event"]["ts"]}

    def _keep_whisper(self, channel: str, told: Json) -> None:
        with self.slack.changed:
            whisper = {"ts": self.slack.stamp(), "channel": channel, "user": ME, "thread_ts": "", **told}
            self.slack.kept.setdefault("whispers", []).append(whisper)

    def click(self, what: Json) -> Json:
        """Press a button of a message, of a window or of App Home."""
        action = what["action"]
        view = self._view(what["view"]) if what.get("view") else None
        if view is not None:
            body = slack_people.home_click(self.slack, view, action, user=ME)
        else:
            body = slack_people.click(
                self.slack, self._found(what), action, channel=_channel(what), user=ME, value=action.get("value")
            )
        if action.get("selected_option"):
            body["actions"][0]["selected_option"] = action["selected_option"]
        self.slack.push_acknowledged(body, kind="interactive")
        return {"ok": True}

    def submit(self, what: Json) -> Json:
        """Send a window; errors come back by block."""
        view = self._view(what["view"])
        told = self.slack.push_acknowledged(
            slack_people.submit(view, what.get("values", {}), user=ME), kind="interactive"
        )
        if told.get("response_action") == "errors":
            return {"ok": False, "errors": told["errors"]}
        self.close({"view": view["id"]})
        return {"ok": True}

    def close(self, what: Json) -> Json:
        """Close a window."""
        with self.slack.changed:
            self._view(what["view"])["closed"] = True
        return {"ok": True}

    def shortcut(self, what: Json) -> Json:
        """Use a shortcut, on a message where one is given."""
        if what["callback_id"] not in self.shortcuts:
            raise KeyError(what["callback_id"])
        message = self._found(what) if what.get("message_ts") else None
        body = slack_people.shortcut(self.slack, what["callback_id"], message=message, channel=_channel(what), user=ME)
        self.slack.push_acknowledged(body, kind="interactive")
        return {"ok": True}

    def home(self, _what: Json) -> Json:
        """Open App Home."""
        event = {"type": "app_home_opened", "user": ME, "channel": "D1", "tab": "home", "event_ts": self.slack.stamp()}
        self.slack.push_acknowledged(self.slack.event(event))
        return {"ok": True}

    def alert(self, _what: Json) -> Json:
        """Another bot posts an alert in its channel; the next time it says that it is over."""
        slack = self.slack
        with slack.changed:
            over = next((one for one in reversed(slack.messages.get(ALERTS, ())) if one.get("attachments")), None)
            if over is not None and over["attachments"][0] != FIRING:
                over = None
            told = {name: text.replace("FIRING:1", "RESOLVED") for name, text in FIRING.items()} if over else FIRING
            message: Json = {
                "type": "message",
                "subtype": "bot_message",
                "bot_id": ALERTS_BOT,
                "username": "Alertmanager",
            }
            message |= {"text": "", "attachments": [told], "ts": slack.stamp() if over is None else over["ts"]}
            if over is None:
                slack.messages.setdefault(ALERTS, []).append(message)
                event = {**message, "channel": ALERTS, "channel_type": "channel", "event_ts": message["ts"]}
            else:
                over.update(message, edited=True)
                event = {"type": "message", "subtype": "message_changed", "channel": ALERTS, "message": message}
                event["event_ts"] = slack.stamp()
            slack.changed.notify_all()
        slack.push_acknowledged(slack.event(event))
        return {"ok": True, "ts": message["ts"]}

    def _found(self, what: Json) -> Json:
        channel = _channel(what)
        known = [*self.slack.messages.get(channel, ()), *self.slack.kept.get("whispers", ())]
        return next(one for one in known if one["ts"] == what["message_ts"])

    def _view(self, view: str) -> Json:
        return next(one for one in reversed(self.slack.kept.get("views", [])) if one["id"] == view)


def _modal(view: Json) -> Json:
    part = {
        name: seen(view.get(name, {}).get("text", other))
        for name, other in (("title", ""), ("submit", ""), ("close", "Close"))
    }
    return {"id": view["id"], "html": blocks_html(view.get("blocks", ())), **part}


def _channel(what: Json) -> str:
    if what.get("channel") not in CHANNELS:
        raise KeyError("channel")
    return str(what["channel"])


def _cut(text: object) -> str:
    return str(text or "").strip()[:_LONGEST]


def _does(act: Callable[[Json], Json]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        # A form of another site cannot send JSON without being asked first.
        if "application/json" not in request.headers.get("content-type", ""):
            return JSONResponse({"ok": False, "error": "send JSON"}, 415)
        try:
            return JSONResponse(await run_in_threadpool(act, await request.json()))
        except (KeyError, StopIteration, ValueError, TypeError, AttributeError, RuntimeError):
            return JSONResponse({"ok": False, "error": "there is no such thing here"}, 400)
        except AssertionError:
            return JSONResponse({"ok": False, "error": "Rackside did not acknowledge it"}, 504)

    return endpoint


def app(desk: Desk) -> Starlette:
    """The page, its state, a stream of changes, and what people do."""

    async def page(_: Request) -> Response:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers={"content-security-policy": _POLICY})

    async def state(_: Request) -> Response:
        return JSONResponse(await run_in_threadpool(desk.state))

    async def picture(request: Request) -> Response:
        try:
            return Response(await run_in_threadpool(desk.picture, request.path_params["name"]), media_type="image/png")
        except KeyError:
            return Response("there is no such picture", 404)

    async def events(request: Request) -> Response:
        async def changes() -> AsyncIterator[str]:
            last = ""
            while not await request.is_disconnected():
                now = await run_in_threadpool(desk.state)
                if now["version"] != last:
                    last = now["version"]
                    yield f"data: {json.dumps(now)}\n\n"
                await asyncio.sleep(_POLL_S)

        return StreamingResponse(changes(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    acts = {
        "say": desk.say,
        "click": desk.click,
        "submit": desk.submit,
        "close": desk.close,
        "shortcut": desk.shortcut,
        "home": desk.home,
        "alert": desk.alert,
    }
    done = [Route(f"/api/{name}", _does(act), methods=["POST"]) for name, act in acts.items()]
    return Starlette(
        routes=[
            Route("/", page),
            Route("/api/state", state),
            Route("/api/events", events),
            Route("/picture/{name}", picture),
            *done,
        ]
    )


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"
