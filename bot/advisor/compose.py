"""The deterministic answer: verdict and Markdown from findings, citations and blind spots. No model is needed for any of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bot.advisor.citing import link
from bot.advisor.question import Citation, Scope
from tools.finding import BlindSpot, Finding, Recovered, Remedy, RuledOut
from tools.together import subjects, together

EVIDENCE_SHOWN = 6
SYMPTOMS_SHOWN = 5
ALIKE_SHOWN = 8
BEFORE = "Just before, which proves no cause:"


def verdict(
    findings: Sequence[Finding],
    blind: Sequence[BlindSpot],
    where: str,
    sees_nothing: bool,
    recovered: Sequence[Recovered] = (),
) -> str:
    """One sentence: the worst cause first, or what can honestly be said when nothing fires (and what did until lately)."""
    groups = together(findings)
    if len(groups) == 1:
        return f"{subjects(groups[0])}: {_lower(groups[0][0].title)}"
    if groups:
        listed = "; ".join(f"{subjects(group)}: {_lower(group[0].title).rstrip('.')}" for group in groups[:4])
        more = "; and more below" if len(groups) > 4 else ""
        return f"Separate problems, worst first: {listed}{more}."
    if sees_nothing:
        return f"I could see nothing of {where}: no source answered, so I cannot say how it is."
    line = f"Nothing that I check for fires on {where}"
    line += " now" if recovered else ""
    line += ", but part of it could not be seen." if blind else "."
    return f"{line} {recovered[0].text}" if recovered else line


# Where a rule is told by what a question seems to mean, and not surely.
TAKEN_FOR = "I take your question to be about this: "


def not_so(titles: Sequence[str]) -> str:
    """What somebody asks about and what is otherwise, as a sentence to begin with; empty where there is none."""
    if not titles:
        return ""
    said = "; ".join(title.rstrip(".") for title in titles[:3])
    return f"What you ask about was looked at and is not so here: {said}. "


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
    for group in together(findings):
        keys = {root.key for root in group}
        symptoms = [f for f in findings if keys & set(f.explained_by)]
        parts.append(_root(group[0], symptoms, group))
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


def _root(root: Finding, symptoms: Sequence[Finding], group: Sequence[Finding] = ()) -> str:
    """A headline in full; of a group the first, and of the others why they belong to it."""
    lines = [
        f"### {root.title.rstrip('.')}: {subjects(group or (root,))}",
        f"{root.severity}, {root.confidence} confidence. {root.because}",
    ]
    if len(group) > 1:
        others = [f"- {one.subject}: {one.because}" for one in group[1 : 1 + ALIKE_SHOWN]]
        rest = [f"- {one.subject}" for one in group[1 + ALIKE_SHOWN :]]
        lines.append("The same on:\n" + "\n".join((*others, *rest)))
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
