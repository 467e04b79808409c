"""Readiness rules that a question asks for: told in an incident too, and to nobody else."""

from __future__ import annotations

import re

import pytest

from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import scene
from tests.tools.worlds import listings, pod
from tools.casebook import MOST_CHARS, asked_for, asks, asks_of, cases, complained_of, modes, rules
from tools.closer_look import MOST_STARTS, closer, from_their_start
from tools.diagnose import Verdict, Within, diagnose
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot
from tools.sources.kube_fake import FakeKube
from tools.survey import survey
from tools.vocabulary.security import LOG_PICKLE

UNSET = Blind(Reason.NOT_SET, "no Prometheus")
PICKLED = "Loading pt checkpoint shards:  50% Completed | 1/2 [00:12<00:12, 12.61s/it]"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("are there API keys in plain text in any manifest of team-a?", "secrets_in_env"),
        ("did somebody hard-code the hub token again? any visible passwords?", "secrets_in_env"),
        ("who still loads pickles?", "pickle_weights"),
        ("which service loads .bin files instead of safetensors", "pickle_weights"),
        ("does anything run with --trust-remote-code", "trust_remote_code_or_privileged"),
        ("do any of our engines run as root?", "run_as_root"),
        ("is chat reachable from the internet without a key", "exposed_without_api_key"),
        ("can every namespace call the embedder?", "no_network_policy"),
        ("have we no network policy in rag?", "no_network_policy"),
        ("which deployments use a :latest image", "latest_tag"),
        ("is the image of chat pinned by digest?", "image_without_digest"),
        ("does chat have a PDB", "single_replica_no_pdb"),
        ("would chat survive a drain of gpu-3?", "single_replica_no_pdb"),
        ("do both replicas of chat sit on the same node?", "no_spread_rules"),
        ("on every deploy of chat a few users get a 502", "no_graceful_shutdown"),
        ("does chat lack a startup probe? I see no startup probe", "missing_startup_probe"),
        ("which pods run without memory limits?", "missing_limits"),
        ("is chat overprovisioned?", "overprovisioned_replicas"),
        ("could the embedder live on a smaller GPU", "mig_or_gpu_oversized_for_model"),
        ("are prompts of users in the logs?", "log_prompts_enabled"),
        ("any CVEs in the engines that we run?", "engine_with_known_holes"),
        ("each update of chat is followed by broken answers for minutes", "no_graceful_shutdown"),
        ("a node was rebooted and chat went dark: will it do that again next week?", "single_replica_no_pdb"),
        ("can the author of a model run his own python on our nodes?", "trust_remote_code_or_privileged"),
        ("after a restart, do we get exactly that image again?", "latest_tag"),
        ("could a stranger in the cluster get to the embedder", "no_network_policy"),
        ("when a node runs full, which of our pods goes first?", "missing_limits"),
        ("is the health check of chat made for a load of twenty minutes?", "missing_startup_probe"),
        ("would anything smaller than a whole H100 carry the tagger?", "mig_or_gpu_oversized_for_model"),
        ("how many replicas does chat really need?", "overprovisioned_replicas"),
        ("could we spare a replica of chat?", "overprovisioned_replicas"),
    ],
)
def test_who_asks_for_a_rule_is_understood(text: str, rule: str) -> None:
    assert rule in asked_for(text)


@pytest.mark.parametrize(
    "text",
    [
        "why is chat slow?",
        "the startup probe failed 43 times and the pod was killed",
        "since the network policies were rolled out nothing can reach the hub",
        "is gemma too big for the card?",
        "we moved the embedder to the cheap pool to save money and it does not start",
        "since the security patch this morning replies time out",
        "tokens per second fell by half after the deploy",
        "all pods are Pending: 0/12 nodes are available",
        "memory limit reached, OOMKilled with exit code 137",
        "are the service account tokens broken?",
        "503 for everyone on answers since the release of answerer, the pods are Ready",
        "we drained gpu-3 for a firmware update and the replica will not come up",
        "summaries piles up although we gave it almost the whole card",
        "the last node was patched, and chat has been slow since",
        "chat preserves nothing on the sister node",
        "was the pod killed in the middle of loading?",
        "",
    ],
)
def test_symptoms_in_the_same_words_ask_for_no_rule(text: str) -> None:
    assert asked_for(text) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "users get reports that stop in the middle",
        "a few answers were cut off around noon",
        "streams of chat break mid-sentence, a dozen at once",
        "half of the answer arrives and then nothing",
        "truncated responses from chat twice today",
        "every client had its connection reset at 11:30",
    ],
)
def test_who_tells_of_a_harm_is_understood(text: str) -> None:
    assert complained_of(text) == {"no_graceful_shutdown"}
    assert not asked_for(text)


@pytest.mark.parametrize(
    "text", ["", "chat is slow", "the pod stopped", "half of the replicas are gone", "in the middle of the night"]
)
def test_other_complaints_are_no_complaint_of_a_rule(text: str) -> None:
    assert complained_of(text) == frozenset()


def test_a_paste_is_not_searched_to_its_end() -> None:
    assert asked_for("x " * MOST_CHARS + "pickle") == frozenset()


@pytest.mark.parametrize("check", [name for name, case in cases().items() if case.check.asked])
def test_only_rules_are_asked_for_and_their_words_are_lower_case(check: str) -> None:
    assert check in rules()
    for words in (*rules()[check].check.asked, *rules()[check].check.complaints):
        re.compile(words)
        assert words == words.lower()
        assert not re.search(words, "")


def test_what_is_asked_for_is_a_headline_and_otherwise_none() -> None:
    world = {**scene("secrets_in_env")["fires"]}
    taken = two((APP, world), (OTHER, {}))
    assert "secrets_in_env" not in {one.id for one in diagnose(taken).findings}
    told = diagnose(taken, asked_for={"secrets_in_env"})
    (found,) = [one for one in told.findings if one.id == "secrets_in_env"]
    assert found.root
    assert found.subject == str(APP)
    assert found.remedies
    # Beside a fault both are told, each for itself.
    both = diagnose(
        two((APP, {**world, **scene("host_oomkilled")["fires"]}), (OTHER, {})), None, None, {"secrets_in_env"}
    )
    assert {one.id for one in both.findings if one.root} == {"secrets_in_env", "host_oomkilled"}


def test_what_is_asked_for_and_not_seen_is_blind() -> None:
    told = diagnose(two((APP, {}), (OTHER, {})), Within("team"), asked_for={"secrets_in_env"})
    assert any("secrets_in_env" in spot.why for spot in told.blind)
    assert not any("secrets_in_env" in spot.why for spot in diagnose(two((APP, {}), (OTHER, {})), Within("team")).blind)


@pytest.mark.parametrize(
    "check",
    [name for name, case in rules().items() if case.check.asked and scene(name).get("about", "workload") == "workload"],
)
def test_every_rule_that_is_asked_for_is_judged_once(check: str) -> None:
    taken = two((APP, {}), (OTHER, {}))
    outcomes = diagnose(taken, asked_for={check}).outcomes
    assert sum(one.case.id == check and one.subject == APP for one in outcomes) == 1


# ------------------------------------------------------------------ what only the start of a log tells


def engines(count: int, **logs: str | Blind) -> tuple[FakeKube, Snapshot]:
    pods = [pod(f"s{number}-0", owner=("StatefulSet", f"s{number}")) for number in range(count)]
    pods.append(pod("s0-1", owner=("StatefulSet", "s0")))
    kube = FakeKube(
        listings(pods=pods),
        {("team", f"{name.replace('_', '-')}", "engine", False): said for name, said in logs.items()},
    )
    return kube, survey(UNSET, kube, asks(asked=frozenset({"pickle_weights"})), 1.7e9)


def verdict(taken: Snapshot, name: str) -> Verdict:
    told = diagnose(taken, Within("team"), asked_for={"pickle_weights"}).outcomes
    return next(one.verdict for one in told if one.case.id == "pickle_weights" and one.subject.name == name)


def test_the_start_of_one_replica_of_each_workload_is_read() -> None:
    kube, before = engines(
        2, s0_0=f"start\n{PICKLED}\n" + "INFO idle\n" * 3000, s1_0="Loading safetensors checkpoint shards"
    )
    after = from_their_start(kube, before, ["team/s0-0", "team/s0-1", "team/s1-0"], asks_of({"pickle_weights"}))
    assert after.requests == before.requests + 2
    assert after.read(LOG_PICKLE.now, "team/s0-0").value == PICKLED
    assert verdict(after, "s0") is Verdict.FIRES
    assert verdict(after, "s1") is Verdict.QUIET


def test_the_end_of_a_log_that_was_read_before_is_not_its_start() -> None:
    kube, before = engines(1, s0_0=f"start\n{PICKLED}\n" + "INFO idle\n" * 3000)
    ended = closer(kube, before, ["team/s0-0"])
    assert ended.read(LOG_PICKLE.now, "team/s0-0").value == ""
    after = from_their_start(kube, ended, ["team/s0-0"], asks_of({"pickle_weights"}))
    assert after.read(LOG_PICKLE.now, "team/s0-0").value == PICKLED
    assert verdict(after, "s0") is Verdict.FIRES


def test_a_start_that_may_not_be_read_or_was_one_too_many_is_blind() -> None:
    refused = Blind(Reason.FORBIDDEN, "no logs for us")
    logs = {f"s{number}_0": refused if number == 1 else "started" for number in range(MOST_STARTS)}
    kube, before = engines(MOST_STARTS + 1, **logs)
    keys = [f"team/s{number}-0" for number in range(MOST_STARTS + 1)]
    after = from_their_start(kube, before, keys, asks_of({"pickle_weights"}))
    assert verdict(after, "s0") is Verdict.QUIET
    assert verdict(after, "s1") is Verdict.BLIND
    assert verdict(after, f"s{MOST_STARTS}") is Verdict.BLIND
    assert any(one.name == "Kubernetes: logs" and one.blind == refused for one in after.sources)


def test_a_replica_that_does_not_run_is_not_the_one_whose_start_is_read() -> None:
    pods = [
        pod("s0-0", owner=("StatefulSet", "s0"), phase="Pending", status={"containerStatuses": []}),
        pod("s0-1", owner=("StatefulSet", "s0")),
        pod("tool-0", owner=("StatefulSet", "tool"), image="nginx:1.27", gpus=0),
    ]
    kube = FakeKube(listings(pods=pods), {("team", "s0-1", "engine", False): PICKLED})
    before = survey(UNSET, kube, asks(asked=frozenset({"pickle_weights"})), 1.7e9)
    after = from_their_start(kube, before, ["team/s0-0", "team/s0-1", "team/tool-0"], asks_of({"pickle_weights"}))
    assert after.read(LOG_PICKLE.now, "team/s0-1").value == PICKLED


def test_no_log_is_read_where_no_line_is_asked_for() -> None:
    kube, before = engines(1)
    assert from_their_start(kube, before, ["team/s0-0"], asks_of({"secrets_in_env"})) is before
    assert from_their_start(UNSET, before, ["team/s0-0"], asks_of({"pickle_weights"})) is before
    assert "pickle_weights" not in modes()
