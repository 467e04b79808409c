"""Block Kit as HTML that can be clicked: what evals/slack_page shows, and buttons, menus, inputs and containers beside it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from evals.slack_chart import svg
from evals.slack_page import mrkdwn
from evals.slack_web import BOT_USER
from tools.redact import seen

Block = Mapping[str, Any]
ME = "U1"
PNG = b"\x89PNG\r\n"
_LONGEST = 20_000
# One-line inputs of a window, as a browser calls them.
_FIELDS = {"url_text_input": "url", "email_text_input": "email", "number_input": "number", "datepicker": "date"}
NAMES = {ME: "you", BOT_USER: "Rackside"}
# Signs that every font has: a machine that takes pictures may have no emoji.
_SIGNS = {"clock3": "◷", "white_check_mark": "✔", "warning": "⚠", "mag": "⌕", "arrows_counterclockwise": "↻"}
_MENTION = re.compile(r"<@([A-Z0-9]+)>")


def blocks_html(blocks: Sequence[Block]) -> str:
    """All of them; a block of a type that is not known is shown as such, never left out."""
    return "".join(_block(block) for block in blocks)


def _block(block: Block) -> str:
    kind = str(block.get("type"))
    shown = _SHOWN.get(kind)
    return shown(block) if shown else f'<div class="unknown">a block of type {_plain(kind)}</div>'


def _text(part: Any) -> str:
    if not isinstance(part, Mapping):
        return ""
    text = str(part.get("text", ""))
    return said(text) if part.get("type") == "mrkdwn" else _plain(text)


def said(text: str) -> str:
    """A text of Slack's markup, mentions as names."""
    for name, sign in _SIGNS.items():
        text = text.replace(f":{name}:", sign)
    return mrkdwn(_MENTION.sub(lambda found: f"*@{NAMES.get(found[1], found[1])}*", text))


def attachment_html(attachment: Block) -> str:
    """What other bots still post: a title and a text of markup behind a line."""
    title, text = said(str(attachment.get("title", ""))), said(str(attachment.get("text", "")))
    return f"<blockquote><b>{title}</b><div>{text}</div></blockquote>"


def file_html(file: Block, content: bytes) -> str:
    """A file that was uploaded: a picture as such, a text folded."""
    title = _plain(file.get("title") or file.get("name", ""))
    if content.startswith(PNG):
        return f'<figure><figcaption>{title}</figcaption><img src="/picture/{_plain(file["id"])}" alt="{_plain(file.get("alt_txt", ""))}"></figure>'
    text = _plain(content.decode("utf-8", "replace")[:_LONGEST])
    return f"<details><summary>▤ {title}</summary><pre>{text}</pre></details>"


def _plain(text: object) -> str:
    return html.escape(seen(str(text)), quote=True)


def _section(block: Block) -> str:
    fields = "".join(f"<div>{_text(one)}</div>" for one in block.get("fields", ()))
    beside = _element(block["accessory"]) if block.get("accessory") else ""
    return f'<section><div class="said">{_text(block.get("text"))}{fields}</div>{beside}</section>'


def _context(block: Block) -> str:
    return "".join(f"<aside>{_text(one)}</aside>" for one in block.get("elements", ()))


def _actions(block: Block) -> str:
    return f'<div class="actions">{"".join(map(_element, block.get("elements", ())))}</div>'


def _input(block: Block) -> str:
    element = block.get("element", {})
    name = f"{block.get('block_id', '')}|{element.get('action_id', '')}|{element.get('type', '')}"
    label = f"<b>{_text(block.get('label'))}</b>"
    given = _plain(element.get("initial_value", ""))
    if element.get("type") == "plain_text_input":
        tag = (
            f'<textarea name="{_plain(name)}" rows="3">{given}</textarea>'
            if element.get("multiline")
            else f'<input name="{_plain(name)}" value="{given}">'
        )
    elif element.get("type") in _FIELDS:
        given = _plain(element.get("initial_value") or element.get("initial_date") or "")
        tag = f'<input type="{_FIELDS[element["type"]]}" name="{_plain(name)}" value="{given}">'
    else:
        many = element.get("type") == "checkboxes"
        options = "".join(_option(name, one, many) for one in element.get("options", ()))
        tag = f'<div class="options">{options}</div>'
    return f"<label>{label}{tag}</label>"


def _option(name: str, option: Block, many: bool) -> str:
    kind = "checkbox" if many else "radio"
    value = _plain(json.dumps(option))
    return f'<span><input type="{kind}" name="{_plain(name)}" value="{value}"> {_text(option.get("text"))}</span>'


def _element(element: Block) -> str:
    kind = element.get("type")
    if kind == "button":
        return _button(element, _text(element.get("text")))
    if kind == "feedback_buttons":
        sides = ((element.get(side), sign) for side, sign in (("positive_button", "▲"), ("negative_button", "▼")))
        return "".join(
            _button({**element, "value": side.get("value", "")}, f"{sign} {_text(side.get('text'))}")
            for side, sign in sides
            if side
        )
    if kind in {"overflow", "static_select"}:
        chosen = (
            _button({**element, "selected_option": one}, _text(one.get("text"))) for one in element.get("options", ())
        )
        return f"<details><summary>…</summary>{''.join(chosen)}</details>"
    if kind == "image":
        return _image(element)
    return f'<span class="unknown">an element of type {_plain(kind)}</span>'


def _button(element: Block, label: str) -> str:
    style = element.get("style")
    named = f' class="{style}"' if style in {"primary", "danger"} else ""
    return f'<button type="button"{named} data-action="{_plain(json.dumps(element))}">{label}</button>'


def _image(block: Block) -> str:
    # Nothing is loaded from anywhere: what a picture shows is said.
    return f"<figure>▣ {_plain(block.get('alt_text', 'a picture'))}</figure>"


def _container(block: Block) -> str:
    inner = blocks_html(block.get("child_blocks", ()))
    closed = block.get("is_collapsed", block.get("default_collapsed", False))
    return f"<details{'' if closed else ' open'}><summary>{_text(block.get('title'))}</summary>{inner}</details>"


def _card(block: Block) -> str:
    inner = blocks_html(block.get("tasks", ())) or _text(block.get("output")) or ""
    status = _plain(block.get("status", ""))
    title = block.get("title", "")
    return f'<div class="card"><b>{_plain(title) if isinstance(title, str) else _text(title)}</b> <small>{status}</small>{inner}</div>'


_SHOWN = {
    "divider": lambda _: "<hr>",
    "header": lambda block: f"<h3>{_text(block.get('text'))}</h3>",
    "section": _section,
    "context": _context,
    "actions": _actions,
    "context_actions": _actions,
    "input": _input,
    "image": _image,
    "data_visualization": svg,
    "markdown": lambda block: f"<section>{_plain(block.get('text', ''))}</section>",
    "container": _container,
    "plan": _card,
    "task_card": _card,
}
