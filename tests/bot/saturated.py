"""An answer of the kind that the main job gives: KV saturation of one workload, explained by its autoscaler's metric."""

from __future__ import annotations

from dataclasses import replace

from bot.advisor.question import Answer, Citation, Scope
from tools.finding import BlindSpot, Change, Evidence, Finding, Remedy, RuledOut

CHAT = "deployment/chat/llama-70b-chat"
HPA_KEY = f"hpa_wrong_metric@{CHAT}"
KV_KEY = f"kv_saturation_queueing@{CHAT}"
AT = "2026-11-21T04:12:00Z"
URL = "https://docs.vllm.ai/en/latest/configuration/optimization.html"

HPA = Finding(
    key=HPA_KEY,
    id="hpa_wrong_metric",
    title="The autoscaler watches a metric that does not move with load",
    subject=CHAT,
    severity="high",
    confidence="high",
    root=True,
    because="HPA chat-hpa scales on cpu with a target of 70 %, CPU stands at 31 %, and it asks for 3 replicas while 37 requests wait.",
    evidence=(
        Evidence(
            "e1",
            "HPA chat-hpa scales on cpu, target 70 %",
            70.0,
            "%",
            "kubernetes",
            "hpa/chat/chat-hpa spec.metrics",
            AT,
        ),
        Evidence(
            "e2",
            "Desired replicas: 3, of 12 at most",
            3.0,
            "replicas",
            "prometheus",
            'kube_horizontalpodautoscaler_status_desired_replicas{namespace="chat"}',
            AT,
        ),
    ),
    remedies=(
        Remedy(
            "Scale on the queue: make chat-hpa follow vllm:num_requests_waiting with a target of 5 per pod.",
            Change("chat-hpa metric", "cpu (70 %)", "vllm:num_requests_waiting (5 per pod)"),
            "vllm:num_requests_waiting falls under 5 per pod within 10 minutes of a new replica being ready",
            ("inference/autoscaling",),
        ),
    ),
    pages=("inference/autoscaling",),
)
KV = Finding(
    key=KV_KEY,
    id="kv_saturation_queueing",
    title="The KV cache is full and requests queue for it",
    subject=CHAT,
    severity="high",
    confidence="high",
    root=False,
    because="KV cache usage has not been below 96.8 % for 10 minutes on 3 of 3 replicas, and 37 requests wait.",
    explained_by=(HPA_KEY,),
    evidence=(
        Evidence("e3", "KV cache usage, lowest over 10 min: 96.8 % on llama-70b-chat-7d9f8b6c5-x2x9k", 0.968, "ratio",
                 "prometheus", "min_over_time(vllm:kv_cache_usage_perc[10m])", AT),
        Evidence("e4", "Requests waiting: 37", 37.0, "requests", "prometheus", "sum(vllm:num_requests_waiting)", AT),
        Evidence("e5", "Time to first token, p95 over 5 min: 14.2 s", 14.23, "seconds", "prometheus",
                 "histogram_quantile(0.95, rate(vllm:time_to_first_token_seconds_bucket[5m]))", AT),
        Evidence("e6", "GPU memory used: 74.5 GiB", 79993765888.0, "bytes", "prometheus", "DCGM_FI_DEV_FB_USED", AT),
    ),
    remedies=(
        Remedy(
            "Store the KV cache in 8 bits to fit about twice the sequences.",
            Change("--kv-cache-dtype", "auto", "fp8"),
            "KV cache usage falls at the same load; compare answers before you keep it",
            ("vllm/kv-cache",),
        ),
    ),
    pages=("vllm/kv-cache",),
)  # fmt: skip
ANSWER = Answer(
    question="why is llama-70b-chat slow?",
    intent="live",
    scope=Scope("prod", "chat", "llama-70b-chat"),
    verdict="llama-70b-chat runs out of KV cache because its autoscaler watches CPU.",
    findings=(HPA, KV),
    ruled_out=(
        RuledOut("routing_skew", CHAT, "the busiest replica runs 1.1 times the average of its 3 replicas"),
        RuledOut("cpu_bound_host", CHAT, "CPU periods throttled: 0.4 %"),
    ),
    blind=(
        BlindSpot("logs of llama-70b-chat", "forbidden: the service account may not get pods/log in namespace chat"),
        BlindSpot("GPU fault counters", "no series: DCGM_FI_DEV_XID_ERRORS is not exported on node gpu-a-3"),
    ),
    citations=(
        Citation("inference/autoscaling", "Scale on the queue, not on CPU", "inference", "Which metric", "",
                 "An LLM replica's CPU says nothing about its load: scale on requests waiting, 2 to 5 per replica."),
        Citation("vllm/kv-cache", "What fills the KV cache", "vllm", "Saturation", URL,
                 "When the KV cache is full, vLLM queues new requests and may preempt running ones."),
    ),
    seconds={"scope": 0.012, "snapshot": 0.84, "diagnose": 0.031},
    note="Answered from rules.",
)  # fmt: skip
TEXT = f"""{ANSWER.verdict}

{HPA.title} on `{CHAT}` (high, confidence high). {HPA.because}

- It leads to: {KV.title}. {KV.because}

## Evidence

| what | value |
|---|---|
| {HPA.evidence[0].text} | 70 % |
| {KV.evidence[0].text} | 0.968 |
| {KV.evidence[1].text} | 37 requests |

## What to do

1. {HPA.remedies[0].text} [inference/autoscaling]
   Check: {HPA.remedies[0].verify}.
2. {KV.remedies[0].text} [vllm/kv-cache]

```
--kv-cache-dtype fp8
```

## Ruled out

- routing_skew: {ANSWER.ruled_out[0].why}

## Could not see

- {ANSWER.blind[0].what}: {ANSWER.blind[0].why}
- {ANSWER.blind[1].what}: {ANSWER.blind[1].why}

## Sources

- [{ANSWER.citations[1].title}]({URL}): "{ANSWER.citations[1].quote}"
"""
SATURATED = replace(ANSWER, text=TEXT)
HEALTHY = Answer(
    question="is chat ok?", intent="live", scope=Scope("prod", "chat", None), verdict="Nothing is wrong in what could be seen.",
    ruled_out=ANSWER.ruled_out, blind=ANSWER.blind, text="Nothing is wrong in what could be seen.", seconds={"snapshot": 0.5},
)  # fmt: skip
