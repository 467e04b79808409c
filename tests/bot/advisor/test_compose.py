"""The words of an answer that no model wrote, and the quotes beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.advisor import citing, compose
from bot.advisor.question import Scope
from knowledge.search import Library
from tools.finding import BlindSpot, Change, Evidence, Finding, Recovered, Remedy, RuledOut


def finding(key: str, *, root: bool = True, explained_by: tuple[str, ...] = (), **more: Any) -> Finding:
    evidence = (
        Evidence("e1", "KV cache usage of pod/team/a: 97 %", 0.97, "ratio", "vLLM", "q", "2026-01-01T00:00:00Z"),
    )
    told: dict[str, Any] = {
        "id": key.split("@", maxsplit=1)[0], "title": "The KV cache is full.", "subject": key.split("@")[1], "severity": "high", "confidence": "high",
        "because": "It is 97 % full.", "evidence": evidence,
    }  # fmt: skip
    return Finding(key=key, root=root, explained_by=explained_by, **{**told, **more})


@pytest.mark.parametrize(
    ("findings", "blind", "nothing", "said"),
    [
        ((), (), False, "Nothing that I check for fires on team."),
        ((), (BlindSpot("a", "b"),), False, "Nothing that I check for fires on team, but part of it could not be seen."),
        ((), (BlindSpot("a", "b"),), True, "I could see nothing of team: no source answered, so I cannot say how it is."),
        ((finding("kv@x"),), (), False, "x: the KV cache is full."),
        ((finding("kv@x", title="GPUs are idle."),), (), False, "x: GPUs are idle."),
        ((finding("kv@x"), finding("kv@y")), (), False, "Separate problems, worst first: x: the KV cache is full; y: the KV cache is full."),
        ((finding("kv@x"), finding("q@x", root=False, explained_by=("kv@x",))), (), True, "x: the KV cache is full."),
    ],
)  # fmt: skip
def test_the_verdict(findings: tuple[Finding, ...], blind: tuple[BlindSpot, ...], nothing: bool, said: str) -> None:
    assert compose.verdict(findings, blind, "team", nothing) == said


def device(node: str, **more: Any) -> Finding:
    return finding(
        f"plugin@node/{node}", title="The node gives no GPU.", because=f"{node} has 8 and gives none.", **more
    )


def test_one_cause_on_many_nodes_is_one_thing_to_tell() -> None:
    nodes = tuple(device(f"n{i}") for i in range(7))
    symptom = finding("q@x", root=False, explained_by=("plugin@node/n6",), title="It waits.", because="9 wait.")
    said = compose.verdict(nodes, (), "x", sees_nothing=False)
    assert said == "7 nodes (n0, n1, n2, n3, n4 and 2 more): the node gives no GPU."
    text = compose.live_text("V", (*nodes, symptom), (), (), ())
    assert text.count("### The node gives no GPU") == 1
    assert "The same on:\n- node/n1: n1 has 8 and gives none." in text
    assert "- It waits. 9 wait." in text
    mixed = compose.verdict((device("n1"), finding("kv@x"), device("n2")), (), "x", sees_nothing=False)
    assert mixed == "Separate problems, worst first: 2 nodes (n1, n2): the node gives no GPU; x: the KV cache is full."


def test_the_same_of_two_workloads_is_two_things_to_tell() -> None:
    text = compose.live_text("V", (finding("kv@deployment/a/x"), finding("kv@deployment/b/y")), (), (), ())
    assert text.count("### ") == 2


def test_what_is_over_is_said_where_nothing_fires() -> None:
    over = Recovered(
        "kv", "Full.", "x", "2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z", "Recovered: x: full, from 0 to 1."
    )
    said = compose.verdict((), (), "team", False, (over,))
    assert said == "Nothing that I check for fires on team now. Recovered: x: full, from 0 to 1."
    assert compose.verdict((finding("kv@x"),), (), "team", False, (over,)) == "x: the KV cache is full."


def test_many_headlines_are_counted_off() -> None:
    said = compose.verdict([finding(f"kv@{i}") for i in range(6)], (), "x", sees_nothing=False)
    assert said.count("KV cache") == 4
    assert "more below" in said


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (Scope(), "the cluster"),
        (Scope(None, "team"), "namespace team"),
        (Scope(None, "team", "app"), "team/app"),
        (Scope(None, None, "app"), "app"),
    ],
)
def test_where(scope: Scope, said: str) -> None:
    assert compose.where(scope) == said


def test_the_text_holds_what_was_found_and_what_was_not() -> None:
    remedy = Remedy("Raise it.", Change("--x", "1", "2"), "It shrinks.")
    root, symptom = (
        finding("kv@x", remedies=(remedy,)),
        finding("q@x", root=False, explained_by=("kv@x",), title="It queues.", because="9 wait."),
    )
    text = compose.live_text(
        "V", (root, symptom), (RuledOut("skew", "x", "1.1"),), (BlindSpot("logs", "forbidden"),), ()
    )
    for said in (
        "**V**",
        "### The KV cache is full: x",
        "It queues. 9 wait.",
        "[e1]",
        "1. Raise it. Change `--x` from 1 to 2. Check: It shrinks.",
        "`skew` on x. 1.1",
        "- logs: forbidden",
    ):
        assert said in text
    assert text.index("It queues") < text.index("[e1]")
    orphan = finding("q@x", root=False, explained_by=("gone@y",))
    assert "### The KV cache is full: x" in compose.live_text("V", (orphan,), (), (), ())


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Short.", "Short."),
        ("One sentence. " * 60, "One sentence. " * 42),
        ("word " * 200, "word " * 120),
        ("x" * 700, "x" * 600),
        ("  padded.  ", "padded."),
    ],
)
def test_a_quote_is_word_for_word_and_ends_where_a_sentence_ends(text: str, quoted: str) -> None:
    told = citing.quote(text)
    assert told in text
    assert len(told) <= citing.QUOTE_LONGEST
    assert told == quoted.strip()[: citing.QUOTE_LONGEST].strip()


def test_only_headlines_are_cited_each_page_once(library: Library) -> None:
    pages = ("failure-modes/kv_saturation_queueing", "serving/kv-cache", "serving/queueing-and-admission")
    root, symptom = finding("kv@x", pages=pages), finding("q@x", root=False, pages=("gpu/xid-errors",))
    cited = citing.of_findings([root, replace(root, key="kv@y"), symptom], library)
    assert [citation.id.split("#")[0] for citation in cited][:2] == [
        "serving/kv-cache",
        "serving/queueing-and-admission",
    ]
    assert len({citation.id for citation in cited}) == len(cited)
    assert not any("xid" in citation.id for citation in cited)
    assert citing.of_findings([replace(root, pages=("no/such-page",))], library) == ()
