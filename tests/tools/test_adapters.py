"""What a real Prometheus tells of adapters: the newest of many series, under any prefix, summed or shared, and who serves none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from evals.fleet.prometheus import Prometheus
from tests.tools import worlds
from tests.tools.scenes import WORKLOAD, scene, snapshot
from tests.tools.worlds import MONTH, START, World, listings, node, owned, pod
from tools.casebook import asks
from tools.diagnose import run
from tools.engines import Container, Key, resolve
from tools.outcomes import Outcome, Verdict
from tools.reading import Blind, Reason
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.survey import survey

NAMES = (
    "vllm", "alike", "exported", "ray", "ray_colon", "summed", "idle", "off", "twice", "shared", "counted", "sglang", "base", "plain",
)  # fmt: skip
ON = ("--enable-lora", "--max-loras=2")


def _engine(world: World, prefix: str = "vllm:", **more: str) -> dict[str, str]:
    who = {"namespace": "team", "pod": "app-1-a", **more}
    world.gauge(f"{prefix}num_requests_running", 7, **who, engine="0")
    world.gauge(f"{prefix}num_requests_waiting", 40, **who, engine="0")
    world.gauge(f"{prefix}kv_cache_usage_perc", 0.03, **who, engine="0")
    return who


def _state(
    world: World,
    who: dict[str, str],
    running: str,
    waiting: str,
    ago: float = 15.0,
    *,
    prefix: str = "vllm:",
    times: int = 1,
) -> None:
    """A series as the client library leaves it: the time of its last step, scraped until the process ends."""
    labels = {"max_lora": "2", "running_lora_adapters": running, "waiting_lora_adapters": waiting}
    last = world.at - ago
    world.gauge(f"{prefix}lora_requests_info", lambda before: times * min(world.at - before, last), **who, **labels)


def _build() -> dict[str, World]:
    found = {name: World(START + place * MONTH) for place, name in enumerate(NAMES)}
    for name, prefix in (("vllm", "vllm:"), ("exported", "vllm:"), ("ray", "ray_vllm_"), ("ray_colon", "ray_vllm:")):
        world = found[name]
        who = _engine(world, prefix)
        if name == "exported":
            world.series.clear()
            own = {"namespace": "monitoring", "pod": "gateway", "exported_namespace": "team", "exported_pod": "app-1-a"}
            who = _engine(world, prefix, **own)
        # Older states would say otherwise: nothing waits, another two run, eight wait.
        _state(world, who, "", "", 900, prefix=prefix)
        _state(world, who, "a,b", "c,d,e,f,g,h,i,j", 400, prefix=prefix)
        _state(world, who, "b,a", "c,d", prefix=prefix)
        _state(world, who, "c", "", 200, prefix=prefix)
    world = found["alike"]
    _state(world, _engine(world), "a,b,c,d", "a,b,c,d")
    world = found["summed"]
    who = _engine(world)
    _state(world, who, "", "", 800, times=4)
    _state(world, who, "a,b", "c,d")
    world = found["idle"]
    who = _engine(world)
    _state(world, who, "a,b", "c", 500)
    _state(world, who, "a", "")
    _engine(found["off"])
    # Two jobs scrape the pod.
    for job in ("one", "two"):
        _state(found["twice"], _engine(found["twice"], job=job), "a,b", "c,d")
    world = found["shared"]
    who = _engine(world)
    world.gauge("vllm:num_requests_running", 7, **who, engine="1")
    _state(world, who, "a,b", "c")
    world = found["counted"]
    who = _engine(world)
    world.gauge("vllm:num_requests_waiting_by_reason", 38, **who, engine="0", reason="deferred")
    world.gauge("vllm:num_requests_waiting_by_reason", 2, **who, engine="0", reason="capacity")
    _state(world, who, "a,b,c,d,e", "a,b,c,d,e")
    for name, used in (("sglang", 8), ("base", 7), ("plain", 0)):
        who = {"namespace": "team", "pod": "app-1-a"}
        found[name].gauge("sglang:num_running_reqs", 20, **who)
        found[name].gauge("sglang:num_queue_reqs", 30, **who)
        found[name].gauge("sglang:token_usage", 0.2, **who)
        if name == "plain":
            continue
        found[name].gauge("sglang:lora_pool_slots_used", used, **who)
        found[name].gauge("sglang:lora_pool_slots_total", 8, **who)
        found[name].gauge("sglang:lora_pool_utilization", used / 8, **who)
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path: Path = tmp_path_factory.mktemp("adapters") / "adapters.om"
    worlds.write(_build(), path)
    with Prometheus([path]) as prometheus:
        yield prometheus.url


def judged(server: str, name: str, args: Sequence[str] = (), kube: bool = True) -> Outcome:
    at = START + NAMES.index(name) * MONTH
    image = "lmsysorg/sglang:v0.5.9" if name in {"sglang", "base", "plain"} else "vllm/vllm-openai:v0.11.0"
    start = {"image": image, "args": list(args), "now": at}
    objects = listings(
        pods=[pod("app-1-a", owner=("ReplicaSet", "app-1"), gpus=1, **start)],
        nodes=[node("n1", 1)],
        replicasets=[owned("ReplicaSet", "app-1", "app")],
        deployments=[owned("Deployment", "app")],
    )
    cluster = FakeKube(objects) if kube else Blind(Reason.NOT_SET, "no Kubernetes here")
    taken = survey(PromSource(server), cluster, asks(), at)
    (found,) = (one for one in run(taken, {}) if one.case.id == "lora_thrash")
    return found


def change(outcome: Outcome) -> tuple[str, str, str]:
    (one,) = (remedy.change for remedy in outcome.remedies if remedy.change is not None)
    return one.what, one.from_, one.to


@pytest.mark.parametrize(
    ("name", "asked", "deferred"),
    [("vllm", 4, False), ("exported", 4, False), ("ray", 4, False), ("ray_colon", 4, False), ("alike", 4, False), ("twice", 4, False), ("counted", 5, True)],
)  # fmt: skip
def test_the_newest_state_tells_who_competes(server: str, name: str, asked: int, deferred: bool) -> None:
    outcome = judged(server, name, ON)
    assert outcome.verdict is Verdict.FIRES
    assert outcome.because is not None
    assert f"{asked} adapters are asked for, and a batch has 2 slots for them." in outcome.because.sentence
    assert ("stay deferred" in outcome.because.sentence) is deferred
    assert change(outcome) == ("--max-loras", "2", str(asked))


def test_it_is_told_without_kubernetes(server: str) -> None:
    outcome = judged(server, "vllm", kube=False)
    assert outcome.verdict is Verdict.FIRES
    assert change(outcome) == ("--max-loras", "2", "4")


def test_a_state_that_was_is_none(server: str) -> None:
    assert judged(server, "idle", ON).verdict is Verdict.QUIET


@pytest.mark.parametrize(("name", "why"), [("summed", "add up their times"), ("shared", "2 schedulers of one pod")])
def test_a_series_of_several_servers_tells_no_state(server: str, name: str, why: str) -> None:
    outcome = judged(server, name, ON)
    assert outcome.verdict is Verdict.BLIND
    assert why in str(outcome.unseen and outcome.unseen.blind)


def test_without_its_series_the_configuration_decides_whether_it_serves_adapters(server: str) -> None:
    assert judged(server, "off").verdict is Verdict.NOT_APPLICABLE
    assert judged(server, "off", kube=False).verdict is Verdict.NOT_APPLICABLE
    assert judged(server, "plain", kube=False).verdict is Verdict.NOT_APPLICABLE
    assert judged(server, "off", ON).verdict is Verdict.BLIND


def test_sglangs_pool(server: str) -> None:
    outcome = judged(
        server, "sglang", ("python3", "-m", "sglang.launch_server", "--model-path=m", "--lora-paths", "a=/a")
    )
    assert outcome.verdict is Verdict.FIRES
    assert change(outcome) == ("--max-loras-per-batch", "8", "the number of adapters that are in use at once")
    assert change(judged(server, "sglang", kube=False))[0] == "--max-loras-per-batch"
    assert judged(server, "base", kube=False).verdict is Verdict.BLIND


@pytest.mark.parametrize(
    ("container", "on", "slots"),
    [
        (Container("vllm/vllm-openai:v0.11.0", (), ("--model=m", *ON)), True, 2),
        (Container("vllm/vllm-openai:v0.11.0", (), ("--model=m", "--enable-lora", "--lora-modules", "a=/a", "b=/b")), True, 1),
        (Container("vllm/vllm-openai:v0.11.0", (), ("--model=m", "--no-enable-lora")), False, 1),
        (Container("vllm/vllm-openai:v0.11.0", (), ("--model=m",)), False, 1),
        (Container("vllm/vllm-openai:latest", (), ("--model=m",)), None, None),
        (Container("lmsysorg/sglang:v0.5.3", ("python3", "-m", "sglang.launch_server"), ("--model=m", "--lora-paths", "a=/a")), True, 8),
        (Container("lmsysorg/sglang:v0.5.3", ("python3", "-m", "sglang.launch_server"), ("--model=m", "--enable-lora", "--max-loras-per-batch", "4")), True, 4),
        (Container("lmsysorg/sglang:v0.5.3", ("python3", "-m", "sglang.launch_server"), ("--model=m",)), False, 8),
    ],
)  # fmt: skip
def test_whether_adapters_are_served_and_in_how_many_slots(
    container: Container, on: bool | None, slots: float | None
) -> None:
    found = resolve(container)
    assert (found.on(Key.ADAPTERS), found.number(Key.ADAPTER_SLOTS)) == (on, slots)


@pytest.mark.parametrize(
    ("told", "age", "to"),
    [
        (["2 | a,b,c | a,b,c", "2 | a,b,c,d,e | a,b,c,d,e"], 20, "5"),
        # A state that is old may have fewer adapters than slots: no number is made of it.
        (["2 | a | ", "2 | a,b | "], 1200, "the number of adapters that are in use at once"),
        (["two | a | b", "2 | a,b,c | a"], 1200, "3"),
    ],
)
def test_slots_for_all_adapters_of_the_fullest_replica(told: list[str], age: float, to: str) -> None:
    world = {**scene("lora_thrash")["fires"], "llm.adapters now": told, "llm.adapters_age now": age}
    (found,) = (one for one in run(snapshot(world, WORKLOAD), {}) if one.case.id == "lora_thrash")
    assert found.verdict is Verdict.FIRES
    assert change(found) == ("--max-loras", "2", to)
