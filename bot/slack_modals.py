"""Modals as Slack wants them, and what was typed into them. Pure."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.store.feedback import REASONS

View = dict[str, Any]
ASK_VIEW, REASON_VIEW = "ask_view", "reason_view"
LONGEST_QUESTION, LONGEST_COMMENT, _PRIVATE = 2900, 2000, 3000


def ask_view(where: dict[str, str], told: str) -> View:
    """A window to ask in; `where` comes back with the question, `told` says where the answer will be."""
    asks = {
        "type": "plain_text_input", "action_id": "typed", "multiline": True, "max_length": LONGEST_QUESTION, "min_length": 1,
        "placeholder": _plain("Why is the first token so slow in namespace prod?"),
    }  # fmt: skip
    return _modal(
        ASK_VIEW,
        "Ask Rackside",
        "Ask",
        where,
        [
            {"type": "input", "block_id": "question", "label": _plain("What do you want to know?"), "element": asks},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": told}]},
        ],
    )


def reason_view(where: dict[str, str], issue: str) -> View:
    """A window for what was wrong with an answer; `issue` is the address of a prepared issue, '' where there is none."""
    options = [{"text": _plain(said), "value": name} for name, said in REASONS.items()]
    blocks: list[dict[str, Any]] = [
        {
            "type": "input", "block_id": "reason", "label": _plain("What was wrong?"),
            "element": {"type": "radio_buttons", "action_id": "chosen", "options": options, "initial_option": options[0]},
        },
        {
            "type": "input", "block_id": "comment", "optional": True, "label": _plain("In your words"),
            "element": {
                "type": "plain_text_input", "action_id": "typed", "multiline": True, "max_length": LONGEST_COMMENT,
                "placeholder": _plain("What should it have said?"),
            },
        },
    ]  # fmt: skip
    if issue:
        said = f"A wrong answer is a defect: <{issue}|open an issue> that is prepared with what was answered."
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": said}})
    return _modal(REASON_VIEW, "What was wrong?", "Send", where, blocks)


def _modal(name: str, title: str, send: str, where: dict[str, str], blocks: list[dict[str, Any]]) -> View:
    return {
        "type": "modal", "callback_id": name, "title": _plain(title), "submit": _plain(send), "close": _plain("Cancel"),
        "private_metadata": json.dumps(where)[:_PRIVATE], "blocks": blocks,
    }  # fmt: skip


def where(view: View) -> dict[str, str]:
    """What a modal was opened with; nothing where it is none of ours."""
    try:
        told = json.loads(view.get("private_metadata") or "{}")
    except (TypeError, ValueError):
        return {}
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


def typed(view: View, block: str, action: str = "typed") -> str:
    """What was typed or chosen in a block."""
    given = (((view.get("state") or {}).get("values") or {}).get(block) or {}).get(action) or {}
    chosen = given.get("selected_option") or {}
    return str(given.get("value") or chosen.get("value") or "")


def issue_link(repository: str, title: str, body: str) -> str:
    """The address that opens a prepared issue of a repository (GitHub's and Gitea's form, or GitLab's); '' without one."""
    parts = urlsplit(repository.strip())
    if (
        parts.scheme not in {"http", "https"}
        or not parts.hostname
        or "@" in parts.netloc
        or set(repository) & set("<>| ")
    ):
        return ""
    root = repository.strip().rstrip("/").removesuffix(".git").removesuffix("/issues")
    if "gitlab" in parts.hostname:
        query = urlencode({"issue[title]": title[:200], "issue[description]": body[:1200]})
        return f"{root}/-/issues/new?{query}"
    return f"{root}/issues/new?{urlencode({'title': title[:200], 'body': body[:1200]})}"


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
