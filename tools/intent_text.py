"""YAML that somebody else wrote, read into plain data with the line of each value. It may be hostile: nothing in it is ever run.

Aliases are refused (a few lines of them unfold to gigabytes), so are tags, repeated keys, great depth and great size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from tools.catalogue.spelling import printable

MOST_BYTES = 1024 * 1024
DEEPEST = 32
MOST_DOCUMENTS = 1000
MOST_PROBLEMS = 50
Path = tuple[str | int, ...]
# The parser in C is some ten times as fast; it gives the same events and nodes.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = "tag:yaml.org,2002:"
_TAGS = frozenset(_PLAIN + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp"))


class IntentError(ValueError):
    """A file that cannot be used; `problems` are sentences, all of them at once, with lines where they are known."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the sentences."""
        shown = list(dict.fromkeys(problems))
        rest = len(shown) - MOST_PROBLEMS
        self.problems = (*shown[:MOST_PROBLEMS], *((f"and {rest} more",) if rest > 0 else ()))
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Document:
    """One document: a mapping, and the line (from 1) of each value by its path."""

    data: Mapping[str, Any]
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest that holds it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def documents(content: bytes | str, name: str) -> tuple[Document, ...]:
    """Every document of a file that is not empty; raises IntentError."""
    text = _decoded(content, name)
    try:
        _shape(text, name)
        found = [_document(node, name) for node in yaml.compose_all(text, Loader=_LOADER) if not _empty(node)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}" if mark else ""
        raise IntentError([f"{name}{line}: this is not YAML ({printable(error.problem or 'it cannot be read')})"]) from None  # fmt: skip
    except yaml.YAMLError as error:
        raise IntentError([f"{name}: this is not YAML ({printable(str(error))})"]) from None
    except RecursionError:
        raise IntentError([f"{name}: it is nested too deeply"]) from None
    if not found:
        raise IntentError([f"{name}: there is nothing in it"])
    return tuple(found)


def _decoded(content: bytes | str, name: str) -> str:
    if len(content) > MOST_BYTES:
        raise IntentError([f"{name}: it is larger than {MOST_BYTES // 1024} KiB"])
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise IntentError([f"{name}: it is not UTF-8"]) from None


def _shape(text: str, name: str) -> None:
    """Refuse what must not be composed at all."""
    depth = starts = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            raise IntentError([f"{name} line {line}: aliases (`*name`) are not taken; write the value out"])
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise IntentError([f"{name} line {line}: it is nested deeper than {DEEPEST} levels"])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            starts += 1
            if starts > MOST_DOCUMENTS:
                raise IntentError([f"{name} line {line}: it holds more than {MOST_DOCUMENTS} documents"])


def _empty(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == f"{_PLAIN}null")


def _document(node: yaml.Node, name: str) -> Document:
    lines: dict[Path, int] = {}
    problems: list[str] = []
    loader = yaml.SafeLoader("")
    try:
        data = _plain(node, (), lines, problems, loader, name)
    finally:
        loader.dispose()
    if problems:
        raise IntentError(problems)
    if not isinstance(data, dict):
        raise IntentError([f"{name} line {node.start_mark.line + 1}: a document is a mapping, this is none"])
    return Document(data, lines)


def _plain(
    node: yaml.Node, path: Path, lines: dict[Path, int], problems: list[str], loader: yaml.SafeLoader, name: str
) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if node.tag not in _TAGS:
        problems.append(f"{name} line {line}: the tag {printable(node.tag)!r} is not taken")
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, (*path, i), lines, problems, loader, name) for i, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            where = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == f"{_PLAIN}merge":
                problems.append(f"{name} line {where}: a key must be a word")
                continue
            key = str(key_node.value)
            if key in found:
                problems.append(f"{name} line {where}: {printable(key)!r} stands here twice")
                continue
            found[key] = _plain(value_node, (*path, key), lines, problems, loader, name)
            lines[(*path, key)] = where
        return found
    if node.tag == f"{_PLAIN}timestamp":
        return node.value  # a version such as 2026-11-01 is a text
    try:
        return loader.construct_object(node)
    except (ValueError, OverflowError):
        problems.append(f"{name} line {line}: {printable(str(node.value))!r} cannot be read")
        return None
