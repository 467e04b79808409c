"""The serving model of one engine process.

Requests wait for the host (tokenising), then for a place in the batch and in the KV cache, are prefilled in
chunks and decoded together. How long an engine step takes follows from the roofline of the GPU and from the
host work that the step needs; how much host work is done follows from the CPU limit. A step of the model
covers many engine steps; requests keep their own times.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from evals.fleet.host import Host
from evals.fleet.startup import BLOCK, Config
from evals.fleet.stats import Stats
from evals.fleet.traffic import Floats

# Columns of a request.
ARRIVED, PROMPT, ANSWER, LOGPROBS, QUEUED, SCHEDULED, FIRST, DONE, LEFT, AGAIN = range(10)
WIDTH = 10
Row = list[float]
MFU, MBU = 0.45, 0.62


class Activity:
    """What the GPUs of a replica did in a step: shares of the time between 0 and 1, and bytes per second.

    ``link`` goes over NVLink, ``pcie`` both ways over PCIe, ``fetched`` from the host over PCIe.
    """

    __slots__ = ("busy", "dram", "fetched", "link", "pcie", "tensor")

    def __init__(
        self,
        busy: float = 0.0,
        tensor: float = 0.0,
        dram: float = 0.0,
        pcie: float = 0.0,
        link: float = 0.0,
        fetched: float = 0.0,
    ):
        """All zero: nothing ran."""
        self.busy, self.tensor, self.dram, self.pcie, self.link = busy, tensor, dram, pcie, link
        self.fetched = fetched


class Engine:
    """One replica's engine. ``step`` moves it.

    ``stats`` holds what it has counted, ``activity`` what its GPUs did.
    """

    def __init__(self, config: Config, cpu_limit: float | None, shared_prefix: float) -> None:
        """Start empty. ``cpu_limit`` is in cores, None for no limit.

        ``shared_prefix`` is the share of prompts in common.
        """
        self.config = config
        self.host = Host(cpu_limit, config.tp)
        self.stats = Stats(config.max_model_len)
        self.activity = Activity()
        self.running = np.empty((0, WIDTH))
        self.waiting: deque[Row] = deque()
        self.hit = shared_prefix if config.prefix_caching else 0.0
        self.overflowed = False
        self.clocks = 1.0  # the share of the full clock at which its slowest GPU runs
        self._interval = 0.02
        self._front: deque[Row] = deque()
        self._shared = 0.0

    # ------------------------------------------------------------------ what is seen from outside

    @property
    def kv_used(self) -> float:
        """Tokens of the KV cache in use, whole blocks."""
        if not len(self.running):
            return 0.0
        return min(self._demand(), float(self.config.kv_tokens))

    @property
    def kv_usage(self) -> float:
        """Share of the KV cache in use, 0 to 1."""
        return self.kv_used / self.config.kv_tokens if self.config.kv_tokens else 0.0

    @property
    def load(self) -> int:
        """Requests anywhere in the process; what a least-requests router sees."""
        return len(self.running) + len(self.waiting) + len(self._front)

    # ------------------------------------------------------------------ one step

    def step(self, at: float, dt: float, arrivals: Floats, patience: float) -> None:
        """Move from ``at`` to ``at + dt`` with rows of arrivals (see Arrivals.draw)."""
        if not self.load and not len(arrivals):
            self.host.rest(dt)
            self.activity = Activity()
            return
        end = at + dt
        self._tokenise(at, dt, arrivals)
        self._admit(at, end)
        busy, tokens = self._compute(at, dt)
        self.host.spend(dt, busy, tokens)
        preempted = self._preempt()
        self._give_up(end, patience)
        if not preempted:
            self._admit(end, end)

    def _tokenise(self, at: float, dt: float, arrivals: Floats) -> None:
        if not self._front and not len(arrivals):
            self.host.free_at = max(at, self.host.free_at)
            self.host.offered = 0.0
            return
        longest = self.config.max_model_len
        for arrived, asked, wished, logprobs in arrivals.tolist():
            prompt = min(asked, longest - 1.0)
            answer = max(1.0, min(wished, longest - prompt))
            self._front.append([arrived, prompt, answer, logprobs, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
        clock = max(at, self.host.free_at)
        speed = self.host.speed
        offered = 0.0
        while self._front:
            row = self._front[0]
            work = self.host.tokenising(row[PROMPT])
            begin = max(clock, row[ARRIVED])
            done = begin + work / speed
            if begin >= at + dt:
                break
            clock = done
            offered += work
            row[QUEUED] = done
            self.waiting.append(self._front.popleft())
        self.host.free_at = clock
        backlog = sum(self.host.tokenising(row[PROMPT]) for row, _ in zip(self._front, range(64), strict=False))
        self.host.offered = (offered + min(backlog, dt)) / dt

    def _admit(self, at: float, end: float) -> None:
        if not self.waiting or self.waiting[0][QUEUED] > end:
            return
        config = self.config
        room = config.kv_tokens - self.kv_used
        slots = config.max_num_seqs - len(self.running)
        fresh: list[Row] = []
        while self.waiting and slots > 0:
            row = self.waiting[0]
            if row[QUEUED] > end:
                break
            whole = row[PROMPT] + row[DONE]
            need = math.ceil((whole - row[PROMPT] * self.hit) / BLOCK) * BLOCK
            if not len(self.running) and not fresh:
                self._shared = self.hit * row[PROMPT]
                room -= self._shared
            if need > room and (fresh or len(self.running)):
                break
            self.waiting.popleft()
            room -= need
            slots -= 1
            if not row[SCHEDULED]:
                row[SCHEDULED] = max(at, row[QUEUED])
                self.stats.prefix(row[PROMPT], row[PROMPT] * self.hit)
                row[LEFT] = max(1.0, row[PROMPT] * (1 - self.hit))
            else:
                row[AGAIN] = max(at, row[QUEUED])
                row[LEFT] = max(1.0, whole - row[PROMPT] * self.hit)
            if row[LOGPROBS] and self._activation_overflows(row[PROMPT]):
                self.overflowed = True
            fresh.append(row)
        if fresh:
            new = np.array(fresh)
            self.running = np.concatenate([self.running, new]) if len(self.running) else new

    def _activation_overflows(self, prompt: float) -> bool:
        # Logits of a whole prompt chunk in 16 and twice 32 bits: the profiling run never saw them.
        config = self.config
        tokens = min(prompt, config.max_batched_tokens)
        return bool(tokens * config.model.vocab * 10 > config.gpu.total - config.resident + config.activation)

    def _compute(self, at: float, dt: float) -> tuple[float, float]:
        """Prefill and decode; returns the share of time with work and the tokens that were generated."""
        config, rows = self.config, self.running
        if not len(rows):
            self.activity = Activity()
            return 0.0, 0.0
        end = at + dt
        begin = np.minimum(np.maximum(np.maximum(rows[:, SCHEDULED], rows[:, AGAIN]), at), end)
        residency = np.minimum(end - begin, (rows[:, ANSWER] - rows[:, DONE]) * self._interval + 1e-3) / dt
        mean_batch = float(np.add.reduce(residency))
        occupied = min(1.0, 1 - math.exp(-mean_batch)) if mean_batch < 4 else 1.0
        batch = mean_batch / occupied if occupied else 0.0
        context = (self.kv_used / max(1, len(rows))) * batch
        decode = self._decode_seconds(batch, context) / self.clocks**0.7
        hosted = self.host.step_seconds(batch)
        # Prefill: chunks ride along with the decode batch until the pending tokens are done.
        todo = (rows[:, LEFT] > 0).nonzero()[0]
        pending = float(np.add.reduce(rows[todo, LEFT])) if len(todo) else 0.0
        per_token = 2 * config.model.active / (config.tp * config.gpu.flops * MFU * self.clocks)
        chunk = max(16.0, min(config.max_batched_tokens - batch, pending / max(1.0, math.ceil(pending / 4096))))
        stretch = self.host.stretch
        long = (decode + chunk * per_token + hosted) * stretch
        short = (decode + hosted) * stretch
        rate = chunk / long
        lasted = min(dt, pending / rate) if pending else 0.0
        prefilled = lasted * rate
        slow, quick = lasted / long, (dt - lasted) * occupied / short
        progress = lasted / long + (dt - lasted) / short  # tokens that one sequence gains in the step
        self._interval = dt / progress
        if len(todo):
            self._prefill(todo, at, end, rate)
        tokens = self._decode(at, dt, progress, filling=bool(len(todo)))
        started = float(batch) * slow
        if started:
            self.stats.itl.one(long, started)
            self.stats.iteration.one(batch + chunk, slow)
        if tokens > started:
            self.stats.itl.one(short, tokens - started)
        if quick:
            self.stats.iteration.one(max(1.0, batch), quick)
        computed = slow * (decode + chunk * per_token) + quick * decode
        work = slow + quick
        read = work * (config.weights_per_gpu + context * config.kv_bytes_per_token / config.tp)
        flops = 2 * config.model.active * (prefilled + tokens) / config.tp
        swapped = 0.0 if config.tp == 1 else 4 * config.model.layers * config.model.hidden * (prefilled + tokens) / dt
        self.activity = Activity(
            busy=min(1.0, (computed + 0.5 * work * hosted) / dt),
            tensor=min(0.9, flops / (config.gpu.flops * dt) * 1.15),
            dram=min(
                0.92,
                (read + prefilled * config.model.hidden * config.model.layers * 40) / (config.gpu.bandwidth * dt),
            ),
            pcie=(prefilled * 8 + tokens * 400) / dt + work / dt * 60_000 + swapped * (not config.linked),
            link=swapped * config.linked,
            fetched=work / dt * config.offload,
        )
        return min(1.0, (slow * long + quick * short) / dt), tokens

    def _decode_seconds(self, batch: float, context: float) -> float:
        config = self.config
        read = config.weights_per_gpu + context * config.kv_bytes_per_token / config.tp
        math_time = 2 * config.model.active * batch / (config.tp * config.gpu.flops * MFU)
        reduce = 0.0
        if config.tp > 1:
            wire = 300e9 if config.linked else 18e9
            reduce = 2 * config.model.layers * (9e-6 + 2 * batch * config.model.hidden * 2 / wire)
        launch = config.model.layers * (60e-6 if config.eager else 6e-6)
        return max(read / (config.gpu.bandwidth * MBU), math_time) + reduce + launch + config.offload / config.gpu.wire

    def _prefill(
        self, todo: np.ndarray[tuple[int, ...], np.dtype[np.intp]], at: float, end: float, rate: float
    ) -> None:
        clock = at
        rows = self.running
        for index in todo.tolist():
            row: Row = rows[index].tolist()
            clock = max(clock, row[SCHEDULED], row[AGAIN])
            if clock >= end:
                break
            done = clock + row[LEFT] / rate
            if done > end:
                rows[index, LEFT] = row[LEFT] - (end - clock) * rate
                break
            clock = done
            rows[index, LEFT] = 0.0
            if row[FIRST]:
                rows[index, AGAIN] = done
            else:
                first = done + self._interval
                rows[index, FIRST] = first
                rows[index, DONE] = row[DONE] + 1.0
                self.stats.prompt_tokens += row[PROMPT]
                self.stats.generation_tokens += 1.0
                self.stats.ttft.one(first - row[ARRIVED])

    def _decode(self, at: float, dt: float, progress: float, *, filling: bool) -> float:
        """`filling` says that some row may still have a part of its prompt to prefill."""
        rows = self.running
        end = at + dt
        since = np.minimum(np.maximum(np.maximum(rows[:, FIRST], rows[:, AGAIN]), at), end)
        gained = progress * (end - since) / dt
        if filling:
            gained[rows[:, LEFT] > 0] = 0.0
        missing = rows[:, ANSWER] - rows[:, DONE]
        over = gained >= missing
        gained = np.minimum(gained, missing)
        rows[:, DONE] += gained
        tokens = float(np.add.reduce(gained))
        self.stats.generation_tokens += tokens
        if filling:
            over &= rows[:, LEFT] <= 0
        if over.any():
            last = np.minimum(end, since[over] + gained[over] * dt / progress)
            self.stats.finish(rows[over], last)
            self.running = rows[~over]
        return tokens

    def _preempt(self) -> int:
        count = 0
        # No request is longer than the longest sequence: as long as that many fit, nobody has to make room.
        longest = math.ceil(self.config.max_model_len / BLOCK) * BLOCK
        if len(self.running) * longest + self._shared <= self.config.kv_tokens:
            return 0
        while len(self.running) > 1 and self._demand() > self.config.kv_tokens:
            row: Row = self.running[-1].tolist()
            self.running = self.running[:-1]
            self.waiting.appendleft(row)
            count += 1
        self.stats.preemptions += count
        return count

    def _demand(self) -> float:
        rows = self.running
        own = rows[:, PROMPT] * (1 - self.hit) + rows[:, DONE]
        # Whole numbers add up exactly, in whatever order.
        return float(np.add.reduce(np.ceil(np.maximum(own, 1) / BLOCK))) * BLOCK + self._shared

    def _give_up(self, now: float, patience: float) -> None:
        # Clients hang up; the engine aborts what still waits. Oldest arrivals stand in front.
        for queue in (self._front, self.waiting):
            while queue and now - queue[0][ARRIVED] > patience:
                queue.popleft()
                self.stats.aborted += 1
