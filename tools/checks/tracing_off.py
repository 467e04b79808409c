"""Requests cannot be traced.

## What it means
The engine is given no endpoint for traces, by flag or by OpenTelemetry's variables.

## Why it hurts
When one request in a hundred is slow, metrics do not say where its time went: gateway, queue, prefill or decode.

## What would rule it out
An OTLP endpoint on the engine, or traces at the gateway that cover the engine's call.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import TRACING

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(TRACING.now,),
    fires=lacks(TRACING.now, "{found_of} sends no traces."),
    remedies=advise(
        "Give the engine an OTLP endpoint with sampling, and pass the trace id on at the gateway.",
        "A trace shows the gateway's and the engine's spans of one request.",
        "platform/tracing-llms",
    ),
    pages=("platform/tracing-llms",),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"(?<!stack )\b(?:tracing|traced|distributed traces?|spans?)\b|\bopentelemetry\b|\botel\b|\bjaeger\b|\bfollow (?:a|one|single) requests?\b",
    ),
)
