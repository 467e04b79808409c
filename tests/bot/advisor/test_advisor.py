"""From a question to its answer with every source in every mood: blind is said, nothing is guessed, every sentence is grounded."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.advisor.advisor import HELP, OUTSIDE, READS_ONLY, Advisor
from bot.advisor.grounding import assert_grounded
from bot.advisor.question import Answer, Question, Scope
from evals.fleet.prometheus import Prometheus
from knowledge.search import Library
from tests.tools import worlds
from tests.tools.pairs import APP, two
from tests.tools.scenes import NOW, SUBJECTS, scene, snapshot
from tools.casebook import modes
from tools.observe import KINDS, Cluster
from tools.reading import Blind, Reason, Subject
from tools.snapshot import Snapshot, SourceState
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.topology import Pod, Topology

UNSET = Blind(Reason.NOT_SET, "nothing is set")
DOWN = Blind(Reason.SOURCE_DOWN, "the API cannot be reached")
SLOW = "why is the first token so slow right now?"
CALM = re.compile(r"\b(?:healthy|all is well|looks? good|no problems?|everything is (?:fine|ok))\b", re.IGNORECASE)


@pytest.fixture(scope="module")
def sick() -> worlds.World:
    return worlds.build()["sick"]


@pytest.fixture(scope="module")
def prometheus(sick: worlds.World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("sick") / "sick.om"
    worlds.write({"sick": sick}, path)
    with Prometheus([path]) as running:
        yield running.url


class Moody:
    """A server on loopback that answers as it is told."""

    def __init__(self) -> None:
        self.answer: Callable[[str], tuple[int, bytes]] = lambda _path: (500, b"nobody prepared this")
        moody = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, content = moody.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _any

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def moody() -> Iterator[Moody]:
    server = Moody()
    yield server
    server.server.shutdown()
    server.server.server_close()


def advisor(
    library: Library, prom: PromSource | Blind = UNSET, kube: Cluster | Blind = UNSET, at: float = NOW, **more: Any
) -> Advisor:
    return Advisor(lambda _: (prom, kube, ""), library, clock=lambda: at, **more)


def names(*found: str) -> bytes:
    return json.dumps({"status": "success", "data": list(found)}).encode()


def vector(value: str) -> bytes:
    labels = {"namespace": "team", "pod": "app-6c8d9f7b5-aaaaa"}
    return json.dumps(
        {"status": "success", "data": {"resultType": "vector", "result": [{"metric": labels, "value": [1, value]}]}}
    ).encode()


def sober(answer: Answer) -> None:
    """It says nothing good of what it did not see."""
    assert not CALM.search(f"{answer.verdict} {answer.text}")
    assert_grounded(answer)


# ------------------------------------------------------------------ every scene


@pytest.mark.parametrize("check", list(modes()))
def test_every_sentence_of_every_scene_is_grounded(
    check: str, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = scene(check)
    about = told.get("about", "workload")
    taken = snapshot(told["fires"], SUBJECTS[about])
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: taken)
    answer = advisor(library).answer(Question(None))
    finding = next(one for one in answer.findings if one.id == check)
    assert_grounded(answer)
    assert finding.because in answer.text
    assert finding.title.rstrip(".") in answer.text
    for remedy in finding.remedies if finding.root else ():
        assert remedy.text in answer.text
    assert answer.citations
    assert not answer.saw_nothing


@pytest.mark.parametrize("check", list(modes()))
def test_every_other_scene_is_grounded_too(check: str, library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    told = scene(check)
    for other in told.get("others", ()):
        world = {**(told["fires"] if "about" not in other else {}), **other.get("world", {})}
        subject = SUBJECTS[other.get("about", told.get("about", "workload"))]
        taken = snapshot(world, subject, replicas=other.get("replicas", 2), without=other.get("without", ()))
        monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, taken=taken, **__: taken)
        answer = advisor(library).answer(Question(None))
        assert_grounded(answer)
        assert answer.verdict in answer.text


# ------------------------------------------------------------------ the real thing


def test_a_chain_from_a_real_prometheus_and_a_cluster(library: Library, prometheus: str, sick: worlds.World) -> None:
    pods = [worlds.pod("app-6c8d9f7b5-aaaaa", now=sick.at)]
    kube = FakeKube(
        worlds.listings(pods=pods, nodes=[worlds.node("n1", 1)], horizontalpodautoscalers=[worlds.hpa("app")]),
        {("team", "app-6c8d9f7b5-aaaaa", "engine", False): ""},
    )
    answer = advisor(library, PromSource(prometheus), kube, sick.at).answer(Question("why is app so slow?"))
    assert answer.intent == "live"
    assert answer.scope == Scope(None, "team", "app")
    assert [finding.id for finding in answer.headlines] == ["hpa_wrong_metric"]
    assert {finding.id for finding in answer.findings} == {
        "hpa_wrong_metric",
        "kv_saturation_queueing",
        "ttft_breach_queueing",
    }
    assert answer.verdict.startswith("deployment/team/app: ")
    assert {one.id for one in answer.citations} <= {page for finding in answer.findings for page in finding.pages}
    assert not answer.saw_nothing
    assert {"survey", "total"} <= set(answer.seconds)
    assert_grounded(answer)


def test_limits_reach_the_checks(library: Library, prometheus: str, sick: worlds.World) -> None:
    limits = {"kv_saturation_queueing": {"full": 0.999}, "ttft_breach_queueing": {"ttft": 60.0}}
    answer = advisor(library, PromSource(prometheus), UNSET, sick.at, limits=limits).answer(
        Question("why is app slow?")
    )
    assert answer.findings == ()
    assert answer.verdict == "Nothing that I check for fires on team/app, but part of it could not be seen."
    assert any(spot.what == "Kubernetes" for spot in answer.blind)
    sober(answer)


def test_the_past_is_asked_of_prometheus_alone_and_dated(library: Library, prometheus: str, sick: worlds.World) -> None:
    kube = FakeKube({})
    asked = advisor(library, PromSource(prometheus), kube, sick.at + 90 * 86_400)
    answer = asked.answer(Question("why was app slow?", at=sick.at))
    assert kube.asked == []
    assert {finding.id for finding in answer.findings} >= {"kv_saturation_queueing"}
    assert any("not kept" in spot.why for spot in answer.blind)
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC", answer.text)
    assert_grounded(answer)


def test_a_moment_ago_is_the_present(library: Library) -> None:
    kube = FakeKube(worlds.listings(pods=[worlds.pod("app-0")]))
    advisor(library, UNSET, kube, worlds.START).answer(Question(None, at=worlds.START - 30))
    assert ("list", "pods") in kube.asked


@pytest.mark.parametrize("how", ["hidden", "scope"])
def test_a_stranger_fault_is_not_in_a_scoped_answer(
    library: Library, prometheus: str, sick: worlds.World, how: str
) -> None:
    pods = [
        worlds.pod("app-6c8d9f7b5-aaaaa", now=sick.at),
        worlds.pod("web-7f9c7f9c-abcde", namespace="lab", owner=("ReplicaSet", "web-7f9c7f9c"), now=sick.at),
    ]
    logs = {("lab", "web-7f9c7f9c-abcde", "engine", False): "", ("team", "app-6c8d9f7b5-aaaaa", "engine", False): ""}
    kube = FakeKube(worlds.listings(pods=pods, nodes=[worlds.node("n1", 2)]), logs)
    question = Question("why is web slow?") if how == "hidden" else Question("what is wrong?", namespace="lab")
    answer = advisor(library, PromSource(prometheus), kube, sick.at).answer(question)
    assert answer.scope.namespace == "lab"
    assert not any("team/app" in finding.subject for finding in answer.findings)
    assert_grounded(answer)


@pytest.mark.parametrize(
    ("about", "world", "told"),
    [
        (APP, scene("engine_dead")["fires"], True),
        (Subject("node", "", "n1"), scene("node_problem_reported")["fires"], False),
        (Subject("deployment", "lab", "other"), scene("engine_dead")["fires"], False),
        (APP, {}, False),
    ],
    ids=["a neighbour is down", "only its machine is told of", "somebody else's is down", "all is well"],
)
def test_where_nothing_ails_who_was_named_its_neighbours_are_told(
    library: Library, monkeypatch: pytest.MonkeyPatch, about: Subject, world: dict[str, Any], *, told: bool
) -> None:
    taken = two((about, world))
    front = Pod("team", "front-0", "n9", Subject("deployment", "team", "front"), "Running", True)
    beside = replace(taken, topology=replace(taken.topology, pods={**taken.topology.pods, front.key: front}))
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: beside)
    answer = advisor(library).answer(Question("why does front in team answer 502?"))
    assert {finding.subject for finding in answer.findings if finding.root} == ({str(APP)} if told else set())
    said = "Nothing that I check for fires on team/front itself, but part of it could not be seen. Beside it: deployment/team/app"
    assert answer.verdict.startswith(said) is told
    assert answer.scope.workload == (None if told else "front")
    assert_grounded(answer)


@pytest.mark.parametrize(
    ("question", "others", "told"),
    [
        ("why does chat answer 503 for everybody?", 0, True),
        ("why is chat slow?", 0, True),
        ("why does chat answer 503 for everybody?", 7, False),
    ],
    ids=["it fails", "it is slow", "too many stand there"],
)
def test_the_log_of_whoever_stands_before_those_that_are_named_is_read(
    library: Library, question: str, others: int, *, told: bool
) -> None:
    refused = 'ApiError: pods is forbidden: User "system:serviceaccount:team:router" cannot list resource "pods" in API group "" in the namespace "team": Forbidden (code: 403)'
    pods = [
        worlds.pod("chat-0", owner=("StatefulSet", "chat")),
        worlds.pod("router-0", owner=("StatefulSet", "router"), image="lmsysorg/sglang-router:v0.2.4"),
        *(worlds.pod(f"other{n}-0", owner=("StatefulSet", f"other{n}")) for n in range(others)),
    ]
    logs = {("team", name, "engine", False): "" for name in ("chat-0",)}
    logs[("team", "router-0", "engine", False)] = refused
    kube = FakeKube(worlds.listings(pods=pods), logs)
    answer = advisor(library, UNSET, kube, worlds.START).answer(Question(question))
    assert ([one.id for one in answer.findings if one.root] == ["cluster_api_refused"]) is told
    assert_grounded(answer)


def test_a_store_behind_several_that_are_named_is_told_though_no_gpu_is_on_it(library: Library) -> None:
    full = "ERROR qdrant::actix::helpers: Error processing request: Service internal error: No space left on device: WAL buffer size exceeds available disk space"
    quoted = f"ERROR upsert failed: Unexpected Response: 500 (Internal Server Error) Raw response content: b'{full}'"
    said = {"ingest": quoted, "embed": "INFO ready", "qdrant": full}
    pods = [
        worlds.pod(f"{name}-0", owner=("StatefulSet", name), gpus=int(name == "embed"), image=f"{name}:1")
        for name in said
    ]
    logs = {("team", f"{name}-0", "engine", False): line for name, line in said.items()}
    answer = advisor(library, UNSET, FakeKube(worlds.listings(pods=pods), logs), worlds.START).answer(
        Question("uploads to ingest hang since noon, can embed not keep up?")
    )
    assert [finding.key for finding in answer.findings if finding.root] == [
        "disk_or_store_full@statefulset/team/qdrant"
    ]
    assert answer.verdict.startswith("Nothing that I check for fires on those that you name")
    assert_grounded(answer)


def test_what_ails_a_neighbour_is_told_with_the_causes_of_its_causes(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Subject("node", "", "n1")
    chain = ["node_lost", "node_problem_reported", "container_create_failed"]
    worlds_of_it = [(node, scene(one)["fires"]) for one in chain[:2]] + [(APP, scene(chain[2])["fires"])]
    taken = two(*worlds_of_it)
    front = Pod("team", "front-0", "n9", Subject("deployment", "team", "front"), "Running", True)
    beside = replace(taken, topology=replace(taken.topology, pods={**taken.topology.pods, front.key: front}))
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: beside)
    answer = advisor(library).answer(Question("why does front in team answer 502?"))
    assert "Beside it" in answer.verdict
    assert {one.id for one in answer.findings} >= set(chain)
    assert [one.id for one in answer.findings if one.root] == ["node_lost"]
    assert_grounded(answer)


@pytest.mark.parametrize(
    "question",
    ["why does chat fail", "chat fails since this morning, how much memory does it need"],
)
def test_a_named_server_of_which_nothing_is_counted_is_looked_at_once_more(library: Library, question: str) -> None:
    """Its log of the last minutes; and who names a workload asks about it, though in the words of a size."""
    died = "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue."
    kube = FakeKube(
        worlds.listings(pods=[worlds.pod("chat-0", owner=("StatefulSet", "chat"))]),
        {("team", "chat-0", "engine", False): died},
    )
    answer = advisor(library, UNSET, kube, worlds.START).answer(Question(question))
    assert [finding.id for finding in answer.findings if finding.root] == ["engine_dead"]
    assert "EngineDeadError" in answer.text
    assert_grounded(answer)
    asked = len(kube.asked)
    everywhere = advisor(library, UNSET, kube, worlds.START).answer(Question("what is wrong?"))
    assert not everywhere.findings
    assert ("logs", "team", "chat-0", "engine", False) not in kube.asked[asked:]


@pytest.mark.parametrize(
    ("question", "read"),
    [("chat fails half of its calls", True), ("everything is 503 in namespace team", True), ("chat is slow", False)],
)
def test_who_says_that_it_fails_has_the_log_of_what_serves_looked_at_too(
    library: Library, question: str, *, read: bool
) -> None:
    """Although something is wrong with a replica that does not serve."""
    died = "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue."
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": worlds.stamp(worlds.START - 60)}
    status = {"name": "engine", "restartCount": 6, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "ready": False}
    killed = {
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{**status, "lastState": {"terminated": ended}}],
    }
    pods = [
        worlds.pod("chat-0", owner=("StatefulSet", "chat")),
        worlds.pod("chat-1", owner=("StatefulSet", "chat"), status=killed),
    ]
    logs = {("team", "chat-0", "engine", False): died}
    logs |= {("team", "chat-1", "engine", previous): "" for previous in (False, True)}
    kube = FakeKube(worlds.listings(pods=pods), logs)
    answer = advisor(library, UNSET, kube, worlds.START).answer(Question(question))
    found = {finding.id for finding in answer.findings}
    assert "host_oomkilled" in found
    assert ("engine_dead" in found) is read
    assert (("logs", "team", "chat-0", "engine", False) in kube.asked) is read


def test_who_asks_for_a_rule_in_words_of_an_audit_is_looked_at(library: Library) -> None:
    pods = [worlds.pod("chat-0", owner=("StatefulSet", "chat"), args=["--model=org/m", "--trust-remote-code"])]
    kube = FakeKube(worlds.listings(pods=pods), {("team", "chat-0", "engine", False): ""})
    asked = "Audit prep: could the author of a model run his own python in namespace team?"
    answer = advisor(library, UNSET, kube, worlds.START).answer(Question(asked))
    assert answer.intent == "live"
    assert [finding.id for finding in answer.findings if finding.root] == ["trust_remote_code_or_privileged"]
    assert_grounded(answer)
    plain = advisor(library, UNSET, kube, worlds.START).answer(Question("what does the readiness audit cover?"))
    assert plain.intent == "readiness"


def test_who_asks_for_a_rule_that_nobody_breaks_is_told_so(library: Library) -> None:
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": worlds.stamp(worlds.START - 60)}
    state = {"name": "engine", "restartCount": 6, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "ready": False}
    verdicts = []
    for status in (None, {"containerStatuses": [{**state, "lastState": {"terminated": ended}}]}):
        more = {} if status is None else {"status": status}
        pods = [worlds.pod("chat-0", owner=("StatefulSet", "chat"), args=["--model=org/m"], **more)]
        logs = {("team", "chat-0", "engine", previous): "" for previous in (False, True)}
        kube = FakeKube(worlds.listings(pods=pods), logs)
        answer = advisor(library, UNSET, kube, worlds.START).answer(Question("does chat run with --trust-remote-code?"))
        assert_grounded(answer)
        verdicts.append(answer.verdict)
    assert verdicts[0].startswith("What you ask about was looked at and is not so here: Code from the model's")
    # Beside a fault it is left out: the words may have been meant otherwise.
    assert verdicts[1].startswith("statefulset/team/chat: ")


@pytest.mark.parametrize(
    ("stopped", "text", "told"),
    [
        (True, "reports from chat stop in the middle, why?", True),
        (True, "why is chat slow?", False),
        (False, "reports from chat stop in the middle, why?", False),
    ],
)
def test_the_harm_of_a_rule_is_told_to_whoever_complains_of_it_where_it_is_seen(
    library: Library, stopped: bool, text: str, told: bool
) -> None:
    pods = [worlds.pod("chat-0", owner=("StatefulSet", "chat"), args=["--model=org/m"])]
    event = {
        "metadata": {"namespace": "team", "name": "chat.1"},
        "reason": "Killing",
        "message": "Stopping container engine",
        "involvedObject": {"kind": "Pod", "namespace": "team", "name": "chat-1"},
        "lastTimestamp": worlds.stamp(worlds.START - 900),
    }
    listed = worlds.listings(pods=pods, events=[event] if stopped else [])
    kube = FakeKube(listed, {("team", "chat-0", "engine", False): ""})
    answer = advisor(library, UNSET, kube, worlds.START).answer(Question(text))
    found = [finding.id for finding in answer.findings if finding.root]
    assert found == (["no_graceful_shutdown"] if told else [])
    assert ("chat-1 at" in answer.text) is told
    assert_grounded(answer)


# ------------------------------------------------------------------ sources in trouble


MOODS: Mapping[str, Callable[[str], tuple[int, bytes]]] = {
    "500": lambda _: (500, b"boom"),
    "503": lambda _: (503, b'{"status":"error","error":"starting up"}'),
    "html": lambda _: (200, b"<html>Welcome to nginx</html>"),
    "forbidden": lambda _: (403, b"no"),
    "not json": lambda _: (200, b"\xff\xfe"),
    "names then 500": lambda path: (200, names("vllm:num_requests_running", "up")) if "label" in path else (500, b"boom"),
    "names then html": lambda path: (200, names("vllm:num_requests_running")) if "label" in path else (200, b"<html>"),
    "nothing there": lambda path: (200, names("up", "go_goroutines")) if "label" in path else (200, vector("1")),
    "empty": lambda _: (200, names()),
}  # fmt: skip


@pytest.mark.parametrize("mood", list(MOODS))
@pytest.mark.parametrize("text", [None, SLOW, "why is llama-70b-chat slow in namespace chat?"])
def test_prometheus_in_trouble_and_no_cluster_is_nothing_seen(
    mood: str, text: str | None, moody: Moody, library: Library
) -> None:
    moody.answer = MOODS[mood]
    answer = advisor(library, PromSource(moody.url, timeout_s=5)).answer(Question(text))
    assert answer.intent == "live"
    assert answer.saw_nothing
    assert {spot.what for spot in answer.blind} >= {"Prometheus", "Kubernetes"}
    assert answer.findings == ()
    assert answer.ruled_out == ()
    assert "no source answered" in answer.verdict
    assert "Could not see" in answer.text
    sober(answer)
    if text is not None:
        assert answer.citations, "it still says what the pages say"


@pytest.mark.parametrize("mood", ["500", "html", "names then 500"])
def test_prometheus_in_trouble_and_a_cluster_that_answers(mood: str, moody: Moody, library: Library) -> None:
    moody.answer = MOODS[mood]
    status = worlds.crashed(60, code=137, reason="OOMKilled")
    pods = [worlds.pod("app-6c8d9f7b5-aaaaa", status=status), worlds.pod("app-6c8d9f7b5-bbbbb")]
    logs = {("team", "app-6c8d9f7b5-aaaaa", "engine", previous): "" for previous in (True, False)}
    kube = FakeKube(worlds.listings(pods=pods, nodes=[worlds.node()]), logs)
    answer = advisor(library, PromSource(moody.url, timeout_s=5), kube, worlds.START).answer(
        Question("why is app down?")
    )
    assert [finding.id for finding in answer.headlines] == ["host_oomkilled"], (
        "metrics that cannot be had are no fault of the exporter"
    )
    assert any(spot.what == "Prometheus" for spot in answer.blind)
    assert not answer.saw_nothing
    sober(answer)


def test_values_that_are_no_numbers(moody: Moody, library: Library) -> None:
    series = (
        "vllm:num_requests_running",
        "vllm:kv_cache_usage_perc",
        "vllm:num_requests_waiting",
        "vllm:time_to_first_token_seconds_bucket",
    )

    def answers(path: str) -> tuple[int, bytes]:
        return (200, names(*series)) if "label" in path else (200, vector("NaN"))

    moody.answer = answers
    answer = advisor(
        library,
        PromSource(moody.url, timeout_s=5),
        FakeKube(worlds.listings(pods=[worlds.pod("app-6c8d9f7b5-aaaaa")])),
        worlds.START,
    ).answer(Question(None))
    assert not any(finding.id.startswith(("kv_", "ttft_")) for finding in answer.findings)
    assert answer.blind
    sober(answer)


def test_a_server_that_hangs_is_left(moody: Moody, library: Library) -> None:
    release = threading.Event()

    def hang(_path: str) -> tuple[int, bytes]:
        release.wait(20)
        return 200, names()

    moody.answer = hang
    answer = advisor(library, PromSource(moody.url, timeout_s=0.2)).answer(Question(SLOW))
    release.set()
    assert answer.saw_nothing
    assert any("timed out" in spot.why or "did not answer within" in spot.why for spot in answer.blind)
    sober(answer)


def test_nobody_listens(library: Library) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        answer = advisor(library, PromSource(f"http://127.0.0.1:{held.getsockname()[1]}", timeout_s=1)).answer(
            Question(SLOW)
        )
    assert any("connection refused" in spot.why for spot in answer.blind)
    sober(answer)


@pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.SOURCE_DOWN, Reason.NOT_SET])
def test_the_api_refuses_everything_and_prometheus_answers(
    reason: Reason, library: Library, prometheus: str, sick: worlds.World
) -> None:
    blind = Blind(reason, "we may not list anything")
    kube: Cluster | Blind = blind if reason is Reason.NOT_SET else FakeKube(dict.fromkeys(KINDS, blind))
    answer = advisor(library, PromSource(prometheus), kube, sick.at).answer(Question("why is app slow?"))
    assert {finding.id for finding in answer.headlines} == {"kv_saturation_queueing"}
    # What is refused everywhere is one sentence, with the role that is missing.
    why = "we may list none of pods, nodes" if reason is Reason.FORBIDDEN else "we may not list anything"
    assert any(spot.what == "Kubernetes" and why in spot.why for spot in answer.blind)
    assert not answer.saw_nothing
    sober(answer)


# ------------------------------------------------------------------ questions of every kind


@pytest.mark.parametrize(
    ("text", "intent", "verdict"),
    [
        ("", "help", HELP), ("hello", "help", HELP), ("restart chat", "declined", READS_ONLY),
        ("what is the best recipe for lasagne", "declined", OUTSIDE), ("🔥" * 300, "declined", OUTSIDE),
    ],
)  # fmt: skip
def test_what_is_no_question_for_it(text: str, intent: str, verdict: str, library: Library) -> None:
    answer = advisor(library).answer(Question(text))
    assert (answer.intent, answer.verdict, answer.text) == (intent, verdict, verdict)
    assert answer.findings == ()


@pytest.mark.parametrize(
    "text", ["x " * 25_000, "\ud800 why is it slow now", "\x00\x1b[2J", "why " * 12_500, "\udcff", "/" * 5000]
)
def test_no_text_raises(text: str, library: Library) -> None:
    answer = advisor(library).answer(Question(text))
    assert answer.verdict
    json.dumps(answer.text).encode()


def test_a_knowledge_question_is_answered_with_its_source_although_nothing_is_seen(library: Library) -> None:
    answer = advisor(library).answer(Question("what does Xid 79 mean?"))
    assert answer.intent == "knowledge"
    assert answer.citations
    assert answer.citations[0].quote.split()[0] in answer.text
    assert not answer.saw_nothing
    quoted = "\n\n".join(citation.quote for citation in answer.citations)
    said, _, _ = answer.text.partition("### Sources")
    assert all(line in quoted for line in said.strip().splitlines() if not line.startswith("### "))


@pytest.mark.parametrize(
    ("question", "pages"),
    [("our first token takes four seconds since lunch, why?", True), ("is anything broken?", False), (None, False)],
)
def test_where_nothing_is_wrong_the_pages_say_what_they_know(
    question: str | None, pages: bool, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    pods = {"team/app-0": Pod("team", "app-0", "n1", Subject("deployment", "team", "app"), "Running", True)}
    well = Snapshot(NOW, Topology(pods), {}, (SourceState("Prometheus", None, 1), SourceState("Kubernetes", None, 1)))
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: well)
    answer = advisor(library).answer(Question(question))
    assert answer.intent == "live"
    assert not answer.findings
    assert not answer.saw_nothing
    assert bool(answer.citations) is pages
    assert ("What good practice says" in answer.text) is pages
    assert_grounded(answer)


@pytest.mark.parametrize(
    ("said", "root"),
    [("RuntimeError: No CUDA GPUs are available", "container_lost_gpu"), ("GET /health 200", "gpu_idle_no_process")],
)
def test_why_a_ready_server_does_nothing_with_its_gpu_is_looked_for_in_its_log(
    said: str, root: str, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = {**scene("gpu_idle_no_process")["fires"], "gpu.util max 1h": [0.9, 0.0], "pod.ready now": 1}
    taken = snapshot(idle, SUBJECTS["workload"])
    pods = {key: replace(pod, container="engine") for key, pod in taken.topology.pods.items()}
    taken = replace(taken, topology=replace(taken.topology, pods=pods))
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: taken)
    logs = {("team", "app-0", "engine", False): "GET /health 200", ("team", "app-1", "engine", False): said}
    kube = FakeKube(worlds.listings(), logs)
    answer = advisor(library, UNSET, kube, NOW).answer(Question("what is wrong with our gpus?"))
    assert [one.id for one in answer.findings if one.root] == [root]
    assert "gpu_idle_no_process" in {one.id for one in answer.findings}
    assert_grounded(answer)


def test_a_namespace_that_does_not_exist_is_said(library: Library) -> None:
    kube = FakeKube(worlds.listings(pods=[worlds.pod("app-0", namespace="search")]))
    answer = advisor(library, UNSET, kube, worlds.START).answer(Question("what is wrong in namespace serch-prod?"))
    assert answer.verdict.startswith("There is no namespace serch-prod here; near names: search")
    assert answer.findings == ()
    assert any(spot.what == "Prometheus" for spot in answer.blind)
    assert_grounded(answer)


def test_progress_is_told_in_order(library: Library) -> None:
    titles: list[str] = []
    advisor(library).answer(Question(SLOW), titles.append)
    assert titles == [
        "Searching the knowledge base",
        "Reading metrics and Kubernetes objects",
        "Checking every failure mode",
    ]


def test_without_an_index_a_live_answer_stands_and_knowledge_says_what_to_run(
    tmp_path: Path, prometheus: str, sick: worlds.World
) -> None:
    bare = Library.open(tmp_path)
    live = advisor(bare, PromSource(prometheus), UNSET, sick.at).answer(Question("why is app slow?"))
    assert live.headlines
    assert any(spot.what == "Knowledge base" and "rackside knowledge index" in spot.why for spot in live.blind)
    assert_grounded(live)
    known = advisor(bare).answer(Question("what is the kv cache?"))
    assert known.intent == "knowledge"
    assert "could not be read" in known.verdict
    assert [spot.what for spot in known.blind] == ["Knowledge base"]


def test_a_snapshot_of_nobody_is_sober(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Snapshot(NOW, Topology(), {}, (SourceState("Prometheus", DOWN), SourceState("Kubernetes", UNSET)))
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: bare)
    answer = advisor(library).answer(Question(None))
    assert answer.saw_nothing
    sober(answer)
