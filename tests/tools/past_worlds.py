"""Small pasts in one real Prometheus, a month apart: faults that began, came and went, or have holes in their data."""

from __future__ import annotations

from collections.abc import Callable

from tests.tools.worlds import MONTH, START, World

MINUTE = 60.0
HOUR = 3600.0
POD = "app-6c8d9f7b5-aaaaa"
WHO = {"namespace": "team", "pod": POD, "model_name": "org/Model-7B"}
Bad = Callable[[float], bool | None]
# Minutes before now -> whether the cache is full then; None: no data.
PASTS: dict[str, tuple[float, Bad]] = {
    "forty": (240, lambda m: m <= 40),
    "always": (300, lambda _: True),
    "young": (50, lambda _: True),
    "hole": (240, lambda m: None if 50 <= m < 70 else m < 70),
    "hole_inside": (240, lambda m: None if 20 < m < 40 else m <= 60),
    "flapping": (240, lambda m: m % 60 <= 30),
    "recovered": (240, lambda m: 30 <= m <= 70),
    "blip": (240, lambda m: 40 <= m <= 52),
    "well": (240, lambda _: False),
    "still_going": (240, lambda m: m <= 20 or 60 <= m <= 90),
}


# Tokens of a prompt, tokens of an answer and requests per second: until 45 minutes ago, and since then.
TRAFFIC: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "longer_prompts": ((900, 300, 0.4), (20_000, 300, 0.2)),
    "longer_answers": ((900, 200, 0.4), (900, 900, 0.4)),
    "busier": ((900, 300, 0.4), (950, 320, 1.2)),
    "as_ever": ((900, 300, 0.4), (1200, 330, 0.45)),
    "fewer_get_done": ((900, 300, 0.4), (900, 300, 0.1)),
}


def build() -> dict[str, World]:
    """Every past by name."""
    names = (*PASTS, "reset", "silent", "config", "ksm_past", "skew", "queue", *TRAFFIC)
    worlds = {name: World(START - 100 * MONTH + i * MONTH) for i, name in enumerate(names)}
    for name, (minutes, bad) in PASTS.items():
        _cache(worlds[name], minutes, bad)
    for name, lengths in TRAFFIC.items():
        _traffic(worlds[name], *lengths)
    _reset(worlds["reset"])
    _silent(worlds["silent"])
    _config(worlds["config"])
    _skew(worlds["skew"])
    _cache(worlds["queue"], 240, PASTS["always"][1])
    # The cache has been full for long, and nobody waited until 40 minutes ago.
    told = ",".join(f'{key}="{value}"' for key, value in WHO.items())
    at = worlds["queue"].at
    worlds["queue"].series[f"vllm:num_requests_waiting{{{told}}}"] = [
        (at - m * MINUTE, 12.0 if m <= 40 else 0.0) for m in range(240, -1, -1)
    ]
    _cache(worlds["ksm_past"], 240, PASTS["forty"][1])
    _objects(worlds["ksm_past"])
    return worlds


def _cache(world: World, minutes: float, bad: Bad) -> None:
    """An engine whose cache is full and whose queue stands while it is bad; a neighbour with a look-alike name is the opposite."""
    near = {**WHO, "pod": POD.replace("-", ".")}

    def put(name: str, ill: float, well: float) -> None:
        for who, turned in ((WHO, False), (near, True)):
            told = ",".join(f'{key}="{value}"' for key, value in who.items())
            world.series[f"{name}{{{told}}}"] = [
                (world.at - m * MINUTE, ill if (state is True) != turned else well)
                for m in range(int(minutes), -1, -1)
                if (state := bad(m)) is not None
            ]

    put("vllm:kv_cache_usage_perc", 0.97, 0.4)
    put("vllm:num_requests_waiting", 12.0, 0.0)
    put("vllm:num_requests_running", 8.0, 2.0)
    # While it is bad, running requests are evicted: a symptom.
    preempted, told = 0.0, ",".join(f'{key}="{value}"' for key, value in WHO.items())
    points: list[tuple[float, float]] = []
    for m in range(int(minutes), -1, -1):
        state = bad(m)
        preempted += 6.0 if state else 0.0
        if state is not None:
            points.append((world.at - m * MINUTE, preempted))
    world.series[f"vllm:num_preemptions_total{{{told}}}"] = points
    world.counter("vllm:request_success_total", 0.2, over=minutes * MINUTE, **WHO, finished_reason="stop")


def _traffic(world: World, was: tuple[float, float, float], now: tuple[float, float, float]) -> None:
    """An engine that is ill since 40 minutes ago, whose traffic changed five minutes before."""
    _cache(world, 240, PASTS["forty"][1])
    told = ",".join(f'{key}="{value}"' for key, value in WHO.items())
    sums = {"request_prompt_tokens_sum": 0.0, "request_prompt_tokens_count": 0.0, "generation_tokens_total": 0.0}
    bound = f'vllm:request_prompt_tokens_bucket{{{told},le="+Inf"}}'
    points: dict[str, list[tuple[float, float]]] = {name: [] for name in (*sums, "success")}
    for m in range(240, -1, -1):
        prompt, answer, rate = now if m < 45 else was
        sums["request_prompt_tokens_count"] += rate * MINUTE
        sums["request_prompt_tokens_sum"] += rate * MINUTE * prompt
        sums["generation_tokens_total"] += rate * MINUTE * answer
        for name, value in (*sums.items(), ("success", sums["request_prompt_tokens_count"])):
            points[name].append((world.at - m * MINUTE, value))
    for name in sums:
        world.series[f"vllm:{name}{{{told}}}"] = points[name]
    world.series[bound] = points["request_prompt_tokens_count"]
    (done,) = [name for name in world.series if name.startswith("vllm:request_success_total")]
    world.series[done] = points["success"]


def _reset(world: World) -> None:
    """Preemptions since 40 minutes ago; before that the counter was reset once, and once again while they went on."""

    def preempted(before: float) -> float:
        m = before / MINUTE
        if m > 100:
            return 5000.0
        if m > 40:
            return 0.0
        grown = (40 - m) * 12.0
        return grown if m > 15 else grown - 25 * 12.0

    world.gauge("vllm:num_requests_running", 8, over=4 * HOUR, **WHO)
    world.gauge("vllm:num_preemptions_total", preempted, over=4 * HOUR, **WHO)
    world.counter("vllm:request_success_total", 0.2, over=4 * HOUR, **WHO, finished_reason="stop")


def _skew(world: World) -> None:
    """Two replicas that shared the load until 40 minutes ago; since then one holds nearly all of it."""
    for name, then, now, queue in ((POD, 30.0, 50.0, 4.0), (POD.replace("aaaaa", "bbbbb"), 30.0, 2.0, 0.0)):
        who = {**WHO, "pod": name}
        for metric, before, after in (("running", then, now), ("waiting", 0.0, queue)):
            world.gauge(f"vllm:num_requests_{metric}", lambda b, x=before, y=after: y if b <= 40 * MINUTE else x,
                        over=4 * HOUR, **who)  # fmt: skip
        world.gauge("vllm:kv_cache_usage_perc", 0.5, over=4 * HOUR, **who)


def _silent(world: World) -> None:
    """A node whose exporter fell silent 44 minutes ago, beside one that reports and one that is new."""
    for name, ago in (("n1", 44 * MINUTE), ("n2", 0.0)):
        world.gpu(f"GPU-{name}", gpu="0", Hostname=name, ago=ago, over=4 * HOUR, namespace="gpu-system", job="dcgm")
    world.gpu("GPU-n3", gpu="0", Hostname="n3", over=40 * MINUTE, namespace="gpu-system", job="dcgm")


def _config(world: World) -> None:
    """An engine that is ill since 40 minutes ago, and what changed around it as kube-state-metrics tells it."""
    _cache(world, 240, PASTS["forty"][1])
    _objects(world)
    for name, at in (("app-config", 45.0), ("other-config", 44.0)):
        world.gauge("kube_configmap_metadata_resource_version", lambda b, at=at: 7.0 if b <= at * MINUTE else 5.0,
                    over=4 * HOUR, namespace="team", configmap=name)  # fmt: skip
    world.gauge(
        "kube_configmap_metadata_resource_version", lambda b: b, over=4 * HOUR, namespace="team", configmap="app-lease"
    )
    world.gauge("kube_configmap_metadata_resource_version", lambda b: 3.0 if b <= 45 * MINUTE else 2.0,
                over=4 * HOUR, namespace="lab", configmap="app-config")  # fmt: skip


def _objects(world: World) -> None:
    who = {"namespace": "team", "deployment": "app"}
    world.gauge("kube_deployment_spec_replicas", lambda b: 1.0 if b <= 52 * MINUTE else 3.0, over=4 * HOUR, **who)
    world.gauge(
        "kube_deployment_metadata_generation",
        lambda b: 9.0 if b <= 47 * MINUTE else 8.0 if b <= 52 * MINUTE else 7.0,
        over=4 * HOUR,
        **who,
    )
    world.gauge("kube_deployment_spec_replicas", lambda b: b // 600, over=4 * HOUR, namespace="lab", deployment="app")
    for node, at in (("n1", 49.0), ("n9", 41.0)):
        world.gauge(
            "kube_node_spec_unschedulable",
            lambda b, at=at: 1.0 if b <= at * MINUTE else 0.0,
            over=4 * HOUR,
            node=node,
        )
    pod = {"namespace": "team", "pod": POD}
    world.gauge("kube_pod_info", 1, over=4 * HOUR, **pod, node="n1", created_by_kind="ReplicaSet",
                created_by_name="app-6c8d9f7b5")  # fmt: skip
    world.gauge("kube_pod_status_phase", 1, over=4 * HOUR, **pod, phase="Running")
    world.gauge("kube_pod_status_ready", 1, over=4 * HOUR, **pod, condition="true")
