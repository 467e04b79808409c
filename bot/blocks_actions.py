"""Buttons, and what a click on each means. Ids and values are ours alone; no value says where anything is posted."""

from __future__ import annotations

from typing import Any

Block = dict[str, Any]

FEEDBACK, FEEDBACK_GOOD, FEEDBACK_BAD = "feedback", "feedback_good", "feedback_bad"
PROMPT, OPEN_ASK, STOP = "prompt", "open_ask", "stop_work"
# What the buttons of a help ask: the button's value, its label, and the question.
PROMPTS: dict[str, tuple[str, str]] = {
    "wrong": ("What is wrong right now?", "What is wrong right now?"),
    "idle": ("Which GPUs sit idle?", "Which GPUs are idle, and why?"),
}
GOOD, BAD = "good", "bad"


def feedback_buttons() -> Block:
    """Thumbs up and down under an answer, once; `simpler` knows how to say it where Slack does not take them."""
    return {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": FEEDBACK,
                "positive_button": {"text": _plain("Helped"), "value": GOOD, "accessibility_label": "This helped"},
                "negative_button": {
                    "text": _plain("Did not"),
                    "value": BAD,
                    "accessibility_label": "This did not help",
                },
            }
        ],
    }


def help_buttons() -> Block:
    """Three things to do at once."""
    asked = [button(label, f"{PROMPT}:{name}", name) for name, (label, _) in PROMPTS.items()]
    return {"type": "actions", "elements": [*asked, button("Ask something else", OPEN_ASK)]}


def button(label: str, action_id: str, value: str = "", style: str = "") -> Block:
    """A button."""
    made: Block = {"type": "button", "text": _plain(label), "action_id": action_id}
    if value:
        made["value"] = value
    if style:
        made["style"] = style
    return made


def simpler(blocks: list[Block]) -> list[Block]:
    """The same with nothing but what every workspace takes: containers opened, feedback as ordinary buttons, no charts and no plans."""
    shown: list[Block] = []
    for block in blocks:
        if block["type"] == "container":
            shown += [_bold(block), *simpler(block["child_blocks"])]
        elif block["type"] == "context_actions":
            shown += [{"type": "actions", "elements": _ordinary(block["elements"])}]
        elif block["type"] not in {"plan", "task_card", "data_visualization"}:
            shown.append(block)
    return shown


def _ordinary(elements: list[Block]) -> list[Block]:
    found: list[Block] = []
    for one in elements:
        if one["type"] == "feedback_buttons":
            for name, side in ((FEEDBACK_GOOD, "positive_button"), (FEEDBACK_BAD, "negative_button")):
                found.append(button(one[side]["text"]["text"], name, one[side]["value"]))
        else:
            found.append(button(one["text"]["text"], one["action_id"], one.get("value", "")))
    return found


def _bold(container: Block) -> Block:
    # Its title is ours; a title is plain text, so nothing in it was escaped.
    return {"type": "header", "text": container["title"]}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
