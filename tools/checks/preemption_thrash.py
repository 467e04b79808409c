"""The engine keeps evicting running requests and computing them again.

## What it means
When the KV cache runs out in the middle of decoding, the scheduler drops a running sequence and later recomputes it from
its prompt (SGLang says that it retracts). A few of these are harmless; a steady stream means that more was admitted than the cache can hold. Where more requests are
thrown out than finish, this is the cause, and the full cache with its queue the symptom.

## Why it hurts
The same tokens are computed twice, so throughput falls while the GPU is busy, and the tail of every latency grows.

## What would rule it out
Preemptions that stopped, or that are rare beside the requests that finish.
"""

from dataclasses import replace

from tools import engine_changes
from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because
from tools.engines import Key
from tools.finding import Change, Remedy
from tools.signals import KV_USAGE, MAX_NUM_SEQS, POD_READY, PREEMPTIONS, REQUESTS_FINISHED, REQUESTS_RUNNING
from tools.vocabulary import retractions
from tools.vocabulary.retractions import LOG_RETRACTED

# A full cache mostly causes preemptions.
_FULL = ("kv_saturation_queueing", "kv_memory_cliff")

COUNT = PREEMPTIONS.increase("10m")
NOW = PREEMPTIONS.rate("5m")
DONE = REQUESTS_FINISHED.increase("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when preemptions go on and are many beside what finishes."""
    by_log = _by_log(now, limits) if now.get(COUNT) is None else None
    if by_log is not None:
        return by_log
    count = now.total(COUNT)
    if count.number < limits["preemptions"]:
        return None
    rate = now.total(NOW)
    if rate.number <= 0:
        return None
    done = now.total(DONE)
    if count.number < limits["share"] * done.number:
        return None
    found = because(
        "{count} in 10 min while {done} finished, and they go on at {rate}.",
        now.get(KV_USAGE.avg("10m")),
        count=count,
        done=done,
        rate=rate,
    )
    # Each request that finishes was thrown out once at least: what was admitted is the trouble, and the full cache its other face.
    return replace(found, outranks=_FULL) if count.number >= limits["thrash"] * done.number else found


def _by_log(now: Now, limits: Limits) -> Because | None:
    """A ready replica whose metrics do not count what it takes back, and whose log does."""
    lines = now.each(LOG_RETRACTED.now) if now.get(LOG_RETRACTED.now) is not None else ()
    for line in lines:
        ready, told = now.of(line.subject, POD_READY.now), retractions.told(line.text)
        if told is None or ready is None or not ready.number:
            continue
        _, times, seconds = told
        # A log of a few seconds proves no rate.
        if times > limits["per_minute"] * max(seconds, limits["least"]) / 60:
            found = because(
                "{line_of} takes back what it has begun; its log says: {line}", now.get(KV_USAGE.avg("10m")), line=line
            )
            # It admits by a guess at how long answers become: where it guesses wrong, the full cache is what follows.
            return replace(found, outranks=_FULL)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Admit fewer sequences, or make room for those admitted."""
    running, cap = now.get(REQUESTS_RUNNING.now), now.get(MAX_NUM_SEQS.now)
    change = None
    if cap is not None and running is not None and cap.number > 16:
        change = engine_changes.change(
            now, Key.MAX_NUM_SEQS, MAX_NUM_SEQS.now, f"{max(16, int(cap.number * 0.75) // 8 * 8)}"
        )
    verify = "Preemptions stand still over 10 min while throughput holds."
    lines = now.get(LOG_RETRACTED.now)
    careful: tuple[Remedy, ...] = ()
    if lines is not None and retractions.told(lines.text) is not None:
        careful = (
            Remedy(
                "Let SGLang count on longer answers when it admits: `--schedule-conservativeness 1.3`; and let callers send the max_tokens that they"
                " need, no more.",
                Change("--schedule-conservativeness", "1.0, the default, where it is not set", "1.3"),
                "The line appears at most once a minute, and token usage stays above 0.9.",
                ("serving/preemption",),
            ),
        )
    return (
        *careful,
        Remedy(
            "Admit fewer sequences at once: those that run then finish without being computed twice.",
            change,
            verify,
            ("serving/preemption",),
        ),
        Remedy(
            "Make room in the KV cache or add a replica, as for a full cache.",
            verify=verify,
            cites=("serving/kv-cache",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(COUNT, NOW, DONE),
    helps=(
        KV_USAGE.avg("10m"),
        REQUESTS_RUNNING.now,
        MAX_NUM_SEQS.now,
        LOG_RETRACTED.now,
        POD_READY.now,
        *engine_changes.HELPS,
    ),
    limits={
        "preemptions": Limit(10, "preemptions", "one a minute; below that it is noise"),
        "share": Limit(0.05, "ratio", "preemptions per finished request; a heuristic starting point"),
        "per_minute": Limit(
            1, "times", "SGLang's own guide: about once a minute is in order, more often asks for care"
        ),
        "least": Limit(120, "seconds", "two minutes of a log at least: three lines in a row prove no rate"),
        "thrash": Limit(
            1, "ratio", "a preemption per finished request: more is computed anew than is brought to its end"
        ),
    },
    fires=fires,
    explains=(
        Explains("ttft_breach_queueing"),
        Explains("itl_breach_batch_too_large"),
        Explains("head_of_line_blocking"),
        Explains("abort_spike"),
        Explains("overload_rejections"),
    ),
    remedies=remedies,
    pages=("serving/preemption", "serving/kv-cache"),
    owner="ml platform",
)
