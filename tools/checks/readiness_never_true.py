"""A replica runs and does not turn ready.

## What it means
The container has not restarted, and its readiness probe has not succeeded for half an hour: it still loads, waits for its peers, hangs,
or the probe asks for something that it never answers. One that was ready before has nothing left to load: ten minutes are enough. Or it has not even begun, because an init container (often the one that downloads
the model) has run that long.

## Why it hurts
No request reaches the replica, and a rollout stands still behind it.

## What would rule it out
Restarts (a crash loop), a pod younger than a usual load, one that was ready until a short while ago, or a declared standby.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.crashes import needed
from tools.families import BROKEN, QUEUEING, named
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import LOG_LAST_ERROR, LOG_SERVING, POD_PHASE, POD_READY, RESTARTS, RUNNING_FOR, STANDBY
from tools.vocabulary.startup import INIT_CONTAINER, INIT_RUNNING_FOR, PROBE_SAID
from tools.vocabulary.turned import SERVES_NOTHING, UNREADY_FOR


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica, or an init container that it waits for, has run for long and it is not ready."""
    unready = [ready for ready in now.each(POD_READY.now) if not ready.number and not _not_meant(now, ready)]
    standby = now.get(STANDBY.now) if unready else None
    if not unready or (standby is not None and standby.number):
        return None
    for ready in unready:
        ran, restarts = needed(now, ready, RUNNING_FOR.now), needed(now, ready, RESTARTS.now)
        lost = now.of(ready.subject, UNREADY_FOR.now)
        if lost is not None and lost.number + limits["loaded"] <= ran.number:
            # It was ready while this container ran: nothing is left to load. What stopped it a moment ago is told by its own check.
            if lost.number >= limits["lost"]:
                said = "{lost_of} was ready and has not been for {lost}, while its container has run on for {ran}."
                return because(said, ready, *_also(now, ready), lost=lost, ran=ran)
            continue
        if ran.number > limits["running"] and not restarts.number:
            return because(
                "{ran_of} has run for {ran} without a restart and is not ready.",
                ready,
                restarts,
                *_also(now, ready),
                ran=ran,
            )
        init = now.of(ready.subject, INIT_RUNNING_FOR.now)
        if init is not None and init.number > limits["running"]:
            whom = now.of(ready.subject, INIT_CONTAINER.now)
            said = "{init_of} is not ready: an init container has run for {init}."
            if whom is None or not whom.text:
                return because(said, ready, restarts, init=init)
            said = "{init_of} is not ready: its {whom} has run for {init}, and what serves waits for it."
            return because(said, ready, restarts, init=init, whom=whom)
    return None


def _not_meant(now: Now, ready: Reading) -> bool:
    """Whether it is not meant to turn ready: it is being removed, or serves nothing by design."""
    phase, idle = now.of(ready.subject, POD_PHASE.now), now.of(ready.subject, SERVES_NOTHING.now)
    return (phase is not None and phase.text == "Terminating") or (idle is not None and idle.number == 1)


def _also(now: Now, ready: Reading) -> tuple[Reading | None, ...]:
    return tuple(now.of(ready.subject, signal.now) for signal in (PROBE_SAID, LOG_SERVING, LOG_LAST_ERROR))


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Mend the probe where the server is up, else find what it waits for."""
    said, serving = now.get(PROBE_SAID.now), now.get(LOG_SERVING.now)
    init = now.get(INIT_CONTAINER.now)
    if init is not None and init.text:
        name = init.text.rpartition(" ")[2]
        return (
            Remedy(
                f"Read the log of the init container: kubectl logs POD -c {name} -n {now.subject.namespace}. A download that advances needs a"
                " nearer source or a shared volume; one that stands still has no egress, no credentials, or a volume that nobody can write.",
                None,
                f"The {init.text} ends with exit code 0, and the pod turns ready.",
                ("platform/model-weight-storage", "serving/cold-start"),
            ),
        )
    probe = said.text if said is not None else ""
    verify = "The pod turns ready, and requests reach it."
    cites = ("kubernetes/probes-for-slow-loading", "platform/health-endpoints")
    if "statuscode: 404" in probe or (serving is not None and serving.text):
        return (
            Remedy(
                "The server is up, the probe does not find it: point it at the engine's health path and port"
                " (/health for vLLM and TGI, /health_generate for SGLang, /v2/health/ready for Triton).",
                None,
                verify,
                cites,
            ),
        )
    return (
        Remedy(
            "See whether it advances: a log of loading shards, GPU memory that grows and traffic on the network are a slow load;"
            " none of them is a hang (py-spy dump shows where).",
            None,
            verify,
            cites,
        ),
        Remedy(
            "If it waits for its peers, see that all pods of the group are placed and reach each other.",
            None,
            verify,
            ("serving/tensor-parallelism",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="high",
    needs=(POD_READY.now, RUNNING_FOR.now, RESTARTS.now),
    helps=(
        STANDBY.now,
        POD_PHASE.now,
        PROBE_SAID.now,
        LOG_SERVING.now,
        LOG_LAST_ERROR.now,
        INIT_RUNNING_FOR.now,
        INIT_CONTAINER.now,
        UNREADY_FOR.now,
        SERVES_NOTHING.now,
    ),
    limits={
        "running": Limit(1800, "seconds", "half an hour: longer than a large model usually loads"),
        "loaded": Limit(300, "seconds", "five minutes: nothing loads, turns ready and is lost again in less"),
        "lost": Limit(
            600, "seconds", "ten minutes: a probe may fail for a while under load, and nothing is left to load"
        ),
    },
    fires=fires,
    explains=(*QUEUEING, *BROKEN, *named("gpu_held_by_not_ready_pod", "xid_application")),
    remedies=remedies,
    pages=("kubernetes/probes-for-slow-loading", "platform/health-endpoints"),
    owner="ml platform",
)
