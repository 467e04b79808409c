"""Numbers as a text says them: `96.8 %`, `1,234 requests`, `2.0 GiB`, `ninety-seven percent`, `5-minute`, `04:12`.

Nothing is computed from two numbers: a figure is carried by a source that says the same value, in the same or a
convertible unit, at least as precisely as it is shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.advisor.plain_text import stem

# Unit -> (dimension, factor to that dimension's base unit). Bare means that no unit was said.
BARE = ""
_TIME = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "millisecond": 1e-3, "milliseconds": 1e-3,
    "microseconds": 1e-6, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "mins": 60,
    "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400, "week": 604800, "weeks": 604800,
}  # fmt: skip
_SIZE = {"b": 1, "byte": 1, "bytes": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 2**10, "mib": 2**20,
         "gib": 2**30, "tib": 2**40, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}  # fmt: skip
UNITS: dict[str, tuple[str, float]] = {
    **{unit: ("time", float(factor)) for unit, factor in _TIME.items()},
    **{unit: ("size", float(factor)) for unit, factor in _SIZE.items()},
    **dict.fromkeys(("%", "percent", "pct", "percentage"), ("ratio", 0.01)),
    **dict.fromkeys(("ratio", "fraction"), ("ratio", 1.0)),
    **dict.fromkeys(("x", "×", "-fold", "fold"), ("times", 1.0)),
    "w": ("power", 1.0), "watt": ("power", 1.0), "watts": ("power", 1.0), "kw": ("power", 1e3),
    "°c": ("heat", 1.0), "c": ("heat", 1.0), "celsius": ("heat", 1.0), "degrees": ("heat", 1.0),
    "mhz": ("clock", 1e6), "ghz": ("clock", 1e9), "hz": ("clock", 1.0),
    "$": ("money", 1.0), "usd": ("money", 1.0), "dollars": ("money", 1.0), "€": ("money eur", 1.0), "eur": ("money eur", 1.0),
    "rps": ("rate", 1.0), "qps": ("rate", 1.0),
}  # fmt: skip
_PER = {"s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
_SCALE = {"k": 1e3, "thousand": 1e3, "million": 1e6, "billion": 1e9, "m": 1e6, "bn": 1e9}
_SAID_AFTER = UNITS.keys() | _SCALE.keys()
# What can be counted: a figure that counts one of these is carried only by a source that speaks of it.
COUNTED = frozenset(
    stem(word)
    for word in [
        "replica",
        "pod",
        "instance",
        "gpu",
        "card",
        "device",
        "accelerator",
        "node",
        "host",
        "machine",
        "core",
        "request",
        "query",
        "token",
        "container",
        "restart",
        "preemption",
        "process",
        "error",
        "worker",
        "thread",
        "deployment",
        "namespace",
        "service",
        "job",
        "user",
        "tenant",
        "crash",
        "event",
        "retry",
        "failure",
        "kill",
        "sequence",
        "prompt",
        "timeout",
        "model",
        "cluster",
        "connection",
        "series",
        "rejection",
        "xid",
        "exit",
        "http",
        "signal",
        "rank",
        "line",
        "code",
        "day",
        "stage",
        "version",
        "vllm",
        "cuda",
        "driver",
        "port",
        "problem",
        "cause",
        "fault",
        "finding",
        "headline",
        "symptom",
        "check",
        "mode",
        "source",
        "citation",
        "page",
        "passage",
        "reading",
        "thing",
        "reason",
    ]
)
_SAME = tuple(
    {stem(word) for word in group.split()}
    for group in ("replica pod instance", "gpu card device accelerator", "node host machine", "request query")
)
# A figure after one of these is a name: `Xid 79`, `exit code 137`, `GPU 3`.
_LABELS = frozenset(
    map(stem, ["xid", "exit", "code", "http", "signal", "rank", "gpu", "port", "vllm", "cuda", "driver", "version"])
)
_SMALL = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
          "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = {word: value for value, word in enumerate(_SMALL)} | {word: 10 * (at + 2) for at, word in enumerate(_TENS)}
_BIG = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_FACTORS = frozenset(
    [
        "twice",
        "thrice",
        "double",
        "doubled",
        "doubles",
        "doubling",
        "triple",
        "tripled",
        "triples",
        "tripling",
        "quadruple",
        "quadrupled",
        "halved",
    ]
)
_VAGUE = {"dozens", "hundreds", "thousands", "millions", "billions"}
_NONE_OF = frozenset(
    map(
        stem,
        [
            "request",
            "token",
            "preemption",
            "restart",
            "error",
            "replica",
            "pod",
            "gpu",
            "process",
            "crash",
            "queue",
            "kill",
        ],
    )
)

_N = r"\d+(?:[,']\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+"
_GLUED = "|".join(sorted((re.escape(unit) for unit in UNITS if len(unit) <= 3), key=len, reverse=True))
NUMBER = re.compile(rf"(?P<n>{_N})(?P<u>{_GLUED}|k|bn)?", re.IGNORECASE)
_AFTER = re.compile(r"[ -]?(?P<u>[%°×$€]?[^\W\d_]*)", re.IGNORECASE)
_WORD_NUMBER = re.compile(
    rf"\b(?:{'|'.join([*WORDS, *_BIG, 'half', *_FACTORS, *_VAGUE, 'no'])})\b|\b[a-z]+fold\b", re.IGNORECASE
)
_LABEL, _LABELLING, _LABELLED = re.compile(r"([^\W\d_]+)[ #:]*$"), re.compile(r"[A-Za-z][ #]$"), 40
_NEXT = re.compile(r"[\s-]*(?:of (?:the|its|your|all) )?([^\W\d_]+)")
# A figure may round what it shows, but not to another order of things: 0.4 is not 0, 1.4 is not 1.
_RELATIVE = 0.1


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit: `value` in base units of `dim`, `quantum` the last place shown, `counts` what it counts."""

    text: str
    value: float
    quantum: float
    dim: str
    counts: frozenset[str] = frozenset()


def amount(digits: str) -> tuple[float, float]:
    """The value of printed digits and the worth of their last place."""
    clean = digits.casefold().replace(",", "").replace("'", "")
    mantissa, _, power = clean.partition("e")
    places = len(mantissa.partition(".")[2])
    return float(clean), 10.0 ** (int(power or 0) - places)


def figure(digits: str, glued: str, before: str, after: str) -> Figure:
    """The figure that `digits` make with the unit glued to them, or said after them; `before` may name or price it."""
    value, quantum = amount(digits)
    unit, rest = glued.casefold(), after
    if unit in _SCALE and unit != "m":
        value, quantum, unit = value * _SCALE[unit], quantum * _SCALE[unit], ""
    if not unit:
        unit, rest = _unit(after)
        if unit in {"thousand", "million", "billion"}:
            value, quantum = value * _SCALE[unit], quantum * _SCALE[unit]
            unit, rest = _unit(rest)
    if before.rstrip(" ~")[-1:] in {"$", "€"} and not unit:
        unit = before.rstrip(" ~")[-1]
    dim, factor = UNITS.get(unit, (BARE, 1.0))
    dim, factor, rest = _rate(dim, factor, rest)
    return Figure(digits + glued, value * factor, quantum * factor, dim, _counts(before, rest, dim))


def word_figures(text: str) -> Iterator[Figure]:
    """The numbers that are spelled as words, `no requests` included."""
    end = 0
    for match in _WORD_NUMBER.finditer(text):
        if match.start() < end:
            continue
        word = match[0].casefold()
        after = text[match.end() :]
        counts = _counts(text[: match.start()], after, BARE)
        if word in _VAGUE:
            yield Figure(word, math.nan, 0.0, BARE)
        elif word in _FACTORS:
            # Twice of what cannot be told: only a source that puts it in the same word carries it.
            yield Figure(stem(word), math.nan, 0.0, "times")
        elif word.endswith("fold"):
            if word[:-4] in WORDS:
                yield Figure(word, float(WORDS[word[:-4]]), 0.0, "times")
        elif word == "half":
            yield Figure(word, 0.5, 0.0, "ratio")
        elif word == "no":
            if _next_noun(after) & _NONE_OF:
                yield Figure("no", 0.0, 1.0, BARE, frozenset(_next_noun(after) & _NONE_OF))
        else:
            value, length = _spelled(text[match.start() :])
            end = match.start() + length
            found = figure(f"{value:g}" if value < 1e6 else str(int(value)), "", text[: match.start()], text[end:])
            pronoun = value == 1 and length == len("one") and found.dim == BARE and not _next_noun(text[end:]) & COUNTED
            if not pronoun:
                yield Figure(text[match.start() : end], found.value, found.quantum, found.dim, found.counts or counts)


def carries(said: Figure, source: Figure) -> bool:
    """Does a figure of the evidence carry a figure that was said, within the rounding shown?"""
    if math.isnan(said.value):
        return said.text == source.text
    if said.dim == source.dim:
        return _close(said, source.value)
    if said.dim == "ratio" and source.dim == BARE:
        # A bare 0.968 may be said as a percentage; a bare count of 1 is not 100 %.
        return 0 < source.value < 1 and _close(said, source.value)
    if said.dim == BARE:
        # The unit was left out: the number is there as the source prints it. What counts something has no unit to leave out.
        if said.counts and "rate" not in source.dim:
            return False
        return _printed(said, source) or (source.dim in {"ratio", "size"} and _close(said, source.value))
    return said.dim == "times" and source.dim == BARE and _close(said, source.value)


def same_counts(said: Figure, source: Figure, words: frozenset[str]) -> bool:
    """Does a figure of a source count what is said? Where it does not say itself what it counts, its text has to speak of it."""
    if not said.counts:
        return True
    if source.counts and not said.counts & _LABELS:
        return any(one in source.counts for count in said.counts for one in _alike(count))
    return all(any(one in words for one in _alike(count)) for count in said.counts)


def _alike(count: str) -> set[str]:
    return next((group for group in _SAME if count in group), set()) | {count}


def _close(said: Figure, value: float) -> bool:
    gap = abs(abs(value) - said.value)
    return gap <= said.quantum / 2 * (1 + 1e-9) + 1e-12 and gap <= _RELATIVE * abs(value) + 1e-12


def _printed(said: Figure, source: Figure) -> bool:
    match = NUMBER.match(source.text)
    return match is not None and _close(said, amount(match["n"])[0])


def _unit(after: str) -> tuple[str, str]:
    match = _AFTER.match(after)
    word = match["u"].casefold() if match else ""
    if match and word in _SAID_AFTER and not (word in {"m", "d", "b", "x"} and after[:1] == " "):
        return word, after[match.end() :]
    if after.lstrip().casefold().startswith("per cent"):
        return "%", after.lstrip()[8:]
    return "", after


def _rate(dim: str, factor: float, rest: str) -> tuple[str, float, str]:
    match = re.match(
        r"[ -]?(?:[^\W\d_]+ ?){0,3}?(?:/ ?|\bper |\ba |\beach )(s|sec|second|min|minute|h|hour)\b", rest, re.IGNORECASE
    )
    if not match or dim not in {BARE, "size", "money"}:
        return dim, factor, rest
    return f"{dim} rate".strip(), factor / _PER[match[1].casefold()], rest


def _counts(before: str, after: str, dim: str) -> frozenset[str]:
    if dim not in {BARE, "rate"}:
        return frozenset()
    # The end alone is looked at: a text is long, and no label is.
    label = _LABEL.search(before[-_LABELLED:].rstrip("(")) if _LABELLING.search(before[-3:]) else None
    labelled = {stem(label[1])} & COUNTED if label else set()
    return frozenset(labelled & _LABELS) or frozenset(_next_noun(after) & COUNTED)


def _next_noun(after: str) -> set[str]:
    """The stems of the first counted thing among the next three words of the same clause."""
    rest = after
    for _ in range(3):
        match = _NEXT.match(rest)
        if not match:
            return set()
        found = stem(match[1])
        if found in COUNTED:
            return {found}
        if match[1].casefold() in {
            "and",
            "or",
            "of",
            "in",
            "on",
            "at",
            "is",
            "to",
            "while",
            "with",
            "for",
            "by",
            "from",
            "per",
        }:
            return set()
        rest = rest[match.end() :]
    return set()


def _spelled(text: str) -> tuple[float, int]:
    """The value of the number words that the text begins with, and how many characters they take."""
    total, current, length = 0.0, 0.0, 0
    for match in re.finditer(r"([a-z]+)((?:[\s-]+(?:and )?)|$|)", text, re.IGNORECASE):
        word = match[1].casefold()
        if match.start() != length and length and text[length : match.start()].strip(" -and"):
            break
        if word in WORDS:
            current += WORDS[word]
        elif word in _BIG:
            current = (current or 1) * _BIG[word]
            if _BIG[word] >= 1000:
                total, current = total + current, 0.0
        else:
            break
        length = match.start() + len(word)
        following = re.match(r"[\s-]+(?:and )?([a-z]+)", text[length:], re.IGNORECASE)
        if not following or following[1].casefold() not in WORDS | _BIG:
            break
    return total + current, length
