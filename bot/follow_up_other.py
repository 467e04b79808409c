"""Follow-ups that point beside what was answered: the other replicas, a pod or a node by its name. Pure.

The last answer settles them where it names what is asked for; otherwise they are asked anew in words that keep the place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot.advisor.question import Answer, Question
from bot.deep_links import Links
from bot.mrkdwn import code, escape, link, prose
from tools.finding import Evidence
from tools.reading import Subject

_LINES_OF_ONE = 8
_START = (
    r"(?:(?:and|but|so|ok|please|hey|then|what about|how about|what of|how is|how are|how does|how do|is|are|check|"
    r"look at|show me) )*(?:all )?(?:the |its |of )*"
)
_END = r"(?: (?:doing|look|looking|fine|ok|okay|healthy|affected|slow|down|too|as well|please|then|now|though))*"
_OTHERS = re.compile(
    rf"{_START}(?:other|second|remaining|rest of the) (?:two |three |four )?(?:replica|pod|instance)s?{_END}"
)
# A name has a digit, a hyphen or a dot in it: other words after `node` go on with the sentence.
_NAMED = re.compile(
    rf"{_START}(?P<kind>node|machine|host|pod|replica) (?P<name>(?=[a-z.]*[-.\d])[a-z0-9](?:[a-z0-9.-]{{0,200}}[a-z0-9])?){_END}"
)


@dataclass(frozen=True, slots=True)
class Other:
    """What a follow-up points to: a node or pod by its `name`, or, without a name, the other replicas of the workload."""

    kind: Literal["replica", "pod", "node"]
    name: str = ""

    @property
    def said(self) -> str:
        """It in words."""
        return f"{self.kind} {self.name}" if self.name else "another replica by its name"


def wanted(text: str, answer: Answer) -> Other | None:
    """What a follow-up points to beside the last answer; None for every other text, and where that answer saw nothing live."""
    if answer.intent != "live":
        return None
    words = " ".join(word.strip(".-'") for word in re.findall(r"[\w'.-]+", text.lower()[:300]))
    found = _NAMED.fullmatch(words)
    if found is not None:
        name, place = found["name"], _workload(answer)
        if found["kind"] not in {"pod", "replica"}:
            return Other("node", name)
        if name.isdecimal():
            return Other("pod", f"{place.name}-{name}") if place is not None else None
        return Other("pod", name)
    return Other("replica") if _OTHERS.fullmatch(words) and _workload(answer) is not None else None


def told(other: Other, answer: Answer, links: Links) -> tuple[str, list[str]] | None:
    """Headline and lines (mrkdwn) of what the answer says of it; None where it says nothing."""
    statements = list(_statements(answer, links))
    names = [other.name] if other.name else _others(answer, [text for text, _ in statements])
    lines: list[str] = []
    for name in names:
        of_it = [line for text, line in statements if _names(text, name)]
        if not of_it:
            continue
        lines += [code(name, 150), *of_it[:_LINES_OF_ONE]]
        if len(of_it) > _LINES_OF_ONE:
            lines.append(f"    _and {len(of_it) - _LINES_OF_ONE} more_")
    if not lines:
        return None
    unseen = [f"• could not see {prose(one.what, 200)}: {prose(one.why, 250)}" for one in answer.blind
              if any(_names(f"{one.what} {one.why}", name) for name in names)]  # fmt: skip
    lines += [*unseen, "_This is all that the answer names it in; nothing else of it was told._"]
    head = f"{other.kind.capitalize()} {other.name}" if other.name else "The other replicas that the answer names"
    return escape(head, 250), lines


def anew(other: Other, answer: Answer) -> Question:
    """The question that looks at it: in the place of the last answer, with what it is about named."""
    cluster, place = answer.scope.cluster, _workload(answer)
    if other.kind == "node":
        # A given workload would win over the node in the words: both are named in them instead.
        of = f"with {place.namespace}/{place.name} on" if place is not None else "on"
        return Question(f"What is wrong {of} node {other.name}?", cluster)
    if place is None or (other.name and not other.name.startswith(f"{place.name}-")):
        return Question(f"What is wrong with pod {other.name}?", cluster)
    what = f"pod {other.name}" if other.name else "the replicas"
    return Question(f"What is wrong with {what} of {place.name}?", cluster, place.namespace, place.name)


def admitted(other: Other, last: Answer, found: Answer) -> str:
    """What is said above an answer that was asked anew (mrkdwn): that the last one did not tell, and whether this one does."""
    place = _workload(last)
    where = f" all replicas of {code(place.name, 120)}" if place is not None and not other.name else ""
    said = f"My last answer told nothing of {escape(other.said, 250)}: I looked at{where or ' it'} anew."
    if found.intent != "live" or found.saw_nothing:
        return f"My last answer told nothing of {escape(other.said, 250)}."
    if other.name and not any(_names(text, other.name) for text, _ in _statements(found, Links())):
        said = f"My last answer told nothing of {escape(other.said, 250)}, and what I read now names nothing of it, either."
    return said


def _workload(answer: Answer) -> Subject | None:
    """The one workload that an answer is about."""
    scope = answer.scope
    if scope.namespace and scope.workload:
        return Subject("workload", scope.namespace, scope.workload)
    for finding in answer.headlines[:1]:
        try:
            subject = Subject.parse(finding.subject)
        except ValueError:
            return None
        if subject.namespace and subject.kind != "pod":
            return subject
    return None


def _others(answer: Answer, texts: list[str]) -> list[str]:
    """The pods of the workload that are named, but for those that were asked about, or else the one named first."""
    place = _workload(answer)
    if place is None:
        return []
    # As Deployments, StatefulSets and sets of several, and DaemonSets name their pods.
    ending = r"(?:-[a-z0-9]{6,10}-[a-z0-9]{5}|(?:-\d{1,4}){1,2}|-(?=[a-z]{0,4}\d)[a-z0-9]{5})"
    pod = re.compile(rf"(?<![\w.-]){re.escape(place.name)}{ending}(?![\w-])")
    named = list(dict.fromkeys(name for text in texts for name in pod.findall(text)))
    asked = [name for name in named if _names((answer.question or "").lower(), name)]
    return [name for name in named if name not in (asked or named[:1])]


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text, re.IGNORECASE) is not None


def _statements(answer: Answer, links: Links) -> Iterator[tuple[str, str]]:
    """What the answer says, each as it is searched and as a line that shows it: findings, their evidence, what is over, what is not so."""
    for finding in answer.findings:
        shown = f"• *{escape(finding.title, 150)}* {code(finding.subject, 150)}: {prose(finding.because, 350)}"
        yield f"{finding.title} {finding.subject}: {finding.because}", shown
        for one in finding.evidence:
            yield one.text, evidence_line(one, links)
    for gone in answer.recovered:
        yield f"{gone.subject} {gone.text}", f"• {prose(gone.text, 300)}"
    for out in answer.ruled_out:
        name = escape(out.id.replace("_", " "), 80)
        yield f"{out.subject} {out.why}", f"• ruled out: {name} {code(out.subject, 120)}: {prose(out.why, 220)}"


def evidence_line(evidence: Evidence, links: Links) -> str:
    """A reading with its source, which opens its query, and its time (mrkdwn)."""
    url = links.graph(evidence.query, evidence.at)
    source = link(url, evidence.source or "source") if url else escape(evidence.source, 40)
    return f"• {prose(evidence.text, 250)} ({source}, {escape(evidence.at, 25)})"
