"""What engines, their loaders and libraries print when something ends them: gathered from their sources, a file per project.

Each line stands in `logs/<project>.toml` as it is printed, with holes: `{}` any text up to 200 characters, `{n}` a number, `{w}` a word
without blanks. `means` is the signal that the line proves: the root, not the wrapper around it. `where` and `read_at` say where it was read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "logs"
_HOLE = re.compile(r"\{[nw]?\}")
_HOLES = {"{}": r".{0,200}?", "{n}": r"[\d.,]{1,24}?", "{w}": r"\S{1,200}?"}
_LAST = {"{}": "", "{n}": r"[\d.,]{1,24}", "{w}": r"\S{1,200}"}
_FILLED = {"{}": "some text", "{n}": "42", "{w}": "word"}


@dataclass(frozen=True)
class Printed:
    """One line of a project: the name of the signal that it proves, its text with holes, and where it was read."""

    project: str
    read_at: str
    means: str
    says: str
    where: str
    given: str = field(default="", repr=False)

    @cached_property
    def literals(self) -> tuple[str, ...]:
        """What stands between the holes."""
        return tuple(part for part in _HOLE.split(self.says) if part)

    @cached_property
    def anchor(self) -> str:
        """The longest of them: a log without it does not hold the line."""
        return max(self.literals, key=len)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The line as an expression that takes time in proportion to a text, however hostile: each hole ends where its next literal begins."""
        holes, parts = _HOLE.findall(self.says), _HOLE.split(self.says)
        built = re.escape(parts[0])
        for at, hole in enumerate(holes):
            literal = re.escape(parts[at + 1])
            built += f"(?>{_HOLES[hole]}{literal})" if literal else _LAST[hole]
        return re.compile(built)

    @property
    def example(self) -> str:
        """The line as a log would hold it."""
        return self.given or _HOLE.sub(lambda hole: _FILLED[hole[0]], self.says)


def read(text: str) -> tuple[Printed, ...]:
    """The lines of one file; raises ValueError (a broken file) or KeyError (a key that is missing)."""
    data = tomllib.loads(text)
    return tuple(
        Printed(
            data["project"], data["read_at"], row["means"], row["says"].strip(), row["where"], row.get("example", "")
        )
        for row in data["line"]
    )


@cache
def lines() -> tuple[Printed, ...]:
    """Every line of every file, in the order of the files' names."""
    return tuple(line for path in sorted(FOLDER.glob("*.toml")) for line in read(path.read_text(encoding="utf-8")))


def held(log: str, known: Iterable[Printed] | None = None) -> tuple[Printed, ...]:
    """The lines that a log may hold: those whose longest literal stands in it."""
    return tuple(line for line in (lines() if known is None else known) if line.anchor in log)
