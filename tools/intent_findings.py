"""How a difference between intent and what runs becomes a finding: the declared value and the readings side by side, with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from tools import intent_compare as compare
from tools.burn import Burning, Counts
from tools.check import shown
from tools.finding import BlindSpot, Change, Evidence, Finding, Remedy, Severity
from tools.intent import Intent
from tools.intent_compare import Compared, compared
from tools.reading import Reading, Subject
from tools.signals import Ask

TITLES = {
    "intent_not_deployed": "What was declared does not run.",
    "intent_model_drift": "Another model runs than was declared.",
    "intent_engine_drift": "The engine is set otherwise than was declared.",
    "intent_gpu_drift": "It runs on other GPUs than were declared.",
    "intent_replica_drift": "There are more or fewer replicas than were declared.",
    "intent_objective_missed": "A declared objective is missed.",
    "intent_error_budget_burns": "The error budget of the declared availability burns too fast.",
    "intent_latency_budget_burns": "Too many requests take longer than was declared.",
    "intent_budget_exceeded": "It costs more than was declared.",
    "intent_owner_drift": "Another owner is labelled than was declared.",
    "intent_standby_drift": "Its standing as a standby is not what was declared.",
    "intent_canary_worse": "The canary is worse than the stable workload.",
}


class Held:
    """One workload against its intent: what was found so far, what agrees, and what could not be compared."""

    def __init__(self, intent: Intent, subject: Subject, counts: Counts) -> None:
        """Nothing is held yet."""
        self.intent, self.subject, self.counts, self.snapshot = intent, subject, counts, counts.snapshot
        self.findings: list[Finding] = []
        self.same: list[str] = []
        self.blind: list[BlindSpot] = []
        self.burns: list[tuple[str, Burning]] = []

    def compare(self, what: str, wanted: object, ask: Ask, same: compare.Same) -> Compared | None:
        """The comparison where it is apart; what agrees and what is not seen is noted."""
        found = compared(self.snapshot, self.subject, what, wanted, ask, same)
        if found.state == "apart":
            return found
        if found.state == "same":
            self.same.append(f"{self.subject}: {what} is {found.wanted}")
        else:
            self.blind.append(BlindSpot(f"{what} of {self.subject}", f"declared {found.wanted}; {found.why}"))
        return None

    def found(
        self, name: str, severity: Severity, apart: Sequence[Compared], remedies: tuple[Remedy, ...], extra: str = ""
    ) -> None:
        """Note what is apart as one finding."""
        said = "; ".join(f"{one.what}: {one.said or one.wanted} declared, {one.got} found" for one in apart)
        evidence: list[Evidence] = []
        for one in apart:
            evidence.append(declared_as(f"e{len(evidence) + 1}", one.what, one.wanted, self.intent))
            evidence += [
                evidence_of(f"e{len(evidence) + 1 + i}", reading) for i, reading in enumerate(one.readings[:4])
            ]
        because = f"{said}{extra}."
        self.findings.append(finding_of(name, str(self.subject), severity, because, tuple(evidence), remedies))


def finding_of(
    name: str,
    subject: str,
    severity: Severity,
    because: str,
    evidence: tuple[Evidence, ...],
    remedies: tuple[Remedy, ...],
) -> Finding:
    """A finding about one subject."""
    return Finding(
        key=f"{name}@{subject}",
        id=name,
        title=TITLES[name],
        subject=subject,
        severity=severity,
        confidence="high" if all(one.status == "ok" for one in evidence) else "medium",
        root=True,
        because=because,
        evidence=evidence,
        remedies=remedies,
    )


def keyed(found: Finding, what: str) -> Finding:
    """The same finding under a key of its own."""
    return replace(found, key=f"{found.id}@{found.subject}#{what.replace(' ', '-')}")


def set_to(one: Compared, what: str) -> Remedy:
    """To bring it to what was declared; `what` is where it is set."""
    change = Change(what, one.raw or one.got, one.wanted) if what else None
    return Remedy(
        f"Set the {one.what} to {one.said or one.wanted}, or declare {one.got} where that is meant.",
        change,
        f"`rackside intent drift` no longer names {one.what}.",
    )


def declared_as(number: str, what: str, wanted: str, intent: Intent) -> Evidence:
    """The declared value as evidence: the file and its line."""
    return Evidence(number, f"declared {what}: {wanted}", None, "", intent.source, "", "")


def evidence_of(number: str, reading: Reading) -> Evidence:
    """A reading as evidence."""
    value = float(reading.value) if isinstance(reading.value, int | float) else None
    said = f"{reading.name} of {reading.subject}: {shown(reading)}"
    return Evidence(number, said, value, reading.unit, reading.source, reading.query, moment_of(reading.at))


def moment_of(moment: float) -> str:
    """A time as RFC 3339."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
