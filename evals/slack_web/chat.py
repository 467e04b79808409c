"""Messages, threads, reactions and status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from evals.slack_web import Json, Method, no, plain
from evals.slack_web.blocks import valid

if TYPE_CHECKING:
    from evals.slack_workspace import Workspace


def _content(args: Json) -> Json:
    shown = {name: args[name] for name in ("text", "blocks", "metadata") if args.get(name)}
    return {
        name: json.loads(value) if isinstance(value, str) and name != "text" else value for name, value in shown.items()
    }


def refused(args: Json) -> str | None:
    """Why Slack would refuse a message, in its words; None when it would not."""
    content = _content(args)
    blocks = content.get("blocks") or []
    if not content.get("text") and not blocks:
        return "no_text"
    if len(content.get("text", "")) > 40_000:
        return "msg_too_long"
    if len(json.dumps(blocks, ensure_ascii=False)) > 13_200:
        return "msg_blocks_too_long"
    return None if len(blocks) <= 50 and all(map(valid, blocks)) else "invalid_blocks"


def _identity(slack: Workspace, __: Json) -> Json:
    return {"ok": True, "url": "https://standin.slack.com/", "team": "Stand-in", "user": "rackside",
            "team_id": slack.team, "user_id": slack.bot_user, "bot_id": slack.bot_id}  # fmt: skip


def _post(slack: Workspace, args: Json) -> Json:
    problem = refused(args)
    if problem:
        return no(problem)
    if slack.exact and args.get("thread_ts") and not slack.thread(args["channel"], args["thread_ts"]):
        return no("thread_not_found")
    message = {"type": "message", "user": slack.bot_user, "bot_id": slack.bot_id, "ts": slack.stamp(), **_content(args)}
    if args.get("thread_ts"):
        message["thread_ts"] = args["thread_ts"]
    slack.messages.setdefault(args["channel"], []).append(message)
    return {"ok": True, "channel": args["channel"], "ts": message["ts"], "message": message}


def _update(slack: Workspace, args: Json) -> Json:
    problem = refused(args)
    if problem:
        return no(problem)
    for message in slack.messages.get(args["channel"], []):
        if message["ts"] == args["ts"] and message.get("bot_id"):
            if message.get("streaming_state") == "in_progress":
                return no("streaming_state_conflict")
            message |= {**_content(args), "edited": {"user": slack.bot_user}}
            return {"ok": True, "channel": args["channel"], "ts": args["ts"]}
    return no("message_not_found")


def _delete(slack: Workspace, args: Json) -> Json:
    here = slack.messages.get(args["channel"], [])
    ours = [message for message in here if message["ts"] == args["ts"] and message.get("bot_id")]
    if not ours:
        return no("message_not_found")
    here.remove(ours[0])
    return {"ok": True, "channel": args["channel"], "ts": args["ts"]}


def _whisper(slack: Workspace, args: Json) -> Json:
    problem = refused(args) or ("" if args.get("user") else "user_not_in_channel")
    if problem:
        return no(problem)
    shown = {"ts": slack.stamp(), "channel": args["channel"], "user": args["user"], **_content(args)}
    slack.kept.setdefault("whispers", []).append(shown | {"thread_ts": args.get("thread_ts", "")})
    return {"ok": True, "message_ts": shown["ts"]}


def _page(slack: Workspace, found: list[Json], args: Json) -> Json:
    start, limit = int(args.get("cursor") or 0), min(int(args.get("limit") or 100), slack.page)
    with_metadata = str(args.get("include_all_metadata", "")).lower() in {"1", "true"}
    page = [m if with_metadata else {k: v for k, v in m.items() if k != "metadata"} for m in found[start:][:limit]]
    after = str(start + limit) if start + limit < len(found) else ""
    return {"ok": True, "messages": page, "response_metadata": {"next_cursor": after}}


def _replies(slack: Workspace, args: Json) -> Json:
    found = slack.thread(args["channel"], args["ts"])
    return _page(slack, found, args) if found else no("thread_not_found")


def _history(slack: Workspace, args: Json) -> Json:
    since = float(args.get("oldest") or 0)
    here = slack.messages.get(args["channel"], [])
    roots = [m for m in here if m.get("thread_ts") in {None, m["ts"]} and float(m["ts"]) > since]
    return _page(slack, roots[::-1], args)


def _react(slack: Workspace, args: Json) -> Json:
    if slack.exact and not any(m["ts"] == args["timestamp"] for m in slack.messages.get(args["channel"], [])):
        return no("message_not_found")
    there = slack.reacted.setdefault((args["channel"], args["timestamp"]), [])
    if args["name"] in there:
        return no("already_reacted")
    there.append(args["name"])
    return {"ok": True}


def _unreact(slack: Workspace, args: Json) -> Json:
    there = slack.reacted.setdefault((args["channel"], args["timestamp"]), [])
    if args["name"] not in there:
        return no("no_reaction")
    there.remove(args["name"])
    return {"ok": True}


def _status(_: Workspace, __: Json) -> Json:
    return {"ok": True}


def _prompts(slack: Workspace, args: Json) -> Json:
    prompts = plain(args, "prompts").get("prompts", [])
    if not 1 <= len(prompts) <= 4 or not all(one.get("title") and one.get("message") for one in prompts):
        return no("invalid_arguments")
    slack.kept.setdefault("prompts", []).append({"channel": args["channel_id"], "prompts": prompts})
    return {"ok": True}


METHODS: dict[str, Method] = {
    "auth.test": _identity,
    "chat.postMessage": _post,
    "chat.update": _update,
    "chat.delete": _delete,
    "chat.postEphemeral": _whisper,
    "conversations.replies": _replies,
    "conversations.history": _history,
    "reactions.add": _react,
    "reactions.remove": _unreact,
    "assistant.threads.setStatus": _status,
    "assistant.threads.setSuggestedPrompts": _prompts,
}
