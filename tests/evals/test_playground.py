"""The playground: ask, click, command, window and home through the page's own API, answered by the real Bolt app."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from PIL import Image

from bot.advisor.question import Answer, Question, Scope
from bot.attest_view import Walk, item_view
from bot.settings import Settings
from bot.store.readiness import Place
from bot.triage.settings import AlertSettings, Watched
from evals.pictures import trimmed
from evals.playground import Playground, playground
from evals.playground_blocks import ME, PNG, blocks_html
from evals.playground_web import ALERTS, ALERTS_BOT, PAGE
from evals.slack_web import BOT_ID, BOT_USER
from tests.bot.readiness.worlds_of_items import item
from tools.finding import Evidence, Finding

PATIENCE = 30.0


def found(question: Question, progress: Callable[[str], None]) -> Answer:
    progress("reads the metrics")
    evidence = Evidence(
        "e1", "requests waiting: 12", 12.0, "", "prom", "vllm:num_requests_waiting", "2026-11-21T03:10:00Z"
    )
    finding = Finding(
        "k",
        "queue_saturation",
        "The queue is full",
        "deployment/prod/llama",
        "high",
        "high",
        True,
        "12 wait.",
        evidence=(evidence,),
    )
    return Answer(
        question.text, "live", Scope(namespace="prod"), "deployment/prod/llama: the queue is full", (finding,)
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    home = tmp_path_factory.mktemp("home")
    full = Settings(home=home, alerts=AlertSettings(watch=(Watched(channel=ALERTS, bots=(ALERTS_BOT,)),)))
    with playground(found, home, full) as running:
        yield running


def get(here: Playground, path: str = "api/state") -> Any:
    with urlopen(here.url + path, timeout=10) as response:
        return json.load(response)


def post(here: Playground, act: str, **what: Any) -> tuple[int, dict[str, Any]]:
    request = Request(f"{here.url}api/{act}", json.dumps(what).encode(), {"content-type": "application/json"})
    try:
        with urlopen(request, timeout=40) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def until(here: Playground, condition: Callable[[dict[str, Any]], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while True:
        state = get(here)
        seen = condition(state)
        if seen:
            return seen
        assert time.monotonic() < end, f"never happened; {json.dumps(state)[:2000]}"


def answers(state: dict[str, Any], channel: str, root: str = "") -> list[dict[str, Any]]:
    return [
        one
        for one in state["messages"][channel]
        if one["app"] and not one["only_you"] and root in {"", one["thread_ts"]}
    ]


def test_a_question_is_answered_with_its_blocks(here: Playground) -> None:
    status, told = post(here, "say", channel="C1", text="@Rackside why <b>slow</b>?")
    assert (status, told["ok"]) == (200, True)
    (answer,) = until(here, lambda state: answers(state, "C1", told["ts"]))
    assert "The queue is full" in answer["html"]
    assert "<code>deployment/prod/llama</code>" in answer["html"]
    asked = next(one for one in get(here)["messages"]["C1"] if one["ts"] == told["ts"])
    assert "<b>@Rackside</b>" in asked["html"]
    assert "<b>slow" not in asked["html"]
    until(
        here,
        lambda state: [
            m for m in state["messages"]["C1"] if m["ts"] == told["ts"] and m["reactions"] == ["white_check_mark"]
        ],
    )


def test_a_command_answers_the_person_alone_and_then_the_channel(here: Playground) -> None:
    assert post(here, "say", channel="C2", text="/rackside what is wrong?")[0] == 200
    until(here, lambda state: [m for m in state["messages"]["C2"] if m["only_you"]])
    until(here, lambda state: answers(state, "C2"))


def test_a_button_opens_a_window_and_sending_it_asks(here: Playground) -> None:
    _, told = post(here, "say", channel="C1", text="@Rackside")
    (help_,) = until(here, lambda state: answers(state, "C1", told["ts"]))
    buttons = [json.loads(one) for one in map(unescaped, re.findall(r'data-action="([^"]*)"', help_["html"]))]
    opens = next(one for one in buttons if "else" in one["text"]["text"])
    assert post(here, "click", channel="C1", message_ts=help_["ts"], action=opens)[0] == 200
    modal = until(here, lambda state: state["modal"])
    name = re.search(r'<(?:textarea|input) name="([^"]*)"', modal["html"])
    assert name is not None
    block, action, kind = name[1].split("|")
    sent = {block: {action: {"type": kind, "value": None}}}
    assert post(here, "submit", view=modal["id"], values=sent)[1]["errors"]
    assert get(here)["modal"], "it stays open with its error"
    sent[block][action]["value"] = "and now?"
    assert post(here, "submit", view=modal["id"], values=sent)[1] == {"ok": True}
    until(here, lambda state: not state["modal"] and len(answers(state, "C1", told["ts"])) == 2)


def unescaped(text: str) -> str:
    import html

    return html.unescape(text)


def test_an_alert_of_another_bot_is_triaged_in_its_thread_and_its_end_told(here: Playground) -> None:
    _, told = post(here, "alert")
    until(here, lambda state: any("The queue is full" in one["html"] for one in answers(state, ALERTS, told["ts"])))
    shown = get(here)["messages"][ALERTS]
    assert (shown[0]["author"], "FIRING:1" in shown[0]["html"]) == ("Alertmanager", True)
    assert post(here, "alert")[1]["ts"] == told["ts"], "the same message, edited"
    until(here, lambda state: any("Resolved" in one["html"] for one in answers(state, ALERTS, told["ts"])))
    assert post(here, "alert")[1]["ts"] != told["ts"]


def test_files_are_shown(here: Playground) -> None:
    slack = here.slack
    files = [
        {"id": "F1", "name": "a.png", "title": "a <b>", "alt_txt": "c"},
        {"id": "F2", "name": "a.md", "title": "d"},
    ]
    with slack.changed:
        slack.kept.setdefault("uploads", []).extend(
            [{"id": "F1", "content": PNG + b"\x1a\n"}, {"id": "F2", "content": b"<script>\xff"}]
        )
        message = {"user": BOT_USER, "bot_id": BOT_ID, "ts": slack.stamp(), "text": "", "files": files}
        slack.messages.setdefault("C1", []).append(message)
    shown = next(one["html"] for one in get(here)["messages"]["C1"] if one["ts"] == message["ts"])
    assert '<img src="/picture/F1" alt="c">' in shown
    assert "a &lt;b&gt;" in shown
    assert "&lt;script&gt;\ufffd" in shown
    with urlopen(f"{here.url}picture/F1", timeout=10) as response:
        assert (response.headers["content-type"], response.read()) == ("image/png", PNG + b"\x1a\n")
    for name in ("F2", "F404", "..%2f..%2fetc%2fpasswd"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{here.url}picture/{name}", timeout=10)


def test_changes_come_by_themselves(here: Playground) -> None:
    with urlopen(f"{here.url}api/events", timeout=PATIENCE) as stream:
        first = json.loads(stream.readline().decode().removeprefix("data: "))
        _, told = post(here, "say", channel="D1", text="is it fine?")
        line = ""
        while told["ts"] not in line:
            line = stream.readline().decode()
    assert json.loads(line.removeprefix("data: "))["version"] != first["version"]


@pytest.mark.parametrize(
    ("act", "what"),
    [
        ("say", {"channel": "C404", "text": "x"}),
        ("click", {"channel": "C1", "message_ts": "0", "action": {}}),
        ("click", {}),
        ("submit", {"view": "V404"}),
        ("shortcut", {"callback_id": "none", "channel": "C1"}),
        ("shortcut", {}),
    ],
)
def test_what_is_not_there_is_refused(here: Playground, act: str, what: dict[str, Any]) -> None:
    assert post(here, act, **what) == (400, {"ok": False, "error": "there is no such thing here"})


def test_another_sites_form_does_nothing(here: Playground) -> None:
    before = len(here.slack.messages.get("C1", ()))
    with pytest.raises(HTTPError) as refused:
        urlopen(
            Request(f"{here.url}api/say", b'{"channel":"C1","text":"x"}', {"content-type": "text/plain"}), timeout=10
        )
    refused.value.close()
    assert refused.value.code == 415
    assert len(here.slack.messages.get("C1", ())) == before


def test_the_page_loads_nothing_from_anywhere(here: Playground) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=|https?://|@import|url\(", page)
    with urlopen(here.url, timeout=10) as response:
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert response.read().decode() == page
    assert here.url.startswith("http://127.0.0.1:")


def test_blocks_of_every_kind_are_shown_and_data_stays_data() -> None:
    evil = '<img src=x onerror=alert(1)>"'
    text = {"type": "plain_text", "text": evil}
    option = {"text": text, "value": evil}
    kinds = [
        {"type": "header", "text": text}, {"type": "divider"}, {"type": "section", "text": text, "fields": [text], "accessory": {"type": "overflow", "action_id": "o", "options": [option]}},
        {"type": "context", "elements": [text]}, {"type": "image", "alt_text": evil, "image_url": "https://evil.example"}, {"type": "markdown", "text": evil},
        {"type": "actions", "elements": [{"type": "button", "text": text, "action_id": evil, "style": evil}, {"type": evil}]},
        {"type": "context_actions", "elements": [{"type": "feedback_buttons", "action_id": "f", "positive_button": {"text": text, "value": "g"}, "negative_button": {"text": text, "value": "b"}}]},
        {"type": "input", "block_id": evil, "label": text, "element": {"type": "plain_text_input", "multiline": True, "initial_value": evil}},
        {"type": "input", "label": text, "element": {"type": "radio_buttons", "options": [option]}}, {"type": "input", "label": text, "element": {"type": "checkboxes", "options": [option]}},
        {"type": "container", "title": text, "child_blocks": [{"type": "divider"}]}, {"type": "plan", "title": evil, "tasks": [{"type": "task_card", "title": text, "status": evil}]}, {"type": evil},
    ]  # fmt: skip
    shown = blocks_html(kinds)
    assert "<img" not in shown
    assert "evil.example" not in shown
    assert shown.count("unknown") == 2, "what is not known is said"
    for tag in (
        "<hr>",
        "<h3>",
        "<textarea",
        'type="radio"',
        'type="checkbox"',
        "▲",
        "<details",
        "<figure>",
        "<button",
    ):
        assert tag in shown


def test_the_window_that_walks_a_checklist_has_a_field_for_whatever_it_asks() -> None:
    walk = Walk(Place(), ("XX-01",))
    view = item_view(walk, item(), 1_790_000_000.0)
    shown = blocks_html(view["blocks"])
    asked = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    assert len(asked) == 4
    for element in asked:
        assert f"|{element['type']}" in shown
        assert re.search(rf'<(?:input|textarea)[^>]* name="[^"]*\|{element["type"]}"', shown), element["type"]
    assert 'type="date"' in shown
    assert 'value="2026-12-20"' in shown, "what is suggested stands in it"
    assert 'type="url"' in shown


def test_a_picture_of_it(here: Playground, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is part of the test machine: install it")
    _, told = post(here, "say", channel="C2", text="@Rackside why slow?")
    until(here, lambda state: answers(state, "C2", told["ts"]))
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        f"--user-data-dir={tmp_path}/profile",
    ]
    done = subprocess.run(
        [chromium, *flags, "--virtual-time-budget=4000", "--dump-dom", f"{here.url}?channel=C2&still=1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "The queue is full" in done.stdout
    assert "# ml-serving" in done.stdout
    assert ME not in re.sub(r"<script>.*?</script>", "", done.stdout, flags=re.DOTALL)
    with Image.open(trimmed(f"{here.url}?channel=C2&still=1&bare=1", tmp_path / "x.png")) as shown:
        assert shown.width == 800
        assert 100 < shown.height < 2000, "what it shows, and no empty rest"
