"""A stage of the pipeline is the bottleneck: requests wait for the embedder, reranker or guardrail.

## What it means
A small model stands before or after the large one, and its queue never empties: most of the time that a request spends in it is
waiting. A cross-encoder reads the query with every candidate, so its work grows with their number and length.

## Why it hurts
Every answer of the whole pipeline waits for it, while the large model behind it, which costs far more, has too little to do.

## What would rule it out
A queue that empties, waits of a few milliseconds, or a bulk job that fills the queue and that nobody waits for.
"""

from tools.check import Applies, Because, Check, Limit, Limits, NothingToSee, Now, On, Where, because
from tools.families import at, named
from tools.finding import Remedy
from tools.signals import GPU_REQUEST, GPU_UTIL, QUEUE_TIME, REQUESTS_FINISHED, REQUESTS_WAITING
from tools.vocabulary.pipelines import BATCHED, REQUEST_TIME, SINGLE, STAGE

QUEUE = REQUESTS_WAITING.min("5m")
WAITED = QUEUE_TIME.mean("5m")
WHOLE = REQUEST_TIME.mean("5m")
ALONE = SINGLE.increase("10m")
TOGETHER = BATCHED.increase("10m")
STAGES = {"embedding": "embedding", "reranker": "reranking", "guardrail": "guardrail"}


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a stage's queue never empties and waiting is most of what a request does there."""
    stage = now.worst(STAGE.now)
    if stage.text not in STAGES:
        raise NothingToSee("it is no stage beside the large model")
    queue = now.worst(QUEUE)
    if queue.number < limits["waiting"]:
        return None
    waited = now.of(queue.subject, WAITED) or now.worst(WAITED)
    if waited.number < limits["wait"]:
        return None
    whole = now.of(queue.subject, WHOLE) or now.worst(WHOLE)
    if waited.number < limits["share"] * whole.number:
        return None
    if stage.text == "embedding" and _only_bulk(now):
        return None
    return because(
        "At least {queue} always wait at {queue_of}, and of {whole} in the {stage} stage {waited} are spent waiting, on average.",
        now.get(REQUESTS_FINISHED.rate("5m")),
        now.get(GPU_UTIL.avg("10m")),
        queue=queue,
        whole=whole,
        waited=waited,
        stage=stage,
    )


def _only_bulk(now: Now) -> bool:
    """Whether all that is embedded comes in lists: documents are indexed, and nobody waits for one."""
    single, batched = now.get(ALONE), now.get(TOGETHER)
    return batched is not None and batched.number > 0 and (single is None or not single.number)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Less work for the stage, more of it, and a queue of its own for what nobody waits for."""
    stage, gpus = now.get(STAGE.now), now.get(GPU_REQUEST.now)
    name = stage.text if stage is not None else ""
    verify = "The stage's queue empties between requests, and waiting is a small part of its time."
    found = []
    if name == "reranker":
        found.append(
            Remedy(
                "Rerank fewer candidates, and cut each to the passage that matters: the work is their number times their length.",
                verify=verify,
                cites=("playbooks/pipelines",),
            )
        )
    if gpus is not None and not gpus.number:
        found.append(
            Remedy(
                "It runs on the CPU: give it a GPU, of which a slice (MIG, or time-slicing with others) is enough for a small model.",
                verify=verify,
                cites=("gpu/mig-and-sharing", "playbooks/pipelines"),
            )
        )
    found.append(
        Remedy(
            "Add replicas of this stage and scale it by its own queue, apart from the large model.",
            verify=verify,
            cites=("kubernetes/autoscaling-llm-serving", "playbooks/pipelines"),
        )
    )
    text = (
        "Run the check beside the generation instead of before it, and check the start of an answer first."
        if name == "guardrail"
        else "Send inputs in batches, and give bulk indexing a deployment of its own: its queue must not stand before users."
    )
    cites = ("platform/guardrails",) if name == "guardrail" else ("platform/batch-and-offline-inference",)
    found.append(Remedy(text, verify=verify, cites=cites))
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(STAGE.now, QUEUE, WAITED, WHOLE),
    helps=(REQUESTS_FINISHED.rate("5m"), GPU_UTIL.avg("10m"), GPU_REQUEST.now, ALONE, TOGETHER),
    limits={
        "waiting": Limit(8, "requests", "a stage of milliseconds clears a handful before the next look"),
        "wait": Limit(0.25, "seconds", "ten times what embedding a query takes"),
        "share": Limit(0.5, "ratio", "more than half of the stage's time is waiting"),
    },
    fires=fires,
    explains=(
        *named("ttft_breach_queueing", "overload_rejections", "abort_spike", "error_rate_spike"),
        *at(named("small_batches", "abort_spike"), Where.SAME_NAMESPACE),
    ),
    remedies=remedies,
    pages=("playbooks/pipelines", "serving/queueing-and-admission"),
    owner="ml platform",
    pipeline=True,
)
