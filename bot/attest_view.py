"""The window that walks a checklist: one item that needs a person at a time, with what counts as evidence. Pure.

What is still to walk travels in the window itself, so any replica can go on with it after a restart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.audit import Judged
from bot.audit_marks import day
from bot.blocks import context, section
from bot.blocks_actions import button
from bot.mrkdwn import code, escape, prose, visible
from bot.slack_modals import View, typed
from bot.store.readiness import DAY_S, Mark, Place
from knowledge.items import Item
from tools.finding import SEVERITIES

WALK, WALK_VIEW = "walk_checklist", "walk_checklist_view"
ATTEST, WAIVE, SKIP = "attest", "waive", "skip"
# A button carries 2000 characters, a window 3000.
_VALUE, LONGEST_NOTE, SUGGESTED_S = 1900, 500, 90 * DAY_S
NEEDS = ("expired", "attest")
_CHOICES = {
    ATTEST: "It holds: I attest it, with a link to the evidence",
    WAIVE: "It need not hold for now: waive it, with a reason",
    SKIP: "Skip it: show me the next one",
}
NOTHING_LEFT = "Nothing of this audit is left for a person to show: `/rackside audit` tells where it stands now."
LOADING = "One moment: I am looking the next item up."


@dataclass(frozen=True, slots=True)
class Walk:
    """What is still to walk of one audit, worst first, and the thread that it is told in."""

    place: Place
    items: tuple[str, ...]
    channel: str = ""
    root: str = ""

    def packed(self) -> str:
        """The walk as the button and the window carry it."""
        told = {
            "cluster": self.place.cluster, "namespace": self.place.namespace, "workload": self.place.workload,
            "items": " ".join(self.items), "channel": self.channel, "root": self.root,
        }  # fmt: skip
        return json.dumps({name: value for name, value in told.items() if value}, separators=(",", ":"))

    def without(self, marks: Iterable[Mark], known: Mapping[str, Item], now: float) -> Walk:
        """What is left: neither unknown to the checklists any more, nor said by somebody in the meantime."""
        said = {one.item for one in marks if one.stands(now) and one.place.covers(self.place)}
        return replace(self, items=tuple(one for one in self.items if one in known and one not in said))


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody typed for one item; `until` is '' or YYYY-MM-DD."""

    choice: str
    evidence: str
    note: str
    until: str


def unpacked(value: str) -> Walk | None:
    """The walk of a button or a window; None for what is none of ours."""
    try:
        told = json.loads(value)
    except ValueError:
        return None
    if not isinstance(told, dict) or not all(isinstance(one, str) for one in told.values()):
        return None
    place = Place(told.get("cluster", "default"), told.get("namespace", ""), told.get("workload", ""))
    return Walk(place, tuple(told.get("items", "").split()), told.get("channel", ""), told.get("root", ""))


def walk_of(judged: Iterable[Judged], place: Place) -> Walk | None:
    """The items that need a person, worst first, as many as a button can carry; None where there is none."""
    open_ones = [one for one in judged if one.state in NEEDS]
    order = sorted(
        open_ones, key=lambda one: (SEVERITIES.index(one.item.severity), NEEDS.index(one.state), one.item.id)
    )
    walk = Walk(place, tuple(one.item.id for one in order))
    while walk.items and len(walk.packed()) > _VALUE:
        walk = replace(walk, items=walk.items[:-1])
    return walk if walk.items else None


def walk_buttons(walk: Walk) -> dict[str, Any]:
    """The button under an audit."""
    label = f"Walk the checklist ({len(walk.items)})"
    return {"type": "actions", "elements": [button(label, WALK, walk.packed())]}


def item_view(walk: Walk, item: Item, now: float, told: str = "") -> View:
    """The window for the first item of a walk; `told` is mrkdwn on what was just stored."""
    left = len(walk.items)
    counted = "The last one." if left == 1 else f"{left} left, this one included."
    head = f"*{code(item.id, 40)} {escape(item.title, 300)}*\n{prose(item.statement, 1000)}"
    shows = item.evidence or item.verify
    asked = f"*What counts as evidence*\n{prose(shows, 1000) or 'Whatever the next reader can follow and judge.'}"
    about = f"{item.severity} · {', '.join(item.owners)} · {walk.place}"
    why = f"*Why*: {prose(item.why, 600)}"
    blocks = [
        context(" ".join(part for part in (told, counted) if part)),
        section(head),
        section(asked),
        context(why, escape(about, 400)),
        _input(item.id, "choice", "What do you say of it?", _choices()),
        _input(item.id, "evidence", "Link to the evidence", {"type": "url_text_input"}, needed=False),
        _input(item.id, "note", "Owner, and what the next reader should know; of a waiver, the reason", _note(), needed=False),
        _input(item.id, "until", "Holds until (at most 400 days)", _date(now), needed=False),
    ]  # fmt: skip
    return _window(blocks, walk.packed()) | {"submit": _plain("Next" if left > 1 else "Finish")}


def last_view(told: str = "", text: str = NOTHING_LEFT) -> View:
    """The window after the last item, or why there is no next one."""
    return _window([section(" ".join(part for part in (told, text) if part))], "")


def loading_view(told: str = "") -> View:
    """The window while the checklists are being read."""
    return _window([section(" ".join(part for part in (told, LOADING) if part))], "")


def said_of(view: View, item: str) -> Said:
    """What was typed for an item. What cannot be seen is left out of all of it."""
    picked = (((view.get("state") or {}).get("values") or {}).get(field(item, "until")) or {}).get("typed") or {}
    return Said(
        typed(view, field(item, "choice")),
        visible(typed(view, field(item, "evidence"))).strip(),
        visible(typed(view, field(item, "note"))).strip(),
        str(picked.get("selected_date") or ""),
    )


def end_of(date: str) -> float:
    """The last second of a day (YYYY-MM-DD, UTC) since the epoch; NaN where it is no date."""
    try:
        first = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
        return (first + timedelta(days=1, seconds=-1)).timestamp()
    except (ValueError, OverflowError):
        return float("nan")


def field(item: str, name: str) -> str:
    """The block of an input. One of its own for each item: Slack keeps what was typed where the id stays."""
    return f"{name}:{item}"


def noted(mark: Mark) -> str:
    """What the next window says of the mark that was just stored, as mrkdwn."""
    return f"✓ {code(mark.item, 40)} {mark.kind} until {day(mark.until)}, and noted in the thread."


def _input(item: str, name: str, label: str, element: dict[str, Any], *, needed: bool = True) -> dict[str, Any]:
    return {
        "type": "input", "block_id": field(item, name), "optional": not needed, "label": _plain(label),
        "element": element | {"action_id": "typed"},
    }  # fmt: skip


def _choices() -> dict[str, Any]:
    options = [{"text": _plain(told), "value": name} for name, told in _CHOICES.items()]
    return {"type": "radio_buttons", "options": options, "initial_option": options[0]}


def _note() -> dict[str, Any]:
    return {"type": "plain_text_input", "multiline": True, "max_length": LONGEST_NOTE}


def _date(now: float) -> dict[str, Any]:
    return {"type": "datepicker", "initial_date": day(now + SUGGESTED_S)}


def _window(blocks: Sequence[dict[str, Any]], carried: str) -> View:
    return {
        "type": "modal", "callback_id": WALK_VIEW, "title": _plain("Walk the checklist"), "close": _plain("Close"),
        "private_metadata": carried, "blocks": list(blocks),
    }  # fmt: skip


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}
