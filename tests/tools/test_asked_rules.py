"""Readiness rules that a question asks for: told in an incident too, and to nobody else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import scene
from tests.tools.worlds import listings, pod
from tools.casebook import MOST_CHARS, asked_for, asks, asks_of, cases, complained_of, modes, rules, signs_named
from tools.closer_look import MOST_STARTS, closer, from_their_start
from tools.diagnose import Within, diagnose
from tools.outcomes import Verdict
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot
from tools.sources.kube_fake import FakeKube
from tools.survey import survey
from tools.topology import CLUSTER
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
        (
            "do we have a server that would execute Python shipped inside a Hugging Face repo?",
            "trust_remote_code_or_privileged",
        ),
        ("every time we ship a prompt change users see a burst of 502", "no_graceful_shutdown"),
        ("would its liveness check start counting before the model is loaded?", "missing_startup_probe"),
        ("what would stop it before it has eaten the RAM of the node?", "memory_limit_missing"),
        ("is there a quota in team-a?", "no_resource_quota"),
        ("do both of them have memory limits?", "memory_limit_missing"),
        (
            "is any checkpoint there stored in a form that could run code while it is being deserialised?",
            "pickle_weights",
        ),
        ("could a colleague copy somebody's password or key out of one of them?", "secrets_in_env"),
        (
            "can a random pod in some other team's namespace talk straight to chat, going around the gateway?",
            "no_network_policy",
        ),
        ("are we sure they come back with exactly the server build they run today?", "latest_tag"),
        (
            "does it get a separate grace period while it boots before the liveness check starts counting?",
            "missing_startup_probe",
        ),
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
        "since the rollout it never comes up. Same image, same model, same node as before",
        "HPA says able to scale: True, current 2, desired 2, max 6",
        "we do have an autoscaler with max 8 in place",
        "chat is doing twice the traffic, or are there no GPUs left?",
        "no alert fired, latency is fine, and yet users complain",
        "we were paged for errors of chat at ten",
        "who is hogging them, do I have to raise a quota",
        "can I hand that first machine back to the pool",
        "do we need to lower max-model-len or raise gpu-memory-utilization?",
        "mt-canary, which should take some of the load, never shows up",
        "the card graphs have been ruler-straight since two while its pods work",
        "one of four pods answers later than its siblings: same image, same node",
        "",
    ],
)
def test_symptoms_in_the_same_words_ask_for_no_rule(text: str) -> None:
    assert asked_for(text) == frozenset()


ASKED = {
    "alerts_without_runbook": "which alerts of the engines have no runbook?",
    "autoscaler_ceiling_above_gpus": "could chat ever reach its maximum with the cards that we have?",
    "autoscaler_ceiling_above_quota": "does the quota of team-a allow what the autoscaler may ask for?",
    "autoscaler_paused": "did somebody leave the autoscaler of chat switched off?",
    "autoscaler_without_range": "has the HPA of chat any room to act?",
    "batch_limits_implicit": "has anybody decided the batch size of chat?",
    "compile_cache_lost": "does chat compile its graphs anew at each restart?",
    "context_limit_implicit": "who set the context length of chat, or is it the default?",
    "context_limit_tight": "how close do our longest prompts come to the context limit of chat?",
    "context_limit_unused": "does anybody really use the 128k window of chat?",
    "cpu_request_low": "did we reserve enough cores for chat?",
    "crash_reason_not_kept": "if chat crashes tonight, will there be anything left but only the exit code?",
    "debug_logging_on": "is the log level of chat still on debug?",
    "driver_out_of_support": "is the driver on our nodes still supported?",
    "driver_versions_mixed": "do all H100 boxes run the same driver?",
    "ecc_series_missing": "do we record ECC errors anywhere?",
    "gpu_fault_series_missing": "are Xids of our cards exported?",
    "profiling_series_missing": "do the metrics say whether the tensor cores do anything?",
    "gpu_series_without_pod": "do the GPU metrics say which pod holds the card?",
    "latency_series_missing": "are there any metrics of first token times of chat?",
    "cache_series_missing": "does chat export how full its KV cache is?",
    "request_counters_missing": "is anywhere recorded how requests end?",
    "engine_on_shared_gpu": "does chat have its card to itself, or is the GPU shared?",
    "engine_unmaintained": "is the engine that chat runs on still maintained?",
    "gpu_limit_missing_or_unequal": "does anything in team-a use a GPU without having requested one?",
    "gpu_node_unlabelled": "do all our nodes carry labels that name the card?",
    "gpu_node_untainted": "could ordinary pods end up on the GPU machines?",
    "gpu_stack_unready": "is the gpu operator healthy on all nodes?",
    "image_digests_differ": "do both replicas of chat run the same image?",
    "image_from_public_registry": "do any images come straight from docker hub?",
    "keda_without_fallback": "what do the replicas do when Prometheus is away: is there a fallback in KEDA?",
    "liveness_as_strict_as_readiness": "is the liveness probe of chat as strict as the readiness one?",
    "liveness_timeout_short": "is one second of timeout on the liveness probe enough for chat?",
    "memory_request_below_limit": "is chat guaranteed or burstable?",
    "metrics_kept_too_briefly": "how far back do our metrics go?",
    "mig_config_not_applied": "did the MIG layout of gpu-3 take effect?",
    "multi_node_without_fabric": "does the replica that spans nodes talk over infiniband, between the pods?",
    "no_alertmanager": "do our alerts go anywhere?",
    "no_autoscaler": "which of our services have no autoscaler?",
    "no_autoscaler_alert": "would anybody be told if the autoscaler of chat stopped working?",
    "no_down_alert": "does anyone get paged when chat goes down?",
    "no_error_alert": "if chat fails every tenth request, who is alerted?",
    "no_gpu_fault_alert": "would somebody be woken if a GPU of chat fails?",
    "no_idle_gpu_alert": "is there an alert on idle GPUs?",
    "no_latency_alert": "do we have an alert for slow first tokens of chat?",
    "no_queue_alert": "would anyone be told when the queue of chat grows?",
    "no_stall_alert": "if chat hangs without an error, does anybody get an alert?",
    "no_backup_agent": "is anything of this cluster backed up?",
    "no_image_scanner": "does anybody scan our images for CVEs?",
    "no_policy_engine": "is there a policy engine in the cluster?",
    "no_gpu_placement": "could a pod of chat land on an older card?",
    "no_gradual_release": "can we release chat as a canary?",
    "no_kube_state_metrics": "do we run kube-state-metrics at all?",
    "no_limit_range": "does team-a have a limit range?",
    "no_log_agent": "are the logs of gpu-3 shipped anywhere?",
    "no_node_problem_detection": "does anything watch the hardware of our nodes?",
    "no_resource_quota": "could team-a take all GPUs?",
    "no_rollback_history": "could we roll back chat if the release is bad?",
    "no_route": "has chat an ingress?",
    "no_service": "is there any kubernetes service before chat?",
    "node_clock_unsynced": "are the clocks of our nodes in sync?",
    "node_disk_nearly_full": "is the disk of gpu-3 filling up?",
    "node_versions_mixed": "do all nodes run the same kernel?",
    "pod_without_controller": "is there any bare pod in team-a?",
    "precision_beyond_gpu": "can the cards of chat do fp8 in hardware?",
    "precision_implicit": "has the dtype of chat been written down anywhere?",
    "priority_class_missing": "could a batch job push out chat when the cluster is full? what would be preempted first?",
    "readiness_path_unlikely": "does the readiness probe of chat prove that the model is loaded?",
    "rollout_needs_spare_gpus": "would the next rollout of chat find enough free cards?",
    "rollout_stops_service": "would an update of chat mean downtime?",
    "route_timeout_short": "is the gateway patient enough? are the route timeouts long enough for our answers?",
    "rules_failing": "do all recording rules evaluate?",
    "scale_down_hasty": "does chat scale down too soon?",
    "scale_to_zero": "may chat scale to zero?",
    "scrape_interval_long": "is chat scraped often enough?",
    "scratch_unbounded": "could the scratch volume of chat fill up the node?",
    "service_protocol_unnamed": "do our service ports say what they speak? any unnamed ports?",
    "spot_without_declaration": "does any of our engines run on spot nodes?",
    "startup_budget_short": "how much margin do the startup probes of chat have?",
    "tracing_off": "could I follow a single request through chat, is tracing on?",
    "weights_claim_single_node": "is the claim with the weights ReadWriteOnce?",
    "weights_downloaded_at_each_start": "does chat download its model again at every start?",
    "weights_mount_writable": "could the engine overwrite its own weights?",
    "weights_on_slow_volume": "which services load their weights from NFS?",
    "writable_root_filesystem": "does chat have a read-only root filesystem?",
}  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), ASKED.items())
def test_every_rule_can_be_asked_for(rule: str, text: str) -> None:
    assert rule in asked_for(text)


def test_no_rule_is_left_that_nobody_can_ask_for() -> None:
    # Where a Service leads is told as soon as it is wrong.
    assert {name for name, case in rules().items() if not case.check.asked} == {"port_mismatch"}


@pytest.mark.parametrize("name", ["no_cost_labels", "no_alertmanager"])
def test_what_is_of_no_severity_or_of_the_cluster_is_a_headline_for_who_asks_within_a_scope(name: str) -> None:
    about = CLUSTER if scene(name).get("about") == "cluster" else APP
    taken = two((about, scene(name)["fires"]), (OTHER, {}))
    assert name not in {one.id for one in diagnose(taken, Within("team")).findings}
    told = diagnose(taken, Within("team"), asked_for={name})
    assert [one.subject for one in told.findings if one.root and one.id == name] == [str(about)]


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


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Somebody saw an Xid in dmesg", True),
        ("XIDs again?", True),
        ("Is the card dying?", False),
        ("max_xids=3, oxide", False),
    ],
)
def test_a_failure_mode_is_named_by_its_sign(text: str, named: bool) -> None:
    assert signs_named(text) == ({"xid_application"} if named else set())
    assert not asked_for(text)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Finance says we are billed for six cards, who has them?", True),
        ("chat-1 grabbed all four H100 an hour ago and gives no token", True),
        ("two of our GPUs sit idle, can I hand them back?", True),
        ("the rollout is stuck, can the A10G not load it?", False),
        ("the L40S look hung, they sit at 0 % util", False),
        ("the bill of the office is too high", False),
    ],
)
def test_who_asks_where_gpus_are_names_that_somebody_holds_them(text: str, asks: bool) -> None:
    assert ("gpu_held_by_not_ready_pod" in signs_named(text)) is asks


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("kubectl get pods -n search is full of red since the patch", True), ("two red pods lie in speech, a broken card?", True),
        ("five pods although we asked for 3", True), ("there are six pods while we only need four", True),
        ("what is UnexpectedAdmissionError on my red pods?", False), ("four red pods with UnexpectedAdmissionError, drain it again?", False), ("those pods that lie there, what were they?", True),
        ("what are these old pods?", True), ("the pods are slow, is redis down? what were they thinking", False),
        ("a whole row of dead text-filter pods lies there. May I throw them away?", True), ("two failed pods of search: can we delete those?", True),
        ("the dead pods left no log", False), ("dead pods with UnexpectedAdmissionError: may I delete them?", False), ("can I delete the pods?", False),
        ("our pods restart although nobody asked", False), ("the alert is red. What happened?", False),
        ("pods although green fail", False), ("pods although nobody wanted any", False), ("pods fail although somebody asked for more", False),
    ],
)  # fmt: skip
def test_pods_that_lie_around_are_asked_about(text: str, asked: bool) -> None:
    assert ("unexpected_admission_error" in asked_for(text)) is asked


def test_a_paste_is_not_searched_to_its_end() -> None:
    assert asked_for("x " * MOST_CHARS + "pickle") == frozenset()


@pytest.mark.parametrize("check", [name for name, case in cases().items() if case.check.asked])
def test_only_rules_and_what_may_be_no_headline_are_asked_for_and_their_words_are_lower_case(check: str) -> None:
    assert check in rules() or check in {"decode_bandwidth_bound_normal", "unexpected_admission_error"}
    for words in (*cases()[check].check.asked, *cases()[check].check.complaints):
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


def test_what_is_asked_for_and_is_not_so_is_said_first_among_what_was_ruled_out() -> None:
    beside = scene("image_pull_slow")
    quiet = {
        **beside["fires"],
        **beside["quiet_if"],
        **scene("secrets_in_env")["fires"],
        **scene("secrets_in_env")["quiet_if"],
    }
    told = diagnose(two((APP, quiet), (OTHER, {})), Within("team"), asked_for={"secrets_in_env"})
    assert told.not_so == ("secrets_in_env",)
    assert [one.id for one in told.ruled_out] == ["secrets_in_env", "image_pull_slow"]
    assert told.ruled_out[0].subject == str(APP)
    # Of the whole fleet, too; and not while one of them could not be seen, or breaks it.
    assert not diagnose(two((APP, quiet), (OTHER, {})), asked_for={"secrets_in_env"}).not_so
    assert diagnose(two((APP, quiet), (OTHER, quiet)), asked_for={"secrets_in_env"}).not_so == ("secrets_in_env",)
    broken = two((APP, quiet), (OTHER, scene("secrets_in_env")["fires"]))
    assert not diagnose(broken, asked_for={"secrets_in_env"}).not_so
    assert not diagnose(two((APP, quiet), (OTHER, quiet))).not_so
    alerted = {**scene("no_alertmanager")["fires"], **scene("no_alertmanager")["quiet_if"]}
    of_all = diagnose(two((APP, {}), (OTHER, {}), (CLUSTER, alerted)), Within("team"), asked_for={"no_alertmanager"})
    assert of_all.not_so == ("no_alertmanager",)
    assert of_all.ruled_out[0].id == "no_alertmanager"


@pytest.mark.parametrize("gpus", [1.0, 0.0])
def test_a_server_on_gpus_that_was_not_judged_is_not_cleared(gpus: float) -> None:
    """A rule about engines says nothing of what nobody recognises as one."""
    quiet = {**scene("no_graceful_shutdown")["fires"], **scene("no_graceful_shutdown")["quiet_if"]}
    taken = two((APP, quiet), (OTHER, {}))
    pods = {key: replace(one, gpus=gpus) for key, one in taken.topology.pods.items()}
    topology = replace(taken.topology, pods=pods, engines={APP: "vllm"})
    told = diagnose(replace(taken, topology=topology), asked_for={"no_graceful_shutdown"})
    assert told.not_so == (() if gpus else ("no_graceful_shutdown",))


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


@pytest.mark.parametrize("said", [PICKLED, Blind(Reason.FORBIDDEN, "no logs for us")])
def test_a_server_on_a_gpu_that_nobody_recognises_is_read_as_well(said: str | Blind) -> None:
    pods = [
        pod("own-0", owner=("StatefulSet", "own"), image="registry.example/own/server:3"),
        pod("tool-0", owner=("StatefulSet", "tool"), image="nginx:1.27", gpus=0),
    ]
    kube = FakeKube(listings(pods=pods), {("team", "own-0", "engine", False): said})
    before = survey(UNSET, kube, asks(asked=frozenset({"pickle_weights"})), 1.7e9)
    after = from_their_start(kube, before, ["team/own-0", "team/tool-0"], asks_of({"pickle_weights"}))
    assert verdict(after, "own") is (Verdict.FIRES if said == PICKLED else Verdict.BLIND)


def test_no_log_is_read_where_no_line_is_asked_for() -> None:
    kube, before = engines(1)
    assert from_their_start(kube, before, ["team/s0-0"], asks_of({"secrets_in_env"})) is before
    assert from_their_start(UNSET, before, ["team/s0-0"], asks_of({"pickle_weights"})) is before
    assert "pickle_weights" not in modes()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GPUs at 99 % all day and the tensor cores do ten percent: defective card?", True),
        ("is memory bandwidth what holds it back", True),
        ("GPUs at 99 % all day, defective card?", False),
        ("The cards are pinned at 99% utilization. Is it maxed out, or is something wrong with it?", True),
        ("Both show 100% day and night, do we have to buy more?", True),
        ("The cards are pinned at 100% for hours. Are we about to fall over?", False),
        ("Is the budget maxed out?", False),
    ],
)
def test_what_is_normal_is_a_headline_for_who_asks_what_it_is(text: str, *, told: bool) -> None:
    assert ("decode_bandwidth_bound_normal" in asked_for(text)) is told
    taken = two((APP, scene("decode_bandwidth_bound_normal")["fires"]), (OTHER, {}))
    found = [
        one.root
        for one in diagnose(taken, asked_for=asked_for(text)).findings
        if one.id == "decode_bandwidth_bound_normal"
    ]
    assert found == [told]
