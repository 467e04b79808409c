"""Moving the KV cache from prefill to decode fails, or takes far too long.

## What it means
Prompts are computed on one pool and answered on another, which fetches the KV cache over the network. Transfers end in errors, or they
crawl: the fast path (RDMA, GPU to GPU) is not in use and the bytes go through TCP and the host's memory. Where an engine counts none
of it, the logs of replicas that fail their requests, ended or do not turn ready tell.

## Why it hurts
The first token waits for the transfer. A failed one is computed anew or fails its request, and what was prefilled holds memory until it
expires, so that the prefill pool fills up as well.

## What would rule it out
Transfers in milliseconds without errors: then a pool is short of room, which its queue and cache show.
"""

import re

from tools import failing_replicas
from tools.check import Applies, Because, Check, Limit, Limits, NothingToSee, Now, On, Unseen, Where, because
from tools.crashes import of_container, recent
from tools.failed_starts import DECISIVE, HELPS, LIMITS, standing, told
from tools.families import BROKEN, DOWN, SLOW, at, named
from tools.finding import Remedy
from tools.signals import (
    EXIT_CODE,
    LOG_SERVING,
    LOG_SHM,
    LOG_XID,
    POD_READY,
    PREFILL_TIME,
    REQUESTS_FINISHED,
    TERMINATED_AGO,
    TERMINATION,
)
from tools.vocabulary.gpu_software import LOG_CUDA_FAULT, LOG_DEVICE_GONE, LOG_GPU_LOST
from tools.vocabulary.outcomes import DEFERRED
from tools.vocabulary.pipelines import (
    KV_EXPIRED,
    KV_FAILED,
    KV_TRANSFER_SIZE,
    KV_TRANSFER_TIME,
    KV_UNPAIRED,
    STAGE,
)
from tools.vocabulary.refused_starts import LOG_KV_TRANSFER, LOG_OS_LIMITS
from tools.vocabulary.startup import LOG_COLLECTIVE

FAILED = KV_FAILED.increase("10m")
UNPAIRED = KV_UNPAIRED.increase("10m")
FINISHED = REQUESTS_FINISHED.increase("10m")
TOOK = KV_TRANSFER_TIME.p95("5m")
MEAN = KV_TRANSFER_TIME.mean("5m")
_PEER = re.compile(r"REMOTE_DISCONNECT|it might be dead|[Cc]onnection reset|[Ee]ndpoint timeout")
# An engine that dies for one of these breaks off its transfers as well.
_OTHERWISE = (
    *DECISIVE,
    LOG_CUDA_FAULT,
    LOG_DEVICE_GONE,
    LOG_GPU_LOST,
    LOG_XID,
    LOG_COLLECTIVE,
    LOG_SHM,
    LOG_OS_LIMITS,
)
SIZE = KV_TRANSFER_SIZE.mean("5m")
PREFILL = PREFILL_TIME.p95("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when transfers fail, or when they take long for what they carry. It is told of the side that fetches."""
    said = _ended(now, limits)
    if said is not None:
        return said
    stage = now.get(STAGE.now)
    side = stage.text if stage is not None else ""
    if side == "prefill":
        raise NothingToSee("what is fetched from it is told of the decoding side")
    said = failing_replicas.told_while_ready(now, limits["errors"], LOG_KV_TRANSFER, _OTHERWISE) or _slow(now, limits)
    if said is not None:
        return said
    failed, unpaired, slow = now.get(FAILED), now.get(UNPAIRED), now.get(TOOK)
    if failed is None and slow is None:
        # Who only decodes does fetch KV cache, whether or not it counts what fails.
        if side == "decode":
            raise Unseen(now.blind(now.subject, FAILED))
        raise NothingToSee("it moves no KV cache")
    more = (
        slow,
        now.get(SIZE),
        now.get(KV_EXPIRED.increase("10m")),
        now.get(DEFERRED.avg("10m")),
        now.get(failing_replicas.FIRST),
        stage,
    )
    finished = now[FINISHED]
    ways = (
        (failed, "{lost} of KV cache failed within 10 min, beside {finished} that finished."),
        (unpaired, "The KV handshake of {lost} failed within 10 min, beside {finished} that finished."),
    )
    for lost, template in ways:
        enough = lost is not None and lost.number >= limits["least"]
        if lost is not None and enough and lost.number >= limits["share"] * (lost.number + finished.number):
            return because(template, *more, lost=lost, finished=finished)
    if slow is None or slow.number < limits["slow"]:
        fail = (ready.subject for ready, _ in failing_replicas.failing(now, limits["errors"]))
        failing_replicas.unread(now, fail, LOG_KV_TRANSFER)
        return None
    mean, size = now.get(MEAN), now.get(SIZE)
    if mean is not None and size is not None and size.number >= limits["speed"] * mean.number:
        return None  # long, but for a reason: very much is moved, at a good rate
    return because("A transfer of KV cache to {slow_of} takes {slow} (p95).", finished, mean, *more[1:], slow=slow)


def _slow(now: Now, limits: Limits) -> Because | None:
    """Because a replica gives its first tokens late and its log says that transfers fail: what does not arrive is computed anew, and no request fails."""
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        first, line = now.of(ready.subject, failing_replicas.FIRST), now.of(ready.subject, LOG_KV_TRANSFER.now)
        if not ready.number or first is None or first.number < limits["first"] or line is None or not line.text:
            continue
        if not failing_replicas.told_by(now, ready.subject, _OTHERWISE):
            said = "{first_of} takes {first} to its first tokens (p95), and its log says: {line}"
            return because(said, ready, now.of(ready.subject, PREFILL), first=first, line=line)
    return None


def _ended(now: Now, limits: Limits) -> Because | None:
    """Because a replica of either side ended lately over a transfer, or runs unready over it: its log says so, and nothing that weighs more."""
    # What ends and logs tell comes on top: a world without it is judged by its transfers as before.
    known = now.get(TERMINATION.now) is not None and now.get(EXIT_CODE.now) is not None
    for crash in recent(now, limits["recent"]) if known else ():
        line = now.of(crash.code.subject, LOG_KV_TRANSFER.now)
        if line is None or not line.text or crash.reason.text == "OOMKilled":
            continue
        if not failing_replicas.told_by(now, line.subject, _OTHERWISE):
            said = "{code_of} ended with exit code {code} {ago} ago; its log says: {line}"
            return of_container(now, because(said, crash.reason, code=crash.code, ago=crash.ago, line=line))
    return standing(now, limits["standing"], LOG_KV_TRANSFER, _OTHERWISE)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bring the fast path back, then balance the pools."""
    verify = "No transfer fails for 10 min, and the p95 of a transfer is below 100 ms."
    cites = ("platform/disaggregated-serving", "platform/nixl-and-kv-transfer")
    line = told(now, LOG_KV_TRANSFER)
    peer = (
        Remedy(
            "The other side went away while it was read from: look first at why the prefill replicas restarted, and let the decode side forget the"
            " old ones (restart it, or a release that connects anew).",
            verify=verify,
            cites=cites,
        ),
    )
    return (
        *(peer if _PEER.search(line) else ()),
        Remedy(
            "See that both pools still have the fast path: RDMA devices requested and visible in both pods, the same UCX_TLS and"
            " UCX_NET_DEVICES (or disaggregation-ib-device) on both sides, the same rack or fabric; a pod that moved to another node pool loses it.",
            verify=verify,
            cites=cites,
        ),
        Remedy(
            "Read the log of the first failure on the decoding side: a peer that cannot be reached points to a network policy or a side-channel"
            " port, a version that differs to a rollout of one pool alone.",
            verify=verify,
            cites=cites,
        ),
        Remedy(
            "Until then serve with prefill and decode in one engine: for short prompts that is no slower.",
            verify="Requests end without errors while transfers are repaired.",
            cites=cites,
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(FAILED, FINISHED),
    helps=(
        STAGE.now,
        UNPAIRED,
        TOOK,
        MEAN,
        SIZE,
        KV_EXPIRED.increase("10m"),
        DEFERRED.avg("10m"),
        failing_replicas.FIRST,
        PREFILL,
        EXIT_CODE.now,
        TERMINATED_AGO.now,
        TERMINATION.now,
        LOG_SERVING.now,
        LOG_KV_TRANSFER.now,
        *HELPS,
        *(signal.now for signal in _OTHERWISE),
        *failing_replicas.HELPS,
    ),
    limits={
        **LIMITS,
        **failing_replicas.LIMITS,
        "least": Limit(5, "transfers", "fewer are told by the log, not by a rate"),
        "share": Limit(0.01, "ratio", "one in a hundred"),
        "slow": Limit(1.0, "seconds", "on a fast path long prompts take tens of milliseconds"),
        "first": Limit(
            failing_replicas.SLOW_S, "seconds", "the objective of the time to first token; from then on the log is read"
        ),
        "speed": Limit(10e9, "bytes/s", "a 100 Gbit/s link at four fifths; a fallback to TCP stays below"),
    },
    fires=fires,
    explains=(*SLOW, *BROKEN, *DOWN, *named("engine_dead", "lora_thrash"), *at((*SLOW, *BROKEN), Where.SAME_NAMESPACE)),
    remedies=remedies,
    pages=("platform/disaggregated-serving", "serving/time-to-first-token"),
    owner="ml platform",
    pipeline=True,
)
