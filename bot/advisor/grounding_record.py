"""What an answer's words may draw on: every text that was read, worded by a check, or retrieved, with its figures and names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.advisor.grounding_numbers import Figure, figure
from bot.advisor.grounding_tokens import Tokens, tokens
from bot.advisor.plain_text import folded, plain, stems
from bot.advisor.question import Answer
from tools.finding import Evidence, Finding
from tools.together import subjects, together

_PART = re.compile(r"[^\s/,;()\[\]{}\"'`<>|=]+")
# How an answer about the past says of when it is.
_AS_OF = re.compile(r"^As of \d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC\.")
_DURATION = re.compile(r"\[(\d+[smhd])(?::(\d+[smhd]))?\]")
_FILLER = stems("of the on in for and from its a an at to")
_COUNTED = "problem cause fault finding headline symptom check mode source citation page passage reading thing reason"


@dataclass(frozen=True, slots=True)
class Source:
    """One text with what it says. `objects` are the objects it speaks of; a page speaks of none."""

    kind: str  # live, page, own (what the answer says of itself)
    text: str
    said: Tokens
    words: frozenset[str]
    objects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unseen:
    """A blind spot as sentences may speak of it: the names of what it is on, and the stems of what it is about."""

    what: str
    names: tuple[str, ...]
    about: frozenset[str]


@dataclass(frozen=True)
class Record:
    """All that an answer was made from."""

    answer: Answer
    sources: tuple[Source, ...]
    protected: tuple[str, ...]
    objects: frozenset[str]
    live: str
    ruled_out: str
    blind: str
    pages: str
    remedies: str
    names: str

    @cached_property
    def haystack(self) -> str:
        """Every text, folded, for finding names."""
        return "\n".join((self.live, self.ruled_out, self.blind, self.pages, self.remedies, self.names))

    @cached_property
    def words(self) -> frozenset[str]:
        """The stems of every word that occurs."""
        return stems(self.haystack)

    @cached_property
    def unseen(self) -> tuple[Unseen, ...]:
        """The blind spots."""
        return tuple(_unseen(spot.what, self.objects) for spot in self.answer.blind)

    @cached_property
    def moments(self) -> frozenset[str]:
        """Every date and time that occurs."""
        return frozenset(moment for source in self.sources for moment in source.said.moments)

    def mentions(self, text: str) -> bool:
        """Does a name or code occur whole: `llama-70b` is not found in `llama-70b-chat`?"""
        return occurs(text, self.haystack)


def occurs(text: str, within: str) -> bool:
    """Does a text occur in a folded text, not as a part of a longer name?"""
    needle = folded(text)
    at = within.find(needle) if needle else -1
    while at >= 0:
        end = at + len(needle)
        before, after = within[at - 1 : at], within[end : end + 1]
        if not (_joins(before) and _joins(needle[0])) and not (_joins(after) and _joins(needle[-1])):
            return True
        at = within.find(needle, at + 1)
    return False


def record(answer: Answer, passages: Sequence[str], extra_names: Collection[str]) -> Record:
    """Gather what the answer may say."""
    objects = frozenset(_objects(answer, extra_names))
    sources = [source for finding in answer.findings for source in _of_finding(finding, objects)]
    sources += [_source("live", f"{out.id} {out.subject}: {out.why}", objects) for out in answer.ruled_out]
    sources += [_source("live", f"{one.text} {one.from_} {one.to}", objects) for one in answer.recovered]
    sources += [_source("live", f"{spot.what}: {spot.why}", objects) for spot in answer.blind]
    scope = " ".join(part for part in (answer.scope.cluster, answer.scope.namespace, answer.scope.workload) if part)
    sources.append(_source("live", scope, objects))
    if not answer.findings:
        # With nothing found the verdict is itself what was computed (a sizing, a name that does not exist).
        sources.append(_source("live", answer.verdict, objects))
    # The moment that was asked about is ours to say, whatever the evidence holds of it.
    sources += [_source("live", moment, objects) for moment in _AS_OF.findall(answer.note)]
    pages = [f"{page.title}. {page.section}. {page.quote}" for page in answer.citations]
    sources += [_source("page", text, frozenset()) for text in (*pages, *passages)]
    sources.append(_own(answer))
    found = answer.findings
    return Record(
        answer=answer,
        sources=tuple(sources),
        protected=tuple(sorted(_quotable(answer), key=len, reverse=True)),
        objects=objects,
        live=_fold((*_finding_texts(found), *(one.text for one in answer.recovered)))
        + ("" if found else folded(answer.verdict)),
        ruled_out=_fold(f"{out.id} {out.id.replace('_', ' ')} {out.subject} {out.why}" for out in answer.ruled_out),
        blind=_fold(f"{spot.what} {spot.why}" for spot in answer.blind),
        pages=_fold(
            (*pages, *passages, *(page.id for page in answer.citations), *(page.pack for page in answer.citations))
        ),
        remedies=_fold(_remedy_texts(found)),
        names=_fold((*extra_names, scope, answer.model.name if answer.model else "", *_parts(scope))),
    )


def _of_finding(finding: Finding, objects: frozenset[str]) -> Iterable[Source]:
    about = f"{finding.title} {finding.id.replace('_', ' ')}"
    own = _named(finding.subject, objects)
    words = stems(about)
    for text in (finding.title, finding.because, finding.subject.replace("/", " / ")):
        yield _source("live", text, objects, words, own)
    for evidence in finding.evidence:
        yield _of_evidence(evidence, objects, words, own)
    for text in _times(finding):
        yield _source("live", text, objects, words, own)
    for remedy in finding.remedies:
        change = f"{remedy.change.what}: {remedy.change.from_} {remedy.change.to}" if remedy.change else ""
        yield _source("live", f"{remedy.text} {change}. {remedy.verify}", objects, words, own)


def _times(finding: Finding) -> Iterable[str]:
    """What is said of a finding's beginning and of the time before it."""
    if finding.since is not None:
        yield finding.since.text
        yield f"{finding.since.at or ''} {finding.since.query}"
    for happened in finding.happened:
        yield f"{happened.text} {happened.at}"
    yield finding.unseen_before


def _of_evidence(evidence: Evidence, objects: frozenset[str], words: frozenset[str], own: frozenset[str]) -> Source:
    queried = evidence.query.replace("_", " ").replace(":", " ")
    more = words | stems(f"{queried} {evidence.unit}")
    made = _source("live", f"{evidence.text} {evidence.at} {evidence.source}", objects, more, own)
    figures = list(made.said.figures)
    if evidence.value is not None and evidence.status == "ok":
        figures.append(_valued(evidence.value, evidence.unit))
    figures += [
        figure(window[:-1], window[-1], "", "")
        for pair in _DURATION.findall(evidence.query)
        for window in pair
        if window
    ]
    return Source("live", made.text, Tokens(tuple(figures), made.said.moments), made.words, made.objects)


def _valued(value: float, unit: str) -> Figure:
    return figure(f"{abs(value):.12g}" if abs(value) < 1e12 else f"{abs(value):.0f}", "", "", f" {unit}")


def _own(answer: Answer) -> Source:
    """What the answer says of itself: how many findings, sources and gaps it has, how long it took."""
    counts = (answer.findings, answer.headlines, answer.ruled_out, answer.blind, answer.citations)
    numbers = {len(part) for part in counts} | {len(answer.findings) - len(answer.headlines)}
    said = " ".join(f"{number} {noun}s" for number in sorted(numbers) for noun in _COUNTED.split())
    seconds = " ".join(f"{value:.3f} s" for value in (*answer.seconds.values(), sum(answer.seconds.values())))
    alike = " ".join(subjects(group) for group in together(answer.findings))
    return _source("own", f"{said} {alike} {seconds}", frozenset())


def _source(
    kind: str,
    text: str,
    objects: frozenset[str],
    words: frozenset[str] = frozenset(),
    own: frozenset[str] = frozenset(),
) -> Source:
    shown = plain(text)
    # Several texts of one source stand side by side: a number at the end of one takes no unit from the next.
    return Source(
        kind,
        shown,
        tokens(shown),
        stems(shown) | words,
        _named(shown, objects) | own if kind == "live" else frozenset(),
    )


def _named(text: str, objects: Collection[str]) -> frozenset[str]:
    within = folded(text)
    return frozenset(name for name in objects if occurs(name, within))


def _objects(answer: Answer, extra: Collection[str]) -> Iterable[str]:
    """The names of workloads, pods, nodes and GPUs that the answer speaks of, folded."""
    for subject in (*(finding.subject for finding in answer.findings), *(out.subject for out in answer.ruled_out)):
        kind, _, rest = subject.partition("/")
        name = rest if kind in {"gpu", "node", "cluster"} else rest.partition("/")[2]
        if name:
            yield folded(name)
    if answer.scope.workload:
        yield folded(answer.scope.workload)
    yield from (folded(name) for name in extra if name.strip())
    for finding in answer.findings:
        for text in (finding.because, *(evidence.text for evidence in finding.evidence)):
            # Pods and nodes carry a hyphen and, but for short names, a digit.
            yield from (folded(name) for name in _parts(text) if re.search(r"\w-\w*\d", name) and not name[0].isdigit())


def _parts(text: str) -> Iterable[str]:
    return (part.strip(".:") for part in _PART.findall(text) if part.strip(".:"))


def _finding_texts(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        yield f"{finding.title}\n{finding.because}\n{finding.id} {finding.id.replace('_', ' ')} {finding.key} {finding.subject}"
        yield from finding.subject.split("/")
        yield from finding.pages
        yield from _times(finding)
        for evidence in finding.evidence:
            yield f"{evidence.id}\n{evidence.text}\n{evidence.query}\n{evidence.source} {evidence.unit} {evidence.at}"


def _remedy_texts(findings: Iterable[Finding]) -> Iterable[str]:
    for finding in findings:
        for remedy in finding.remedies:
            yield f"{remedy.text}\n{remedy.verify}\n{' '.join(remedy.cites)}"
            if remedy.change:
                yield f"{remedy.change.what} {remedy.change.from_}\n{remedy.change.what} {remedy.change.to}"
                yield f"{remedy.change.what}={remedy.change.from_}\n{remedy.change.what}={remedy.change.to}"


def _unseen(what: str, objects: Collection[str]) -> Unseen:
    named = [name for name in tokens(what).names if folded(name) in objects or "/" in name or "-" in name]
    hyphened = [word for word in re.findall(r"\w+(?:-\w+)+", what) if word not in named]
    about = stems(re.sub("|".join(map(re.escape, named)) or r"(?!)", " ", what)) - _FILLER
    return Unseen(what, (*named, *hyphened) if named else (), about)


def _quotable(answer: Answer) -> set[str]:
    """Those texts as they came, and as they stand in the answer's Markdown."""
    texts = set(_protected(answer))
    return texts | {answer.as_shown(text) for text in texts}


def _protected(answer: Answer) -> Iterable[str]:
    """Whole texts that may be quoted as they are: what a check worded, and a page's own words."""
    for finding in answer.findings:
        yield from (finding.title, finding.because)
        yield from (evidence.text for evidence in finding.evidence)
        yield from ((finding.since.text,) if finding.since else ())
        yield from (happened.text for happened in finding.happened)
        yield from ((finding.unseen_before,) if finding.unseen_before else ())
        for remedy in finding.remedies:
            yield from (remedy.text, remedy.verify)
    for out in answer.ruled_out:
        yield out.why
    yield from (one.text for one in answer.recovered)
    for spot in answer.blind:
        yield spot.why
    for page in answer.citations:
        yield from (page.title, page.quote)


def _fold(texts: Iterable[str]) -> str:
    return "\n".join(folded(text) for text in texts if text)


def _joins(char: str) -> bool:
    return bool(char) and (char.isalnum() or char in "_-")
