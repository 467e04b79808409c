"""The figures, moments and names in a plain text: what of it can be true or false in a way that code can tell."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from bot.advisor.grounding_numbers import NUMBER, Figure, figure, word_figures

_TOKEN = re.compile(r"(?:[\w./:@+#=°×%\\-]|(?<=\d)[,'](?=\d{3}(?!\d)))+")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)", re.IGNORECASE)
_RANGE = re.compile(r"[-–—/]|\.\.+")
_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2})(:\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_CLOCK = re.compile(r"(\d{1,2}:\d{2})(:\d{2})?(?:Z|am|pm)?", re.IGNORECASE)
_COMPOUND = re.compile(r"(?P<n>\d+(?:\.\d+)?)-(?P<w>[^\W\d_]+(?:-[^\W\d_]+)*)")
_HUMP = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]{2,}[A-Z]|SIG[A-Z]{2,}")
_LIST_MARK = re.compile(r"^\s*\d{1,2}[.):]\s")
_STEP = re.compile(r"\b(?:steps?|part|item|option)\s$", re.IGNORECASE)
# Spelled like identifiers, yet names of no object: they claim nothing about anybody's cluster.
COMMON = frozenset(
    [
        "vllm",
        "sglang",
        "pytorch",
        "tensorrt",
        "tensorrt-llm",
        "nvlink",
        "nvswitch",
        "infiniband",
        "promql",
        "kserve",
        "github",
        "k8s",
        "ipv4",
        "ipv6",
        "utf-8",
        "and/or",
        "input/output",
        "read/write",
        "prefill/decode",
        "cpu/gpu",
        "client/server",
        "on/off",
        "yes/no",
        "tcp/ip",
        "i/o",
        "n/a",
        "e.g",
        "i.e",
        "a.m",
        "p.m",
        "pagedattention",
        "flashattention",
        "24/7",
        "sha256",
        "base64",
        "gpu/cpu",
        "go/no-go",
        "start/stop",
        "start-up",
        "p2p",
    ]
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a text says: its figures, its dates and clock times, and every word that is built like a name."""

    figures: tuple[Figure, ...]
    moments: frozenset[str]
    names: tuple[str, ...] = field(default=())


@lru_cache(maxsize=4096)
def tokens(text: str) -> Tokens:
    """Take a plain text apart. List numbers, ordinals and step numbers are nobody's claim and are left out."""
    figures: list[Figure] = []
    moments: set[str] = set()
    names: list[str] = []
    mark = _LIST_MARK.match(text)
    start = mark.end() if mark else 0
    for match in _TOKEN.finditer(text, start):
        token, begin = _trim(match[0], match.start())
        if token:
            _sort(token, text[:begin], text[begin + len(token) :], figures, moments, names)
    figures.extend(word_figures(text))
    return Tokens(tuple(figures), frozenset(moments), tuple(dict.fromkeys(names)))


def _trim(token: str, begin: int) -> tuple[str, int]:
    cut = len(token) - len(token.lstrip("./:@+#=\\-%°×"))
    return token[cut:].rstrip("./:@+#=\\-"), begin + cut


def _sort(token: str, before: str, after: str, figures: list[Figure], moments: set[str], names: list[str]) -> None:
    if token.casefold() in COMMON or _ORDINAL.fullmatch(token):
        return
    stamp, clock = _STAMP.fullmatch(token), _CLOCK.fullmatch(token)
    if stamp or clock:
        moments.update(_moments(token))
        return
    whole = _number(token, before, after)
    if whole:
        figures.extend(whole)
    elif "=" in token:
        for part in filter(None, token.split("=")):
            _sort(part, before, after, figures, moments, names)
    elif is_name(token):
        names.append(token)


def _number(token: str, before: str, after: str) -> list[Figure]:
    """The figures of a token that is a number, a range, a fraction or a compound such as `5-minute`; else nothing."""
    match = NUMBER.fullmatch(token)
    if match:
        if _STEP.search(before[-12:]):
            return []
        return [figure(match["n"], match["u"] or "", before, after)]
    match = _COMPOUND.fullmatch(token)
    if match:
        return [figure(match["n"], "", before, "-" + match["w"] + after)]
    parts = _RANGE.split(token)
    matches = [NUMBER.fullmatch(part) for part in parts]
    if len(parts) == 2 and all(matches):
        found = [match for match in matches if match]
        last = found[-1]["u"] or ""
        return [figure(match["n"], match["u"] or last, before, after) for match in found]
    return []


def _moments(token: str) -> set[str]:
    """A date, a clock time or both, with everything a reader may shorten them to."""
    stamp = _STAMP.fullmatch(token)
    if stamp:
        day, minute, second = stamp.groups()
        if not minute:
            return {day}
        return {f"{day}T{minute}{second or ''}", day, minute, minute + (second or "")}
    clock = _CLOCK.fullmatch(token)
    if not clock:
        return set()
    hour, minute = (int(part) for part in clock[1].split(":"))
    if token[-2:].casefold() in {"am", "pm"}:
        hour = hour % 12 + (12 if token[-2:].casefold() == "pm" else 0)
    return {f"{hour:02}:{minute:02}{clock[2] or ''}"}


def is_name(token: str) -> bool:
    """Is a word built like an identifier: digits among letters, `_ : / . @` inside, a hump, an upper-case signal name?"""
    if token.casefold() in COMMON or not re.search(r"[^\W_]", token):
        return False
    if re.search(r"\d", token) or re.search(r"\w[_:/.@#+\\]+\w", token):
        return True
    return bool(_HUMP.search(token)) and not re.fullmatch(r"[A-Z]{2,}s", token)
