"""Walk a checklist in Slack: the button under an audit, and the window that takes what people say, item by item.

A mark is stored under the window, the item and the person before Slack is told, so that the same window sent twice stores it once.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.access.decide import Refused
from bot.access.places import placed
from bot.attest_view import (
    ATTEST,
    SKIP,
    WAIVE,
    WALK,
    WALK_VIEW,
    Said,
    Walk,
    end_of,
    field,
    item_view,
    last_view,
    loading_view,
    noted,
    said_of,
    unpacked,
)
from bot.audit_marks import MarkProblem, attest, waive
from bot.listeners import Deps
from bot.listeners.clicked import Click, clicked, whisper
from bot.mrkdwn import visible
from bot.slack_modals import View
from bot.store.readiness import Mark, Readiness
from bot.store.records import Ask
from knowledge.items import Item

log = logging.getLogger("rackside.slack")

METHODS: dict[str, str] = {"views_open": "", "views_update": ""}
KIND = "attest"
STALE = "This button is of an audit that I can no longer read: `/rackside audit` makes a new one."
NO_WINDOW = "Slack did not let me open the window: please press the button once more."
LESS = "This audit covers more than may be seen from here: ask for one of a namespace that may."
UNREADABLE = "The checklists cannot be read just now: the log of Rackside says why."
CHOOSE = "Choose what you say of it."
_ERROR = 300


class Checklists:
    """The items by id, read when somebody first walks: that takes longer than Slack waits for a window."""

    def __init__(self, read: Callable[[], list[Item]], clock: Callable[[], float] = time.monotonic) -> None:
        """Read nothing yet."""
        self._read, self._clock = read, clock
        self._found: dict[str, Item] = {}
        self._at = float("-inf")

    @property
    def at_hand(self) -> bool:
        """Whether they were read in the last ten minutes."""
        return self._clock() - self._at < 600.0

    def items(self) -> dict[str, Item]:
        """Every item."""
        if not self.at_hand:
            self._found = {one.id: one for one in self._read()}
            self._at = self._clock()
        return self._found


def attach(app: App, deps: Deps) -> None:
    """Listen."""
    walking = Walking(deps)
    app.action(WALK)(walking.begin)
    app.view(WALK_VIEW)(walking.send)


class Walking:
    """The button and the window."""

    def __init__(self, deps: Deps) -> None:
        """Over the store of the listeners."""
        self._deps = deps
        self._clock = deps.bench.clock if deps.bench is not None else time.time
        self._readiness = Readiness(deps.store.engine, self._clock)
        self._checklists = Checklists(lambda: checklist_items(deps))

    def begin(self, ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        """Open the window for the worst item that is still open."""
        ack()
        click = clicked(body)
        carried = unpacked(click.value)
        if carried is None or not (click.channel and click.root):
            whisper(client, click, STALE)
            return
        walk = replace(carried, channel=click.channel, root=click.root)
        refused = refusal(self._deps, click, walk)
        if refused:
            whisper(client, click, refused)
        elif self._checklists.at_hand:
            _shown(client, click, self._next(walk))
        else:
            window = _shown(client, click, loading_view())
            if window:
                _changed(client, window, self._next(walk))

    def send(self, ack: Ack, body: dict[str, Any], view: View, client: WebClient) -> None:
        """Store what was said, tell what is wrong with it in its field, or go on to the next item."""
        click, walk = clicked(body), unpacked(str(view.get("private_metadata") or ""))
        if walk is None or not (walk.items and walk.channel and walk.root):
            ack()
            return
        window = str(view.get("id") or "")
        try:
            told = self._stored(walk, view, click, window)
        except MarkProblem as problem:
            sentence = visible(str(problem))[:_ERROR]
            ack(response_action="errors", errors={field(walk.items[0], problem.field or "choice"): sentence})
            return
        rest = replace(walk, items=walk.items[1:])
        if self._checklists.at_hand:
            ack(response_action="update", view=self._next(rest, told))
            return
        ack(response_action="update", view=loading_view(told))
        _changed(client, window, self._next(rest, told))

    def _stored(self, walk: Walk, view: View, click: Click, window: str) -> str:
        """Store what was said of the first item, and owe its line; what the next window says of it."""
        refused = refusal(self._deps, click, walk)
        if refused:
            raise MarkProblem(refused)
        said = said_of(view, walk.items[0])
        if said.choice == SKIP:
            return ""
        mark = kept(self._readiness, walk, said, click, window, self._clock())
        ask = line_ask(click, walk, mark)
        if self._deps.store.accept(ask):
            self._deps.work.begin(ask)
        return noted(mark)

    def _next(self, walk: Walk, told: str = "") -> View:
        try:
            known = self._checklists.items()
        except Exception:
            log.exception("the checklists cannot be read")
            return last_view(told, UNREADABLE)
        now = self._clock()
        left = walk.without(self._readiness.marks(cluster=walk.place.cluster), known, now)
        return item_view(left, known[left.items[0]], now, told) if left.items else last_view(told)


def checklist_items(deps: Deps) -> list[Item]:
    """Every item of the checklists; none where nothing is set up."""
    from bot.app import make_library

    settings = deps.bench.settings if deps.bench is not None else None
    return make_library(settings).items() if settings is not None else []


def refusal(deps: Deps, click: Click, walk: Walk) -> str:
    """Why somebody may not speak of this place here, '' where they may."""
    if deps.gate is None:
        return ""
    found = deps.gate.enter(Ask(click.team, walk.channel, "", "", click.person, "", KIND, {}, "window"))
    if isinstance(found, Refused):
        return found.sentence
    place, sentence = placed(walk.place, found)
    return sentence or ("" if place == walk.place else LESS)


def kept(readiness: Readiness, walk: Walk, said: Said, click: Click, window: str, now: float) -> Mark:
    """Store what was said of the first item of a walk, once a window; raises MarkProblem, with the field, where it cannot be."""
    item = walk.items[0]
    name = hashlib.sha256(f"{click.team}\n{window}\n{item}\n{click.person}".encode()).hexdigest()[:16]
    until = end_of(said.until)
    if said.choice == ATTEST:
        return attest(
            readiness, item, walk.place, by=click.person, evidence=said.evidence, until=until, now=now, note=said.note, name=name
        )  # fmt: skip
    if said.choice == WAIVE:
        return waive(readiness, item, walk.place, by=click.person, reason=said.note, until=until, now=now, name=name)
    raise MarkProblem(CHOOSE, "choice")


def line_ask(click: Click, walk: Walk, mark: Mark) -> Ask:
    """The line in the audit's thread: one a mark. Nobody is its asker, so that many marks in a row meet no limit of questions."""
    payload = {"item": mark.item, "mark": mark.id}
    return Ask(click.team, walk.channel, "", walk.root, "", mark.kind, KIND, payload, f"{KIND}:{mark.id}")


def _shown(client: WebClient, click: Click, view: View) -> str:
    """Open a window; its id, or '' where Slack does not, which the person is told."""
    try:
        opened: Any = client.views_open(trigger_id=click.trigger, view=view)
    except (SlackClientError, OSError) as error:
        log.warning("a window could not be opened (%s)", error)
        whisper(client, click, NO_WINDOW)
        return ""
    return str((opened.get("view") or {}).get("id") or "")


def _changed(client: WebClient, window: str, view: View) -> None:
    try:
        client.views_update(view_id=window, view=view)
    except (SlackClientError, OSError) as error:
        # Closed in the meantime, perhaps; what was said is stored.
        log.warning("a window could not be changed (%s)", error)
