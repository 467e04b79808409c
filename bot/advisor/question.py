"""Question and Answer: what comes in and what goes out, whatever the surface.

The JSON form of `Answer` is the command line's contract: `rackside schema answer` prints its schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from bot.advisor.only_our_links import only_our_links
from bot.mrkdwn import web_address
from tools.finding import BlindSpot, Finding, Recovered, RuledOut
from tools.past_reading import Trace
from tools.redact import redacted

Intent = Literal["live", "knowledge", "sizing", "readiness", "help", "declined"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be looked at: clusters by name and namespaces; None for all of them. `said` names the place that may ("this channel"),

    `others` are namespaces that are known to be somebody else's, so that their bare names are understood.
    """

    clusters: tuple[str, ...] | None = None
    namespaces: tuple[str, ...] | None = None
    said: str = "this channel"
    others: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.clusters is None and self.namespaces is None

    @property
    def told(self) -> str:
        """What may be looked at, in words."""
        parts = [
            f"{what}{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else f"no {what}"
            for what, names in (("namespace", self.namespaces), ("cluster", self.clusters))
            if names is not None
        ]
        return " of ".join(parts) or "everything"


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, and the scope that was given with it (not yet the one found in the words).

    `text` is None for a sweep of the scope (`rackside diagnose`). `at` is a time in seconds since the epoch, None for now.
    `allowed` is what may be looked at on behalf of whoever asks, None for everything.
    """

    text: str | None
    cluster: str | None = None
    namespace: str | None = None
    workload: str | None = None
    at: float | None = None
    allowed: Allowed | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the answer looked."""

    cluster: str | None = None
    namespace: str | None = None
    workload: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that was retrieved and is quoted word for word in `quote`; `date` is the page's, ISO 8601, '' where it has none."""

    id: str
    title: str
    pack: str
    section: str
    url: str
    quote: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class ModelUse:
    """The language model that worded the answer, and what it cost."""

    name: str
    tokens_in: int
    tokens_out: int
    calls: int


@dataclass(frozen=True, slots=True)
class ChartFile:
    """A picture of a headline's evidence that was written: `finding` is its key, `theme` light, dark or both, `text` says what it shows."""

    finding: str
    path: str
    format: Literal["svg", "png"]
    theme: Literal["light", "dark", "both"]
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A grounded answer.

    `text` is the whole of it as Markdown, `explanation` the part of it that a language model worded (empty without one), `note` a
    line about how it was worded. `saw_nothing` says that no source answered. `recovered` are faults of the look-back that are gone,
    `charts` the pictures that were written, `traces` what they are drawn from (decisive readings over time, by the finding's key).
    """

    question: str | None
    intent: Intent
    scope: Scope
    verdict: str
    findings: tuple[Finding, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    blind: tuple[BlindSpot, ...] = ()
    citations: tuple[Citation, ...] = ()
    text: str = ""
    model: ModelUse | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    note: str = ""
    saw_nothing: bool = False
    explanation: str = ""
    recovered: tuple[Recovered, ...] = ()
    charts: tuple[ChartFile, ...] = ()
    traces: dict[str, Trace] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Whoever makes an answer, of whatever: no secret and no user's prompt is in it, and nothing that acts or leads elsewhere."""
        for one in fields(self):
            object.__setattr__(self, one.name, redacted(getattr(self, one.name)))
        for name in ("text", "explanation"):
            object.__setattr__(self, name, self.as_shown(getattr(self, name)))

    def as_shown(self, text: str) -> str:
        """A text as it stands in the answer's Markdown: what a log line or a label would do there is undone."""
        addresses = {cited.url for cited in self.citations if cited.url and web_address(cited.url) == cited.url}
        return only_our_links(text, addresses)

    @property
    def headlines(self) -> tuple[Finding, ...]:
        """The findings that no other finding explains, worst first."""
        return tuple(finding for finding in self.findings if finding.root)
