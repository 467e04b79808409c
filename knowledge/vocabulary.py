"""The field's words: abbreviations spelled out, typos on domain terms mended, text cut into index terms."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_DATA = tomllib.loads((Path(__file__).with_suffix(".toml")).read_text(encoding="utf-8"))
SHORT_FORMS: dict[str, str] = _DATA["short_forms"]
ORDINARY = frozenset(" ".join(_DATA["ordinary"]).split())

_WORD = re.compile(r"[^\W_]+(?:[_\-:./+'’][^\W_]+)*")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_STOP = frozenset(" ".join(_DATA["stop"]).split())
_ISE = re.compile(r"is(e|ed|es|ing|ation|ations)$")
_TYPO_SCORE = 80.0
_TYPO_LEAST = 4
# A word of four letters is one edit away from too many others: only a near match counts.
_SHORT_TYPO_SCORE = 88.0


def stem(word: str) -> str:
    """A word without its commonest English endings, so that plurals, verb forms and both spellings of -ise meet."""
    if len(word) <= 3 or not word.isalpha():
        return word
    word = _ISE.sub(r"iz\1", word) if len(word) > 6 else word
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    root = word
    for ending, least in (("ions", 8), ("ion", 7), ("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            root = word[: -len(ending)]
            if ending in {"ing", "ed"} and root[-1] == root[-2] and root[-1] not in "ls":
                root = root[:-1]
            break
    if root.endswith("at") and len(root) > 6:
        root = root[:-2]
    return root.removesuffix("e")


def words(text: str) -> list[str]:
    """The words of a text as written, with what joins identifiers kept inside (`max-num-seqs`, `/dev/shm`)."""
    return _WORD.findall(text)


def terms(text: str) -> list[str]:
    """Index terms, lower case: each word stemmed, and for identifiers the whole and each of its parts."""
    found: list[str] = []
    for word in words(text):
        lower = word.lower().replace("’", "'").removesuffix("'s")
        if lower in _STOP:
            continue
        parts = [part.lower() for part in _PART.findall(word)]
        found.append(stem(lower))
        if len(parts) > 1:
            found.extend(stem(part) for part in parts if len(part) > 1 and part not in _STOP)
    return found


def whole_terms(text: str) -> list[str]:
    """Index terms of whole words alone, without the parts of identifiers."""
    lowered = (word.lower().replace("’", "'").removesuffix("'s") for word in words(text))
    return [stem(word) for word in lowered if word not in _STOP]


# `vllm:num_requests_waiting`, `--max-num-seqs`, `NCCL_IB_DISABLE`: nobody writes these by chance.
_IDENTIFIER = re.compile(
    r"(?<![\w-])-{0,2}((?:[^\W_]+[_:])+[^\W_]+(?:[-_:][^\W_]+)*|[^\W_]+(?:-[^\W_]+){2,}|(?<=--)[^\W_]+(?:-[^\W_]+)*)"
)
# `Init:CrashLoopBackOff` is a state that many things can be in, not the name of one.
_STATE = "init:"
# Numbers that are names: of driver faults, of the ways in which processes end, of answers.
_NUMBERED = re.compile(
    r"\b(xid|exit|code|error|status|http|signal)s?\b\W{0,3}(?:codes?\W{0,3})?((?:\d{1,4}\W{1,3}(?:and|or|vs|versus)?\W{0,3})*\d{1,4})\b",
    re.IGNORECASE,
)


def identifiers(text: str) -> frozenset[str]:
    """What a text names exactly: flags, settings and metrics in one spelling (`max_num_seqs`), and the numbers of Xids and codes."""
    exact = {found.lower().replace("-", "_") for found in _IDENTIFIER.findall(text)}
    exact = {found for found in exact if not found.startswith(_STATE)}
    return frozenset(exact.union(*(re.findall(r"\d+", found) for _, found in _NUMBERED.findall(text))))


@dataclass(frozen=True, slots=True)
class Reworded:
    """A question with typos on domain terms mended (`text`), and the names its short forms stand for (`added`)."""

    text: str
    added: tuple[str, ...]
    mended: dict[str, str]


class Vocabulary:
    """The domain's terms, from the pages' titles and aliases and the table of short forms."""

    def __init__(self, names: Iterable[str], known: Iterable[str], common: Iterable[str]) -> None:
        """`names`.

        Titles and aliases; `known`: the index's terms; `common`: whole words that are nobody's
        typo.
        """
        self.names = tuple(dict.fromkeys(name.lower() for name in names))
        self._known = frozenset(known)
        self._common = common if isinstance(common, frozenset) else frozenset(common)

    @cached_property
    def domain(self) -> frozenset[str]:
        """Single words that belong to the field, as typed (not stemmed)."""
        found = {short for short in SHORT_FORMS if short not in ORDINARY}
        for name in self.names:
            found.update(word.lower() for word in words(name) if len(word) > 2)
        return frozenset(found - _STOP)

    @cached_property
    def _targets(self) -> tuple[str, ...]:
        return tuple(sorted(word for word in self.domain if len(word) > _TYPO_LEAST and word.isalpha()))

    def reword(self, query: str) -> Reworded:
        """Mend and expand a question; an ordinary word is never mended."""
        mended: dict[str, str] = {}
        added: list[str] = []
        for word in dict.fromkeys(words(query)):
            lower = word.lower()
            right = self._mend(lower)
            if right:
                mended[word] = right
            meaning = SHORT_FORMS.get(right or lower)
            if meaning:
                added.append(meaning)
        text = query
        for wrong, right in mended.items():
            text = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right, text)
        return Reworded(text, tuple(dict.fromkeys(added)), mended)

    def _mend(self, word: str) -> str:
        """The domain term that a misspelt word was meant to be, empty when it is none."""
        if len(word) < _TYPO_LEAST or not word.isalpha() or word in self.domain:
            return ""
        if word in self._common or stem(word) in self._known or word in _STOP:
            return ""
        from rapidfuzz import fuzz, process

        cutoff = _SHORT_TYPO_SCORE if len(word) == _TYPO_LEAST else _TYPO_SCORE
        best = process.extractOne(word, self._targets, scorer=fuzz.ratio, score_cutoff=cutoff)
        return best[0] if best else ""
