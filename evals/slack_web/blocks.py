"""Which blocks Slack takes: types, counts and lengths as facts/slack.md and docs.slack.dev give them. Unknown types are refused."""

from __future__ import annotations

from collections.abc import Callable

from evals.slack_chart import valid as chart_valid
from evals.slack_web import Json

_TEXT = 3000
_ELEMENTS = {"button", "static_select", "overflow", "users_select", "conversations_select", "datepicker", "checkboxes"}

_INPUTS = {"plain_text_input", "url_text_input", "email_text_input", "number_input", "radio_buttons", "timepicker"}


def _text(part: object, limit: int = _TEXT) -> bool:
    return isinstance(part, dict) and part.get("type") in {"mrkdwn", "plain_text"} and 1 <= len(part["text"]) <= limit


def _element(part: Json) -> bool:
    if part.get("type") not in _ELEMENTS or not 1 <= len(str(part.get("action_id", ""))) <= 255:
        return False
    if part["type"] == "button":
        return _text(part.get("text"), 75) and len(part.get("value", "")) <= 2000
    return part["type"] != "overflow" or 1 <= len(part.get("options", ())) <= 5


def _section(block: Json) -> bool:
    said = [block["text"]] if "text" in block else []
    texts = [*said, *block.get("fields", ())]
    accessory = block.get("accessory")
    known = bool(texts) and len(block.get("fields", ())) <= 10 and all(map(_text, texts))
    return known and (accessory is None or accessory.get("type") == "image" or _element(accessory))


def _context(block: Json) -> bool:
    parts = block.get("elements", ())
    return 1 <= len(parts) <= 10 and all(part.get("type") == "image" or _text(part) for part in parts)


def _actions(block: Json) -> bool:
    return 1 <= len(block.get("elements", ())) <= 25 and all(map(_element, block["elements"]))


def _context_actions(block: Json) -> bool:
    parts = block.get("elements", ())
    known = all(part.get("type") in {"feedback_buttons", "icon_button"} and part.get("action_id") for part in parts)
    buttons = [part[name] for part in parts for name in ("positive_button", "negative_button") if name in part]
    return (
        1 <= len(parts) <= 5 and known and all(_text(one["text"], 75) and len(one["value"]) <= 2000 for one in buttons)
    )


def _image(block: Json) -> bool:
    there = ("image_url" in block) != ("slack_file" in block)
    return there and 1 <= len(block.get("alt_text", "")) <= 2000


def _container(block: Json) -> bool:
    return 1 <= len(block.get("child_blocks", ())) <= 10 and all(map(valid, block["child_blocks"]))


def _task(block: Json) -> bool:
    known = block.get("status") in {"pending", "in_progress", "complete", "error"} and bool(block.get("task_id"))
    sources = block.get("sources", ())
    return (
        known
        and 1 <= len(block.get("title", "")) <= 256
        and all(one.get("type") == "url" and one.get("url") for one in sources)
    )


def _plan(block: Json) -> bool:
    return 1 <= len(block.get("title", "")) <= 256 and all(map(_task, block.get("tasks", ())))


def _input(block: Json) -> bool:
    element = block.get("element")
    if not isinstance(element, dict) or element.get("type") not in _INPUTS | _ELEMENTS - {"button", "overflow"}:
        return False
    options = element.get("options", ())
    known = len(options) <= 10 and all(_text(one.get("text"), 75) and len(one["value"]) <= 150 for one in options)
    return _text(block.get("label"), 2000) and known and len(element.get("action_id", "")) <= 255


_KNOWN: dict[str, Callable[[Json], bool]] = {
    "divider": lambda _: True,
    "header": lambda block: _text(block.get("text"), 150),
    "section": _section,
    "context": _context,
    "actions": _actions,
    "context_actions": _context_actions,
    "image": _image,
    "data_visualization": chart_valid,
    "markdown": lambda block: 1 <= len(block.get("text", "")) <= 12_000,
    "container": _container,
    "plan": _plan,
    "task_card": _task,
    "input": _input,
}


def valid(block: Json) -> bool:
    """Would Slack take this block?"""
    check = _KNOWN.get(str(block.get("type")))
    return check is not None and len(block.get("block_id", "")) <= 255 and check(block)
