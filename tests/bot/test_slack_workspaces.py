"""Several workspaces, installed by OAuth on our stand-in: two teams that have a channel, people and threads of the same ids."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from slack_sdk.oauth.installation_store.models.installation import Installation
from typer.testing import CliRunner, Result

from bot.advisor.question import Answer, Question, Scope
from bot.cli import app
from bot.desk import Answerer
from bot.doctor_slack import slack as slack_rows
from bot.doctor_workspaces import workspaces as workspace_rows
from bot.seen import Seen
from bot.settings import Settings
from bot.slack_settings import SlackSettings, missing
from bot.slack_workspaces import opened
from bot.store.database import open_engine
from bot.store.installations import Installations, States
from bot.store.records import Store
from bot.store.sealing import KeyProblemError, Seal, SealedError
from evals.slack_oauth import CLIENT_ID, CLIENT_SECRET, approve
from evals.slack_people import click, command
from evals.slack_standin import APP_TOKEN, SIGNING_SECRET, Fault, SlackStandIn
from evals.slack_workspace import Workspace
from tests.bot.conftest import Serving, echo

ROOT = Path(__file__).parents[2]
ONE, TWO, OUTSIDE = "T1ONE", "T2TWO", "T3OUTSIDE"


def several(slack: SlackStandIn, home: Path, **other: Any) -> SlackSettings:
    chosen: dict[str, Any] = {
        "bot_token": None, "app_token": None, "signing_secret": SIGNING_SECRET, "home": home, "api_url": slack.api_url,
        "host": "127.0.0.1", "port": 0, "first_wait": 0.05, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "redirect_url": "https://rackside.example/slack/oauth_redirect", "workspaces": frozenset({ONE, TWO}),
    }  # fmt: skip
    return SlackSettings(**(chosen | other))


class Browser:
    """Fetches pages of one Rackside and keeps its cookie."""

    def __init__(self, serving: Serving | Process) -> None:
        self.where = urlsplit(serving.url).netloc
        self.cookie = ""

    def get(self, path: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(self.where, timeout=20)
        try:
            connection.request("GET", path, headers={"cookie": self.cookie} if self.cookie else {})
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            self.cookie = headers.get("set-cookie", self.cookie).split(";")[0]
            return response.status, headers, response.read().decode()
        finally:
            connection.close()

    def begin(self) -> str:
        status, headers, _ = self.get("/slack/install")
        assert status == 302
        return headers["location"]

    def back(self, query: str) -> tuple[int, str]:
        status, _, page = self.get(f"/slack/oauth_redirect?{query}")
        return status, page


class Process:
    """Rackside for two workspaces in a process of its own, which ends by SIGKILL."""

    def __init__(self, slack: SlackStandIn, home: Path) -> None:
        command = [sys.executable, str(ROOT / "tests/bot/slack_process.py"), slack.api_url, str(home)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "WORKSPACES": f"{ONE} {TWO}"}
        self._process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{self._process.stdout.readline().strip()}/slack/events"

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=20)


class Office:
    """One Rackside for two workspaces; `answer` is what it answers with. With `socket`, Slack delivers over one Socket Mode connection."""

    def __init__(
        self, slack: SlackStandIn, home: Path, serving: Process | None = None, *, socket: bool = False, **other: Any
    ) -> None:
        self.slack, self.home, self.socket = slack, home, socket
        self.one, self.two = slack.workspace(ONE, "U0BOTONE"), slack.workspace(TWO, "U0BOTTWO")
        self.answer: Answerer = echo
        if socket:
            other |= {"app_token": APP_TOKEN, "signing_secret": None}
        self.serving: Serving | Process = serving or Serving(several(slack, home, **other), self._answer)

    def _answer(self, question: Question, progress: Callable[[str], None]) -> Answer:
        return self.answer(question, progress)

    def install(self, workspace: Workspace, **how: Any) -> tuple[int, str]:
        browser = Browser(self.serving)
        return browser.back(approve(self.slack, browser.begin(), workspace, **how))

    def send(self, body: Any, kind: str = "events_api") -> int:
        if self.socket:
            self.slack.push_acknowledged(body, kind=kind)
            return 200
        return self.slack.post_signed(self.serving.url, body, kind=kind)

    def ask(self, workspace: Workspace, text: str, channel: str = "C1", thread: str | None = None) -> str:
        body = workspace.say(channel, "U1", f"<@{workspace.bot_user}> {text}", thread)
        assert self.send(body) == 200
        assert self.send(workspace.twin(body)) == 200
        return str(body["event"]["ts"])

    def installed(self) -> dict[str, str]:
        engine = open_engine(f"sqlite:///{self.home / 'rackside.db'}")
        try:
            return {one.team: one.bot_token for one in Installations(engine).all()}
        finally:
            engine.dispose()


def done(workspace: Workspace, ts: str, channel: str = "C1", mark: str = "white_check_mark") -> None:
    workspace.wait(lambda: workspace.reactions(channel, ts) == [mark], f"{mark} on {ts} in {workspace.team}")


def said(workspace: Workspace, channel: str = "C1", root: str | None = None) -> list[str]:
    return [str(one["text"]) for one in workspace.answers(channel, root)]


@pytest.fixture(scope="module")
def _shared_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with SlackStandIn() as slack:
        office = Office(slack, tmp_path_factory.mktemp("home"))
        yield office
        office.serving.stop()


@pytest.fixture
def office(_shared_office: Office) -> Office:
    """The shared Rackside, installed in both workspaces, with nothing said yet."""
    _shared_office.answer = echo
    _shared_office.slack.reset()
    known = _shared_office.installed()
    for workspace in (_shared_office.one, _shared_office.two):
        workspace.streams = False
        if known.get(workspace.team) not in _shared_office.slack.tokens:
            assert _shared_office.install(workspace)[0] == 200
    return _shared_office


def test_a_question_in_each_is_answered_with_its_own_token(office: Office) -> None:
    one, two = office.one, office.two
    one.streams = two.streams = True
    first, second = office.ask(one, "of one?"), office.ask(two, "of two?")
    done(one, first)
    done(two, second)
    assert said(one) == ["You asked: of one?"]
    assert said(two) == ["You asked: of two?"]
    assert office.slack.count("chat.startStream") == 2
    for workspace, ts in ((one, first), (two, second)):
        names = [name for name, _ in workspace.calls]
        assert {"reactions.add", "users.info", "chat.startStream", "chat.update"} <= set(names), "each by its own token"
        assert [args["timestamp"] for name, args in workspace.calls if name == "reactions.add"] == [ts, ts]
    assert not office.slack.messages, "and nothing anywhere else"
    # A mention of the other workspace's bot is a mention of somebody else.
    other = one.say("C1", "U1", f"<@{two.bot_user}> is it slow?")
    assert office.send(other) == 200
    assert not one.reactions("C1", other["event"]["ts"])


def test_threads_of_the_same_channel_are_apart(office: Office) -> None:
    seen: list[str | None] = []

    def answer(question: Question, _: Callable[[str], None]) -> Answer:
        seen.append(question.workload)
        return Answer(question.text, "live", Scope(workload=str(question.text).split()[-1]), "V.")

    office.answer = answer
    roots = {}
    for workspace, name in ((office.one, "llama"), (office.two, "mistral")):
        roots[workspace.team] = office.ask(workspace, f"why is it slow: {name}")
        done(workspace, roots[workspace.team])
    for workspace in (office.two, office.one):
        body = workspace.say("C1", "U1", "and since when?", roots[workspace.team])
        assert office.send(body) == 200
        done(workspace, body["event"]["ts"])
    assert seen == [None, None, "mistral", "llama"], "each thread keeps its own scope"


def test_commands_and_buttons_are_answered_where_they_were_given(office: Office) -> None:
    told = command(office.two, "ask why is it slow?")
    assert office.send(told, "slash_commands") == 200
    office.two.wait(lambda: said(office.two) != [], "the answer to the command")
    assert office.send(command(office.two, "subscribe"), "slash_commands") == 200
    ts = office.ask(office.one, "")
    done(office.one, ts)
    (helped,) = office.one.answers("C1", ts)
    button = next(e for block in helped["blocks"] if block["type"] == "actions" for e in block["elements"])
    assert office.send(click(office.one, helped, button), "interactive") == 200
    office.one.wait(lambda: len(said(office.one)) == 2, "the answer to the button")
    assert len(said(office.two)) == 1
    assert {one.team for one in subscriptions(office)} == {TWO}, "a digest is of its own workspace"


def test_a_shared_channel_is_answered_where_it_is_authorised(office: Office) -> None:
    body = office.one.say("C1", "U1", f"<@{office.one.bot_user}> from next door?")
    assert office.send(body | {"team_id": OUTSIDE, "context_team_id": OUTSIDE}) == 200
    done(office.one, body["event"]["ts"])
    assert said(office.one) == ["You asked: from next door?"]


def test_a_home_shows_what_is_of_its_own_workspace(office: Office) -> None:
    assert office.send(command(office.two, "subscribe", channel="C7HOME"), "slash_commands") == 200
    for workspace in (office.one, office.two):
        assert office.send(workspace.event({"type": "app_home_opened", "user": "U1", "tab": "home"})) == 200
    for workspace, there in ((office.one, False), (office.two, True)):
        assert {"C7HOME" in str(view) for view in homes(workspace)} == {there}


def homes(workspace: Workspace) -> list[Any]:
    """What a home showed: at once, then with what was looked up."""
    workspace.wait(lambda: len(workspace.kept.get("views", [])) == 2, "the home")
    return workspace.kept["views"]


def subscriptions(office: Office) -> list[Any]:
    from bot.store.subscriptions import Subscriptions

    engine = open_engine(f"sqlite:///{office.home / 'rackside.db'}")
    try:
        return Subscriptions(engine).all()
    finally:
        engine.dispose()


def test_the_log_says_of_which_workspace_a_question_was(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "x.yaml").write_text(f"workspaces: {{{ONE}: One, {TWO}: Two}}\n")
    for name, value in (("HOME", office.home), ("CONFIG", tmp_path / "x.yaml"), ("SLACK_CLIENT_ID", CLIENT_ID)):
        monkeypatch.setenv(f"RACKSIDE_{name}", str(value))
    monkeypatch.setenv("COLUMNS", "200")
    for workspace in (office.one, office.two):
        done(workspace, office.ask(workspace, f"logged of {workspace.team}?", channel="C6"), channel="C6")

    def run(*args: str) -> list[str]:
        told = CliRunner().invoke(app, ["log", *args])
        return [line for line in told.output.splitlines() if "logged of" in line or told.exit_code]

    assert sorted(line.split()[2] for line in run()) == [f"{ONE}/C6", f"{TWO}/C6"]
    for chosen in (("--workspace", TWO), ("--channel", f"{TWO}/C6"), ("--person", f"{TWO}/U1")):
        (line,) = run(*chosen, "--json")
        assert json.loads(line)["team"] == TWO
        jsonschema.validate(json.loads(line), json.loads(CliRunner().invoke(app, ["schema", "log"]).stdout))
    assert len(run("--channel", "C6")) == 2
    assert "different workspaces" in "".join(run("--workspace", ONE, "--channel", f"{TWO}/C6"))


def owed(office: Office) -> list[str]:
    engine = open_engine(f"sqlite:///{office.home / 'rackside.db'}")
    try:
        return [one.ask.key for one in Store(engine).waiting()]
    finally:
        engine.dispose()


def test_one_is_removed_while_its_answer_is_under_way_and_the_other_lives(office: Office) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        if "wait" in str(question.text):
            at_work.set()
            assert go_on.wait(30)
        return echo(question, progress)

    office.answer = answer
    assert office.send(command(office.one, "subscribe"), "slash_commands") == 200
    token = office.installed()[ONE]
    office.ask(office.one, "wait for it")
    assert at_work.wait(30)
    office.slack.revoke(token)
    personal = office.one.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}})
    assert office.send(personal) == 200
    assert ONE in office.installed(), "a person's own authorization is none of ours"
    early = office.one.event({"type": "app_uninstalled"}) | {"event_time": 1}
    assert office.send(early) == 200
    assert ONE in office.installed(), "told late of an installation before this one"
    assert office.send(office.one.event({"type": "tokens_revoked", "tokens": {"bot": ["U0BOTONE"]}})) == 200
    assert set(office.installed()) == {TWO}
    assert ONE not in {one.team for one in subscriptions(office)}
    left = owed(office)
    go_on.set()
    assert left == [], "nothing is owed there any more, though its answer is still worked on"
    done(office.two, office.ask(office.two, "and now?"))
    assert said(office.two) == ["You asked: and now?"]
    assert said(office.one) == []
    posted = office.slack.count("chat.postMessage")
    late = office.one.say("C1", "U1", f"<@{office.one.bot_user}> anybody?")
    assert office.send(late) == 200, "acknowledged, so that Slack does not send it again"
    assert office.slack.count("chat.postMessage") == posted
    # Installed again, it answers with the new token.
    assert office.install(office.one)[0] == 200
    assert office.installed()[ONE] != token
    done(office.one, office.ask(office.one, "back?"))
    assert said(office.one) == ["You asked: back?"]


def test_a_dead_token_that_nobody_told_of_keeps_nobody_waiting(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    for token, workspace in list(office.slack.tokens.items()):
        if workspace is office.one:
            office.slack.revoke(token)
    for n in range(6):  # more than work at a time
        office.ask(office.one, f"lost {n}")
    done(office.two, office.ask(office.two, "heard?"))
    assert said(office.two) == ["You asked: heard?"]
    deadline = time.monotonic() + 30
    while caplog.text.count("cannot be delivered: Slack says token_revoked") < 6:
        assert time.monotonic() < deadline, "all six are given up"


def test_a_state_is_taken_once_by_the_browser_that_began(office: Office) -> None:
    browser, stranger = Browser(office.serving), Browser(office.serving)
    before = office.installed()
    location = browser.begin()
    assert location.startswith(office.slack.api_url.removesuffix("/api") + "/oauth/v2/authorize?")
    assert "user_scope=&" in location or location.endswith("user_scope=")
    query = approve(office.slack, location, office.one)
    refused = [
        (stranger.back(query), 400, "did not begin"),
        (browser.back(query.replace("state=", "state=x")), 400, "did not begin"),
        (browser.back("error=access_denied"), 200, "declined"),
        (browser.back("error=%3Cscript%3E"), 400, "Slack says &lt;script&gt;"),
    ]
    assert office.installed() == before
    assert browser.back(query)[0] == 200
    assert office.installed()[ONE] != before[ONE], "the token of now alone is kept"
    refused.append((browser.back(query), 401, "finished already"))
    browser.cookie = "slack-app-oauth-state=forged"
    refused.append((browser.back("code=x&state=forged"), 401, "finished already"))
    other = Browser(office.serving)
    other.begin()
    state = other.cookie.partition("=")[2]
    refused.append((other.back(f"code=guessed&state={state}"), 401, "did not accept the code"))
    again = Browser(office.serving)
    again.begin()
    refused.append((again.back(f"state={again.cookie.partition('=')[2]}"), 401, "no code"))
    for (status, page), expected, words in refused:
        assert status == expected, page
        assert words in page
        assert "<script>" not in page
        assert 'href="/slack/install"' in page, "what to do is said"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"organisation": True}, "choose a workspace instead of the organisation"),
        ({"rotated": True}, "token_rotation_enabled: false"),
        ({}, f"add {OUTSIDE} under `workspaces`"),
    ],
)
def test_what_is_not_kept_is_handed_back(office: Office, how: dict[str, bool], says: str) -> None:
    before = office.installed()
    workspace = office.one if how else office.slack.workspace(OUTSIDE, "U0BOTOUT")
    known = set(office.slack.tokens)
    status, page = office.install(workspace, **how)
    assert status == 403
    assert says in page
    assert office.installed() == before
    assert office.slack.count("auth.revoke") == 1
    assert set(office.slack.tokens) == known, "no token is left lying about"
    assert said(workspace) == []


def test_tokens_are_in_the_database_alone(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rackside")
    office.slack.fail("chat.postMessage", Fault(status=500, error="internal_error"))
    assert office.install(office.two)[0] == 200
    done(office.two, office.ask(office.two, "who?"))
    tokens = list(office.installed().values())
    assert len(tokens) == 2
    for token in (*tokens, CLIENT_SECRET):
        assert token not in caplog.text
    assert any(tokens[0].encode() in content(file) for file in office.home.glob("rackside.db*")), "kept, and looked for"
    for file in office.home.rglob("*"):
        if file.is_file() and (not file.name.startswith("rackside.db") or ".work" in file.name):
            assert not any(token.encode() in content(file) for token in tokens), file.name
    assert (office.home / "rackside.db").stat().st_mode & 0o077 == 0, "nobody else reads the file"


def content(file: Path) -> bytes:
    """A file beside a database may be gone the next moment."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def test_killed_between_the_acknowledgement_and_the_effect_it_goes_on_with_the_token_of_then(tmp_path: Path) -> None:
    with SlackStandIn() as slack:
        office = Office(slack, tmp_path, Process(slack, tmp_path))
        try:
            for workspace in (office.one, office.two):
                assert office.install(workspace)[0] == 200
            old = office.installed()
            held = [slack.fail("chat.postMessage", Fault(hold=True)) for _ in range(2)]
            asked = {one.team: office.ask(one, f"in {one.team}?") for one in (office.one, office.two)}
            assert all(one.arrived.wait(30) for one in held), "both are about to be posted"
            assert office.install(office.one)[0] == 200
        finally:
            office.serving.stop()
        slack.revoke(old[ONE])
        for one in held:
            one.release.set()
        office.serving = Process(slack, tmp_path)
        try:
            for workspace in (office.one, office.two):
                done(workspace, asked[workspace.team])
                assert said(workspace) == [f"You asked: in {workspace.team}?"]
        finally:
            office.serving.stop()
        work = b"".join(content(file) for file in tmp_path.glob("rackside.db.work*"))
        assert b"T1ONE" in work, "looked for in the right place"
        for token in (*old.values(), *(token for token in slack.tokens if token.startswith("xoxb-T"))):
            assert token.encode() not in work, "no workflow's input or result holds a token"


def test_over_one_socket_each_is_answered_with_its_own_token(tmp_path: Path) -> None:
    """Slack tells an app of all its workspaces over one connection; the install page is an ordinary page beside it."""
    with SlackStandIn() as slack:
        office = Office(slack, tmp_path, socket=True)
        one, two = office.one, office.two
        try:
            slack.wait(lambda: slack.connected, "the connection, before anybody installed it")
            early = one.say("C1", "U1", f"<@{one.bot_user}> anybody?")
            office.send(early)
            assert not one.reactions("C1", early["event"]["ts"]), "acknowledged, and nobody's token to answer with"
            for workspace in (one, two):
                workspace.streams = True
                assert office.install(workspace)[0] == 200
            asked = {one.team: office.ask(one, "of one?"), two.team: office.ask(two, "of two?")}
            for workspace in (one, two):
                done(workspace, asked[workspace.team])
            assert (said(one), said(two)) == (["You asked: of one?"], ["You asked: of two?"])
            assert slack.count("chat.startStream") == 2
            assert not slack.messages, "nothing anywhere else"
            # A command, a button and a home, each where it was given.
            assert (
                slack.push_acknowledged(command(two, "status"), kind="slash_commands")["response_type"] == "ephemeral"
            )
            ts = office.ask(one, "", channel="C2")
            done(one, ts, channel="C2")
            (helped,) = one.answers("C2", ts)
            button = next(e for block in helped["blocks"] if block["type"] == "actions" for e in block["elements"])
            office.send(click(one, helped, button, channel="C2"), "interactive")
            one.wait(lambda: len(said(one, "C2")) == 2, "the answer to the button")
            office.send(two.event({"type": "app_home_opened", "user": "U1", "tab": "home"}))
            assert homes(two)
            assert "views" not in one.kept
            # One leaves; the connection stays, and the other does not notice.
            slack.revoke(office.installed()[ONE])
            office.send(one.event({"type": "app_uninstalled"}))
            assert set(office.installed()) == {TWO}
            done(two, office.ask(two, "still there?", channel="C3"), channel="C3")
            late = one.say("C3", "U1", f"<@{one.bot_user}> anybody?")
            office.send(late)
            assert not one.answers("C3")
            # HTTP is the install page's alone: nothing is taken there that no signing secret could prove.
            assert slack.post_signed(office.serving.url, one.say("C4", "U1", f"<@{one.bot_user}> forged?")) == 404
        finally:
            office.serving.stop()


KEY, NEWER = (base64.urlsafe_b64encode(bytes([n] * 32)).decode() for n in (1, 2))


def kept(home: Path) -> dict[str, str]:
    """The tokens as they stand in the database."""
    with contextlib.closing(sqlite3.connect(home / "rackside.db")) as database:
        return dict(database.execute("SELECT team, bot_token FROM slack_installation").fetchall())


def saved(home: Path, key: str | None, *teams: str) -> None:
    with contextlib.closing(open_engine(f"sqlite:///{home / 'rackside.db'}").connect()) as connection:
        installations = Installations(connection.engine, seal=Seal(key))
        for team in teams:
            installations.save(
                Installation(user_id="U1", team_id=team, bot_token=f"xoxb-{team}-secret", bot_user_id="UB")
            )
        connection.engine.dispose()


def test_tokens_are_encrypted_once_there_is_a_key_and_with_the_newest_of_several(tmp_path: Path) -> None:
    saved(tmp_path, None, ONE, TWO)
    assert kept(tmp_path)[ONE] == f"xoxb-{ONE}-secret", "without a key, as docs/slack.md says"
    allowed = frozenset({ONE, TWO})
    previous: dict[str, str] = {}
    for keys in (KEY, f"{NEWER}, {KEY}", NEWER):
        engine = open_engine(f"sqlite:///{tmp_path / 'rackside.db'}")
        try:
            workspaces = opened(engine, keys, allowed)
            assert {team: workspaces.token(team) for team in allowed} == {
                team: f"xoxb-{team}-secret" for team in allowed
            }
            now = kept(tmp_path)
            assert set(now.values()).isdisjoint(previous.values()), "sealed anew"
            assert all("xoxb" not in one for one in now.values())
            previous = now
        finally:
            engine.dispose()
        for file in tmp_path.glob("rackside.db*"):
            assert b"-secret" not in content(file), f"nothing of them is left in {file.name}"


@pytest.mark.parametrize("keys", [None, NEWER])
def test_tokens_that_do_not_open_are_named_before_anything_is_served(
    tmp_path: Path, keys: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path, KEY, ONE)
    with SlackStandIn() as slack:
        serving = Serving(several(slack, tmp_path, token_key=keys), echo)
        serving.stop()
    told = capsys.readouterr().err
    assert serving.status == 2
    assert ONE in told
    assert "RACKSIDE_SLACK_TOKEN_KEY" in told
    assert "workspaces remove" in told
    assert KEY not in told
    assert kept(tmp_path)[ONE].startswith("fernet:"), "nothing was lost"
    rows = {
        one.what: one
        for one in workspace_rows(
            Settings(
                home=tmp_path,
                slack_client_id="1",
                slack_client_secret="2",
                workspaces={ONE: "One"},
                slack_token_key=keys,
            ),
            lambda _token, _what: iter(()),
        )
    }
    assert rows["Slack: token key"].state == ("ok" if keys else "not set")
    assert "another key" in rows["Slack: One"].detail


@pytest.mark.parametrize("key", ["short", "x" * 44, "é" * 44, f"{KEY},nothing"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(KeyProblemError, match="32 bytes") as told:
        Seal(key)
    assert key not in str(told.value)


def test_a_sealed_token_opens_for_its_own_workspace_alone() -> None:
    seal = Seal(KEY)
    closed = seal.close(ONE, "xoxb-1")
    assert seal.open(ONE, closed) == "xoxb-1"
    assert seal.open(ONE, "xoxb-as-it-was") == "xoxb-as-it-was"
    broken = ((TWO, closed), (ONE, closed[:-8]), (ONE, "fernet:"), (ONE, "fernet:é"))
    for team, one in broken:
        with pytest.raises(SealedError):
            seal.open(team, one)


def test_an_installation_is_encrypted_as_it_is_made(tmp_path: Path) -> None:
    with SlackStandIn() as slack:
        office = Office(slack, tmp_path, token_key=KEY)
        try:
            assert office.install(office.one)[0] == 200
            assert kept(tmp_path)[ONE].startswith("fernet:")
            done(office.one, office.ask(office.one, "with which token?"))
            assert said(office.one) == ["You asked: with which token?"]
        finally:
            office.serving.stop()


def test_what_is_missing_is_said_at_once(tmp_path: Path) -> None:
    with SlackStandIn() as slack:
        said_of = missing(
            several(slack, tmp_path, bot_token="xoxb-1", client_secret=None, workspaces=frozenset(), port=None)
        )
        for part in ("not both", "CLIENT_SECRET", "`workspaces`", "SLACK_PORT"):
            assert part in said_of
        assert missing(several(slack, tmp_path)) == ""
        assert "T..." in missing(several(slack, tmp_path, workspaces=frozenset({"acme"})))


def test_ids_that_could_be_of_any_workspace_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = {"channels": {"C1": {}, f"{ONE}/C2": {}}, "admins": {"users": ["U1"]}}
    full = Settings(home=tmp_path, access=written, alerts={"channel": "C99"}, slack_admins=("U7",))  # type: ignore[arg-type]
    with SlackStandIn() as slack:
        serving = Serving(several(slack, tmp_path), echo, full)
        serving.stop()
    assert serving.status == 2
    told = capsys.readouterr().err
    assert all(
        f"{key}" in told
        for key in ("access.channels: C1", "access.admins: U1", "alerts.channel: C99", "slack_admins: U7")
    )
    assert f"{ONE}/C2" not in told


def test_states_expire_and_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    states = States(engine, 600.0, lambda: now[0])
    first = states.issue()
    now[0] += 600
    assert not states.consume(first), "too old"
    monkeypatch.setattr("bot.store.installations.STATES_MOST", 3)
    kept = []
    for _ in range(5):
        now[0] += 1
        kept.append(states.issue())
    assert [states.consume(one) for one in kept] == [False, False, True, True, True], "the oldest make room"
    assert not states.consume(kept[-1]), "once"
    engine.dispose()


def test_the_doctor_asks_with_each_token_and_says_what_is_wrong_with_the_ids(office: Office) -> None:
    office.slack.scopes = ("chat:write",)

    def seen(**other: Any) -> dict[str, Seen]:
        chosen: dict[str, Any] = {
            "home": office.home, "slack_client_id": CLIENT_ID, "slack_client_secret": CLIENT_SECRET, "slack_signing_secret": "s",
            "slack_api_url": office.slack.api_url, "workspaces": {ONE: "One", OUTSIDE: ""},
        }  # fmt: skip
        return {one.what: one for one in slack_rows(Settings(**(chosen | other)))}

    try:
        rows = seen(alerts={"channel": "C99"}, access={"channels": {f"{ONE}/C1": {}}})
    finally:
        office.slack.scopes = None
    assert rows["Slack: One"].state == "ok"
    assert rows["Slack: One: scopes"].state == "blind"
    assert "has not installed" in rows[f"Slack: {OUTSIDE}"].detail
    assert f"workspaces remove {TWO}" in rows[f"Slack: {TWO}"].todo
    assert "alerts.channel: C99" in rows["Slack: workspaces"].detail
    assert "C99 are not posted" in rows["Slack: alerts"].detail
    assert rows["Slack: HTTP mode"].state == "ok"
    assert [name for name, _ in office.one.calls] == ["auth.test"]
    assert not any(token in str(rows) for token in office.installed().values())
    assert "Slack: alerts" not in seen(alerts={"channel": f"{ONE}/C11"}, access={"channels": {f"{ONE}/C11": {}}})
    assert "several" in seen(slack_bot_token="xoxb-1")["Slack: workspaces"].todo
    assert "T0123" in seen(workspaces={})["Slack: workspaces"].todo


def test_the_command_line_lists_removes_and_addresses(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "x.yaml").write_text(f"workspaces: {{{ONE}: One, {TWO}: Two}}\n")
    for name, value in (("HOME", office.home), ("CONFIG", tmp_path / "x.yaml"), ("SLACK_CLIENT_ID", CLIENT_ID)):
        monkeypatch.setenv(f"RACKSIDE_{name}", str(value))

    def run(*args: str) -> Result:
        return CliRunner().invoke(app, args)

    listed = run("workspaces", "list")
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [ONE, TWO]
    assert not any(token in listed.output for token in office.installed().values())
    as_json = json.loads(run("workspaces", "list", "--json").stdout)
    assert [(one["team"], one["may_install"], one["installed_by"]) for one in as_json] == [
        (ONE, True, "U1"),
        (TWO, True, "U1"),
    ]
    jsonschema.validate(as_json, json.loads(run("schema", "workspaces").stdout))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"team": ONE}], json.loads(run("schema", "workspaces").stdout))
    bare = run("digest", "subscribe", "C5")
    assert bare.exit_code == 2
    assert "T0123/C0456" in bare.output
    assert run("digest", "subscribe", f"{TWO}/C5").exit_code == 0
    assert run("watch", "expiry", f"{TWO}/C5").exit_code == 0
    assert {(one.team, one.channel) for one in subscriptions(office)} >= {(TWO, "C5")}
    assert f"{TWO}/C5" in run("watch", "list").stdout
    assert run("workspaces", "remove", TWO).exit_code == 0
    assert set(office.installed()) == {ONE}
    assert TWO not in {one.team for one in subscriptions(office)}
    assert run("watch", "list").stdout == ""
    assert run("workspaces", "remove", TWO).exit_code == 2
