"""From a question to a grounded answer: scope and intent, snapshot, findings, passages, words, grounding."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.access.narrow import narrowed
from bot.advisor import citing, compose, sizing_answer
from bot.advisor.called import called, with_causes
from bot.advisor.felt import felt
from bot.advisor.grounding import ground
from bot.advisor.intent import LONGEST_QUESTION, asks_state, asks_time, classify, clean, of_here, reach, wants_action
from bot.advisor.known import known
from bot.advisor.known import text as known_text
from bot.advisor.looking_back import looking_back
from bot.advisor.meant import LIKELY, NOTHING, SURELY, About, meant, of_those_meant
from bot.advisor.mentioned import only_of_what_ails
from bot.advisor.other_language import ENGLISH, other_language
from bot.advisor.pasted import PASTED, condensed
from bot.advisor.question import Answer, Intent, Question, Scope
from bot.advisor.rates import ALERTS
from bot.advisor.scope import Found, find, permitted
from knowledge.search import Hit, Library
from tools.casebook import asked_for, asks, asks_of, complained_of, rules, signs_named
from tools.closer_look import closer, from_their_start, suspects
from tools.diagnose import Diagnosis, Overrides, Within, diagnose
from tools.finding import BlindSpot
from tools.headlines import UNMEASURED
from tools.observe import Cluster
from tools.outcomes import Verdict
from tools.prices import PriceBook, price_book
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.timeline import timeline
from tools.topology import CLUSTER

if TYPE_CHECKING:
    from bot.advisor.model import ModelDoor

Progress = Callable[[str], None]
Sources = Callable[[str | None], tuple[PromSource | Blind, Cluster | Blind, str]]
PRESENT_S = 60.0
# A namespace of so few workloads is looked at as if each of them had been named.
FEW = 6
NO_PROMETHEUS = Blind(Reason.NOT_SET, "Prometheus was not asked")
RULES_NOTE = "Answered from rules; no language model took part. Nothing was changed."
HELP = (
    "Ask me what is wrong with a workload, a node or the whole fleet (why is the first token so slow? what is going on in namespace"
    " search?), or what good practice says (what does Xid 79 mean? how should an LLM be autoscaled?). I read metrics, Kubernetes"
    " objects and logs, and never change anything."
)
OUTSIDE = "That is outside what I know: I answer questions about GPU and LLM-inference infrastructure, from live evidence and from my pages."
# Who says that what is named fails has its logs looked at, whatever else is found.
_FAILS = re.compile(
    r"\b(?:errors?|fail\w*|exceptions?|50\d|[45]xx|(?:HTTP|status|code)s?[ :/]{1,2}4\d\d|crash\w*|ends? in)\b",
    re.IGNORECASE,
)
READS_ONLY = "I only read and never change a cluster. Ask me what is wrong, and I name the remedy, its cost and how to check that it worked."


class Advisor:
    """Answers questions. `sources` gives Prometheus and the cluster's API for a cluster's name; `clock` the present time."""

    def __init__(
        self,
        sources: Sources,
        library: Library,
        *,
        limits: Overrides | None = None,
        model: ModelDoor | None = None,
        prices: PriceBook | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Keep the parts; nothing is asked yet."""
        self._sources = sources
        self._library = library
        self._limits = limits or {}
        self._model = model
        self._prices = prices or price_book()
        self._clock = clock

    def warm(self) -> None:
        """Load what the first question would wait for; a knowledge base that cannot be read is told to whoever asks."""
        citing.search(self._library, "warm", 1)

    def answer(self, question: Question, progress: Progress = lambda _title: None) -> Answer:
        """Answer a question, or sweep a scope when it has no text. Never raises for what the world does."""
        started = time.monotonic()
        text = None if question.text is None else clean(condensed(question.text))
        question, refusal = permitted(question, text or "")
        if refusal:
            return self._plain(question, "declined", refusal, started)
        if text is not None and classify(text, named=False, outside=False) == "help":
            return self._plain(question, "help", HELP, started)
        if text is not None and wants_action(text):
            return self._plain(question, "declined", READS_ONLY, started)
        sized = sizing_answer.wanted(text) if text is not None else None
        if sized is not None:
            told = sizing_answer.answer(sized, question.text, self._prices, self._library)
            return replace(told, seconds={"total": round(time.monotonic() - started, 3)})
        running = text is not None and sizing_answer.running(text)
        hits: list[Hit] = []
        unknown: BlindSpot | None = None
        if text is not None:
            progress("Searching the knowledge base")
            hits, unknown = citing.search(self._library, text, 5)
        outside = text is not None and unknown is None and self._library.outside(text, hits)
        far = text is not None and outside and self._library.outside(text, hits, by=reach(text))
        intent = "live" if text is None else classify(text, running, outside, far)
        about = meant(self._library, text) if text is not None else NOTHING
        snapshot: Snapshot | None = None
        prom: PromSource | Blind = NO_PROMETHEUS
        found = Found(Scope(question.cluster, question.namespace, question.workload), named=False)
        asks_of_own = intent in {"live", "declined", "knowledge", "sizing"} or bool(asked_for(text or ""))
        # Who prepares for an audit and names somebody asks about him.
        asks_of_own = asks_of_own or about.own
        if asks_of_own or question.namespace or question.workload:
            progress("Reading metrics and Kubernetes objects")
            prom, snapshot = self._survey(question, about)
            found = find(question, text or "", snapshot.topology)
            if text is not None:
                here = bool(about.surely) and of_here(text)
                intent = classify(text, found.named or running or here, outside, far)
        if intent == "live" and snapshot is not None:
            progress("Checking every failure mode")
            answer = self._live(question, found, prom, snapshot, [] if outside else hits, unknown, about)
        elif intent == "declined":
            why = ENGLISH if other_language(text or "") else OUTSIDE
            return self._plain(question, "declined", why, started)
        else:
            answer = self._known(question, intent, found.scope, hits, unknown)
        if text is not None and len(question.text or "") > LONGEST_QUESTION:
            answer = replace(answer, note=f"{answer.note} {PASTED}")
        seconds = {**(snapshot.seconds if snapshot else {}), "total": time.monotonic() - started}
        answer = replace(answer, seconds={name: round(value, 3) for name, value in seconds.items()})
        if self._model is not None and intent != "help":
            progress("Wording the answer")
            answer = self._model.word(answer, [hit.passage for hit in hits])
        return answer

    def _survey(self, question: Question, about: About) -> tuple[PromSource | Blind, Snapshot]:
        now = self._clock()
        at = question.at if question.at is not None else now
        prom, cluster, matchers = self._sources(question.cluster)
        text = question.text or ""
        wanted = asks(asked=asked_for(text) | complained_of(text) | about.worth)
        seen = survey(prom, cluster, wanted, at, past=now - at > PRESENT_S, matchers=matchers)
        return prom, narrowed(seen, question.allowed)

    def _live(
        self,
        question: Question,
        found: Found,
        prom: PromSource | Blind,
        snapshot: Snapshot,
        hits: list[Hit],
        unknown: BlindSpot | None,
        about: About,
    ) -> Answer:
        scope = found.scope
        limits = looking_back(question.text or "", self._limits)
        if found.missing:
            spots = tuple(BlindSpot(s.name, str(s.blind)) for s in snapshot.sources if s.blind is not None)
            line = found.missing
            text = compose.live_text(line, (), (), spots, ())
            return self._finish(Answer(question.text, "live", scope, line, blind=spots, text=text, note=RULES_NOTE))
        within = Within(scope.namespace, scope.workload, found.several, signs_named(question.text or ""))
        snapshot, diagnosis, asked = self._first(question, snapshot, within, about, limits)
        beside = ""
        calm = bool(scope.workload or found.several) and not _ailing(diagnosis)
        mine = [one for one in snapshot.topology.workloads if within.holds(one)]
        few = bool(scope.namespace) and len(mine) <= FEW
        failing = (bool(scope.workload or found.several) or few) and _FAILS.search(question.text or "") is not None
        named = mine if calm or failing else []
        worth = suspects(diagnosis, snapshot.topology, named)
        if calm or failing or worth:
            logs = self._sources(question.cluster)[1]
            nearer = closer(logs, snapshot, worth)
            if nearer is not snapshot:
                snapshot, diagnosis = nearer, diagnose(nearer, within, limits, asked)
            if calm and not _ailing(diagnosis):
                harm = felt(snapshot, within, limits, complained_of(question.text or ""))
                diagnosis = diagnose(snapshot, within, limits, asked | harm) if harm else diagnosis
        snapshot, rule, likely = self._about(question, snapshot, within, diagnosis, asked, about, limits)
        if likely >= SURELY:
            asked = frozenset({rule})
            diagnosis = diagnose(snapshot, within, limits, asked)
        if calm and not _ailing(diagnosis):
            logs = self._sources(question.cluster)[1]
            snapshot, scope, diagnosis, beside = self._beside(prom, logs, snapshot, within, scope, diagnosis, limits)
        if not beside and LIKELY <= likely < SURELY:
            asked, beside = frozenset({rule}), compose.TAKEN_FOR
            diagnosis = diagnose(snapshot, within, limits, asked)
        nothing = snapshot.sees_nothing
        told = timeline(prom, snapshot, diagnosis, limits)
        blind = (*diagnosis.blind, *told.blind, *((unknown,) if unknown else ()))
        line = compose.verdict(told.findings, diagnosis.blind, _where(question, scope), nothing, told.recovered)
        when = asks_time(clean(question.text or ""))
        if when is not None:
            line = compose.time_verdict(when, told.findings, told.recovered) or line
        # Beside a fault it is no matter, and the words may have been meant otherwise.
        quiet = not any(finding.root for finding in told.findings)
        asked_and_not = [
            rules()[one].words.title for one in diagnosis.not_so if quiet and one in asked & rules().keys()
        ]
        line = compose.not_so(asked_and_not) + beside + line
        citations = citing.of_findings(told.findings, self._library)
        if not told.findings and hits and (nothing or not asks_state(question.text or "")):
            # Nothing is wrong with what it asks about, or nobody could look: what it asks may be in the pages.
            citations = known(question.text or "", hits, self._library).citations[:2]
        text = compose.live_text(line, told.findings, diagnosis.ruled_out, blind, citations, told.recovered)
        finished = self._finish(
            Answer(
                question=question.text,
                intent="live",
                scope=scope,
                verdict=line,
                findings=told.findings,
                ruled_out=diagnosis.ruled_out,
                blind=blind,
                citations=citations,
                text=text,
                note=RULES_NOTE,
                saw_nothing=nothing,
                recovered=told.recovered,
                traces=dict(told.traces),
            )
        )
        if question.at is None:
            return finished
        moment = datetime.fromtimestamp(question.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return replace(finished, text=f"{finished.text}\n\nAs of {moment}.", note=f"As of {moment}. {finished.note}")

    def _first(
        self, question: Question, snapshot: Snapshot, within: Within, about: About, limits: Overrides
    ) -> tuple[Snapshot, Diagnosis, frozenset[str]]:
        """What ails the scope, with the rules that the question asks for by their forms, unless it plainly means another."""
        asked = asked_for(question.text or "")
        # What is no rule has no meaning of its own to be held against.
        of_rules = asked & rules().keys()
        asked = asked - of_rules | of_those_meant(about, of_rules)
        if asked:
            snapshot = self._started(question, snapshot, within, asked)
        diagnosis = diagnose(snapshot, within, limits, asked)
        if asked and only_of_what_ails(question.text or "", diagnosis, asked):
            return snapshot, diagnose(snapshot, within, limits), frozenset()
        return snapshot, diagnosis, asked

    def _about(
        self,
        question: Question,
        snapshot: Snapshot,
        within: Within,
        diagnosis: Diagnosis,
        asked: frozenset[str],
        about: About,
        limits: Overrides,
    ) -> tuple[Snapshot, str, float]:
        """The rule that a question is about by its meaning, where nothing is wrong, and how likely, 0 for none: the likeliest of those that are broken."""
        roots = {one.id for one in diagnosis.findings if one.root}
        # What is not measured is no fault, and a headline already; harm that is complained of is told where it is seen.
        known = {"profiling_series_missing"} if roots & UNMEASURED else set()
        # Who surely asks for a rule may say its harm's name without having met it: "are they cut off when we ship?".
        wanted = about.worth - known - (complained_of(question.text or "") - about.surely)
        if not wanted or roots - UNMEASURED:
            return snapshot, "", 0.0
        snapshot = self._started(question, snapshot, within, wanted)
        judged = diagnose(snapshot, within, limits, wanted)
        watched = any(
            ALERTS.search(one.case.id) and one.verdict is Verdict.QUIET
            for one in judged.outcomes
            if one.subject in judged.scope or one.subject == CLUSTER
        )
        likely = about.given({one.id for one in judged.findings if one.root and one.id in wanted}, watched)
        chosen = max(likely, key=lambda rule: likely[rule], default="")
        if likely.get(chosen, 0.0) >= LIKELY:
            return snapshot, chosen, likely[chosen]
        # What is kept is said to be so to who surely asks for it, and for nothing else.
        kept = next((rule for rule in judged.not_so if rule in about.surely), "") if not asked else ""
        return snapshot, kept, about.shares.get(kept, 0.0)

    def _started(self, question: Question, snapshot: Snapshot, within: Within, rules: Collection[str]) -> Snapshot:
        """The same snapshot with what those in the scope printed while they started, as far as such rules go by it."""
        those = (one for one in snapshot.topology.workloads if within.holds(one))
        pods = [key for one in those for key in snapshot.topology.pods_of(one)]
        return from_their_start(self._sources(question.cluster)[1], snapshot, pods, asks_of(rules))

    def _beside(
        self,
        prom: PromSource | Blind,
        cluster: Cluster | Blind,
        snapshot: Snapshot,
        within: Within,
        scope: Scope,
        diagnosis: Diagnosis,
        limits: Overrides,
    ) -> tuple[Snapshot, Scope, Diagnosis, str]:
        """What is wrong with whom a workload calls that has nothing itself, else in its namespace: that may be why it seems to fail."""
        mine = [one for one in snapshot.topology.workloads if within.holds(one)]
        unseen = ", but part of it could not be seen" if diagnosis.blind else ""
        whom = f"{compose.where(scope)} itself" if scope.workload else "those that you name"
        said = f"Nothing that I check for fires on {whom}{unseen}. "
        theirs = called(prom, cluster, snapshot, mine, limits)
        if theirs is not None:
            return theirs[0], scope, theirs[1], f"{said}What {'it calls' if scope.workload else 'they call'}: "
        homes = {one.namespace for one in mine}
        if len(homes) != 1 or not (scope.workload or within.several):
            return snapshot, scope, diagnosis, ""
        (home,) = homes
        neighbours = [one for one in snapshot.topology.workloads if one.namespace == home and one not in mine]
        there = Within(home)
        if len(neighbours) <= FEW:
            # Whoever stands before them or behind, and fails in their name, may tell it in its log alone, on a GPU or not.
            snapshot = closer(cluster, snapshot, suspects(diagnosis, snapshot.topology, neighbours))
            there = Within(home, several=frozenset({*mine, *neighbours}))
        wider = diagnose(snapshot, there, limits)
        # What ails its neighbours, and what that comes of: a machine without metrics makes nobody fail.
        ails = [one for one in wider.findings if not one.subject.startswith(("node/", "gpu/"))]
        if not any(one.root or one.explained_by for one in ails):
            return snapshot, scope, diagnosis, ""
        wider = replace(wider, findings=with_causes(ails, wider.findings))
        return snapshot, replace(scope, namespace=home, workload=None), wider, f"{said}Beside it: "

    def _known(
        self, question: Question, intent: Intent, scope: Scope, hits: list[Hit], unknown: BlindSpot | None
    ) -> Answer:
        if not hits:
            line = "I cannot look that up: the knowledge base could not be read." if unknown else OUTSIDE
            blind = (unknown,) if unknown else ()
            text = compose.live_text(line, (), (), blind, ())
            return Answer(question.text, "knowledge", scope, line, blind=blind, text=text, note=RULES_NOTE)
        found = known(question.text or "", hits, self._library)
        kind: Intent = "knowledge" if intent == "live" else intent
        return Answer(
            question=question.text,
            intent=kind,
            scope=scope,
            verdict=found.line,
            citations=found.citations,
            text=known_text(found),
            note=RULES_NOTE,
        )

    def _finish(self, answer: Answer) -> Answer:
        """Ground the answer's own words too: what does not trace to evidence is not said."""
        grounded = ground(answer.text, answer, [citation.quote for citation in answer.citations])
        return answer if not grounded.dropped else replace(answer, text=grounded.kept)

    def _plain(self, question: Question, intent: Intent, text: str, started: float) -> Answer:
        scope = Scope(question.cluster, question.namespace, question.workload)
        seconds = {"total": round(time.monotonic() - started, 3)}
        return Answer(question.text, intent, scope, text, text=text, seconds=seconds, note=RULES_NOTE)


def _ailing(diagnosis: Diagnosis) -> bool:
    """Whether anything is told but that something is measured less well than it could be."""
    return any(one.id not in UNMEASURED for one in diagnosis.findings)


def _where(question: Question, scope: Scope) -> str:
    limited = question.allowed is not None and question.allowed.namespaces is not None and scope.namespace is None
    return question.allowed.told if limited and question.allowed else compose.where(scope)
