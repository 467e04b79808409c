"""How fast an error budget burns: the share of failed requests over the share that an availability objective allows.

Two windows must agree: the long one says that it matters, the short one that it still goes on. 14.4 times over an hour is 2 % of a
month's budget, 6 times over six hours is 5 %: a page. Once over three days is 10 %: a ticket.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tools.columns import Value
from tools.measure import Query
from tools.reading import Blind, Reason, Subject
from tools.signals import REQUESTS_FINISHED, Ask
from tools.snapshot import Snapshot
from tools.topology import workload_from_name
from tools.vocabulary.outcomes import FAILED, HTTP_5XX, HTTP_REQUESTS

Urgency = Literal["page", "ticket"]
Verdict = Literal["page", "ticket", "fine", "too few requests to tell", "cannot tell"]
# Fewer failures than this at the threshold would let one unlucky request page somebody.
LEAST_FAILURES = 5.0


@dataclass(frozen=True, slots=True)
class Rule:
    """An alarm: how many times the budget over two windows, and how urgent that is."""

    urgency: Urgency
    factor: float
    long: str
    short: str


RULES = (Rule("page", 14.4, "1h", "5m"), Rule("page", 6.0, "6h", "30m"), Rule("ticket", 1.0, "72h", "6h"))
WINDOWS = tuple(dict.fromkeys(window for rule in RULES for window in (rule.long, rule.short)))


@dataclass(frozen=True, slots=True)
class Asked:
    """Requests of a window and how many failed; `promql` are the expressions for both, `blind` says why there are none.

    `silent` counts replicas that are up and of which nothing is told: their requests are not among these.
    """

    window: str
    requests: float
    failed: float
    promql: tuple[str, str]
    source: str
    blind: Blind | None = None
    silent: int = 0

    @property
    def ratio(self) -> float | None:
        """The share that failed, None where nothing was asked."""
        return self.failed / self.requests if self.requests > 0 and self.blind is None else None


@dataclass(frozen=True, slots=True)
class Burn:
    """One rule on one workload. `promql` is the alarm as an expression, `long` and `short` how many times the budget burns."""

    rule: Rule
    verdict: Verdict
    long: float | None
    short: float | None
    promql: str
    why: str


@dataclass(frozen=True, slots=True)
class Burning:
    """All rules on a workload, the most urgent verdict, and the counts behind it."""

    verdict: Verdict
    why: str
    burns: tuple[Burn, ...]
    asked: tuple[Asked, ...]


def asks() -> frozenset[Ask]:
    """What it reads."""
    signals = (HTTP_REQUESTS, HTTP_5XX, REQUESTS_FINISHED, FAILED)
    return frozenset(signal.increase(window) for signal in signals for window in WINDOWS)


class Counts:
    """The counters of a snapshot by workload, laid out once for all workloads that are asked about."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Nothing is laid out yet."""
        self.snapshot = snapshot
        self._by_ask: dict[Ask, dict[Subject, dict[str, Value]] | Blind] = {}

    def of(self, ask: Ask, workload: Subject) -> tuple[Mapping[str, float], Blind | None]:
        """The counts of a workload's pods, those that have gone since among them; or why they are not seen."""
        found, blind = self.told(ask, workload)
        return {key: value for key, value in found.items() if isinstance(value, float)}, blind

    def told(self, ask: Ask, workload: Subject) -> tuple[Mapping[str, Value], Blind | None]:
        """The same where the value is no number: the buckets of a histogram."""
        if ask not in self._by_ask:
            self._by_ask[ask] = self._laid_out(ask)
        found = self._by_ask[ask]
        return ({}, found) if isinstance(found, Blind) else (found.get(workload, {}), None)

    def _laid_out(self, ask: Ask) -> dict[Subject, dict[str, Value]] | Blind:
        column = self.snapshot.columns.get(ask)
        if column is None or not column.parts:
            return column.absent if column is not None else Blind(Reason.NOT_SET, "it was not asked for")
        found: dict[Subject, dict[str, Value]] = {}
        for part in column.parts:
            if part.blind is not None:
                return part.blind
            for key, value in part.values.items():
                namespace, _, name = key.partition("/")
                pod = self.snapshot.topology.pods.get(key)
                owner = pod.workload if pod is not None else workload_from_name(namespace, name)
                known = float(value) if isinstance(value, int | float) else value
                found.setdefault(owner, {}).setdefault(key, known)
        return found


def burning(counts: Counts, workload: Subject, availability_percent: float) -> Burning:
    """How a workload's error budget burns, for an availability in percent of requests."""
    asked = {window: count(counts, workload, window) for window in WINDOWS}
    found = over(asked, 1 - availability_percent / 100, "requests failed")
    silent = max(one.silent for one in asked.values())
    if silent and found.verdict == "fine":
        return replace(
            found,
            verdict="cannot tell",
            why=f"of {silent} of its replicas nothing is told, and {found.why} on the others",
        )
    return found


def over(asked: Mapping[str, Asked], budget: float, did: str) -> Burning:
    """Every rule over what was counted by window, for the share of it that may be bad; `did` says what that is."""
    burns = tuple(_burn(rule, asked[rule.long], asked[rule.short], budget, did) for rule in RULES)
    # The most urgent that fires; what cannot be told is no comfort.
    for verdict in ("page", "ticket", "cannot tell", "too few requests to tell"):
        found = next((burn for burn in burns if burn.verdict == verdict), None)
        if found is not None:
            return Burning(found.verdict, found.why, burns, tuple(asked.values()))
    return Burning("fine", "no window burns faster than its limit", burns, tuple(asked.values()))


def _burn(rule: Rule, long: Asked, short: Asked, budget: float, did: str) -> Burn:
    bad, all_ = long.promql
    short_bad, short_all = short.promql
    limit = f"{rule.factor * budget:.6g}"
    promql = f"({bad} / {all_}) > {limit} and ({short_bad} / {short_all}) > {limit}" if bad and short_bad else ""
    blind = long.blind or short.blind
    if blind is not None:
        return Burn(rule, "cannot tell", None, None, promql, f"requests are not seen ({blind})")
    needed = LEAST_FAILURES / (rule.factor * budget)
    rates = [one.ratio / budget if one.ratio is not None else None for one in (long, short)]
    over, lately = rates
    said = f"{long.failed:.0f} of {long.requests:,.0f} {did} in {rule.long}"
    if long.requests < needed:
        return Burn(rule, "too few requests to tell", over, lately, promql, f"{said}; a judgement of {rule.long} needs {needed:,.0f}")  # fmt: skip
    fires = all(rate is not None and rate > rule.factor for rate in rates)
    shown = " and ".join(
        f"{rate:.3g} times over {window}" if rate is not None else f"nothing asked over {window}"
        for rate, window in zip(rates, (rule.long, rule.short), strict=True)
    )
    why = f"{said}: the budget burns {shown}; the limit is {rule.factor:g} times over both"
    return Burn(rule, rule.urgency if fires else "fine", over, lately, promql, why)


def count(counts: Counts, workload: Subject, window: str) -> Asked:
    """The requests of a workload in a window and those that failed, its replicas that have gone since among them.

    A server's own count of answers comes first; a class of answers that its metric has no series of did not happen.
    """
    snapshot, why = counts.snapshot, None
    for total, bad in ((HTTP_REQUESTS, HTTP_5XX), (REQUESTS_FINISHED, FAILED)):
        ask_all, ask_bad = total.increase(window), bad.increase(window)
        everything, blind = counts.of(ask_all, workload)
        failures, blind_bad = counts.of(ask_bad, workload)
        why = why or blind
        if not everything or blind or blind_bad:
            why = why or blind_bad
            continue
        if not failures and not _same_metric(snapshot, ask_bad, ask_all):
            why = why or Blind(Reason.NO_SERIES, f"nothing tells which of the {total.meaning.lower()} failed")
            continue
        failed, requests = sum(failures.values()), sum(everything.values())
        if total is REQUESTS_FINISHED and not _same_metric(snapshot, ask_bad, ask_all):
            requests += failed
        promql = (narrowed(snapshot, ask_bad, workload), narrowed(snapshot, ask_all, workload))
        source = next((part.source for part in snapshot.columns[ask_all].parts if part.values), "")
        return Asked(window, requests, failed, promql, source, silent=_silent(snapshot, ask_all, workload))
    unseen = why or Blind(Reason.NO_SERIES, "nothing counts its requests")
    return Asked(window, 0.0, 0.0, ("", ""), "", unseen)


def _silent(snapshot: Snapshot, ask: Ask, workload: Subject) -> int:
    """Replicas that are up and of which no source of an ask has a fresh sample; one that only was never asked anything has."""
    seen = [query.identity.fresh for query in _queries(snapshot, ask)]
    return sum(not any(key in fresh for fresh in seen) for key in serving(snapshot, workload))


def serving(snapshot: Snapshot, workload: Subject) -> list[str]:
    """The replicas that are up: those with GPUs where any has some, for a head or a launcher beside them serves nobody."""
    up = [pod for key in snapshot.topology.pods_of(workload) if (pod := snapshot.topology.pods[key]).active]
    return [pod.key for pod in up if pod.gpus] or [pod.key for pod in up]


def _queries(snapshot: Snapshot, ask: Ask) -> Sequence[Query]:
    return snapshot.queries.get(ask, ())


def _metrics(snapshot: Snapshot, ask: Ask) -> set[str]:
    return {series.metric for query in _queries(snapshot, ask) for series in query.found}


def _same_metric(snapshot: Snapshot, bad: Ask, total: Ask) -> bool:
    """Whether failures are counted under a metric that is there: then no series of them means that none happened."""
    return bool(_metrics(snapshot, bad) & _metrics(snapshot, total))


def narrowed(snapshot: Snapshot, ask: Ask, workload: Subject, more: str = "") -> str:
    """The sum over the workload's pods, those of the past too, as somebody would write it into an alert rule; `more` are label matchers."""
    texts = []
    for query in _queries(snapshot, ask):
        keys = query.identity.labels.keys
        if len(keys) < 2:
            continue
        pods = _POD_NAMES.get(workload.kind, "{name}").format(name=workload.name.replace(".", "[.]"))
        matcher = f'{keys[0]}="{workload.namespace}",{keys[1]}=~"{pods}"' + (f",{more}" if more else "")
        texts.append(Query.of(ask, query.source, query.found, query.identity, matcher).text)
    return f"sum({' or '.join(texts)})" if texts else ""


_POD_NAMES: Mapping[str, str] = {
    "deployment": "{name}-[a-z0-9]{{6,10}}-[a-z0-9]{{5}}",
    "statefulset": "{name}-[0-9]+",
}
