"""Requests wait for their adapter, not for room.

## What it means
More adapters are asked for than one batch may hold. The engine passes over the requests of the others, although the cache and the batch have
room, until an adapter has none left that runs.

## Why it hurts
Adapters are loaded and dropped in turns, and requests of the rarer ones starve.

## What would rule it out
A full KV cache, a batch at its limit of sequences, a free slot for adapters, or as many adapters asked for as fit. Requests that an engine
without adapters defers await something else, such as a transfer of their cache.
"""

from tools.adapter_slots import ASKS, Crowd, crowded, in_use, most
from tools.check import Applies, Because, Check, Explains, Limit, Limits, NothingToSee, Now, On, Unseen, because
from tools.checks import concurrency_cap_below_kv
from tools.engines import Key, flag
from tools.finding import Change, Remedy
from tools.reading import Blind, Reading, Subject
from tools.signals import KV_USAGE, MAX_NUM_SEQS, REQUESTS_RUNNING, REQUESTS_WAITING
from tools.vocabulary.adapters import ADAPTER_SLOTS, ADAPTERS, POOL_SLOTS
from tools.vocabulary.configuration import ENGINE_NAME
from tools.vocabulary.outcomes import DEFERRED

HELD = DEFERRED.avg("10m")
FULL = KV_USAGE.avg("10m")
RUNNING = REQUESTS_RUNNING.avg("10m")
WAITING = REQUESTS_WAITING.min("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when requests stay deferred while cache and batch have room; by the adapters in flight where nobody counts the deferred."""
    if now.get(HELD) is None:
        return _by_adapters(now, limits)
    held = now.total(HELD)
    if held.number < limits["deferred"] or in_use(now) is False:
        return None
    full = now[FULL]
    if full.number >= limits["room"]:
        return None
    holding = [one.subject for one in now.each(HELD) if one.number]
    if all(_at_its_limit(now, replica, limits) for replica in holding):
        return None
    found = [crowded(now, replica, limits) for replica in holding]
    if not any(found):
        return None  # all adapters that are asked for have a slot: something else is awaited
    crowd = next((one for one in found if isinstance(one, Crowd)), None)
    if crowd is None or crowd.asked is None:
        return because(
            "{held} stay deferred on average over 10 min, with the KV cache {full} full.",
            now.get(REQUESTS_WAITING.now),
            held=held,
            full=full,
        )
    return because(
        "{held} stay deferred on average over 10 min, with the KV cache {full} full: {asked} are asked for, and a batch has {slots}"
        " for them.",
        now.get(REQUESTS_WAITING.now),
        held=held,
        full=full,
        asked=crowd.asked,
        slots=crowd.slots,
    )


def _by_adapters(now: Now, limits: Limits) -> Because | None:
    """The same of an engine that does not count what it defers: a queue that stands, room, and more adapters than slots."""
    serves = in_use(now)
    if serves is None:
        now.each(HELD)  # says why it cannot be seen
    if not serves:
        raise NothingToSee("it serves no adapters")
    unseen: Reading | None = None
    for waiting in now.each(WAITING):
        if waiting.number < limits["waiting"]:
            continue
        replica = waiting.subject
        full = now.of(replica, FULL) or now[FULL]
        if full.number >= limits["room"] or _at_its_limit(now, replica, limits):
            continue
        found = crowded(now, replica, limits)
        if isinstance(found, Blind):
            unseen = unseen or _why(now, replica, found)
        elif found is not None:
            return _told(now, waiting, full, found)
    if unseen is not None:
        raise Unseen(unseen)
    return None


def _told(now: Now, waiting: Reading, full: Reading, crowd: Crowd) -> Because:
    also = (now.of(waiting.subject, RUNNING), now.of(waiting.subject, MAX_NUM_SEQS.now))
    queue = "{waiting_of} never had fewer than {waiting} in its queue over 5 min, with the KV cache {full} full: "
    if crowd.asked is not None:
        said = queue + "{asked} are asked for, and a batch has {slots} for them."
        return because(said, *also, waiting=waiting, full=full, asked=crowd.asked, slots=crowd.slots)
    assert crowd.taken is not None
    said = queue + "{taken} of the {slots} that a batch has for adapters are taken."
    return because(said, *also, waiting=waiting, full=full, taken=crowd.taken, slots=crowd.slots)


def _at_its_limit(now: Now, replica: Subject, limits: Limits) -> bool:
    """Whether a replica runs as many sequences as it may: no slot for adapters would let one more of them run."""
    cap = now.of(replica, MAX_NUM_SEQS.now) or now.get(MAX_NUM_SEQS.now)
    running = now.of(replica, RUNNING) or now.get(RUNNING)
    return cap is not None and running is not None and running.number >= limits["full"] * cap.number


def _why(now: Now, replica: Subject, why: Blind) -> Reading:
    blind = now.blind(replica, ADAPTERS.now)
    return Reading(ADAPTERS.now.said, replica, None, blind.unit, blind.source, blind.query, blind.at, blind.kind, why)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Hold more adapters, or send each to its own replicas."""
    return (
        Remedy(
            "Raise the number of adapters that one batch may hold, as far as GPU memory allows: each slot takes it from the KV cache,"
            " at the highest rank that is allowed. What is kept in host memory (vLLM --max-cpu-loras, SGLang --max-loaded-loras) may"
            " not be fewer, and SGLang counts the base model as one.",
            _more(now),
            "Nothing is deferred, or stays in the queue beside a cache with room, at the same load.",
            ("serving/continuous-batching", "platform/lora-adapters"),
        ),
        Remedy(
            "Route each adapter to a few replicas, so that no replica has to hold them all.",
            verify="The adapters in use on each replica are fewer than its slots.",
            cites=("serving/routing-and-load-balancing",),
        ),
    )


def _more(now: Now) -> Change:
    crowd, name = most(now), now.get(ENGINE_NAME.now)
    pool = now.get(POOL_SLOTS.now)
    engine = name.text if name is not None and name.text else "vllm" if pool is None else "sglang"
    slots = crowd.slots if crowd is not None else pool or now.get(ADAPTER_SLOTS.now)
    to = f"{crowd.asked.number:.0f}" if crowd is not None and crowd.asked is not None else ""
    if slots is None or not to or float(to) <= slots.number:
        to = "the number of adapters that are in use at once"
    return Change(
        flag(engine, Key.ADAPTER_SLOTS) or "--max-loras", f"{slots.number:.0f}" if slots is not None else "as set", to
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(HELD, FULL),
    # Without the first need these take its place.
    helps=(WAITING, RUNNING, MAX_NUM_SEQS.now, *ASKS, REQUESTS_WAITING.now, ENGINE_NAME.now),
    limits={
        "deferred": Limit(3, "requests", "a sustained queue, not the noise of one poll"),
        "waiting": Limit(1, "requests", "one request that always waits is a queue that never empties"),
        "room": Limit(0.85, "ratio", "above, requests wait for room as well"),
        # What lies above it is the other failure mode: never both.
        "full": concurrency_cap_below_kv.CHECK.limits["full"],
        "free": Limit(
            0.5, "slots", "slots change hands between samples, so an average stays a little below all of them"
        ),
        "age": Limit(300, "seconds", "an engine that runs tells its adapters at each step"),
    },
    fires=fires,
    explains=tuple(
        map(Explains, ("ttft_breach_queueing", "small_batches", "abort_spike", "overload_rejections", "hpa_at_max"))
    ),
    remedies=remedies,
    pages=("platform/lora-adapters", "serving/continuous-batching", "serving/queueing-and-admission"),
    owner="ml",
)
