"""Rules that people ask for in words of their own: what the model makes of a question, and what an answer makes of the model."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from bot.advisor import meant as module
from bot.advisor import rates as kept_rates
from bot.advisor.advisor import Advisor
from bot.advisor.compose import TAKEN_FOR
from bot.advisor.grounding import assert_grounded
from bot.advisor.meant import (
    HARDLY,
    LIKELY,
    MOST,
    NONE,
    NOTHING,
    OWN,
    PLAINLY,
    SELDOM,
    SURELY,
    TOLD,
    TRUST,
    UNLIKELY,
    WHOLE,
    About,
    load,
    means_another,
    meant,
    of_those_meant,
)
from bot.advisor.question import Answer, Question
from evals import asked_fit
from knowledge.encoder import EncoderProblem
from knowledge.search import Library
from tests.tools import worlds
from tests.tools.pairs import APP, two
from tests.tools.scenes import NOW, scene
from tools.casebook import asked_for, complained_of, rules
from tools.diagnose import Diagnosis, Overrides, Within, diagnose
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot
from tools.sources.kube_fake import FakeKube

UNSET = Blind(Reason.NOT_SET, "nothing is set")
ROOT = "If somebody broke out of chat, would the process he lands in be the superuser's?"
WRITES = "May chat write wherever it likes inside its own container?"


@pytest.fixture
def unread(tmp_path: Path) -> Library:
    """A knowledge base without an index."""
    return Library.open(tmp_path)


def first(about: About) -> str:
    return max(about.shares, key=lambda rule: about.shares[rule])


# ------------------------------------------------------------------ the model


def test_every_rule_has_its_class_and_the_model_is_of_the_questions_and_rules_that_are_here() -> None:
    model = load()
    assert set(model.classes) == {*rules(), NONE}
    assert model.digest == asked_fit.digest(), "fit it anew: python -m evals.asked_fit"
    assert {one.rule for one in asked_fit.read("written")} == set(rules())
    assert {one.rule for one in asked_fit.read("held_out")} == set(rules())
    assert {one.rule for one in asked_fit.read("others")} == {NONE}
    texts = [one.text for name in ("written", "held_out", "others") for one in asked_fit.read(name)]
    assert len(set(texts)) > 0.999 * len(texts)


def test_what_is_stored_is_right_on_what_it_was_fitted_to() -> None:
    asked = asked_fit.read("held_out")
    assert asked_fit.right(load(), asked, None, 3) > 0.9


def test_shares_of_a_text_sum_to_one_and_a_text_without_a_known_word_is_no_error() -> None:
    shares = load().shares(["does chat run as root?", "", "zzz qqq"], None)
    assert shares.shape == (3, len(load().classes))
    assert np.allclose(shares.sum(axis=1), 1.0, atol=1e-4)


def test_two_witnesses_outweigh_one(library: Library) -> None:
    model = load()
    words = model.shares([ROOT], None)[0]
    both = model.shares([ROOT], library.vectors([ROOT]))[0]
    at = model.classes.index("run_as_root")
    assert words[at] > 0.1
    assert both[at] > words[at]


def test_a_model_is_stored_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    load().save(path)
    again = load(path)
    assert (again.classes, again.columns, again.encoder, again.digest) == (
        load().classes,
        load().columns,
        load().encoder,
        load().digest,
    )
    assert np.array_equal(again.by_words, load().by_words)


@pytest.mark.parametrize("text", [ROOT, WRITES, "Is it only one replica, so that a drain takes chat down?"])
def test_a_question_asks_for_a_rule_in_words_that_no_form_lists(library: Library, text: str) -> None:
    assert max(meant(library, text).shares.values()) >= LIKELY


@pytest.mark.parametrize(
    "text",
    [
        "what is wrong?",
        "why is chat so slow?",
        "is anything wrong in namespace team?",
        "how is the fleet?",
        "chat was down at noon, is it over?",
        "GPU 3 of node-1 shows Xid 79, is it dying?",
        "why is my pod pending",
        "users get timeouts since the rollout",
    ],
)
def test_what_asks_how_things_are_asks_for_no_rule(library: Library, text: str) -> None:
    about = meant(library, text)
    assert not about.own
    assert not about.surely


@pytest.mark.parametrize(
    ("end", "asks"),
    [("On Friday, does it end there or do I have to wake somebody?", True), ("It is red, do I have to wake somebody?", False), ("Does it live?", False), ("Is it still up?", False), ("is it fine", False), ("Is it pinned?", True), ("Do we do that?", True)],
)  # fmt: skip
def test_a_question_that_ends_with_how_something_is_asks_for_no_rule(library: Library, end: str, asks: bool) -> None:
    told = "The image of chat is named by a tag that anybody may overwrite, and tonight its node goes. " + end
    assert bool(meant(library, told).shares) is asks


def test_a_background_told_first_does_not_hide_the_question(library: Library) -> None:
    told = "We had a long meeting with three other teams on Tuesday and nobody agreed on anything. " + WRITES
    assert first(meant(library, told)) == "writable_root_filesystem"


def test_the_best_of_a_question_and_its_sentences_counts() -> None:
    model = load()
    shares = np.zeros((3, len(model.classes)), dtype=np.float32)
    shares[0, model.classes.index(NONE)] = 0.5
    shares[2, model.classes.index("run_as_root")] = 0.7
    for texts, share in (
        (("It is so. Who is it?", "It is so.", "Who is it?"), 0.7),
        (("It is so. Tell me.", "It is so.", "Tell me."), 0.7),
        (("Is it so? Tell me.", "Is it so?", "Tell me."), 0.7 * TOLD),
    ):
        about = module.ranked(model, texts, shares)
        assert about == About({"run_as_root": pytest.approx(share * (1.0 - WHOLE / 2))}, 0.5)


def test_what_is_too_unlikely_to_be_looked_for_counts_as_something_else() -> None:
    model = load()
    shares = np.zeros((1, len(model.classes)), dtype=np.float32)
    shares[0, model.classes.index("run_as_root")] = 0.9
    shares[0, model.classes.index("latest_tag")] = 0.005
    shares[0, model.classes.index(NONE)] = 0.095
    about = module.ranked(model, ("It runs as root.",), shares)
    assert set(about.shares) == {"run_as_root"}
    assert about.none == pytest.approx(0.1)


@pytest.mark.parametrize("text", ["", "  ", "?" * 5000, "\u202e\u0000 pods", "日本語の質問です", "root " * 3000])
def test_any_text_has_some_answer_and_soon(library: Library, text: str) -> None:
    started = time.monotonic()
    found = meant(library, text)
    assert len(found.shares) <= MOST
    assert time.monotonic() - started < 30


def test_without_an_index_or_with_another_encoder_the_words_speak(
    library: Library, unread: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = meant(unread, WRITES)
    assert first(alone) == "writable_root_filesystem"
    assert alone.shares["writable_root_filesystem"] < meant(library, WRITES).shares["writable_root_filesystem"]
    monkeypatch.setattr(library, "_embeddings", "some/other-model")
    monkeypatch.setattr(library, "_encoder", None)
    assert meant(library, WRITES) == alone


def test_an_encoder_that_fails_leaves_the_words(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_texts: object) -> None:
        raise EncoderProblem("the encoder cannot be used")

    monkeypatch.setattr(library, "vectors", fails)
    assert first(meant(library, WRITES)) == "writable_root_filesystem"


# ------------------------------------------------------------------ the answer


def answered(library: Library, text: str, pod: dict[str, object] | None = None) -> Answer:
    kube = FakeKube(
        worlds.listings(pods=[worlds.pod("chat-0", owner=("StatefulSet", "chat"), **(pod or {}))]),
        {("team", "chat-0", "engine", previous): "" for previous in (False, True)},
    )
    answer = Advisor(lambda _cluster: (UNSET, kube, ""), library, clock=lambda: worlds.START).answer(Question(text))
    assert_grounded(answer)
    return answer


def roots(answer: Answer) -> list[str]:
    return [one.id for one in answer.findings if one.root]


@pytest.mark.parametrize(("text", "rule"), [(ROOT, "run_as_root"), (WRITES, "writable_root_filesystem")])
def test_who_asks_for_a_rule_by_its_meaning_is_told_of_it(library: Library, text: str, rule: str) -> None:
    assert asked_for(text) == frozenset()
    assert roots(answered(library, text)) == [rule]


def test_it_is_not_told_to_whoever_asks_how_things_are(library: Library) -> None:
    assert roots(answered(library, "how is chat?")) == []
    assert roots(answered(library, "why is chat so slow?")) == []


def test_who_prepares_for_a_go_live_and_names_somebody_asks_about_him(library: Library) -> None:
    asked = "Before the go-live board on Friday: may chat write wherever it likes inside its own container?"
    answer = answered(library, asked)
    assert answer.intent == "live"
    assert roots(answer) == ["writable_root_filesystem"]


DIED = {
    "reason": "OOMKilled",
    "exitCode": 137,
    "finishedAt": worlds.stamp(worlds.START - 60),
}
BROKEN = {
    "containerStatuses": [
        {
            "name": "engine",
            "restartCount": 6,
            "ready": False,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": DIED},
        }
    ]
}


def test_what_is_wrong_comes_before_what_might_be_meant(library: Library) -> None:
    assert roots(answered(library, WRITES, {"status": BROKEN})) == ["host_oomkilled"]


def to_be_about(monkeypatch: pytest.MonkeyPatch, none: float = 0.0, **shares: float) -> None:
    """Every question is about these rules from now on, each of them broken in half of all clusters."""
    monkeypatch.setattr("bot.advisor.advisor.meant", lambda _library, _text: About(shares, none))
    monkeypatch.setattr("bot.advisor.meant.rate", lambda _rule, _watched: 0.5)


def test_what_is_meant_less_surely_is_not_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    least = LIKELY * (0.5 + SELDOM) ** TRUST / (1.0 - LIKELY)
    to_be_about(monkeypatch, none=1.0, writable_root_filesystem=least + 0.01)
    assert roots(answered(library, WRITES)) == ["writable_root_filesystem"]
    to_be_about(monkeypatch, none=1.0, writable_root_filesystem=least - 0.01)
    assert roots(answered(library, WRITES)) == []


@pytest.mark.parametrize(("none", "unsure"), [(0.1, False), (1.0, True)])
def test_what_is_not_surely_meant_is_said_to_be_what_the_question_is_taken_for(
    library: Library, monkeypatch: pytest.MonkeyPatch, none: float, *, unsure: bool
) -> None:
    to_be_about(monkeypatch, none, writable_root_filesystem=0.5)
    answer = answered(library, "and chat?")
    assert roots(answer) == ["writable_root_filesystem"]
    assert answer.verdict.startswith(TAKEN_FOR) is unsure
    assert answer.text.startswith(f"**{TAKEN_FOR}") is unsure


def test_of_several_the_likeliest_that_is_broken_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    to_be_about(monkeypatch, trust_remote_code_or_privileged=0.95, writable_root_filesystem=0.6, run_as_root=0.5)
    assert roots(answered(library, "and chat?")) == ["writable_root_filesystem"]


@pytest.mark.parametrize(("share", "told"), [(SURELY, True), (SURELY - 0.01, False)])
def test_who_surely_asks_for_a_rule_may_say_its_harm(
    library: Library, monkeypatch: pytest.MonkeyPatch, share: float, *, told: bool
) -> None:
    to_be_about(monkeypatch, none=0.05, no_graceful_shutdown=share)
    text = "chat: are people cut off half-way when we ship?"
    assert complained_of(text) == {"no_graceful_shutdown"}
    assert (roots(answered(library, text)) == ["no_graceful_shutdown"]) is told


@pytest.mark.parametrize(
    ("shares", "asked", "another"),
    [
        ({"run_as_root": PLAINLY, "latest_tag": 0.0}, {"latest_tag"}, True),
        ({"run_as_root": PLAINLY - 0.01}, {"latest_tag"}, False),
        ({"run_as_root": 0.8, "latest_tag": UNLIKELY}, {"latest_tag"}, False),
        ({"run_as_root": 0.8, "latest_tag": UNLIKELY}, {"latest_tag", "probes_missing"}, False),
        ({"run_as_root": 0.8}, set(), False),
        ({}, {"latest_tag"}, False),
        # Of several that it may mean none plainly, and hardly what asks for nothing.
        ({"run_as_root": 0.4, "probes_missing": 0.3}, {"latest_tag"}, True),
        ({"run_as_root": 0.3, "probes_missing": 0.19}, {"latest_tag"}, False),
        ({"run_as_root": 0.4, "probes_missing": 0.3, "latest_tag": 0.02}, {"latest_tag"}, False),
    ],
)
def test_the_form_of_one_rule_gives_way_to_the_plain_meaning_of_another(
    shares: dict[str, float], asked: set[str], *, another: bool
) -> None:
    assert means_another(About(shares), asked) is another


@pytest.mark.parametrize(
    ("shares", "asked", "kept"),
    [
        ({"latest_tag": PLAINLY}, {"latest_tag", "run_as_root"}, {"latest_tag"}),
        (
            {"latest_tag": PLAINLY, "run_as_root": UNLIKELY},
            {"latest_tag", "run_as_root"},
            {"latest_tag", "run_as_root"},
        ),
        ({"latest_tag": PLAINLY - 0.01}, {"latest_tag", "run_as_root"}, {"latest_tag", "run_as_root"}),
        ({"probes_missing": PLAINLY}, {"latest_tag", "run_as_root"}, set()),
        ({}, {"latest_tag"}, {"latest_tag"}),
    ],
)
def test_of_forms_those_are_kept_that_are_meant_beside_one_that_plainly_is(
    shares: dict[str, float], asked: set[str], kept: set[str]
) -> None:
    assert of_those_meant(About(shares), asked) == kept


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Three copies of chat. If one box loses power, is it really still answering afterwards?", False),
        ("Three copies of chat; once the box is gone, is it still up?", False),
        ("chat fell over this morning, is it still down?", True),
        ("If you have a minute. chat fell over this morning, is it still down?", True),
        ("We lost a box. Is it still down?", True),
        ("It fell over when we upgraded. Is it still down?", True),
        ("Night shift here: is the payroll cluster fine, or should I wake somebody?", True),
        ("The pager went off. Is there anything still broken?", True),
        ("Is there anything missing for a drain of chat?", False),
        ("It was slow. Is docs-qa still in trouble right now, and is the hotter card to blame?", True),
        ("Is newsroom healthy now or do I need to page somebody?", True),
        ("Is chat fine if its node is drained tonight?", False),
        ("Is chat well isolated?", False),
    ],
)
def test_what_is_supposed_is_no_state(library: Library, text: str, *, state: bool) -> None:
    assert (meant(library, text) is NOTHING) is state


def test_what_may_ask_for_no_rule_keeps_the_form_that_it_has() -> None:
    shares = {"run_as_root": 0.4, "probes_missing": 0.3}
    assert means_another(About(shares, HARDLY - 0.01), {"latest_tag"})
    assert not means_another(About(shares, HARDLY), {"latest_tag"})


CVES = "Auditor comes on Thursday and will ask about patching. Is there a published CVE against the release that chat runs on?"


def test_of_two_whose_form_a_question_has_the_one_that_it_plainly_means_is_told(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked_for(CVES) == {"engine_with_known_holes", "single_replica_no_pdb"}
    wanted = list[frozenset[str]]()
    real = diagnose

    def seen(snapshot: Snapshot, within: Within, limits: Overrides, asked: frozenset[str] = frozenset()) -> Diagnosis:
        wanted.append(asked)
        return real(snapshot, within, limits, asked)

    monkeypatch.setattr("bot.advisor.advisor.diagnose", seen)
    for share, kept in ((0.3, asked_for(CVES)), (0.9, {"engine_with_known_holes"})):
        to_be_about(monkeypatch, 1.0 - share, engine_with_known_holes=share)
        wanted.clear()
        answered(library, CVES)
        assert wanted[0] == kept


@pytest.mark.parametrize(
    ("text", "share", "intent"),
    [
        ("Should somebody in this cluster be the superuser in a container?", 0.9, "live"),
        ("Should somebody in this cluster be the superuser in a container?", 0.6, "knowledge"),
        ("Should somebody be the superuser in a container?", 0.9, "knowledge"),
    ],
)
def test_a_practice_that_is_surely_meant_is_looked_at_where_one_cluster_is_pointed_at(
    library: Library, monkeypatch: pytest.MonkeyPatch, text: str, share: float, intent: str
) -> None:
    to_be_about(monkeypatch, run_as_root=share)
    kube = FakeKube(worlds.listings(pods=[]), {})
    answer = Advisor(lambda _cluster: (UNSET, kube, ""), library, clock=lambda: worlds.START).answer(Question(text))
    assert answer.intent == intent


def test_of_two_that_are_broken_the_rarer_is_told(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    to_be_about(monkeypatch, writable_root_filesystem=0.6, run_as_root=0.4)
    assert roots(answered(library, "and chat?")) == ["writable_root_filesystem"]
    monkeypatch.setattr(
        "bot.advisor.meant.rate", lambda rule, _watched: 0.9 if rule == "writable_root_filesystem" else 0.3
    )
    assert roots(answered(library, "and chat?")) == ["run_as_root"]


def test_what_is_broken_gives_way_to_what_is_kept_and_meant_far_more_likely(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    least = LIKELY * (0.5 + SELDOM) ** TRUST * 0.68 / (1.0 - LIKELY)
    for share, told in ((least + 0.01, ["writable_root_filesystem"]), (least - 0.01, [])):
        to_be_about(monkeypatch, trust_remote_code_or_privileged=0.68, writable_root_filesystem=share)
        assert roots(answered(library, "and chat?", {"args": ["--model=org/m"]})) == told


def test_what_is_surely_meant_and_kept_is_said_to_be_so_beside_what_is_broken_and_hardly_meant(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_be_about(monkeypatch, trust_remote_code_or_privileged=0.95, writable_root_filesystem=0.15, run_as_root=0.15)
    answer = answered(library, "and chat?", {"args": ["--model=org/m"]})
    assert roots(answer) == []
    assert answer.verdict.startswith("What you ask about was looked at and is not so here")


# ------------------------------------------------------------------ how likely, given what is broken


def test_what_is_broken_weighs_the_more_the_rarer_it_is_and_what_is_kept_weighs_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    often = {"a": 1.0 - SELDOM, "b": 0.25 ** (1 / TRUST) - SELDOM, "c": 0.5}
    monkeypatch.setattr("bot.advisor.meant.rate", lambda rule, _watched: often[rule])
    about = About({"a": 0.5, "b": 0.1, "c": 0.2}, none=0.3)
    assert about.given({"a", "b"}) == pytest.approx({"a": 0.5 / 1.4, "b": 0.4 / 1.4})
    assert about.given({"a"}) == pytest.approx({"a": 0.5 / 1.1})
    assert about.given(()) == {}
    assert about.given({"x"}) == {}


def test_only_what_may_be_told_is_worth_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.advisor.meant.rate", lambda rule, _watched: 0.97 if rule == "often" else 0.0)
    assert About({"often": 0.1, "seldom": 0.1}, none=0.8).worth == {"seldom"}
    assert About({"often": 0.3}, none=0.7).worth == {"often"}
    assert About({"often": SURELY}, none=9.0).worth == {"often"}, "it may be said not to be so"
    assert About({"often": SURELY}, none=9.0).surely == {"often"}
    assert About({"often": SURELY - 0.01}).surely == frozenset()
    assert NOTHING.worth == frozenset()
    assert About({"often": OWN}).own
    assert not About({"often": OWN - 0.01}).own
    assert not NOTHING.own


def test_of_alert_rules_one_that_is_missing_among_others_is_seldom() -> None:
    alone, among = (kept_rates.rate("no_latency_alert", watched) for watched in (False, True))
    assert alone > 0.9
    assert among == kept_rates.AMONG_OTHERS
    for other in ("writable_root_filesystem", "no_alertmanager", "alerts_without_runbook"):
        assert kept_rates.rate(other, watched=True) == kept_rates.rate(other)
    assert kept_rates.rate("no_autoscaler_alert", watched=True) < kept_rates.AMONG_OTHERS
    about = About({"no_latency_alert": 0.16, "scale_to_zero": 0.47, "alerts_without_runbook": 0.33}, none=0.03)
    assert about.given({"no_latency_alert"})["no_latency_alert"] < LIKELY
    assert about.given({"no_latency_alert"}, watched=True)["no_latency_alert"] > LIKELY
    unsure = About(about.shares, none=HARDLY)
    assert unsure.given({"no_latency_alert"}, watched=True) == unsure.given({"no_latency_alert"})
    # All of them are looked at where one may be told: only so it is known that there are others.
    assert {"no_latency_alert", "no_down_alert", "no_queue_alert"} <= about.worth
    assert "no_alertmanager" not in about.worth
    assert not About({"no_latency_alert": 0.02}, none=0.9).worth


def test_every_rule_has_a_rate() -> None:
    known = kept_rates.rates()
    assert set(known) == set(rules()), "count them anew: python -m evals.asked_rates"
    assert all(0.0 <= one <= 1.0 for one in known.values())
    assert kept_rates.rate("writable_root_filesystem") > kept_rates.rate("image_digests_differ")
    assert kept_rates.rate("of-tomorrow") == kept_rates.UNKNOWN


def test_rates_are_written_where_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rates.yaml"
    kept_rates.write({"b": 0.25, "a": 1.0}, 7, path)
    assert path.read_text(encoding="utf-8").startswith("# The share of 7 scopes")
    assert kept_rates.rates(path) == {"a": 1.0, "b": 0.25}


@pytest.mark.parametrize(("share", "said"), [(SURELY, True), (SURELY - 0.01, False)])
def test_what_is_surely_meant_and_not_so_is_said(
    library: Library, monkeypatch: pytest.MonkeyPatch, share: float, *, said: bool
) -> None:
    to_be_about(monkeypatch, trust_remote_code_or_privileged=share)
    answer = answered(library, "and chat?", {"args": ["--model=org/m"]})
    assert roots(answer) == []
    assert answer.verdict.startswith("What you ask about was looked at and is not so here") is said


def test_what_is_normal_is_told_to_who_asks_what_it_is_whatever_rule_its_words_may_mean(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = two((APP, scene("decode_bandwidth_bound_normal")["fires"]))
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: taken)
    to_be_about(monkeypatch, none=0.1, profiling_series_missing=0.9)
    advisor = Advisor(lambda _cluster: (UNSET, UNSET, ""), library, clock=lambda: NOW)
    answer = advisor.answer(
        Question(
            "what strangles app in namespace team? its tensor cores do nine percent, and a PDB is beside the point"
        )
    )
    assert roots(answer) == ["decode_bandwidth_bound_normal"]
