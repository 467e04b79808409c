"""What a fleet costs now, who pays for it, and where its GPU-hours of a window went.

Money is GPU money: the price of each node's GPUs, shared out by what pods request of them. Every GPU-hour of the window is in one
place: used, standby, idle with a reason, free, stranded, gone, or unseen. What is unseen is never idle, and never zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from tools.costs_break_even import BreakEven, Plans, compare
from tools.costs_figures import Figure, merged, plain, queries
from tools.costs_hours import Window, devices_of, holders
from tools.costs_hours import asks as hour_asks
from tools.costs_nodes import ASKS as NODE_ASKS
from tools.costs_nodes import NodeRate, rates
from tools.costs_output import UNLABELLED, Costs, GpuKind, NodeCost, Share, WorkloadCost
from tools.costs_provision import TTFT_S, provision
from tools.costs_provision import asks as provision_asks
from tools.costs_tokens import OUTPUT_WEIGHT, tokens
from tools.costs_tokens import asks as token_asks
from tools.diagnose import Within
from tools.finding import BlindSpot
from tools.prices import Price, PriceBook
from tools.reading import Reading, Subject
from tools.rules import NONE
from tools.signals import GPU_REQUEST, Ask
from tools.snapshot import Snapshot
from tools.topology import Pod
from tools.unlisted import gpus_unseen, requests_unseen
from tools.vocabulary.costs import TEAM, TENANT

WINDOW = "1h"
LEAST_S, MOST_S = 900, 7 * 86_400
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}


class WindowError(ValueError):
    """A window that cannot be looked at; the message says what can."""


def window_of(text: str) -> tuple[str, float]:
    """A window (`45m`, `6h`, `7d`) as Prometheus takes it, and its hours; raises WindowError."""
    match = re.fullmatch(r"([1-9]\d{0,5})([mhd])", text.strip())
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if match is None or not LEAST_S <= seconds <= MOST_S:
        raise WindowError(
            f"{text.strip()[:40]!r} is no window that can be looked at: write 15m to 7d, such as 1h or 2d"
        )
    return (f"{seconds // 60}m" if seconds % 3600 else f"{seconds // 3600}h"), seconds / 3600


def asks(window: str) -> frozenset[Ask]:
    """Everything that the costs of a window (as `window_of` gives it) are read from."""
    facts = {TENANT.now, TEAM.now, GPU_REQUEST.now}
    return frozenset(
        {*facts, *NODE_ASKS, *hour_asks(window), *token_asks(window), *provision_asks(window)}
    )  # fmt: skip


def costs(
    snapshot: Snapshot,
    book: PriceBook,
    window: str = WINDOW,
    within: Within | None = None,
    *,
    plans: Sequence[Plans] = (),
    weight: float = OUTPUT_WEIGHT,
    ttft: Mapping[Subject, float] | None = None,
    standby: Collection[Subject] = (),
) -> Costs:
    """The costs of a scope over a snapshot that was taken with `asks(window)`.

    `ttft` are declared objectives in seconds, `standby` workloads that are declared to be kept warm. Nodes, and what stands free on
    them, belong to a scope that leaves nothing out.
    """
    within = within or Within()
    text, hours = window_of(window)
    looked = Window(snapshot, text, hours, frozenset(standby))
    nodes = rates(snapshot, book)
    held = holders(snapshot)
    by_workload: dict[Subject, list[Pod]] = {}
    for pods in held.values():
        for pod in pods:
            if within.holds(pod.workload):
                by_workload.setdefault(pod.workload, []).append(pod)
    told = tuple(
        _workload(workload, sorted(pods, key=lambda pod: pod.key), nodes, looked, weight, ttft or {})
        for workload, pods in by_workload.items()
    )
    told = tuple(sorted(told, key=lambda one: (-(one.usd_per_hour.value if one.usd_per_hour else 0.0), one.workload)))
    whole = within.everything
    rows = tuple(_node(rate, held.get(name, []), looked) for name, rate in nodes.items()) if whole else ()
    spent = merged([*(one for each in told for one in each.spent), *(one for each in rows for one in each.spent)])
    gpus = sum(rate.gpus for rate in nodes.values()) if whole else sum(one.gpus for one in told)
    unpriced = _unpriced(told, rows, whole=whole)
    # None seen is none only where somebody could have told of one.
    untold = not gpus and bool(gpus_unseen(snapshot) if whole else requests_unseen(snapshot))
    return Costs(
        at=datetime.fromtimestamp(snapshot.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        window=text,
        gpus=None if untold else gpus,
        gpu_hours=None if untold else sum(one.gpu_hours for one in spent),
        usd_per_hour=_total([one.usd_per_hour for one in (rows if whole else told)]),
        unpriced=unpriced,
        workloads=told,
        nodes=rows,
        owners=_shares(
            told, lambda one: one.owner or ("no owner label" if one.owner_why == UNLABELLED else "owner not seen")
        ),
        namespaces=_shares(told, lambda one: one.namespace),
        tenants=_shares([one for one in told if one.tenant], lambda one: one.tenant),
        not_attributable=_not_attributable(told),
        spent=spent,
        break_even=_break_even(plans, told, rows, hours, whole=whole),
        assumed=_assumed(weight, nodes.values(), whole=whole),
        blind=_blind(snapshot),
    )


def _blind(snapshot: Snapshot) -> tuple[BlindSpot, ...]:
    found = [BlindSpot(one.name, str(one.blind)) for one in snapshot.sources if one.blind is not None]
    why = requests_unseen(snapshot)
    return tuple([*found, BlindSpot("Who holds GPUs", f"pods that request some may not be listed: {why}")] if why else found)  # fmt: skip


def _workload(
    workload: Subject,
    pods: Sequence[Pod],
    nodes: Mapping[str, NodeRate],
    looked: Window,
    weight: float,
    ttft: Mapping[Subject, float],
) -> WorkloadCost:
    snapshot = looked.snapshot
    parts: list[str] = []
    readings = []
    total: float | None = 0.0
    gpus = 0.0
    by_kind: dict[GpuKind, float] = {}
    spent: dict[str, float] = {}
    for pod in pods:
        rate, devices = nodes.get(pod.node), devices_of(snapshot, pod)
        own = devices * (rate.gpus_per_device if rate else 1.0)
        gpus += own
        kind = _kind(rate, 0.0)
        by_kind[kind] = by_kind.get(kind, 0.0) + own
        readings += [snapshot.read(GPU_REQUEST.now, pod.key), *(rate.readings if rate else ())]
        device = rate.usd_per_device if rate else None
        if device is None:
            total = None
        else:
            spent[pod.key] = device * devices * looked.age(pod)
            total = None if total is None else total + device * devices
    for kind, count in by_kind.items():
        if kind.usd_per_gpu_hour is not None:
            parts.append(f"{plain(count)} {kind.gpu} * ${plain(kind.usd_per_gpu_hour)}")
    subject = str(workload)
    (tenant, tenant_why), (team, team_why) = (_label(snapshot.read(signal.now, subject)) for signal in (TENANT, TEAM))
    figure = None if total is None else Figure(total, "USD per hour", " + ".join(parts), queries(readings))
    return WorkloadCost(
        workload=subject,
        namespace=workload.namespace,
        owner=team,
        tenant=tenant,
        engine=snapshot.topology.engines.get(workload, ""),
        gpus=gpus,
        kinds=tuple(_kind_of(kind, count) for kind, count in by_kind.items()),
        usd_per_hour=figure,
        spent=merged([one for pod in pods for one in looked.pod(pod, nodes.get(pod.node))]),
        tokens=tokens(snapshot, [pod.key for pod in pods], spent, looked.text, weight),
        provision=provision(
            snapshot, workload, looked.text, ttft.get(workload, TTFT_S), standby=workload in looked.standby
        ),
        owner_why=team_why,
        tenant_why=tenant_why,
    )


def _node(rate: NodeRate, pods: Sequence[Pod], looked: Window) -> NodeCost:
    usd = rate.usd_per_hour
    figure = None
    if usd is not None and rate.price is not None:
        how = f"{plain(rate.gpus)} {rate.kind} * ${plain(rate.price.usd_per_hour)}"
        figure = Figure(usd, "USD per hour", how, queries(rate.readings))
    held = sum(devices_of(looked.snapshot, pod) for pod in pods)
    return NodeCost(rate.node, _kind(rate, rate.gpus), figure, rate.devices, held, merged(looked.node(rate, pods)))


def _kind(rate: NodeRate | None, count: float) -> GpuKind:
    price: Price | None = rate.price if rate else None
    why = "" if price else rate.why if rate else "the node that it runs on is not seen"
    return GpuKind(
        gpu=(rate.kind if rate else "") or "GPU of an unknown kind",
        count=count,
        usd_per_gpu_hour=price.usd_per_hour if price else None,
        price=price.said if price else "",
        date=price.date if price else "",
        url=price.url if price else "",
        own=price.own if price else False,
        spot=rate.spot if rate else False,
        why=why,
    )


def _kind_of(kind: GpuKind, count: float) -> GpuKind:
    return GpuKind(
        kind.gpu, count, kind.usd_per_gpu_hour, kind.price, kind.date, kind.url, kind.own, kind.spot, kind.why
    )


def _label(reading: Reading) -> tuple[str, str]:
    """What a label says, or why it says nothing: there is none, or nobody could look."""
    if reading.blind is not None:
        return "", f"labels not seen ({reading.blind})"
    return ("", UNLABELLED) if reading.text == NONE else (reading.text, "")


def _total(figures: Sequence[Figure | None]) -> Figure | None:
    known = [one for one in figures if one is not None]
    if not known:
        return None
    how = " + ".join(f"${plain(one.value)}" for one in known[:20]) + (" + ..." if len(known) > 20 else "")
    asked = tuple(dict.fromkeys(query for one in known for query in one.queries))[:12]
    return Figure(sum(one.value for one in known), "USD per hour", how, asked)


def _unpriced(told: Sequence[WorkloadCost], rows: Sequence[NodeCost], *, whole: bool) -> float:
    kinds = [row.kind for row in rows] if whole else [kind for one in told for kind in one.kinds]
    return sum(kind.count for kind in kinds if kind.usd_per_gpu_hour is None)


def _shares(told: Sequence[WorkloadCost], name: Callable[[WorkloadCost], str]) -> tuple[Share, ...]:
    found: dict[str, list[WorkloadCost]] = {}
    for one in told:
        found.setdefault(name(one), []).append(one)
    shares = []
    for who, those in found.items():
        known = [one.usd_per_hour.value for one in those if one.usd_per_hour is not None]
        usd = sum(known) if len(known) == len(those) else None
        shares.append(Share(who, sum(one.gpus for one in those), usd, len(those)))
    return tuple(sorted(shares, key=lambda one: (-(one.usd_per_hour or 0.0), one.name)))


def _not_attributable(told: Sequence[WorkloadCost]) -> str:
    reasons: dict[str, list[str]] = {}
    for one in told:
        if not one.tenant:
            reasons.setdefault(one.tenant_why, []).append(one.workload)
    said = []
    for why, whom in sorted(reasons.items()):
        some = ", ".join(whom[:3]) + (f" and {len(whom) - 3} more" if len(whom) > 3 else "")
        bear = "bears no tenant label, nor does its namespace" if len(whom) == 1 else "bear no tenant label, nor do their namespaces"  # fmt: skip
        said.append(f"{some} {bear}" if why == UNLABELLED else f"{some}: {why}")
    return f"not attributable to a tenant: {'; '.join(said)}" if said else ""


def _break_even(
    plans: Sequence[Plans], told: Sequence[WorkloadCost], rows: Sequence[NodeCost], hours: float, *, whole: bool
) -> tuple[BreakEven, ...]:
    found: list[BreakEven] = []
    for one in plans:
        count = sum(row.kind.count for row in rows if row.kind.gpu == one.title)
        held = worked = None
        mine = [each for each in told if {kind.gpu for kind in each.kinds} == {one.title}]
        if whole and count:
            spent = [each for workload in mine for each in workload.spent]
            unseen = sum(each.gpu_hours for each in spent if each.kind == "unseen")
            all_hours = count * hours
            held = sum(each.gpu_hours for each in spent) / all_hours
            if unseen <= 0.1 * all_hours:  # of what was hardly seen nothing is said
                worked = sum(each.gpu_hours for each in spent if each.kind == "used") / all_hours
        found += compare(one, held, worked)
    return tuple(found)


def _assumed(weight: float, nodes: Collection[NodeRate], *, whole: bool) -> tuple[str, ...]:
    said = [
        "GPU money only: a node's price is that of its GPUs; disks, network, CPU nodes and people are not in it.",
        f"A generated token is taken to cost {plain(weight)} times a prompt token (`output_token_weight` in the settings).",
        "Hours are counted in slots of 5 minutes; a slot in which something ran counts as used.",
        "Why a GPU is free or stranded, and who holds it, is as of now: Kubernetes keeps no past.",
    ]
    if any(rate.spot for rate in nodes):
        said.append("Some nodes are spot: list prices are on demand, so give your own price for them.")
    if not whole:
        said.append("What stands free or stranded on nodes belongs to the whole cluster and is left out of this scope.")
    return tuple(said)
