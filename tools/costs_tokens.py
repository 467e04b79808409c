"""What a token and a request cost: the dollars of the replicas whose counters were read, over what those replicas did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.costs_figures import Figure, plain, queries
from tools.reading import Reading
from tools.signals import GENERATION_TOKENS, PROMPT_TOKENS, REQUESTS_FINISHED, Ask, Signal
from tools.snapshot import Snapshot

# What a generated token is taken to cost, in prompt tokens, where the settings do not say it: public price lists ask 3 to 5 times.
OUTPUT_WEIGHT = 4.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the replicas of a workload did in the window, and what it cost. None where it was not seen or was nothing.

    `replicas_seen` of `replicas` told their counters; the dollars of the others are not in these figures. `note` says what is missing.
    """

    prompt: Figure | None
    generated: Figure | None
    requests: Figure | None
    usd_per_1k_tokens: Figure | None
    usd_per_1k_prompt: Figure | None
    usd_per_1k_generated: Figure | None
    usd_per_request: Figure | None
    replicas_seen: int
    replicas: int
    note: str


def asks(window: str) -> frozenset[Ask]:
    """What it reads."""
    return frozenset(signal.increase(window) for signal in (PROMPT_TOKENS, GENERATION_TOKENS, REQUESTS_FINISHED))


def tokens(
    snapshot: Snapshot, pods: Sequence[str], usd: Mapping[str, float], window: str, weight: float = OUTPUT_WEIGHT
) -> Tokens:
    """The figures of some pods; `usd` is what each of them (by key) cost in the window, absent where its price is not known."""
    by_token = [key for key in pods if all(_read(snapshot, s, key, window) for s in (PROMPT_TOKENS, GENERATION_TOKENS))]
    by_request = [key for key in pods if _read(snapshot, REQUESTS_FINISHED, key, window)]
    prompt = _sum(snapshot, PROMPT_TOKENS, by_token, window, "tokens")
    generated = _sum(snapshot, GENERATION_TOKENS, by_token, window, "tokens")
    requests = _sum(snapshot, REQUESTS_FINISHED, by_request, window, "requests")
    priced = [key for key in pods if key in usd]
    blended = per_prompt = per_generated = None
    if prompt and generated and set(by_token) <= set(priced):
        spent = sum(usd[key] for key in by_token)
        both = prompt.value + generated.value
        if both > 0:
            asked = (*prompt.queries, *generated.queries)
            how = f"${plain(spent)} in {window} / ({plain(prompt.value)} + {plain(generated.value)} tokens) * 1000"
            blended = Figure(spent / both * 1000, "USD per 1k tokens", how, asked)
            unit = spent / (prompt.value + weight * generated.value) * 1000
            how = f"${plain(spent)} / ({plain(prompt.value)} + {plain(weight)} * {plain(generated.value)}) * 1000"
            per_prompt = Figure(unit, "USD per 1k prompt tokens", how, asked)
            per_generated = Figure(
                weight * unit, "USD per 1k generated tokens", f"{plain(weight)} times a prompt token: {how}", asked
            )
    per_request = None
    if requests and requests.value > 0 and set(by_request) <= set(priced):
        spent = sum(usd[key] for key in by_request)
        how = f"${plain(spent)} in {window} / {plain(requests.value)} requests"
        per_request = Figure(spent / requests.value, "USD per request", how, requests.queries)
    return Tokens(
        prompt,
        generated,
        requests,
        blended,
        per_prompt,
        per_generated,
        per_request,
        len(by_token),
        len(pods),
        _note(snapshot, pods, by_token, priced, prompt, generated, window),
    )


def _note(
    snapshot: Snapshot,
    pods: Sequence[str],
    seen: Sequence[str],
    priced: Sequence[str],
    prompt: Figure | None,
    generated: Figure | None,
    window: str,
) -> str:
    if not pods:
        return "no pod of it holds a GPU"
    if not seen:
        reading = snapshot.read(PROMPT_TOKENS.increase(window), pods[0])
        why = reading.blind.detail or reading.blind.reason if reading.blind is not None else ""
        return f"its tokens are not seen ({why or 'generated tokens are not exported'})"
    if not set(seen) <= set(priced):
        return "the price of its GPUs is not known"
    if prompt and generated and not prompt.value + generated.value:
        return "no token passed in the window, so there is no price of one"
    return f"{len(seen)} of {len(pods)} replicas told their tokens; the others are left out" if len(seen) < len(pods) else ""  # fmt: skip


def _read(snapshot: Snapshot, signal: Signal, key: str, window: str) -> Reading | None:
    reading = snapshot.read(signal.increase(window), key)
    return reading if reading.blind is None and isinstance(reading.value, int | float) else None


def _sum(snapshot: Snapshot, signal: Signal, keys: Sequence[str], window: str, unit: str) -> Figure | None:
    found = [one for key in keys if (one := _read(snapshot, signal, key, window)) is not None]
    if not found:
        return None
    how = f"{signal.meaning} in {window}, sum of {len(found)} replicas"
    return Figure(sum(one.number for one in found), unit, how, queries(found))
