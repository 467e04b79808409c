"""The prefix cache no longer spares the engine its prompts.

## What it means
A large share of the prompt tokens used to be found in the cache, and hardly any is now. Something unique came to stand first in the
prompts (a time, a user's name, an id), requests are spread over replicas without regard to what they share, the cache was switched off,
or it became too small for what is in use.

## Why it hurts
Every prompt is computed from its first token: the first token comes later, the GPU does the same work again and again, and each request
holds blocks of its own for what all of them could share.

## What would rule it out
A share near what it was, prompts that never had anything in common, or a cache that is cold because the replicas are new.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because, objective
from tools.families import QUEUEING, named
from tools.finding import Remedy
from tools.signals import KV_USAGE, PREFILL_TIME, PREFIX_CACHE_HITS, REQUEST_TOKENS, RUNNING_FOR, TTFT
from tools.vocabulary.pipelines import PREFIX_QUERIES, PREFIX_SHARE

LATE = TTFT.p95("5m")
HITS = PREFIX_CACHE_HITS.rate("10m")
ASKED = PREFIX_QUERIES.rate("10m")
BEST = PREFIX_SHARE.max("12h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when users wait, and the share of cached tokens is a fraction of what it was within half a day."""
    late = now.worst(LATE)
    if late.number < limits["soon"]:
        return None
    asked = now.total(ASKED)
    if asked.number < limits["tokens"]:
        return None
    best = now.worst(BEST)
    if best.number < limits["useful"]:
        return None
    hits = now.total(HITS)
    share = hits.number / asked.number
    if share >= limits["lost" if late.number >= limits["ttft"] else "gone"] * best.number:
        return None
    if now.least(RUNNING_FOR.now).number < limits["settled"]:
        return None
    return because(
        "Prompts bring {asked}, of which {hits} were found in the prefix cache ({share}); within half a day it was {best} at best,"
        " and the p95 time to first token is {late} now.",
        now.get(PREFILL_TIME.p95("5m")),
        now.get(REQUEST_TOKENS.p50("5m")),
        now.get(KV_USAGE.avg("10m")),
        asked=asked,
        hits=hits,
        share=objective(best, share, "Share"),
        best=best,
        late=late,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Put what is shared first, send it where it is cached, and see that the cache is on."""
    verify = "The share of cached prompt tokens is what it was, and the p95 prefill time falls."
    usage = now.get(KV_USAGE.avg("10m"))
    found = [
        Remedy(
            "Compare a prompt of today with one from before: what all share (system prompt, tools, documents) must come first and be the same"
            " byte for byte; a time, a name or an id belongs at the end.",
            verify=verify,
            cites=("serving/prefix-caching",),
        ),
        Remedy(
            "See whether the route changed: requests that share a prefix should reach the same replica, capped by its load.",
            verify=verify,
            cites=("platform/prefix-aware-and-session-routing", "serving/routing-and-load-balancing"),
        ),
        Remedy(
            "See that the engine still caches (vLLM: no --no-enable-prefix-caching, SGLang: no --disable-radix-cache) and hashes the same way"
            " after an update.",
            verify=verify,
            cites=("serving/prefix-caching",),
        ),
    ]
    if usage is not None and usage.number >= 0.9:
        found.append(
            Remedy(
                "The KV cache is full, so that prefixes are evicted before they are used again: give it more room or offload it.",
                verify=verify,
                cites=("serving/kv-cache",),
            )
        )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(LATE, ASKED, BEST, HITS, RUNNING_FOR.now),
    helps=(PREFILL_TIME.p95("5m"), REQUEST_TOKENS.p50("5m"), KV_USAGE.avg("10m")),
    limits={
        "ttft": Limit(1.0, "seconds", "half of the default objective: users begin to feel it"),
        "soon": Limit(0.5, "seconds", "twice and more of what a cached prompt takes, where nothing is cached any more"),
        "tokens": Limit(100, "tokens/s", "below it there is too little to judge a share by"),
        "useful": Limit(0.3, "ratio", "a cache that ever spared a third of the work is worth having"),
        "lost": Limit(0.25, "ratio", "a quarter of its best share: no drift of the traffic's mix"),
        "gone": Limit(0.1, "ratio", "a tenth of its best share: the cache is of no use any more"),
        "settled": Limit(3600, "seconds", "a new replica's cache is cold"),
    },
    fires=fires,
    explains=(*named("ttft_breach_prefill", "head_of_line_blocking"), *QUEUEING),
    remedies=remedies,
    pages=("serving/prefix-caching", "platform/prefix-aware-and-session-routing", "serving/time-to-first-token"),
    owner="ml platform",
)
