"""Any answer, hostile ones too, becomes a message that Slack accepts and that says only what we mean."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.advisor.question import Answer, Citation, Intent, ModelUse, Scope
from bot.blocks import MESSAGE_SIZE, UNCHANGED, Message, blocks, plain, size
from bot.copyable import copyable
from bot.mrkdwn import escape, web_address, width
from tests.bot import timed
from tools.finding import (
    BlindSpot,
    Change,
    Confidence,
    Evidence,
    Finding,
    Happened,
    Recovered,
    Remedy,
    RuledOut,
    Severity,
    Since,
)

CONTROL = re.compile(r"<([^<>]*)>")
UNSEEN = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def texts(message: Message) -> list[str]:
    found = [message.text]
    for block in message.blocks:
        parts = [block["text"]] if block["type"] == "section" else block.get("elements", [])
        found.extend(part["text"] for part in parts)
    return found


def assert_fits_slack(message: Message) -> None:
    """The published limits of Block Kit for the blocks that an answer uses."""
    assert 1 <= width(message.text) <= 40_000
    assert 1 <= len(message.blocks) <= 50
    assert size(message.blocks) <= MESSAGE_SIZE
    json.dumps(message.blocks).encode("ascii")
    for block in message.blocks:
        assert block["type"] in {"section", "context", "divider"}
        if block["type"] == "divider":
            assert set(block) == {"type"}
            continue
        elements: list[dict[str, Any]] = [block["text"]] if block["type"] == "section" else block["elements"]
        assert 1 <= len(elements) <= 10
        for element in elements:
            assert element["type"] == "mrkdwn"
            assert element["verbatim"] is True, "Slack would link names and addresses by itself"
            assert 1 <= width(element["text"]) <= 3000
            assert element["text"].strip()


def assert_says_nothing_else(message: Message, addresses: set[str]) -> None:
    """No control sequence but links to the citations; no unseen character; every code span closed."""
    for text in texts(message):
        for found in CONTROL.findall(text):
            address, _, label = found.partition("|")
            assert address in addresses, f"not ours: <{found}>"
            assert label
        assert "<" not in CONTROL.sub("", text)
        assert not UNSEEN.search(text), repr(text)
        assert text.count("`") % 2 == 0
        assert text.count("```") % 2 == 0
        assert not re.search(r"@(here|channel|everyone)", text, re.IGNORECASE)


HOSTILE = [
    "<!here> and <!channel> <!everyone|x>",
    "<@U012345> <#C012|general> <!subteam^S1>",
    "<https://evil.example|your bank> https://evil.example",
    "[click](https://evil.example) ![x](https://evil.example/a.png)",
    "``` broke out <!here>",
    "` <@U1> `` ``` `",
    "&lt;!here&gt; &amp;lt;",
    "\u202eevil\u2066 \u200b@here\u200b @\u200bchannel @EVERYONE",
    "<\u200b!here>",
    "<\u0000@U1>",
    "|>|<|>",
    "*bold* _it_ ~no~ > quote",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
    "\ud800 lone surrogate",
    "🧨" * 700,
    "&" * 5000,
    "a" * 50_000,
    "# heading\n- item\n```\nno end",
    "\r\n\u2028\u2029\x85",
    "",
]
hostile = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=400),
    st.lists(st.sampled_from(HOSTILE[:14]), max_size=4).map(" ".join),
)
evidence = st.builds(
    Evidence,
    id=hostile,
    text=hostile,
    value=st.none() | st.floats(allow_nan=True, allow_infinity=True),
    unit=hostile,
    source=hostile,
    query=hostile,
    at=hostile,
    status=st.sampled_from(["ok", "blind"]),
)
remedy = st.builds(
    Remedy,
    text=hostile,
    change=st.none()
    | st.builds(Change, what=hostile | hostile.map(lambda text: f"--{text}"), from_=hostile, to=hostile),
    verify=hostile,
    cites=st.just(()),
)
since = st.builds(Since, text=hostile, at=st.none() | hostile)
happened = st.builds(
    Happened,
    kind=st.sampled_from(["rollout", "config"]),
    at=hostile,
    subject=hostile,
    text=hostile,
    minutes_before=st.just(3.0),
    source=hostile,
)
recovered = st.builds(Recovered, id=hostile, title=hostile, subject=hostile, from_=hostile, to=hostile, text=hostile)
keys = st.sampled_from(["a", "b", "c", "d", "nobody"])
finding = st.builds(
    Finding,
    key=keys,
    id=hostile,
    title=hostile,
    subject=hostile,
    severity=st.sampled_from(get_args(Severity)),
    confidence=st.sampled_from(get_args(Confidence)),
    root=st.booleans(),
    because=hostile,
    explained_by=st.lists(keys, max_size=3).map(tuple),
    evidence=st.lists(evidence, max_size=12).map(tuple),
    remedies=st.lists(remedy, max_size=6).map(tuple),
    pages=st.just(()),
    since=st.none() | since,
    happened=st.lists(happened, max_size=5).map(tuple),
    unseen_before=hostile,
)
url = st.one_of(
    hostile,
    hostile.map(lambda text: f"https://docs.example/{text}"),
    st.sampled_from(
        ["javascript:alert(1)", "https://user@evil.example/", "http://[", "https://docs.example/a?b=1&c=2|x>"]
    ),
)
citation = st.builds(
    Citation, id=hostile, title=hostile, pack=hostile, section=hostile, url=url, quote=hostile, date=hostile
)
answer = st.builds(
    Answer,
    question=st.none() | hostile,
    intent=st.sampled_from(get_args(Intent)),
    scope=st.builds(Scope),
    verdict=hostile,
    findings=st.lists(finding, max_size=9).map(tuple),
    ruled_out=st.lists(st.builds(RuledOut, id=hostile, subject=hostile, why=hostile), max_size=20).map(tuple),
    blind=st.lists(st.builds(BlindSpot, what=hostile, why=hostile), max_size=20).map(tuple),
    citations=st.lists(citation, max_size=12).map(tuple),
    text=hostile,
    model=st.none() | st.builds(ModelUse, name=hostile, tokens_in=st.just(1), tokens_out=st.just(1), calls=st.just(1)),
    seconds=st.just({}),
    note=hostile,
    saw_nothing=st.booleans(),
    explanation=hostile,
    recovered=st.lists(recovered, max_size=8).map(tuple),
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(answer)
def test_any_answer_fits_and_stays_data(hostile_answer: Answer) -> None:
    message = blocks(hostile_answer)
    assert_fits_slack(message)
    addresses = {web_address(cited.url) for cited in hostile_answer.citations} - {""}
    assert_says_nothing_else(message, addresses)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile)
def test_any_sentence_fits_and_stays_data(sentence: str) -> None:
    message = plain(sentence)
    assert_fits_slack(message)
    assert_says_nothing_else(message, set())


@pytest.mark.parametrize("character", ["[", "**", "🧨", "&", "a", "`", "\u0301", "<!here>", "\n", "- x\n"])
def test_the_largest_answer_still_fits(character: str) -> None:
    long = character * 50_000
    began = Since(long, long)
    before = (Happened("rollout", long, long, long, 1.0, long),) * 6
    reading = Evidence("e", long, 1.0, long, long, long, long)
    fix = Remedy(long, Change(f"--{long}", long, long), long)
    causes = tuple(
        Finding(
            str(n),
            long,
            long,
            long,
            "critical",
            "high",
            True,
            long,
            (),
            (reading,) * 50,
            (fix,) * 50,
            (),
            began,
            before,
            long,
        )
        for n in range(40)
    )
    symptoms = tuple(Finding(f"s{n}", long, long, long, "low", "low", False, long, (str(n % 3),)) for n in range(40))
    message = blocks(
        Answer(
            long, "live", Scope(), long, causes + symptoms, (RuledOut(long, long, long),) * 50,
            (BlindSpot(long, long),) * 50,
            (Citation(long, long, long, long, f"https://x.example/{long}", long),) * 50,
            long, ModelUse(long, 1, 1, 1), {}, long, True, "", (Recovered(long, long, long, long, long, long),) * 50,
        )
    )  # fmt: skip
    assert_fits_slack(message)


def incident() -> Answer:
    reading = Evidence(
        "e1", "212 requests waiting on 4 replicas", 212.0, "requests", "prometheus",
        'sum(vllm:num_requests_waiting{namespace="prod"})', "2026-03-01T10:00:00Z",
    )  # fmt: skip
    unsaid = Evidence("e2", "KV cache usage", 98.5, "%", "prometheus", "vllm:kv_cache_usage_perc", "")
    dark = Evidence("e3", "DCGM: no series", None, "", "prometheus", "", "", "blind")
    cause = Finding(
        "kv@d", "kv_saturation_queueing", "The KV cache is full and requests wait",
        "deployment/prod/llama", "high", "medium", True,
        "the cache is `98 %` full while 212 requests wait", (),
        (reading, unsaid, dark, *[reading] * 9),
        (Remedy("Allow fewer sequences at once", Change("--max-num-seqs", "512", "256"),
                "`vllm:num_requests_waiting` falls"),),
    )  # fmt: skip
    near = Finding(
        "pre@d",
        "preemption_thrash",
        "Sequences are evicted",
        "deployment/prod/llama",
        "medium",
        "high",
        False,
        "",
        ("kv@d",),
    )
    far = Finding(
        "ttft@d",
        "ttft_breach_queueing",
        "First tokens are late",
        "deployment/prod/llama",
        "medium",
        "high",
        False,
        "",
        ("pre@d",),
    )
    return Answer(
        "why slow?", "live", Scope(), "The KV cache of llama is full.", (cause, near, far),
        (RuledOut("routing_skew", "deployment/prod/llama", "all replicas carry 24 to 27 %"),),
        (BlindSpot("GPU counters of node-3", "no series: the exporter is not scraped"),),
        (Citation("kv", "KV cache", "serving", "Meaning", "https://docs.example/kv?a=1&b=2",
                  "When the cache is full <b>"),),
        "unused", None, {}, "Worded without a model.",
    )  # fmt: skip


def test_order_and_content_of_an_incident() -> None:
    message = blocks(incident())
    all_text = "\n".join(texts(message)[1:])
    first = message.blocks[0]["text"]["text"]
    assert first == "*The KV cache of llama is full.*\nConfidence: *medium*"
    order = [
        "The KV cache of llama", "The KV cache is full and requests wait", "`deployment/prod/llama`",
        "`98 %` full", "*Explains*", "First tokens are late", "*Evidence*", "212 requests waiting",
        "num_requests_waiting{namespace",
        "*98.5 %*",
        "_could not see:_ DCGM", "more readings", "*What to do*", "`--max-num-seqs`: `512` → `256`",
        "```\n--max-num-seqs 256\n```", "Check that it worked: `vllm:num_requests_waiting` falls",
        "*Could not see*", "node-3",
        "*Ruled out*", "routing skew", "*Sources*", "<https://docs.example/kv?a=1&amp;b=2|KV cache>, Meaning",
        "“When the cache is full &lt;b&gt;”", "Worded without a model.", UNCHANGED,
    ]  # fmt: skip
    places = [all_text.find(wanted) for wanted in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)
    assert "unused" not in all_text
    assert message.text == "The KV cache of llama is full. (The KV cache is full and requests wait)"


@pytest.mark.parametrize(
    ("change", "subject", "command"),
    [
        (Change("--max-num-seqs", "512", "256"), "deployment/prod/llama", "--max-num-seqs 256"),
        (Change("--enforce-eager", "not set", "set"), "gpu/a/1", "--enforce-eager"),
        (Change("--max-loras", "as set", "the number of adapters"), "deployment/prod/llama", ""),
        (Change("env HF_HUB_OFFLINE", "0", "1"), "deployment/prod/llama", "kubectl -n prod set env deployment/llama HF_HUB_OFFLINE=1"),
        (
            Change("PYTORCH_CUDA_ALLOC_CONF", "not set", "expandable_segments:True"), "statefulset/prod/llama",
            "kubectl -n prod set env statefulset/llama PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True",
        ),
        (Change("env A_B", "x", "$(reboot)"), "deployment/prod/llama", ""),
        (Change("env A_B", "x", "a;reboot"), "deployment/prod/llama", "kubectl -n prod set env deployment/llama 'A_B=a;reboot'"),
        (Change("env A_B", "all", "not set (the plugin sets it)"), "deployment/prod/llama", "kubectl -n prod set env deployment/llama A_B-"),
        (Change("env HOME", "of the image", "/cache, an emptyDir"), "deployment/prod/llama", ""),
        (
            Change("terminationGracePeriodSeconds", "30", "120"), "deployment/prod/llama",
            """kubectl -n prod patch deployment/llama -p '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":120}}}}'""",
        ),
        (Change("env A_B", "x", "1"), "node/a", ""),
        (Change("env A_B", "x", "1"), "deployment/prod; reboot/llama", ""),
        (Change("env A_B", "x", "1"), "deployment/prod/llama; reboot", ""),
        (Change("maxReplicas", "4", "5"), "deployment/prod/llama", ""),
    ],
)  # fmt: skip
def test_what_can_be_copied_is_a_whole_command_or_nothing(change: Change, subject: str, command: str) -> None:
    assert copyable(change, subject) == command


def test_a_source_is_told_with_its_date() -> None:
    cited = replace(incident().citations[0], date="2026-11-20")
    shown = next(
        text for text in texts(blocks(replace(incident(), citations=(cited,)))) if text.startswith("*Sources*")
    )
    assert "KV cache>, Meaning (2026-11-20)" in shown


def test_overflow_is_counted() -> None:
    reading = incident().findings[0].evidence
    shown = next(text for text in texts(blocks(incident())) if text.startswith("*Evidence*"))
    kept = shown.count("\n• ")
    assert 1 <= kept < len(reading)
    assert f"and {len(reading) - kept} more readings" in shown


def test_more_headlines_than_fit_get_a_line_each() -> None:
    causes = tuple(
        Finding(str(n), f"x{n}", f"Cause number {n}", f"node/n{n}", "high", "high", True, "because") for n in range(7)
    )
    message = blocks(Answer(None, "live", Scope(), "Seven causes.", causes))
    rest = next(text for text in texts(message) if "Also found" in text)
    assert [n for n in range(7) if f"Cause number {n}" in rest] == [3, 4, 5, 6]


def test_a_symptom_of_another_cause_is_not_this_ones() -> None:
    one = Finding("one", "x", "One", "node/a", "high", "high", True, "")
    two = Finding("two", "y", "Two", "node/b", "high", "high", True, "")
    symptom = Finding("s", "x", "Symptom", "node/b", "low", "high", False, "", ("two",))
    message = blocks(Answer(None, "live", Scope(), "Two.", (one, two, symptom)))
    heads = [at for at, block in enumerate(message.blocks) if block["type"] == "divider"]
    assert "Symptom" not in json.dumps(message.blocks[heads[0] : heads[1]])
    assert "Symptom" in json.dumps(message.blocks[heads[1] :])


def test_one_cause_on_many_nodes_is_told_once_with_all_that_it_explains() -> None:
    roots = tuple(
        Finding(f"x@node/n{n}", "x", "No device plugin", f"node/n{n}", "high", "high", True, "") for n in range(7)
    )
    symptom = Finding("s", "s", "Pods wait", "deployment/a/b", "low", "high", False, "", ("x@node/n6",))
    message = blocks(Answer(None, "live", Scope(), "One.", (*roots, symptom)))
    said = json.dumps(message.blocks)
    assert said.count("No device plugin") == 1
    assert "7 nodes (n0, n1, n2, n3, n4 and 2 more)" in said
    heading = next(text for text in texts(message) if text.startswith("*Explains*"))
    assert "Pods wait" in heading
    assert "Also found" not in said


def test_findings_that_explain_each_other_end() -> None:
    a = Finding("a", "x", "A", "node/a", "high", "high", True, "", ("b",))
    b = Finding("b", "x", "B", "node/a", "high", "high", False, "", ("c",))
    c = Finding("c", "x", "C", "node/a", "high", "high", False, "", ("b",))
    assert_fits_slack(blocks(Answer(None, "live", Scope(), "Round.", (a, b, c))))


def test_a_knowledge_answer_shows_its_text_once_and_links_only_its_sources() -> None:
    text = (
        "Verdict.\n\n## Why\n- **two** reasons, see [page](https://docs.example/a) and [other](https://evil.example)"
        "\n```\nx `y` <z>\n```"
    )
    cited = Citation("a", "Page", "p", "", "https://docs.example/a", "")
    shown = texts(blocks(Answer("q", "knowledge", Scope(), "Verdict.", text=text, citations=(cited,))))
    assert shown[2] == (
        "*Why*\n• *two* reasons, see <https://docs.example/a|page> and other\n```\nx ˋyˋ &lt;z&gt;\n```"
    )
    assert sum("Verdict." in part for part in shown) == 2  # notification text and verdict, not the body


def test_a_model_is_named_and_its_wording_shown() -> None:
    worded = Answer(
        "q",
        "live",
        Scope(),
        "V.",
        incident().findings,
        text="In words.",
        model=ModelUse("m-1", 1, 1, 1),
        explanation="In words.",
    )
    shown = texts(blocks(worded))
    assert "In words." in shown
    assert "model m-1" in shown[-1]


def test_blindness_stands_out_when_nothing_was_seen() -> None:
    spots = (BlindSpot("metrics", "source down: no answer from Prometheus"),)
    dark = blocks(Answer("q", "live", Scope(), "I could see nothing.", blind=spots, saw_nothing=True))
    partly = blocks(Answer("q", "live", Scope(), "Nothing is wrong.", blind=spots))
    kinds = [
        next(block["type"] for block in message.blocks if "Could not see" in json.dumps(block))
        for message in (dark, partly)
    ]
    assert kinds == ["section", "context"]


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("&lt;", "&amp;lt;"),
        ("x\u202ey\u200bz", "xyz"),
        ("`a` *b* ~c", "ˋaˋ ∗b∗ ∼c"),
        ("two\nlines", "two lines"),
        ("p\u0301\u0301\u0301\u0301", "p\u0301\u0301"),
    ],
)
def test_escape(given_text: str, shown: str) -> None:
    assert escape(given_text) == shown


def test_escape_never_cuts_an_entity() -> None:
    for limit in range(1, 30):
        cut = escape("<<<<<<<<", limit)
        assert width(cut) <= limit
        assert re.fullmatch(r"(&lt;)*…?", cut)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "https://good.example@evil.example/", "//x", "", "https://", "data:text/html,x"],
)
def test_no_link_to_anything_but_plain_web_addresses(address: str) -> None:
    assert web_address(address) == ""


def test_what_no_headline_explains_is_still_said() -> None:
    cause = Finding("a", "x", "Cause", "node/a", "high", "high", True, "")
    lost = Finding("b", "x", "Left alone", "node/b", "low", "high", False, "", ("gone",))
    shown = texts(blocks(Answer(None, "live", Scope(), "One.", (cause, lost))))
    assert any(part.startswith("*Also found*") and "Left alone" in part for part in shown)


def test_help_is_shown_once_as_it_is() -> None:
    words = "Ask me this:\n- why is `llama` slow?"
    shown = texts(blocks(Answer("help", "help", Scope(), words, text=words)))
    assert shown[1] == "Ask me this:\n• why is `llama` slow?"
    assert sum("llama" in part for part in shown[1:]) == 1


def test_sources_are_listed_once() -> None:
    cited = Citation("a", "KV cache", "p", "", "https://docs.example/a", "")
    text = "V.\n\n### Why\n\nBecause.\n\n### Sources\n\n- [KV cache](https://docs.example/a)"
    shown = texts(blocks(Answer("q", "knowledge", Scope(), "V.", text=text, citations=(cited,))))
    assert "*Why*\n\nBecause." in shown
    assert sum("KV cache" in part for part in shown) == 1


def test_a_headline_says_since_when_and_what_happened_just_before_and_what_recovered() -> None:
    said = "\n".join(texts(blocks(timed.answer())))
    assert timed.TIMED.since is not None
    assert "Since 13:33 UTC (40 min), to within 60 s" in said
    assert "rolled out revision 7 (image a to b); that happened 2 minutes before." in said
    assert "which proves no cause" in said
    assert "*Recovered*" in said
    assert "from 12:50 UTC to 13:23 UTC" in said
    assert said.index("Since 13:33") < said.index("rolled out revision 7") < said.index("*Recovered*")
