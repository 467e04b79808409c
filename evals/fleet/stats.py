"""What one engine has counted since it started."""

from __future__ import annotations

import numpy as np

from evals.fleet.histogram import ITERATION, LATENCY, PARAMS_N, TPOT, TTFT, Histogram, one_two_five
from evals.fleet.traffic import Floats


class Stats:
    """Counters and histograms under vLLM's names; a restart makes a new one."""

    def __init__(self, max_model_len: int) -> None:
        """All zero; length histograms have the buckets that the longest sequence gives."""
        sizes = one_two_five(max_model_len)
        self.ttft = Histogram("vllm:time_to_first_token_seconds", TTFT)
        self.itl = Histogram("vllm:inter_token_latency_seconds", TPOT)
        self.tpot_old = Histogram("vllm:time_per_output_token_seconds", TPOT)
        self.tpot = Histogram("vllm:request_time_per_output_token_seconds", TPOT)
        self.e2e = Histogram("vllm:e2e_request_latency_seconds", LATENCY)
        self.queue = Histogram("vllm:request_queue_time_seconds", LATENCY)
        self.prefill = Histogram("vllm:request_prefill_time_seconds", LATENCY)
        self.decode = Histogram("vllm:request_decode_time_seconds", LATENCY)
        self.inference = Histogram("vllm:request_inference_time_seconds", LATENCY)
        self.prompt_size = Histogram("vllm:request_prompt_tokens", sizes)
        self.answer_size = Histogram("vllm:request_generation_tokens", sizes)
        self.answer_most = Histogram("vllm:request_max_num_generation_tokens", sizes)
        self.params_n = Histogram("vllm:request_params_n", PARAMS_N)
        self.iteration = Histogram("vllm:iteration_tokens_total", ITERATION)
        self.prompt_tokens = 0.0
        self.generation_tokens = 0.0
        self.prefix_queries = 0.0
        self.prefix_hits = 0.0
        self.preemptions = 0.0
        self.stopped = 0.0
        self.aborted = 0.0
        self._ended: list[tuple[Floats, Floats]] = []

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """All of them, in the order of the exposition."""
        return (
            self.prompt_size,
            self.answer_size,
            self.iteration,
            self.answer_most,
            self.params_n,
            self.ttft,
            self.tpot_old,
            self.itl,
            self.tpot,
            self.e2e,
            self.queue,
            self.inference,
            self.prefill,
            self.decode,
        )

    @property
    def finished(self) -> float:
        """Requests that ended with an answer."""
        return self.stopped

    def prefix(self, asked: float, found: float) -> None:
        """Count a prompt's tokens that the prefix cache was asked for, and those that it held (whole
        blocks).
        """
        self.prefix_queries += asked
        self.prefix_hits += found // 16 * 16

    def finish(self, rows: Floats, last: Floats) -> None:
        """Observe requests (rows of the engine) that got their last token at ``last``."""
        self.stopped += len(rows)
        self._ended.append((rows, last))

    def settle(self) -> None:
        """Put the requests that ended into the histograms; whoever reads these calls it first."""
        if not self._ended:
            return
        rows = np.concatenate([rows for rows, _ in self._ended])
        last = np.concatenate([last for _, last in self._ended])
        self._ended = []
        arrived, queued, scheduled, first = rows[:, 0], rows[:, 4], rows[:, 5], rows[:, 6]
        last = np.maximum(last, first)
        self.e2e.observe(last - arrived)
        self.queue.observe(np.maximum(0.0, scheduled - queued))
        self.prefill.observe(np.maximum(0.0, first - scheduled))
        self.decode.observe(last - first)
        self.inference.observe(np.maximum(0.0, last - scheduled))
        self.prompt_size.observe(rows[:, 1])
        self.answer_size.observe(rows[:, 2])
        self.answer_most.observe(rows[:, 2])
        self.params_n.observe(np.ones(len(rows)))
        several = rows[:, 2] > 1
        self.tpot.observe((last - first)[several] / (rows[several, 2] - 1))

    def age(self, factor: float) -> None:
        """Pretend that the same had gone on ``factor`` times as long, so that an old pod has old counters."""
        self.settle()
        for histogram in self.histograms:
            histogram.grow(factor)
        for name in (
            "prompt_tokens",
            "generation_tokens",
            "prefix_queries",
            "prefix_hits",
            "preemptions",
            "stopped",
            "aborted",
        ):
            setattr(self, name, float(round(getattr(self, name) * factor)))
