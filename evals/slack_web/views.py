"""Modals, App Home, people and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.slack_web import Json, Method, no, plain
from evals.slack_web.blocks import valid

if TYPE_CHECKING:
    from evals.slack_workspace import Workspace


def _view(slack: Workspace, args: Json, kind: str, key: Json) -> Json:
    view = plain(args, "view").get("view")
    if not isinstance(view, dict) or view.get("type") != kind:
        return no("invalid_arguments")
    blocks = view.get("blocks", [])
    title = kind == "home" or 1 <= len(view.get("title", {}).get("text", "")) <= 24
    if not title or len(blocks) > 100 or not all(map(valid, blocks)) or len(view.get("private_metadata", "")) > 3000:
        return no("invalid_arguments")
    shown = {**view, "id": f"V{slack.stamp()}", **key}
    slack.kept.setdefault("views", []).append(shown)
    return {"ok": True, "view": shown}


def _open(slack: Workspace, args: Json) -> Json:
    if not args.get("trigger_id"):
        return no("invalid_trigger_id")
    return _view(slack, args, "modal", {"trigger_id": args["trigger_id"]})


def _change(slack: Workspace, args: Json) -> Json:
    return _view(slack, args, "modal", {"view_id": args.get("view_id", "")})


def _publish(slack: Workspace, args: Json) -> Json:
    if not args.get("user_id"):
        return no("invalid_arguments")
    return _view(slack, args, "home", {"user_id": args["user_id"]})


def _person(slack: Workspace, args: Json) -> Json:
    """Whom a test prepared with `kept["users"]`; anyone else is an ordinary member."""
    for user in slack.kept.get("users", []):
        if user["id"] == args.get("user"):
            return {"ok": True, "user": user}
    who = str(args.get("user", ""))
    return {"ok": True, "user": {"id": who, "name": who.lower(), "real_name": who, "is_bot": False, "tz": "UTC"}}


def _conversation(slack: Workspace, args: Json) -> Json:
    for channel in slack.kept.get("channels", []):
        if channel["id"] == args.get("channel"):
            return {"ok": True, "channel": channel}
    return {"ok": True, "channel": {"id": args.get("channel"), "name": "general", "is_ext_shared": False}}


def _opened(_slack: Workspace, args: Json) -> Json:
    """The direct conversation with one person."""
    return {"ok": True, "channel": {"id": f"D{args['users']}"}} if args.get("users") else no("users_list_not_supplied")


def _groups(slack: Workspace, args: Json) -> Json:
    for group in slack.kept.get("usergroups", []):
        if group["id"] == args.get("usergroup"):
            return {"ok": True, "users": group["users"]}
    return no("no_such_subteam")


METHODS: dict[str, Method] = {
    "views.open": _open,
    "views.push": _open,
    "views.update": _change,
    "views.publish": _publish,
    "users.info": _person,
    "conversations.info": _conversation,
    "conversations.open": _opened,
    "usergroups.users.list": _groups,
}
