"""Shell scripts of `sh -c`, read as far as they can be without running them.

Quotes, line continuations, comments, `$VAR`, `${VAR:-default}`, `"$@"` and assignments are followed; what only a run could tell
(`$(command)`, a variable of the image) leaves a word `Unresolved`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


class Unresolved(str):
    """A word whose text is not wholly known; `open` words may stand for any number of words."""

    open: bool = False


Command = list[str]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|[0-9@*])(?:(:?[-=])(.*))?", re.DOTALL)
_OPENING = {"if", "case", "for", "while", "until"}
_CLOSING = {"fi", "done", "esac"}
_KEYWORDS = {*_OPENING, *_CLOSING, "elif", "else", "then", "do", "{", "}", "!", "time"}
_DECLARING = {"export", "readonly", "declare", "local"}
_ENDS = ";&|\n()"


@dataclass(frozen=True, slots=True)
class Script:
    """The commands of a script in their order, and the environment that it leaves to them."""

    commands: tuple[Command, ...]
    env: Mapping[str, str | None]


def read_script(script: str, env: Mapping[str, str | None], positional: Sequence[str] = ()) -> Script:
    """Read a script. `env` values of None are variables that cannot be read; `positional` are `$1` and on."""
    known: dict[str, str | None] = dict(env)
    passed: dict[str, str | None] = dict(env)
    found: list[Command] = []
    depth = 0
    for words in _Scanner(script, known, positional).run():
        start = 0
        while start < len(words) and words[start] in _KEYWORDS:
            depth = max(0, depth + (words[start] in _OPENING) - (words[start] in _CLOSING))
            start += 1
        exported = start < len(words) and words[start] in _DECLARING
        start += exported
        first = start
        while start < len(words) and (match := _ASSIGNMENT.match(words[start])):
            # What is set under a condition may or may not hold.
            unsure = depth or isinstance(words[start], Unresolved)
            known[match[1]] = None if unsure else words[start][match.end() :]
            if exported or start + 1 < len(words) or match[1] in passed:
                passed[match[1]] = known[match[1]]
            start += 1
        if start < len(words) and not (exported and start > first):
            found.append(words[start:])
    return Script(tuple(found), passed)


class _Scanner:
    """Reads a script once, character by character."""

    def __init__(self, script: str, env: Mapping[str, str | None], positional: Sequence[str]) -> None:
        self.script = script
        self.env = env
        self.positional = positional
        self.at = 0
        self.words: Command = []
        self.part: list[str] = []
        self.begun = self.doubtful = self.opened = False

    def run(self) -> Iterator[Command]:
        """Each command as soon as it ends, so that its assignments hold for the next."""
        script, size = self.script, len(self.script)
        while self.at < size:
            char = script[self.at]
            if char in " \t\r":
                self._end_word()
            elif char in _ENDS:
                self._end_word()
                if self.words:
                    yield self.words
                    self.words = []
            elif char == "#" and not self.begun:
                end = script.find("\n", self.at)
                self.at = (size if end < 0 else end) - 1
            elif char in "<>":
                self._redirection()
            elif char == "\\":
                self._escape()
            elif char == "'":
                self._single()
            elif char == '"':
                self._double()
            elif char in "$`":
                self._expansion(quoted=False)
            else:
                self._add(char)
            self.at += 1
        self._end_word()
        if self.words:
            yield self.words

    def _add(self, text: str) -> None:
        self.part.append(text)
        self.begun = True

    def _end_word(self) -> None:
        if self.begun:
            text = "".join(self.part)
            if self.doubtful:
                word = Unresolved(text)
                word.open = self.opened
                self.words.append(word)
            else:
                self.words.append(text)
        self.part = []
        self.begun = self.doubtful = self.opened = False

    def _redirection(self) -> None:
        if "".join(self.part).isdigit():
            self.part, self.begun = [], False
        self._end_word()
        match = re.compile(r"[<>&|-]*[ \t]*[^\s;&|<>()]*").match(self.script, self.at)
        self.at = match.end() - 1 if match else self.at

    def _escape(self) -> None:
        self.at += 1
        if self.at < len(self.script) and self.script[self.at] != "\n":
            self._add(self.script[self.at])

    def _single(self) -> None:
        end = self.script.find("'", self.at + 1)
        self._add(self.script[self.at + 1 : end if end >= 0 else None])
        if end < 0:
            self.doubtful = True  # the shell would refuse the script here
        self.at = end if end >= 0 else len(self.script)

    def _double(self) -> None:
        self.begun = True
        self.at += 1
        while self.at < len(self.script) and self.script[self.at] != '"':
            char = self.script[self.at]
            if char == "\\" and self.script[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                self.at += 1
                if self.script[self.at] != "\n":
                    self._add(self.script[self.at])
            elif char in "$`":
                self._expansion(quoted=True)
            else:
                self._add(char)
            self.at += 1
        if self.at >= len(self.script):
            self.doubtful = True

    def _expansion(self, *, quoted: bool) -> None:
        """Read what `$` or a backtick at this place stands for; stops at its last character."""
        script = self.script
        if script[self.at] == "`":
            end = script.find("`", self.at + 1)
            self._unknown(end if end >= 0 else len(script), quoted)
            return
        following = script[self.at + 1 : self.at + 2]
        if following == "(":
            self._unknown(_closing(script, self.at + 1, "(", ")"), quoted)
        elif following == "{":
            end = _closing(script, self.at + 1, "{", "}")
            self._parameter(script[self.at + 2 : end], end, quoted)
        elif following in "@*" and following:
            self._parameter(following, self.at + 1, quoted)
        elif match := _NAME.match(script, self.at + 1):
            self._parameter(match[0], match.end() - 1, quoted)
        elif following.isdigit():
            self._parameter(following, self.at + 1, quoted)
        elif following in ("?", "$", "#", "!"):
            self._unknown(self.at + 1, quoted)
        else:
            self._add("$")

    def _parameter(self, inside: str, end: int, quoted: bool) -> None:
        match = _BRACED.fullmatch(inside)
        name, fallback = (match[1], match[3]) if match else ("", None)
        if name in {"@", "*"}:
            self.at = end
            self._positional(quoted)
            return
        if name.isdigit():
            number = int(name)
            value = self.positional[number - 1] if 0 < number <= len(self.positional) else None
            given = value is not None
        else:
            given = name in self.env
            value = self.env.get(name)
        if value is None and not given and fallback is not None and "$" not in fallback and "`" not in fallback:
            value = fallback.strip("\"'")
        elif value == "" and match is not None and (match[2] or "").startswith(":"):
            value = fallback
        if value is None or not match or isinstance(value, Unresolved):
            self._unknown(end, quoted)
            return
        self.at = end
        if quoted:
            self._add(value)
            return
        pieces = value.split()
        if value[:1].isspace():
            self._end_word()
        for index, piece in enumerate(pieces):
            if index:
                self._end_word()
            self._add(piece)
        if value[-1:].isspace():
            self._end_word()

    def _positional(self, quoted: bool) -> None:
        for index, value in enumerate(self.positional):
            if index:
                self._end_word()
            self.doubtful = self.doubtful or isinstance(value, Unresolved)
            self._add(value)
        self.begun = self.begun and (bool(self.positional) or bool("".join(self.part)) or not quoted)

    def _unknown(self, end: int, quoted: bool) -> None:
        self.opened = self.opened or not (quoted or self.begun)
        self._add(self.script[self.at : end + 1])
        self.doubtful = True
        self.at = end


def _closing(text: str, start: int, opening: str, closing: str) -> int:
    """The place of the bracket that closes the one at `start`, the end of the text where none does."""
    depth = 0
    for place in range(start, len(text)):
        depth += (text[place] == opening) - (text[place] == closing)
        if depth == 0:
            return place
    return len(text)
