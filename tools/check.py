"""What a failure mode is made of: a pure function over the readings of one subject, and the words around it.

A check module's docstring is its page: the headline sentence, then *What it means*, *Why it hurts*, *What would rule it out*.
`fires` looks at `Now` and returns a `Because` or None. A reading that is needed but blind raises `Unseen` inside `Now`; the
check becomes blind. Nothing here knows Prometheus, Kubernetes, a clock or a model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from tools.finding import Remedy, Severity
from tools.reading import Reading, Subject
from tools.signals import Ask


class On(StrEnum):
    """What kind of subject a check looks at."""

    WORKLOAD = "workload"
    NODE = "node"
    GPU = "gpu"
    CLUSTER = "cluster"


class Applies(StrEnum):
    """Which workloads a check is about.

    All, those that hold GPUs, those with what they need to serve (a store), what needs them (a router) and whom a question names, or those
    that serve with a known engine.
    """

    ANY = "any"
    GPU = "gpu"
    NEEDED = "needed"
    ENGINE = "engine"


class Where(StrEnum):
    """How a symptom must lie to its cause."""

    SAME_WORKLOAD = "same workload"
    ON_THIS_GPU = "on this GPU"
    ON_THIS_NODE = "on this node"
    SAME_NAMESPACE = "in this namespace"
    BESIDE = "of another workload in this namespace"
    IN_CLUSTER = "in this cluster"
    WATCHES_THIS_NODE = "of the exporter on this node"
    EQUIPS_THIS_NODE = "of the GPU software on this node"


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold: its value, unit and where it comes from. Overridable per workload in settings."""

    value: float
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class Explains:
    """A symptom that this failure mode causes, and how the two must lie to each other."""

    symptom: str
    where: Where = Where.SAME_WORKLOAD


@dataclass(frozen=True, slots=True)
class Because:
    """Why a check fires: a sentence template and the readings that fill it, so that what is said is grounded by construction.

    `also` are further readings that support it without being in the sentence. `severity` overrides the check's own. `outranks` are
    failure modes that mostly cause this one, and that the readings here show to follow from it. `explains` takes the place of what the
    check explains, where that hangs on the readings. `apart` are failure modes that mostly cause this one, and by the readings here did
    not. `ahead` are those that tell of the same harm by another sign, and come after this one where its own is named. `felt` says that the
    harm itself is seen: a readiness rule that explains is
    then a headline, and one that people complain of is told to them.
    """

    template: str
    readings: Mapping[str, Reading]
    also: tuple[Reading, ...] = ()
    severity: Severity | None = None
    outranks: tuple[str, ...] = ()
    explains: tuple[Explains, ...] | None = None
    apart: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    felt: bool = False

    @property
    def sentence(self) -> str:
        """The sentence: `{name}` is a reading in its unit, `{name_of}` whom it is about."""
        values = {name: shown(reading) for name, reading in self.readings.items()}
        whom = {f"{name}_of": reading.subject.name for name, reading in self.readings.items()}
        return self.template.format(**values, **whom)

    @property
    def evidence(self) -> tuple[Reading, ...]:
        """Every reading it rests on, each once."""
        return tuple(dict.fromkeys((*self.readings.values(), *self.also)))


def because(template: str, *also: Reading | None, severity: Severity | None = None, **readings: Reading) -> Because:
    """Build a `Because`; what is None or an empty text among `also` says nothing and is left out."""
    return Because(template, readings, tuple(one for one in also if one is not None and one.value != ""), severity)


def counted(readings: Sequence[Reading], name: str, unit: str, subject: Subject) -> Reading:
    """How many readings there are, as a reading of its own that rests on the first of them."""
    return readings[0]._replace(name=name, value=float(len(readings)), unit=unit, subject=subject)


def objective(like: Reading, value: float, name: str = "Objective") -> Reading:
    """A limit as a reading, so that a sentence may say it; it is no evidence of anything."""
    return like._replace(name=name, value=value, source="limits of the check", query="", kind="limit")


class Unseen(Exception):  # noqa: N818 - it is no error: it is the third verdict
    """A reading that the check needs is blind."""

    def __init__(self, reading: Reading) -> None:
        """Keep the blind reading, which says why."""
        super().__init__(str(reading.blind))
        self.reading = reading


class NothingToSee(Exception):  # noqa: N818
    """The subject has no part that the check could look at: it does not apply."""


class Now(Protocol):
    """The readings of one subject at one moment. A subject has parts: a workload its replicas and GPUs, a node its GPUs."""

    @property
    def subject(self) -> Subject:
        """Who this is about."""

    def each(self, ask: Ask) -> tuple[Reading, ...]:
        """The readable readings of the subject's parts; raises `Unseen` when none can be read."""

    def worst(self, ask: Ask) -> Reading:
        """The highest reading among the parts."""

    def least(self, ask: Ask) -> Reading:
        """The lowest reading among the parts."""

    def total(self, ask: Ask) -> Reading:
        """The sum over the parts, said as such."""

    def __getitem__(self, ask: Ask) -> Reading:
        """The parts joined as the signal says (highest, lowest or sum)."""

    def get(self, ask: Ask) -> Reading | None:
        """The same where it can be read, else None: for what enriches but never blinds."""

    def of(self, part: Subject, ask: Ask) -> Reading | None:
        """The reading of one of the parts, None where it cannot be read."""

    def held(self, part: Subject, ask: Ask) -> tuple[Reading, ...]:
        """The readings of the GPUs that a replica holds; none where nobody tells which those are, or one of them cannot be read."""

    def blind(self, part: Subject, ask: Ask) -> Reading:
        """The reading of one of the parts as it is, blind or not."""


Limits = Mapping[str, float]
Fires = Callable[[Now, Limits], Because | None]
Remedies = Callable[[Now, Limits], tuple[Remedy, ...]]


@dataclass(frozen=True)
class Check:
    """A failure mode, or a readiness rule (`rule`).

    A rule says what will hurt one day: an audit judges it. In an incident it is told only as the cause of something that fires and that
    nothing else explains.
    `asked` is how people ask for a rule, regular expressions over lower case: to whoever asks it is told, in an incident too.
    `sign` is how a failure mode's own sign is named: whoever names it is told of it before what its `Because.ahead` lists.
    `complaints` is how people tell of its harm without knowing of it: it is told to them where the harm is seen and nothing else is wrong.
    `felt` marks a rule whose harm may be seen without anything else that fires: it is judged in an incident too.
    `pipeline` marks what stands in the path of the engines of its namespace: it concerns whoever asks about one of those.
    """

    on: tuple[On, ...]
    severity: Severity
    needs: tuple[Ask, ...]
    fires: Fires
    remedies: Remedies
    pages: tuple[str, ...]
    applies: Applies = Applies.ANY
    helps: tuple[Ask, ...] = ()
    limits: Mapping[str, Limit] = field(default_factory=dict)
    explains: tuple[Explains, ...] = ()
    phase: int = 2
    owner: str = "platform"
    rule: bool = False
    asked: tuple[str, ...] = ()
    sign: str = ""
    complaints: tuple[str, ...] = ()
    felt: bool = False
    pipeline: bool = False

    @property
    def asks(self) -> tuple[Ask, ...]:
        """Everything the check may look at."""
        return (*self.needs, *self.helps)


@dataclass(frozen=True, slots=True)
class Words:
    """A check module's docstring, taken apart."""

    title: str
    means: str
    hurts: str
    rules_out: str


_HEADINGS = ("What it means", "Why it hurts", "What would rule it out")


def words(docstring: str | None) -> Words:
    """Take a docstring apart; ValueError says which part is missing."""
    text = (docstring or "").strip()
    title = " ".join(text.split("\n\n")[0].split())
    if not title.endswith("."):
        raise ValueError("the first line of a check's docstring is its headline: a sentence that ends with a period")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections = {heading.strip(): body.strip() for heading, body in zip(parts[1::2], parts[2::2], strict=True)}
    missing = [heading for heading in _HEADINGS if not sections.get(heading)]
    if missing:
        raise ValueError(f"a check's docstring lacks {', '.join(missing)}")
    return Words(title, *(" ".join(sections[heading].split()) for heading in _HEADINGS))


def shown(reading: Reading) -> str:
    """A reading's value for a reader: `97 %`, `2.4 s`, `38 GiB`; a text as it is."""
    if not isinstance(reading.value, int | float):
        return str(reading.value)
    return quantity_shown(float(reading.value), reading.unit)


def quantity_shown(value: float, unit: str) -> str:
    """A number in its unit, rounded as a person would say it."""
    if value == float("inf"):
        return "no limit"
    if unit == "ratio":
        return f"{value * 100:.0f} %" if value >= 0.1 or value == 0 else f"{value * 100:.1f} %"
    if unit == "seconds":
        return duration_shown(value)
    if unit == "bytes":
        return _bytes_shown(value)
    if unit == "bool":
        return "yes" if value else "no"
    number = f"{value:.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.2g}"
    number = f"{int(number):,}" if number.lstrip("-").isdigit() and abs(value) >= 10_000 else number
    if unit.endswith("/s"):
        return f"{number} {unit}"
    if unit == "xid" or not unit:
        return number
    return f"{number} {unit[:-1] if number == '1' and unit.endswith('s') else unit}"


def duration_shown(value: float) -> str:
    """A time in seconds as `850 ms`, `2.4 s`, `12 min` or `3.5 h`."""
    size = abs(value)
    if size < 1:
        return f"{value * 1000:.0f} ms"
    if size < 120:
        return f"{value:.1f} s" if size < 10 else f"{value:.0f} s"
    return f"{value / 60:.0f} min" if size < 7200 else f"{value / 3600:.1f} h"


def _bytes_shown(value: float) -> str:
    for factor, name in ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB")):
        if abs(value) >= factor:
            number = value / factor
            return f"{number:.0f} {name}" if number >= 100 or number == round(number) else f"{number:.1f} {name}"
    return f"{value:.0f} bytes"
