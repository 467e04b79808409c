"""One cause on many nodes or GPUs is one thing to tell: headlines alike, gathered for whoever words an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.finding import Finding

_MANY = ("node/", "gpu/")
NAMES_SHOWN = 5


def together(findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """The headlines in their order; those of one failure mode on several nodes, or on several GPUs, at the place of the first."""
    groups: dict[str, list[Finding]] = {}
    for one in findings:
        if one.root:
            kind = next((kind for kind in _MANY if one.subject.startswith(kind)), "")
            groups.setdefault(f"{one.id}@{kind}" if kind else one.key, []).append(one)
    return tuple(tuple(group) for group in groups.values())


def subjects(group: Sequence[Finding]) -> str:
    """Whom a group is about: one by itself, several with their number and the first names."""
    if len(group) == 1:
        return group[0].subject
    kind, _, _ = group[0].subject.partition("/")
    names = [one.subject.partition("/")[2] for one in group]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    what = "GPUs" if kind == "gpu" else f"{kind}s"
    return f"{len(names)} {what} ({', '.join(names[:NAMES_SHOWN])}{more})"


def told(group: Sequence[Finding]) -> Finding:
    """A group as one headline: about all of its subjects, with the words and the evidence of the first."""
    return replace(group[0], subject=subjects(group)) if len(group) > 1 else group[0]
