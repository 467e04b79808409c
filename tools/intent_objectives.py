"""What was promised against what is measured: latency, availability, money, and a canary beside the stable workload."""

from __future__ import annotations

from tools.burn import Burning, burning
from tools.burn_latency import burning_late
from tools.check import NothingToSee, Unseen, duration_shown, shown
from tools.costs_figures import Figure, plain
from tools.finding import BlindSpot, Evidence, Remedy
from tools.intent_canary import judged
from tools.intent_findings import Held, declared_as, evidence_of, finding_of, keyed, moment_of
from tools.present import Present
from tools.reading import Reading
from tools.signals import ITL, TTFT, Ask
from tools.unlisted import unlisted
from tools.vocabulary.pipelines import REQUEST_TIME

WINDOW = "1h"
AVAILABILITY = "availability"
LATENCIES = (
    ("ttft_p95_seconds", "time to first token", TTFT),
    ("tpot_p95_seconds", "time per output token", ITL),
    ("e2e_p95_seconds", "time of a whole request", REQUEST_TIME),
)
# What a histogram counts one by one, where that is no request.
_ONE_BY_ONE = {"tpot_p95_seconds": "tokens"}


def objectives(held: Held) -> None:
    """Latencies and availability against what was promised."""
    declared = held.intent.spec.objectives
    if declared is None:
        return
    for field, what, signal in LATENCIES:
        limit = getattr(declared, field)
        if limit is None:
            continue
        reading, why = _worst(held, signal.p95(WINDOW))
        if reading is not None and reading.number > limit:
            _missed(held, what, limit, reading)
        elif why or reading is None:  # of a replica that is not seen nobody knows how long it takes
            held.blind.append(BlindSpot(f"{what} of {held.subject}", f"objective {duration_shown(limit)}; {why}"))
        else:
            held.same.append(f"{held.subject}: {what}, p95, is {shown(reading)}, within {duration_shown(limit)}")
        found = burning_late(held.counts, held.subject, signal, limit, _ONE_BY_ONE.get(field, "requests"))
        if reading is not None or found.verdict != "cannot tell":  # what is not seen at all is said once
            _noted(held, what, f"{duration_shown(limit)} for 95 % of {_ONE_BY_ONE.get(field, 'requests')}", found)
    if declared.availability_percent is not None:
        percent = declared.availability_percent
        _noted(held, AVAILABILITY, f"{percent:g} % of requests", burning(held.counts, held.subject, percent))


def _worst(held: Held, ask: Ask) -> tuple[Reading | None, str]:
    """The highest reading of the replicas, and why some or all of them could not be read."""
    now = Present(held.snapshot, held.subject)
    reading = None
    try:
        reading = now.worst(ask)
    except Unseen as unseen:
        return None, str(unseen.reading.blind)
    except NothingToSee as nothing:
        return None, str(nothing)
    return reading, str(now.unseen[0].blind) if now.unseen else ""


def _missed(held: Held, what: str, limit: float, reading: Reading) -> None:
    because = f"{what.capitalize()}, p95 over {WINDOW}: {shown(reading)} on the slowest replica, {duration_shown(limit)} declared."
    evidence = (declared_as("e1", f"{what}, p95", duration_shown(limit), held.intent), evidence_of("e2", reading))
    remedy = Remedy(
        f"Find the cause first: `rackside diagnose --namespace {held.subject.namespace} --workload {held.subject.name}`.",
        None,
        f"{what.capitalize()}, p95, stays below {duration_shown(limit)} for an hour with traffic.",
    )
    found = finding_of("intent_objective_missed", str(held.subject), "high", because, evidence, (remedy,))
    # One key for each objective, so that two that are missed are two findings.
    held.findings.append(keyed(found, what))


def _noted(held: Held, what: str, promised: str, found: Burning) -> None:
    """The burn rate of one objective as a finding, as what agrees, or as what cannot be told."""
    held.burns.append((what, found))
    urgent, late = found.verdict == "page", what != AVAILABILITY
    if found.verdict in {"cannot tell", "too few requests to tell"}:
        held.blind.append(BlindSpot(f"{'budget of ' if late else ''}{what} of {held.subject}", f"objective {promised}; {found.verdict}: {found.why}"))  # fmt: skip
        return
    if found.verdict == "fine":
        held.same.append(f"{held.subject}: {what} of {promised}: {found.why}")
        return
    evidence = [declared_as("e1", what, promised, held.intent)]
    for burn in found.burns:
        for window, rate in ((burn.rule.long, burn.long), (burn.rule.short, burn.short)):
            if rate is not None and burn.verdict == found.verdict:
                source = next((one.source for one in found.asked if one.window == window), "")
                text = f"Error budget burn over {window}: {rate:.3g} times, limit {burn.rule.factor:g}"
                evidence.append(Evidence(f"e{len(evidence) + 1}", text, rate, "times", source, burn.promql, moment_of(held.snapshot.at)))  # fmt: skip
    remedy = Remedy(
        f"Find what {'is slow' if late else 'fails'}: `rackside diagnose --namespace {held.subject.namespace} --workload {held.subject.name}`.",
        None,
        "The short window falls below the limit.",
    )
    finding = finding_of(
        "intent_latency_budget_burns" if late else "intent_error_budget_burns",
        str(held.subject),
        "critical" if urgent else "medium",
        f"{'This pages' if urgent else 'This is a ticket'} at {promised}: {found.why}.",
        tuple(evidence),
        (remedy,),
    )
    held.findings.append(keyed(finding, what) if late else finding)


def budget(held: Held, usd: Figure | None) -> None:
    """What it costs an hour against the budget."""
    limit = held.intent.spec.budget_usd_per_hour
    if limit is None:
        return
    if usd is None:
        held.blind.append(
            BlindSpot(f"cost of {held.subject}", f"budget ${plain(limit)} an hour; its price is not known")
        )
    elif usd.value > limit:
        evidence = (
            declared_as("e1", "budget", f"${plain(limit)} an hour", held.intent),
            Evidence("e2", f"cost of {held.subject}: ${plain(usd.value)} an hour ({usd.how})", usd.value, "USD per hour", "price book", "; ".join(one.query for one in usd.queries), moment_of(held.snapshot.at)),
        )  # fmt: skip
        because = f"It costs ${plain(usd.value)} an hour ({usd.how}); ${plain(limit)} is declared."
        remedy = Remedy("Look where its GPU-hours go: `rackside cost`.", None, "Its cost an hour is within the budget.")
        held.findings.append(
            finding_of("intent_budget_exceeded", str(held.subject), "medium", because, evidence, (remedy,))
        )
    else:
        held.same.append(f"{held.subject}: ${plain(usd.value)} an hour is within ${plain(limit)}")


def canary(held: Held) -> None:
    """The declared canary against the workload."""
    declared = held.intent.spec.canary
    if declared is None:
        return
    candidates = [one for one in held.snapshot.topology.workloads if one.namespace == held.subject.namespace and one.name == declared.workload]  # fmt: skip
    why = unlisted(held.snapshot) if not candidates else ""
    if why:
        held.blind.append(BlindSpot(f"canary {declared.workload} of {held.subject}", f"whether it runs cannot be told: {why}"))  # fmt: skip
        return
    if not candidates:
        held.same.append(f"{held.subject}: no canary {declared.workload} runs")
        return
    found = judged(held.counts, held.subject, candidates[0], declared.min_requests)
    if found.verdict == "worse":
        queries = "; ".join(found.queries)
        evidence = (
            declared_as("e1", "canary", declared.workload, held.intent),
            Evidence("e2", found.why, None, "", "Prometheus", queries, moment_of(held.snapshot.at)),
            *(evidence_of(f"e{3 + i}", one) for i, one in enumerate(found.readings)),
        )
        remedy = Remedy("Take the canary out of the route, then look at it.", None, "No traffic reaches it.")
        held.findings.append(finding_of("intent_canary_worse", str(candidates[0]), "high", f"Against {held.subject}: {found.why}.", evidence, (remedy,)))  # fmt: skip
    elif found.verdict == "no worse":
        held.same.append(f"{candidates[0]}: no worse than {held.subject}: {found.why}")
    else:
        held.blind.append(BlindSpot(f"canary {candidates[0]}", f"{found.verdict}: {found.why}"))
