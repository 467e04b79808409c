"""The command line that a container runs: what the kubelet and a shell make of the manifest before a program sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tools.engines.setting import Container
from tools.engines.shell import Unresolved, read_script

Words = tuple[str, ...]
Env = Mapping[str, str | None]
_SHELLS = {"sh", "bash", "dash", "ash", "zsh", "ksh"}
_REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")
# How far into a command a shell may stand, behind an init or a wrapper.
_BEHIND = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One command with the environment that it sees. `own` is false where it is only arguments of the image's entrypoint."""

    words: Words
    env: Env
    own: bool = True


def lines(container: Container) -> tuple[Line, ...]:
    """The commands that a container runs, several where a script has several."""
    env = environment(container)
    command = tuple(_expanded(word, env) for word in container.command)
    words = (*command, *(_expanded(word, env) for word in container.args))
    place = _script(words)
    if place < 0:
        return (Line(words, env, bool(command)),)
    script = words[place]
    read = read_script(script, env, words[place + 2 :])
    return tuple(Line(tuple(found), read.env) for found in read.commands)


def _script(words: Words) -> int:
    """The place of a shell's script (`sh -c SCRIPT`), -1 where none is run."""
    place = next((i for i, word in enumerate(words[:_BEHIND]) if program(word) in _SHELLS), len(words))
    while (place := place + 1) < len(words) - 1:
        if re.fullmatch(r"-[a-z]*c[a-z]*", words[place]):
            return place + 1
        if re.fullmatch(r"[-+][a-z]*o", words[place]):
            place += 1
        elif not words[place].startswith(("-", "+")):
            break
    return -1


def written(container: Container) -> Words:
    """Every word of the command line as it is written in the manifest, scripts taken apart and variables left as they are."""
    found: list[str] = []
    for word in (*container.command, *container.args):
        if not word.startswith("-") and "--" in word and re.search(r"\s", word.strip()):
            found.extend(part for command in read_script(word, {}).commands for part in command)
        else:
            found.append(word)
    return tuple(found)


def program(word: str) -> str:
    """The name of a program without its folder."""
    return word.rstrip("/").rpartition("/")[2] if "\0" not in word else ""


def environment(container: Container) -> dict[str, str | None]:
    """The variables of a container; one may refer to those before it."""
    found: dict[str, str | None] = {}
    for name, value in container.env:
        text = None if value is None else _expanded(value, found)
        found[name] = None if isinstance(text, Unresolved) else text
    return found


def _expanded(word: str, env: Env) -> str:
    """Replace `$(NAME)` as the kubelet does: a name that it does not know stays, `$$` is a dollar sign."""
    if "$" not in word:
        return word
    unknown = False

    def replaced(match: re.Match[str]) -> str:
        nonlocal unknown
        if match[0] == "$$":
            return "$"
        if match[1] not in env:
            return match[0]
        value = env[match[1]]
        unknown = unknown or value is None
        return match[0] if value is None else value

    text = _REFERENCE.sub(replaced, word)
    return Unresolved(text) if unknown else text
