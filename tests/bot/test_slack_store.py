"""The inbox, the seat, the wording of messages, and the clauses of the thread rule, one by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa
from slack_sdk.errors import SlackApiError

from bot.advisor.question import Answer, Question, Scope
from bot.answering import Answering
from bot.desk import Bench, desks
from bot.listeners import Deps, accepted
from bot.listeners.incoming import incoming
from bot.listeners.wording import is_courtesy, points_back, question_text, reads_as_question
from bot.slack_app import do
from bot.slack_thread import Leaving, SlackThread, trouble
from bot.store.database import database_url, migrate, open_engine
from bot.store.records import Ask, Store
from bot.store.seat import OccupiedError, Seat
from bot.store.tables import metadata

ME = "U0RACKSIDE"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    made = Store(open_engine(database_url(None, tmp_path)))
    yield made
    made.close()


def ask(ts: str = "1.1", **other: Any) -> Ask:
    return Ask(**({"team": "T", "channel": "C", "ts": ts, "thread_ts": "1.1", "person": "U1", "text": "why?"} | other))


def test_the_same_message_is_accepted_once(store: Store) -> None:
    assert [store.accept(ask()), store.accept(ask()), store.accept(ask(channel="C2"))] == [True, False, True]
    letters = store.waiting()
    assert [letter.ask for letter in letters] == [ask(), ask(channel="C2")]
    assert len({letter.effect for letter in letters}) == 2
    assert not any(part in letters[0].effect for part in ("T", "C", "1.1")), "the effect key tells nothing"


def test_a_letter_goes_its_way(store: Store) -> None:
    store.accept(ask())
    key = ask().key
    assert not store.letter(key).attempted  # type: ignore[union-attr]
    store.attempt(key)
    assert store.letter(key).attempted  # type: ignore[union-attr]
    store.answered(key, "2.2")
    assert store.letter(key).state == "answered"  # type: ignore[union-attr]
    assert store.waiting() == []
    assert store.letter("nobody") is None


def test_it_survives_reopening_and_migrating_again(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(open_engine(database_url(None, tmp_path)))
        store.accept(ask())
        migrate(store.engine)
        assert len(store.waiting()) == 1
        store.close()


def test_the_migrations_make_the_tables_that_the_code_uses(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import bot.store
    from bot.desk import modules

    # Each module of the store brings its tables.
    list(modules(bot.store))
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "rackside_version"})
        assert compare_metadata(context, metadata) == []
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"


def test_one_seat_per_file_and_it_dies_with_its_holder(tmp_path: Path) -> None:
    engine = open_engine(database_url(None, tmp_path))
    code = (
        "import sys, pathlib; from bot.store.database import open_engine, database_url; from bot.store.seat import Seat; "
        "seat = Seat(open_engine(database_url(None, pathlib.Path(sys.argv[1])))); print('taken', flush=True); sys.stdin.read()"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"taken\n"
        with pytest.raises(OccupiedError, match="another rackside serve"):
            Seat(engine)
        other.kill()
        other.wait(timeout=20)
    seat = Seat(engine)
    assert seat.executor_id == "serve-0"
    seat.leave()
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql://u:p@h:1/d?sslmode=require", "postgresql+psycopg://u:p@h:1/d?sslmode=require"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
    ],
)
def test_spellings_of_the_database(url: str, becomes: str, tmp_path: Path) -> None:
    assert database_url(url, tmp_path) == becomes
    assert database_url(None, tmp_path) == f"sqlite:///{tmp_path}/rackside.db"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (f"<@{ME}> why?", "why?"),
        (f"hey <@{ME}|rackside>: why?", "hey  : why?"),
        (f"<@{ME}>, is <#C1|prod-llm> &lt; 5 &amp; fine?", "is prod-llm < 5 & fine?"),
        ("see <https://x.example/a|the dashboard> and <https://y.example>", "see the dashboard and https://y.example"),
        ("<!subteam^S1|@oncall> look", "@oncall look"),
        (f" <@{ME}> ", ""),
        ("", ""),
        ("&amp;lt;", "&lt;"),
    ],
)
def test_question_text(typed: str, read: str) -> None:
    assert question_text(typed, ME) == read


@pytest.mark.parametrize(
    "text", ["thanks!", "Thank you so much", "ok, will do", ":+1:", ":tada: :tada:", "👍", "Great, thanks!", ""]
)
def test_courtesies(text: str) -> None:
    assert is_courtesy(text)


@pytest.mark.parametrize(
    "text", ["why?", "ok, and since when?", "thanks, what about node-3", "?", "no, the other pod", ":eyes: prod?"]
)
def test_no_courtesies(text: str) -> None:
    assert not is_courtesy(text)


def test_what_reads_as_a_question() -> None:
    assert all(
        map(reads_as_question, ("the other replica?", "and since when", "Show the query", "what did you rule out"))
    )
    assert not any(map(reads_as_question, ("I am on it", "restarting now", "andy has it", "")))


def test_what_points_back_to_the_thread() -> None:
    assert all(
        map(
            points_back,
            ("and the other replica?", "since when?", "what did you rule out?", "Show the query", "how do I fix it?"),
        )
    )
    assert not any(map(points_back, ("what about mistral?", "is pod-7 fine?", "and in namespace prod?", "", "?!")))


def event(text: str, **other: Any) -> dict[str, Any]:
    inner = {"type": "message", "user": "U1", "text": text, "ts": "9.9", "channel": "C", "channel_type": "channel"}
    return {"type": "event_callback", "team_id": "T", "event": inner | other}


@pytest.mark.parametrize(
    ("text", "other", "people", "for_us"),
    [
        ("restart it then", {}, (), True),  # one person talks with Rackside
        ("<@U2> restart it?", {}, (), False),  # to somebody else
        ("why, <@U2>?", {}, (), False),
        ("thanks!", {}, (), False),
        ("restart it then", {}, ("U2",), False),  # a second person has joined
        ("and since when?", {}, ("U2",), True),
        ("restart it then", {"user": "U2"}, (), False),  # the second person's first words
        ("why so slow?", {"user": "U2"}, (), True),
        (f"<@{ME}> <@U2> wonders why", {"user": "U2"}, ("U2",), True),  # mentioned after all
        ("why?", {"thread_ts": "8.8"}, (), False),  # not our thread
        ("why?", {"thread_ts": None}, (), False),  # top level
        ("why?", {"bot_id": "B1"}, (), False),
        ("why?", {"subtype": "message_changed"}, (), False),
        ("why?", {"subtype": "thread_broadcast"}, (), True),
        ("why?", {"user": ME}, (), False),
        ("why?", {"user": None}, (), False),
    ],
)
def test_the_thread_rule(store: Store, text: str, other: dict[str, Any], people: tuple[str, ...], for_us: bool) -> None:
    store.accept(ask())
    for person in people:
        store.heard("T", "C", "1.1", person)
    body = event(text, **({"thread_ts": "1.1"} | other))
    deps = Deps(store, work=None, me=ME)  # type: ignore[arg-type]
    assert (accepted(body, deps) is not None) is for_us
    assert accepted(body, deps) is None, "never twice"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "event_callback"},
        {"type": "event_callback", "event": "text"},
        {"type": "event_callback", "event": {"type": "message"}},
        {"type": "event_callback", "event": {"type": "message", "user": "U1", "channel": "C"}},
        {"type": "block_actions", "event": {"type": "message", "user": "U1", "channel": "C", "ts": "1"}},
    ],
)
def test_broken_events_are_nobody_speaking(body: dict[str, Any]) -> None:
    assert incoming(body, ME) is None


class _Response(dict[str, Any]):
    def __init__(self, error: str | None, status: int, headers: dict[str, str]) -> None:
        super().__init__({"ok": False} | ({"error": error} if error else {}))
        self.status_code, self.headers = status, headers


@pytest.mark.parametrize(
    ("error", "status", "headers", "retry_after", "unclear"),
    [
        ("ratelimited", 429, {"Retry-After": "7"}, 7.0, False),
        (None, 429, {}, 1.0, False),
        ("ratelimited", 429, {"retry-after": "soon"}, 1.0, False),
        ("internal_error", 200, {}, None, True),
        (None, 502, {}, None, True),
        ("channel_not_found", 200, {}, None, False),
        ("invalid_auth", 200, {}, None, False),
    ],
)
def test_what_a_failed_call_means(
    error: str | None, status: int, headers: dict[str, str], retry_after: float | None, unclear: bool
) -> None:
    found = trouble(SlackApiError("no", _Response(error, status, headers)))
    assert (found.retry_after, found.unclear) == (retry_after, unclear)
    assert trouble(ConnectionResetError()).unclear


def test_progress_is_shown_once_a_second_and_not_where_it_is_not_offered(store: Store) -> None:
    statuses: list[str] = []

    class Thread:
        offered = True

        def status(self, _: Ask, title: str) -> bool:
            statuses.append(title)
            return self.offered

    def answer(question: Question, progress: Any) -> Answer:
        for n in range(100):
            progress(f"step {n}")
        return Answer(question.text, "live", Scope(), "V.")

    store.accept(ask())
    thread = Thread()
    Answering(store, thread, desks(Bench(answer, store, Path()))).compose(ask().key, declined=False)  # type: ignore[arg-type]
    assert statuses == ["is looking into it"], "a hundred steps at once are not a hundred calls"
    thread.offered = False
    statuses.clear()
    Answering(store, thread, desks(Bench(answer, store, Path()))).compose(ask().key, declined=False)  # type: ignore[arg-type]
    assert statuses == ["is looking into it"]


def test_a_stopping_process_delivers_nothing_more() -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Leaving):
        SlackThread("xoxb-x", "http://127.0.0.1:9/", stop).deliver(ask(), "e", None, look_first=False)  # type: ignore[arg-type]


def test_what_is_no_message_keeps_its_name_and_what_its_desk_needs(store: Store) -> None:
    alert = ask(ts="", thread_ts="", kind="alert", payload={"group": "a:b", "nul": "x\0y"}, name="alert:a:b:1")
    assert store.accept(alert)
    assert not store.accept(alert), "once, ever"
    kept = store.letter("alert:a:b:1")
    assert kept is not None
    assert (kept.ask.kind, kept.ask.name, kept.ask.payload["group"]) == ("alert", "alert:a:b:1", "a:b")
    assert not kept.ask.is_message
    assert store.talk("T", "C", "") is None, "no thread yet"
    store.answered("alert:a:b:1", "9.9")
    talk = store.talk("T", "C", "9.9")
    assert talk is not None
    assert set(talk.people) > set(), "what is said below it need not be meant for us"
    store.remember_scope(alert, {"namespace": "prod"})
    assert store.talk("T", "C", "9.9").scope == {"namespace": "prod"}  # type: ignore[union-attr]


def test_chores_are_begun_once_and_a_failing_one_spoils_nothing(store: Store) -> None:
    begun: list[str] = []

    class Work:
        def begin(self, ask: Ask) -> None:
            begun.append(ask.key)

    def due(now: float) -> list[Ask]:
        return [ask(ts="", thread_ts="", kind="digest", name=f"digest:{int(now) // 100}")]

    def broken(_: float) -> list[Ask]:
        raise OSError("no")

    now = [100.0]
    bench = Bench(None, store, Path(), clock=lambda: now[0])  # type: ignore[arg-type]
    for moment in (100.0, 150.0, 200.0):
        now[0] = moment
        for chore in (broken, due):
            do(chore, bench, Work())
    assert begun == ["digest:1", "digest:2"]
