"""Streamed messages: begun, gone on with and ended, refused as Slack refuses. A workspace has none until `streams` is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.slack_web import Json, Method, no, plain
from evals.slack_web.blocks import valid

if TYPE_CHECKING:
    from evals.slack_workspace import Workspace

_STATUSES = {"pending", "in_progress", "complete", "error"}


def _refused(chunks: list[Json]) -> str | None:
    for chunk in chunks:
        kind = chunk.get("type")
        known = {
            "markdown_text": lambda c: 1 <= len(c.get("text", "")) <= 12_000,
            "plan_update": lambda c: 1 <= len(c.get("title", "")) <= 256,
            "task_update": lambda c: (
                bool(c.get("id"))
                and 1 <= len(c.get("title", "")) <= 256
                and c.get("status") in _STATUSES
                and all(one.get("type") == "url" and one.get("url") and one.get("text") for one in c.get("sources", ()))
            ),
            "blocks": lambda c: len(c.get("blocks", ())) <= 50 and all(map(valid, c.get("blocks", ()))),
        }.get(str(kind))
        if known is None or not known(chunk):
            return "invalid_chunks"
    return None


def _show(message: Json, chunks: list[Json]) -> None:
    """Lay chunks into the message: tasks by their id, a plan's title, blocks and text after them."""
    plan = next((block for block in message["blocks"] if block["type"] == "plan"), None)
    for chunk in chunks:
        if chunk["type"] in {"plan_update", "task_update"} and plan is None:
            plan = {"type": "plan", "title": "", "tasks": []}
            message["blocks"].insert(0, plan)
        if chunk["type"] == "plan_update":
            plan["title"] = chunk["title"]  # type: ignore[index]
        elif chunk["type"] == "task_update":
            tasks = plan["tasks"]  # type: ignore[index]
            known = next((task for task in tasks if task["task_id"] == chunk["id"]), None)
            if known is None:
                known = {"type": "task_card", "task_id": chunk["id"]}
                tasks.append(known)
            known |= {name: chunk[name] for name in ("title", "status", "sources") if name in chunk}
        elif chunk["type"] == "blocks":
            message["blocks"] += chunk["blocks"]
        else:
            message["text"] += chunk["text"]


def _start(slack: Workspace, args: Json) -> Json:
    if not slack.streams:
        return no("unknown_method")
    given = plain(args, "channel", "thread_ts", "recipient_team_id", "recipient_user_id", "chunks")
    for name in ("thread_ts", "recipient_team_id", "recipient_user_id"):
        if name not in given:
            return no("invalid_arguments" if name == "thread_ts" else f"missing_{name}")
    problem = _refused(given.get("chunks", []))
    if problem:
        return no(problem)
    if slack.exact and (
        given["recipient_team_id"] != slack.team or not slack.thread(args["channel"], args["thread_ts"])
    ):
        return no("thread_not_found")
    message: Json = {
        "type": "message", "user": slack.bot_user, "bot_id": slack.bot_id, "ts": slack.stamp(), "text": "", "blocks": [],
        "thread_ts": args["thread_ts"], "streaming_state": "in_progress",
    }  # fmt: skip
    _show(message, given.get("chunks", []))
    slack.messages.setdefault(args["channel"], []).append(message)
    return {"ok": True, "channel": args["channel"], "ts": message["ts"]}


def _open(slack: Workspace, args: Json) -> Json | str:
    here = [one for one in slack.messages.get(args["channel"], []) if one["ts"] == args.get("ts") and one.get("bot_id")]
    if not here:
        return "message_not_found"
    if here[0].get("streaming_state") == "stopped_by_user":
        return "stopped_by_user"
    return here[0] if here[0].get("streaming_state") == "in_progress" else "message_not_in_streaming_state"


def _append(slack: Workspace, args: Json) -> Json:
    message = _open(slack, args)
    if isinstance(message, str):
        return no(message)
    chunks = plain(args, "chunks").get("chunks", [])
    problem = _refused(chunks)
    if problem or not (chunks or args.get("markdown_text")):
        return no(problem or "no_text")
    _show(message, chunks)
    return {"ok": True, "channel": args["channel"], "ts": message["ts"]}


def _stop(slack: Workspace, args: Json) -> Json:
    message = _open(slack, args)
    if isinstance(message, str):
        return no(message)
    _show(message, plain(args, "chunks").get("chunks", []))
    message["streaming_state"] = "completed"
    return {"ok": True, "channel": args["channel"], "ts": message["ts"], "message": message}


METHODS: dict[str, Method] = {"chat.startStream": _start, "chat.appendStream": _append, "chat.stopStream": _stop}
