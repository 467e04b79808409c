"""Words of a command line as an argument parser takes them: flags with their values, and what stands alone."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tools.engines.shell import Unresolved

ON = "true"
_TRUE = {"true", "1", "yes", "y", "t", "on"}
_FALSE = {"false", "0", "no", "n", "f", "off", ""}
_READABLE = re.compile(r"(\d+(?:\.\d+)?)([kKmMgGtT])")
_DECIMAL = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True, slots=True)
class Arguments:
    """Flags as written (dashes in front kept) with their last values, and the words that stand alone.

    `open` says that words are missing here which only a run would tell.
    """

    flags: dict[str, str]
    alone: tuple[str, ...]
    open: bool = False


def parse(words: Sequence[str], switches: Collection[str] = (), underscores: bool = True) -> Arguments:
    """Take words apart. `switches` take no value from the next word, unless it says true or false.

    A flag that is not known takes the next word, as most do, unless that one is a flag itself. `underscores` are dashes in names
    of flags, as for vLLM; argparse and clap take a name as it is.
    """
    flags: dict[str, str] = {}
    alone: list[str] = []
    index, size, gap = 0, len(words), False
    while index < size:
        word = words[index]
        index += 1
        if not word.startswith("-") or word in {"-", "--"} or is_number(word):
            if isinstance(word, Unresolved) and word.open:
                gap = True
            elif word not in {"-", "--"}:
                alone.append(word)
            continue
        name, equals, value = word.partition("=")
        gap = gap or (isinstance(word, Unresolved) and "$" in name)
        if underscores and name.startswith("--"):
            stem, dot, rest = name.partition(".")
            name = stem.replace("_", "-") + dot + rest
        if equals:
            value = Unresolved(value) if isinstance(word, Unresolved) else value
        else:
            following = words[index] if index < size else ""
            free = following and (not following.startswith("-") or is_number(following))
            if free and (name not in switches or following.lower() in {"true", "false"}):
                value = following
                index += 1
            else:
                value = ON
        flags.pop(name, None)  # the last one wins, and stands last
        flags[name] = value
    return Arguments(flags, tuple(alone), gap)


def is_number(text: str) -> bool:
    """Whether a word is a finite number."""
    return number(text) is not None


def number(text: str) -> float | None:
    """A finite number, None for anything else."""
    if len(text) > 64 or not text.isascii() or "_" in text:
        return None
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def readable(text: str) -> float | None:
    """A whole number that may be written for people: `1k` is 1,000, `1K` is 1,024, as vLLM takes lengths."""
    match = _READABLE.fullmatch(text.strip()) if len(text) <= 64 else None
    if match is None:
        found = number(text)
        return found if found is not None and found == int(found) else None
    if match[2] in _DECIMAL:
        return float(int(float(match[1]) * _DECIMAL[match[2]]))
    return None if "." in match[1] else float(int(match[1]) * _BINARY[match[2]])


def truth(text: str) -> bool | None:
    """What a word says of a switch, None where it says neither."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None
