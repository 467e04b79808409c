"""Files: an address to upload to, and the end of it, which shares them in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.slack_web import Json, Method, no, plain

if TYPE_CHECKING:
    from evals.slack_workspace import Workspace


def _address(slack: Workspace, args: Json) -> Json:
    if not args.get("filename") or int(args.get("length") or 0) < 1:
        return no("invalid_arguments")
    name = f"F{slack.stamp().replace('.', '')}"
    slack.kept.setdefault("files", []).append(
        {
            "id": name,
            "name": args["filename"],
            "length": int(args["length"]),
            "alt_txt": args.get("alt_txt", ""),
            "snippet_type": args.get("snippet_type", ""),
        }
    )
    return {"ok": True, "upload_url": slack.api_url.removesuffix("/api") + f"/upload/{name}", "file_id": name}


def _complete(slack: Workspace, args: Json) -> Json:
    known = {one["id"]: one for one in slack.kept.get("files", [])}
    sent = {one["id"]: len(one["content"]) for one in slack.kept.get("uploads", [])}
    files = plain(args, "files").get("files", [])
    if not files or any(one["id"] not in known or sent.get(one["id"]) != known[one["id"]]["length"] for one in files):
        return no("file_not_found")
    shared = [{**known[one["id"]], "title": one.get("title", "")} for one in files]
    if args.get("channel_id"):
        message: Json = {
            "type": "message", "user": slack.bot_user, "bot_id": slack.bot_id, "ts": slack.stamp(), "text": args.get("initial_comment", ""),
            "files": shared,
        }  # fmt: skip
        if args.get("thread_ts"):
            message["thread_ts"] = args["thread_ts"]
        slack.messages.setdefault(args["channel_id"], []).append(message)
    return {"ok": True, "files": shared}


METHODS: dict[str, Method] = {"files.getUploadURLExternal": _address, "files.completeUploadExternal": _complete}
