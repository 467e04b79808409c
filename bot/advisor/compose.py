"""The deterministic answer: verdict and Markdown from findings, citations and blind spots. No model is needed for any of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.advisor.citing import link
from bot.advisor.question import Citation, Scope
from tools.finding import BlindSpot, Finding, Recovered, Remedy, RuledOut

EVIDENCE_SHOWN = 6
SYMPTOMS_SHOWN = 5
BEFORE = "Just before, which proves no cause:"


def verdict(findings: Sequence[Finding], blind: Sequence[BlindSpot], where: str, sees_nothing: bool) -> str:
    """One sentence: the worst cause first, or what can honestly be said when nothing fires."""
    roots = [finding for finding in findings if finding.root]
    if len(roots) == 1:
        return f"{roots[0].subject}: {_lower(roots[0].title)}"
    if roots:
        listed = "; ".join(f"{root.subject}: {_lower(root.title).rstrip('.')}" for root in roots[:4])
        more = "; and more below" if len(roots) > 4 else ""
        return f"Separate problems, worst first: {listed}{more}."
    if sees_nothing:
        return f"I could see nothing of {where}: no source answered, so I cannot say how it is."
    if blind:
        return f"Nothing that I check for fires on {where}, but part of it could not be seen."
    return f"Nothing that I check for fires on {where}."


def time_verdict(
    asked: Literal["since", "before", "over"], findings: Sequence[Finding], recovered: Sequence[Recovered]
) -> str:
    """The answer to a question about the time of what is wrong, of the worst headline; empty where none has one."""
    roots = [finding for finding in findings if finding.root]
    if not roots:
        return recovered[0].text if recovered else ""
    worst = roots[0]
    about = f"{worst.subject}: {_lower(worst.title)}"
    if worst.since is None:
        return ""
    if asked == "before" and worst.happened:
        return f"{about} {worst.since.text} Just before, which proves no cause: {worst.happened[0].text}"
    if asked == "before" and worst.unseen_before:
        return f"{about} {worst.since.text} {worst.unseen_before}"
    return f"{about} {worst.since.text}"


def where(scope: Scope) -> str:
    """The scope in words."""
    if scope.workload:
        return f"{scope.namespace}/{scope.workload}" if scope.namespace else scope.workload
    if scope.namespace:
        return f"namespace {scope.namespace}"
    return "the cluster"


def live_text(
    verdict_line: str,
    findings: Sequence[Finding],
    ruled_out: Sequence[RuledOut],
    blind: Sequence[BlindSpot],
    citations: Sequence[Citation],
    recovered: Sequence[Recovered] = (),
) -> str:
    """The whole live answer as Markdown."""
    parts = [f"**{verdict_line}**"]
    by_key = {finding.key: finding for finding in findings}
    for root in (finding for finding in findings if finding.root):
        symptoms = [f for f in findings if root.key in f.explained_by]
        parts.append(_root(root, symptoms))
    orphans = [f for f in findings if not f.root and not any(cause in by_key for cause in f.explained_by)]
    parts.extend(_root(orphan, []) for orphan in orphans)
    if recovered:
        parts.append("### Recovered\n\n" + "\n".join(f"- {one.text}" for one in recovered))
    if citations:
        parts.append("### What good practice says\n\n" + "\n\n".join(map(_cited, citations)))
    if ruled_out:
        parts.append(
            "### Looked at and ruled out\n\n"
            + "\n".join(f"- Ruled out: `{r.id}` on {r.subject}. {r.why}" for r in ruled_out)
        )
    if blind:
        parts.append("### Could not see\n\n" + "\n".join(f"- {spot.what}: {spot.why}" for spot in blind))
    return "\n\n".join(parts)


def _root(root: Finding, symptoms: Sequence[Finding]) -> str:
    lines = [
        f"### {root.title.rstrip('.')}: {root.subject}",
        f"{root.severity}, {root.confidence} confidence. {root.because}",
    ]
    if root.since is not None:
        lines.append(root.since.text)
    if root.happened:
        listed = "\n".join(f"- {one.text}" for one in root.happened)
        lines.append(f"{BEFORE}\n{listed}")
    if root.unseen_before:
        lines.append(root.unseen_before)
    if symptoms:
        lines.append("It explains:\n" + "\n".join(f"- {s.title} {s.because}" for s in symptoms[:SYMPTOMS_SHOWN]))
    shown = root.evidence[:EVIDENCE_SHOWN]
    lines.append("Evidence:\n" + "\n".join(f"- [{e.id}] {e.text}" for e in shown))
    if root.remedies:
        lines.append("What to do:\n" + "\n".join(f"{i}. {_remedy(one)}" for i, one in enumerate(root.remedies, 1)))
    return "\n\n".join(lines)


def _remedy(remedy: Remedy) -> str:
    text = remedy.text
    if remedy.change is not None:
        text += f" Change `{remedy.change.what}` from {remedy.change.from_} to {remedy.change.to}."
    if remedy.verify:
        text += f" Check: {remedy.verify}"
    return text


def _cited(citation: Citation) -> str:
    quoted = "\n".join(f"> {line}" for line in citation.quote.splitlines())
    return f"{quoted}\n>\n> {link(citation)}"


def _lower(title: str) -> str:
    first = title.split(" ", 1)[0]
    return title if first.isupper() or any(c.isupper() for c in first[1:]) else title[:1].lower() + title[1:]
