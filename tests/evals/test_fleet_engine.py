"""The serving model: what goes in comes out, and causes have their effects in the right direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from evals.fleet.engine import Engine
from evals.fleet.recipe import Lengths, Traffic, Workload
from evals.fleet.startup import Config, resolve
from evals.fleet.traffic import Arrivals, lengths, rate

SMALL = "meta-llama/Llama-3.1-8B-Instruct"
CODER = "Qwen/Qwen2.5-Coder-7B-Instruct"


@dataclass
class Run:
    engine: Engine
    arrived: int
    busy: float
    waiting: float
    peak_usage: float


def serve(
    traffic: Traffic, gpu: str = "l4", model: str = SMALL, limit: float | None = None, dt: float = 2.0, **args: Any
) -> Run:
    """Ten minutes of one replica; averages are over the last five."""
    workload = Workload(namespace="a", name="b", model=model, args={"max-model-len": 8192, **args}, traffic=traffic)
    engine = Engine(resolve(workload, gpu), limit, traffic.shared_prefix)
    stream = Arrivals(np.random.default_rng(5))
    arrived, busy, waiting, peak, steps = 0, 0.0, 0.0, 0.0, 0
    for number in range(int(600 / dt)):
        rows = stream.draw(traffic, number * dt, dt, 0)
        arrived += len(rows)
        engine.step(number * dt, dt, rows, traffic.patience)
        peak = max(peak, engine.kv_usage)
        if number * dt >= 300:
            steps += 1
            busy += engine.activity.busy
            waiting += engine.load - len(engine.running)
    engine.stats.settle()
    return Run(engine, arrived, busy / steps, waiting / steps, peak)


CHAT = Traffic(rate=1.6, prompt=Lengths(mean=1100, sigma=0.5), answer=Lengths(mean=220, sigma=0.4))


@pytest.mark.parametrize("traffic", [CHAT, Traffic(rate=0.2), Traffic(rate=6.0, patience=20)])
def test_every_request_ends_is_aborted_or_is_still_there(traffic: Traffic) -> None:
    run = serve(traffic)
    stats = run.engine.stats
    assert stats.stopped + stats.aborted + run.engine.load == run.arrived
    assert stats.e2e.count == stats.queue.count == stats.stopped
    assert stats.ttft.count >= stats.stopped


def test_tokens_are_conserved() -> None:
    run = serve(Traffic(rate=0.5, prompt=Lengths(mean=300, sigma=0), answer=Lengths(mean=50, sigma=0)))
    stats = run.engine.stats
    begun = stats.ttft.count
    assert stats.prompt_tokens == 300 * begun
    assert 50 * stats.stopped <= stats.generation_tokens <= 50 * begun + 1e-6
    assert stats.prompt_size.total == 300 * stats.stopped
    # Every token but each request's first has an interval before it.
    assert stats.itl.count + begun == pytest.approx(stats.generation_tokens, rel=0.05)


def test_the_cache_is_never_overfull_and_more_of_it_means_less_queue() -> None:
    tight = serve(CHAT, **{"gpu-memory-utilization": 0.84})
    roomy = serve(CHAT, **{"kv-cache-dtype": "fp8"})
    assert tight.engine.config.kv_tokens < roomy.engine.config.kv_tokens
    assert tight.peak_usage <= 1.0
    assert tight.peak_usage > 0.97
    assert tight.waiting > 3 * roomy.waiting + 5
    assert tight.engine.stats.preemptions > roomy.engine.stats.preemptions
    assert tight.engine.stats.ttft.total > roomy.engine.stats.ttft.total


def test_the_batch_never_passes_its_limit() -> None:
    run = serve(CHAT, **{"max-num-seqs": 4})
    assert len(run.engine.running) == 4
    assert run.waiting > 10
    assert run.engine.kv_usage < 0.9


def test_a_cpu_limit_throttles_and_lifting_it_makes_the_gpu_busier() -> None:
    typing = Traffic(
        rate=9, prompt=Lengths(mean=3500, sigma=0.3), answer=Lengths(mean=36, sigma=0.3), shared_prefix=0.9
    )
    bound = serve(typing, gpu="a100", model=CODER, limit=0.7)
    free = serve(typing, gpu="a100", model=CODER)
    plenty = serve(typing, gpu="a100", model=CODER, limit=16.0)
    assert bound.engine.host.throttled_periods / bound.engine.host.periods > 0.9
    assert plenty.engine.host.throttled_periods / plenty.engine.host.periods < 0.01
    assert free.engine.host.periods == 0
    assert bound.busy < 0.65 < free.busy
    assert bound.engine.host.used_seconds == pytest.approx(420, rel=0.05)
    assert bound.engine.stats.ttft.total / bound.engine.stats.ttft.count > 5 * (
        free.engine.stats.ttft.total / free.engine.stats.ttft.count
    )
    # The queue of the engine itself stays short: what waits, waits for the tokeniser.
    assert bound.engine.stats.queue.total / bound.engine.stats.queue.count < 0.5


def test_longer_context_and_bigger_batches_make_steps_slower() -> None:
    light = serve(Traffic(rate=0.1, prompt=Lengths(mean=100)))
    heavy = serve(CHAT)
    pace = [run.engine.stats.itl.total / run.engine.stats.itl.count for run in (light, heavy)]
    assert pace[0] < pace[1]
    # Batch 1 on an L4 cannot beat reading 16 GB of weights at 300 GB/s for each token.
    assert pace[0] > light.engine.config.weights_per_gpu / 300e9


def test_two_ranks_are_faster_than_one_and_hold_half_the_weights() -> None:
    one = serve(Traffic(rate=0.5), gpu="a100")
    two = serve(Traffic(rate=0.5), gpu="a100", **{"tensor-parallel-size": 2})
    assert two.engine.config.weights_per_gpu < 0.55 * one.engine.config.weights_per_gpu
    assert (
        two.engine.stats.itl.total / two.engine.stats.itl.count
        < one.engine.stats.itl.total / one.engine.stats.itl.count
    )
    assert two.engine.host.used_seconds > one.engine.host.used_seconds


def test_the_step_length_changes_little() -> None:
    fine, coarse = serve(CHAT, dt=1.0), serve(CHAT, dt=4.0)
    assert coarse.engine.stats.stopped == pytest.approx(fine.engine.stats.stopped, rel=0.15)
    assert coarse.busy == pytest.approx(fine.busy, abs=0.05)


def test_prefix_cache_hits_follow_the_shared_prefix() -> None:
    shared = serve(Traffic(rate=1, prompt=Lengths(mean=800), shared_prefix=0.5)).engine.stats
    off = serve(
        Traffic(rate=1, prompt=Lengths(mean=800), shared_prefix=0.5), **{"no-enable-prefix-caching": True}
    ).engine.stats
    assert shared.prefix_hits / shared.prefix_queries == pytest.approx(0.5, abs=0.03)
    assert off.prefix_hits == 0


def test_prompt_logprobs_of_long_prompts_overflow_and_short_ones_do_not() -> None:
    short = Traffic(rate=1, prompt=Lengths(mean=60, sigma=0.2), prompt_logprobs=1.0)
    long = Traffic(rate=1, prompt=Lengths(mean=2500, sigma=0.2), prompt_logprobs=1.0)
    assert not serve(short).engine.overflowed
    assert serve(long).engine.overflowed


def test_an_idle_engine_does_nothing() -> None:
    run = serve(Traffic(rate=0))
    assert run.arrived == 0
    assert run.busy == 0
    assert run.engine.stats.generation_tokens == 0
    assert run.engine.kv_usage == 0
    assert run.engine.host.used_seconds < 100


def config(gpu: str, model: str, **args: Any) -> Config:
    return resolve(Workload(namespace="a", name="b", model=model, args=args), gpu)


def test_the_memory_rule_gives_known_sizes() -> None:
    # 8B in 16 bits takes 14.96 GiB and 128 KiB a token; an L4 is left with about 30k tokens.
    small = config("l4", SMALL)
    assert small.weights_per_gpu / 2**30 == pytest.approx(14.96, abs=0.01)
    assert small.kv_bytes_per_token == 128 * 1024
    assert 25_000 < small.kv_tokens < 40_000
    # Four H100 hold a 70B in 16 bits with hundreds of thousands of tokens.
    large = config("h100", "meta-llama/Llama-3.3-70B-Instruct", **{"tensor-parallel-size": 4})
    assert 350_000 < large.kv_tokens < 550_000
    assert (large.max_num_seqs, large.max_batched_tokens) == (1024, 8192)
    assert (config("a100", SMALL).max_num_seqs, config("a100", SMALL).max_batched_tokens) == (256, 2048)
    assert config("h100", "meta-llama/Llama-3.3-70B-Instruct").kv_blocks == 0


def test_rates_follow_points_ramps_and_bursts() -> None:
    traffic = Traffic.model_validate({"rate": 2, "points": [{"at": "-10m", "factor": 3, "ramp": "5m"}]})
    assert [rate(traffic, at, 1000) for at in (0, 399, 550, 700, 999)] == [2, 2, 4, 6, 6]
    burst = Traffic.model_validate({"rate": 1, "burst": {"every": "10m", "lasts": "1m", "factor": 5}})
    assert rate(burst, 30, 0) == 5
    assert rate(burst, 90, 0) == 1


def test_lengths_have_the_mean_that_was_asked_for() -> None:
    drawn = lengths(Lengths(mean=500, sigma=0.6), 20_000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(500, rel=0.03)
    assert drawn.min() >= 1
    assert lengths(Lengths(mean=500, most=600), 1000, np.random.default_rng(1)).max() == 600
