"""Durable work on DBOS: what was accepted is answered, whatever dies in between.

Steps run at least once. A workflow killed in the middle resumes on the same executor id at its first unrecorded
step; the inbox is the truth about what is owed, and a sweep starts whatever no workflow is working on. Nothing here
talks to a network: no conductor, no telemetry.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Protocol

import sqlalchemy as sa

from bot.store.records import Ask, Letter, Store
from bot.store.seat import Seat

log = logging.getLogger("rackside.work")

# Bump by hand whenever the workflow's steps change: work of another version is begun again, not resumed.
VERSION = "3"
QUEUE = "answers"
WORKFLOW = "answer_event"
SWEEP_EVERY = 15.0
GIVE_BEGIN = 10.0
_RERUN_WITHIN = 15 * 60.0
_TRIES = 5
_ALIVE = ("PENDING", "ENQUEUED", "DELAYED")


class Parts(Protocol):
    """The steps, in order (bot/answering.py)."""

    def compose(self, key: str, *, declined: bool) -> Any:
        """Make the message; its result is kept."""

    def deliver(self, key: str, composed: Any) -> bool:
        """Bring it where it belongs, once."""

    def finish(self, key: str, composed: Any) -> None:
        """Tidy up."""


class Durable:
    """Runs the parts for every ask. One per process."""

    def __init__(self, store: Store, seat: Seat, parts: Parts, workers: int, stop: threading.Event) -> None:
        """Prepare; nothing runs before `launch`. `stop` is the process's own signal to leave."""
        self._store, self._seat, self._parts, self._workers, self._stop = store, seat, parts, workers, stop
        self._active = 0
        self._idle = threading.Condition()
        self._workflow: Any = None

    def launch(self) -> None:
        """Start DBOS, resume this seat's work, and begin what an older version or a crash left behind."""
        from dbos import DBOS, DBOSConfig

        _route_log()
        config: DBOSConfig = {
            "name": "rackside",
            "system_database_url": _dbos_url(self._store.engine.url),
            "application_version": VERSION,
            "executor_id": self._seat.executor_id,
            "enable_otlp": False,
            "log_level": "WARNING",
            "max_executor_threads": self._workers + 16,
            "conductor_key": None,
        }
        DBOS(config=config)
        self._register(DBOS)
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=self._workers, polling_interval_sec=0.1)
        outdated = self._cancel_older_versions()
        self.sweep(outdated=outdated, settle=0.0)

    def _register(self, dbos: Any) -> None:
        parts, stop = self._parts, self._stop

        @dbos.step(name="compose")  # type: ignore[untyped-decorator]
        def compose(key: str, declined: bool) -> Any:
            return parts.compose(key, declined=declined)

        @dbos.step(name="deliver")  # type: ignore[untyped-decorator]
        def deliver(key: str, composed: Any) -> bool:
            return parts.deliver(key, composed)

        @dbos.step(name="finish")  # type: ignore[untyped-decorator]
        def finish(key: str, composed: Any) -> None:
            parts.finish(key, composed)

        @dbos.workflow(name=WORKFLOW, max_recovery_attempts=None)  # type: ignore[untyped-decorator]
        def answer_event(key: str, declined: bool) -> None:
            with self._counted():
                if stop.is_set():
                    raise _NotNow
                composed = compose(key, declined)
                if deliver(key, composed):
                    finish(key, composed)

        self._workflow = answer_event

    def begin(self, ask: Ask) -> None:
        """Queue the work for a persisted ask; doing it twice changes nothing."""
        self._enqueue(f"{VERSION}:{ask.key}:0", ask.key, declined=False)

    def _enqueue(self, workflow_id: str, key: str, *, declined: bool) -> None:
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(workflow_id):
            DBOS.enqueue_workflow(QUEUE, self._workflow, key, declined)

    def sweep(self, *, outdated: frozenset[str] = frozenset(), settle: float = GIVE_BEGIN) -> None:
        """Begin every waiting ask that nobody works on; take over the work of processes that died."""
        self._take_over()
        now = time.time()
        for letter in self._store.waiting():
            if now - letter.received_at >= settle:
                too_old = letter.ask.key in outdated and now - letter.received_at > _RERUN_WITHIN
                self._revive(letter, declined=too_old)

    def _revive(self, letter: Letter, *, declined: bool) -> None:
        from dbos import DBOS

        key = letter.ask.key
        for number in range(_TRIES):
            workflow_id = f"{VERSION}:{key}:{number}"
            status = DBOS.get_workflow_status(workflow_id)
            if status is None:
                log.warning("taking up %s", key)
                self._enqueue(workflow_id, key, declined=declined)
                return
            if status.status in _ALIVE:
                return
        log.error("gave up on %s after %d tries", key, _TRIES)
        self._store.undeliverable(key)

    def _cancel_older_versions(self) -> frozenset[str]:
        from dbos import DBOS

        pending = DBOS.list_workflows(status=list(_ALIVE), name=WORKFLOW, load_input=False, load_output=False)
        older = [work.workflow_id for work in pending if work.app_version != VERSION]
        if older:
            log.warning("%d questions were left by another version: beginning them again", len(older))
            DBOS.cancel_workflows(older)
        # VERSION:key:number, and a key may hold colons
        return frozenset(workflow_id.split(":", 1)[1].rsplit(":", 1)[0] for workflow_id in older)

    def _take_over(self) -> None:
        from dbos import DBOS

        with self._seat.abandoned() as gone:
            if not gone:
                return
            left = DBOS.list_workflows(
                status="PENDING", name=WORKFLOW, executor_id=gone, app_version=VERSION, load_input=False
            )
            if left:
                log.warning("taking over %d questions of processes that stopped", len(left))
                DBOS.resume_workflows([work.workflow_id for work in left], queue_name=QUEUE)

    def _counted(self) -> _Counted:
        return _Counted(self)

    def count(self, change: int) -> None:
        """Keep account of running workflows."""
        with self._idle:
            self._active += change
            self._idle.notify_all()

    def close(self, grace: float) -> bool:
        """Wait for running work, at most `grace` seconds, then stop; False when some was left for later."""
        from dbos import DBOS

        with self._idle:
            finished = self._idle.wait_for(lambda: self._active == 0, timeout=grace)
        DBOS.destroy(destroy_registry=True)
        return finished


class _NotNow(BaseException):
    """Dequeued while stopping: stays pending, since only an Exception would be recorded as the outcome."""


class _Counted:
    def __init__(self, durable: Durable) -> None:
        self._durable = durable

    def __enter__(self) -> None:
        self._durable.count(1)

    def __exit__(self, *_: object) -> None:
        self._durable.count(-1)


def _dbos_url(url: sa.URL) -> str:
    plain = url.set(drivername=url.get_backend_name())
    if plain.get_backend_name() == "sqlite":
        # A file has one writer at a time, and its queue is not fair: with the work's steps in the inbox's own file, an acknowledgement
        # waited for seconds (docs/decisions/work-in-a-file-of-its-own.md).
        plain = plain.set(database=f"{plain.database}.work")
    return plain.render_as_string(hide_password=False)


def _route_log() -> None:
    """Let DBOS log through ours, warnings and worse only, instead of a console handler of its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = True
    logger.setLevel(logging.WARNING)
