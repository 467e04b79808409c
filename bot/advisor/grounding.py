"""Grounded, or silent: every sentence of a text is traced to the evidence and pages of its answer, whoever worded it.

`ground` drops what cannot be traced: a number, object, link, command, citation or verdict that the answer does not carry. The rules are in
`grounding_rules`, what they compare with in `grounding_record`. They can prove a sentence wrong, never right: a sentence that
puts true numbers together in a false way passes when its words, numbers and names all occur.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bot.advisor.grounding_claims import actions, anchored
from bot.advisor.grounding_record import Record, occurs, record
from bot.advisor.grounding_rules import COMMAND, RULES
from bot.advisor.grounding_sentence import Sentence
from bot.advisor.grounding_tokens import is_name, tokens
from bot.advisor.plain_text import folded, plain, without_links
from bot.advisor.question import Answer
from bot.advisor.sentences import Unit, join, spans, units

_SPAN = re.compile(r"(`+)((?:(?!\1).)+?)\1", re.DOTALL)
_MARKER = re.compile(r"\[\^?[\w./#:,; -]+\](?!\()")
_FLAG = re.compile(r"(?<![\w-])--[a-z][\w.-]*", re.IGNORECASE)
_LONGEST = 4000
_BLANKED = "…"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that the answer does not carry, and what is wrong with it."""

    sentence: str
    why: str


@dataclass(frozen=True, slots=True)
class Grounded:
    """The text without the sentences that were dropped. With nothing dropped `kept` is the text itself."""

    kept: str
    dropped: tuple[Dropped, ...] = ()
    sentences: int = 0


def ground(text: str, answer: Answer, passages: Sequence[str] = (), extra_names: Collection[str] = ()) -> Grounded:
    """Drop every sentence of a Markdown text that the answer and the passages do not carry. Pure; never raises.

    `passages` are texts that were retrieved beside the quotes of the citations; `extra_names` further objects of the snapshot.
    """
    made_of = record(answer, passages, extra_names)
    every = units(text, made_of.protected)
    kept: list[Unit] = []
    dropped: list[Dropped] = []
    judged = 0
    for unit in every:
        if unit.kind == "blank" or not unit.body.strip():
            kept.append(unit)
            continue
        judged += 1
        why = _wrong(unit, made_of)
        if why:
            dropped.append(Dropped(unit.body.strip(), why))
        else:
            kept.append(unit)
    return Grounded(join(kept, every) if dropped else text, tuple(dropped), judged)


def assert_grounded(answer: Answer, passages: Sequence[str] = (), extra_names: Collection[str] = ()) -> None:
    """Raise AssertionError, with each sentence and reason, when the answer's own text or verdict does not pass."""
    dropped = [*ground(answer.text, answer, passages, extra_names).dropped]
    dropped += ground(answer.verdict, answer, passages, extra_names).dropped
    if dropped:
        told = "\n".join(f"- {item.sentence!r}: {item.why}" for item in dropped)
        raise AssertionError(f"{len(dropped)} sentences are not carried by the answer:\n{told}")


def _wrong(unit: Unit, made_of: Record) -> str:
    if len(unit.body) > _LONGEST:
        return "too long to be checked"
    if unit.kind == "code":
        return _wrong_block(unit.body, made_of)
    sentence = read(unit.body, made_of)
    rules = [rule for rule in RULES if not (rule is anchored and unit.kind in {"heading", "row"})]
    return next((why for rule in rules if (why := rule(sentence, made_of))), "")


def _wrong_block(body: str, made_of: Record) -> str:
    """A fenced block is judged as a whole: half a command is worse than none."""
    lines = body.split("\n")
    inner = lines[1:-1] if len(lines) > 1 and re.match(r"\s*(?:>\s*)*(?:`{3,}|~{3,})\s*$", lines[-1]) else lines[1:]
    allowed = f"{made_of.remedies}\n{made_of.pages}"
    for line in inner:
        bare = re.sub(r"^\s*(?:>\s*)*(?:\$\s+)?", "", line).rstrip(" \\")
        if not bare.strip():
            continue
        runs = COMMAND.match(bare) or _FLAG.search(bare)
        if runs and not occurs(bare, allowed):
            return f"a command that no remedy gives: {bare.strip()[:60]}"
        if not runs and not made_of.mentions(bare):
            return f"a block of code that nothing that was read contains: {bare.strip()[:60]}"
        why = "" if occurs(bare, allowed) else actions(read(bare, made_of), made_of)
        if why:
            return why
    return ""


def read(body: str, made_of: Record) -> Sentence:
    """A sentence in all the forms that the rules look at."""
    quoted = _without(body, made_of.protected)
    found = tuple(match[2].strip() for match in _SPAN.finditer(quoted))
    shown = plain(without_links(quoted))
    # A span that is in the record stands for itself; figures in code marks are figures like any other.
    bare = _SPAN.sub(lambda match: _unwrapped(match[2], made_of), quoted)
    prose = plain(_MARKER.sub(" ", without_links(bare)))
    said = tokens(_FLAG.sub(" ", prose))
    within = folded(without_links(body))
    objects = frozenset(name for name in made_of.objects if occurs(name, within))
    bared = folded(_MARKER.sub(" ", without_links(body)))
    verbatim = len(bared) >= 12 and any(occurs(bared.strip(" ."), folded(text)) for text in made_of.protected)
    return Sentence(plain(without_links(body)), quoted, shown, found, prose, said, objects, verbatim)


def _unwrapped(span: str, made_of: Record) -> str:
    shown = span.strip()
    single = tokens(plain(shown))
    if single.figures or not made_of.mentions(shown) or not is_name(shown):
        return f" {shown} " if not COMMAND.match(shown) else f" {_BLANKED} "
    return f" {shown} "


def _without(text: str, protected: Collection[str]) -> str:
    """The text with everything blanked that quotes the answer whole."""
    out: list[str] = []
    end = 0
    for start, stop in sorted(spans(text, protected)):
        if start >= end:
            out += [text[end:start], _BLANKED]
        end = max(end, stop)
    return "".join(out) + text[end:]
