"""Text saved from a web page, given the headings and code blocks back that saving took from it.

Only what can be told from the lines themselves: a short line in title case that stands alone is a heading, lines
of a program are code. Whatever is not sure stays a paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from knowledge.sources.flattened import joints

LANGUAGES = frozenset(
    re.findall(
        r"\w+",
        "bash c console cpp dockerfile go hcl ini java javascript json plaintext promql python rust sh shell sql terraform text toml typescript yaml yml",
    )
)
_MARKDOWN_HEADING = re.compile(r"#{1,6}[ \t]+\S")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_BULLET = re.compile(r"^\s{0,8}(?:[-*+•·‣◦▪]|(\d{1,3})[.)])[ \t]+(?=\S)")
_BOX = re.compile(r"[\u2500-\u257f▲▼►◄]")
_CODE = re.compile(
    r"^(?:(?:import|from|def|class|async|await|return|raise|with|for|while|if|elif|try|except|else|package|func|var|let"
    r"|const|export|resource|variable|module|apiVersion|kind)\b.*[:({=;\w\"']$|[@#$>]\s?\S|[})\]]|[\"'].*[\"'],?$)"
    r"|^[\w.\[\]\"'-]+(?:\s*:\s*[\w.\[\]]+)?\s[-+*/]?=\s"
    r"|^(?:self\.)?[\w.]+\(.*\)?$|[{(\[;\\]$|^[\"'][\w.-]+[\"']\s*:|^[a-z][\w.-]*:(?:\s+[^\s.,]+)?$|^[a-z][\w.-]*:\s.*#\s"
)
_SEQUENCE = re.compile(r"^\s{2,}-\s+[\w.-]+:(?:\s|$)")
_TITLE_END = re.compile(r"[.,;:!]$")
_NOT_IN_TITLE = re.compile(r"[=<>{}|\\_#@\"`$]|://|\(\)")
_FIRST_RANK = frozenset(
    re.findall(r"\w+", "introduction overview conclusion conclusions summary references resources faq")
)
_LONGEST_TITLE = 80
_MOST_WORDS = 10


@dataclass(slots=True)
class _Line:
    text: str
    code: bool = False
    blank_before: int = 0
    level: int = 0
    language: str = ""
    bullet: bool = field(init=False)

    def __post_init__(self) -> None:
        self.bullet = _BULLET.match(self.text) is not None


def is_markdown(text: str) -> bool:
    """Does the text mark its own headings or code?"""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if _MARKDOWN_HEADING.match(first) or sum(_FENCE.match(line) is not None for line in lines) > 1:
        return True
    pairs = pairwise(lines)
    return any(not before.strip() and _MARKDOWN_HEADING.match(line) and line[1] == "#" for before, line in pairs)


def to_markdown(text: str) -> str:
    """Plain text as Markdown. Text that is Markdown already comes back as it is."""
    if is_markdown(text):
        return text
    lines = _lines(text)
    _mark_code(lines)
    _mark_headings(lines)
    return "\n".join(_written(lines)) + "\n"


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    blank = 0
    for raw in text.split("\n"):
        if not raw.strip():
            blank += 1
            continue
        lines.append(_Line(raw.rstrip(), blank_before=blank))
        blank = 0
    return lines


def _mark_code(lines: list[_Line]) -> None:
    inside = named = False
    for at, line in enumerate(lines):
        stripped = line.text.strip()
        after = lines[at + 1] if at + 1 < len(lines) else None
        if stripped.lower() in LANGUAGES and after is not None and not after.blank_before:
            line.language, inside, named = stripped.lower(), True, True
            line.code = True
            continue
        looks = bool(_BOX.search(line.text)) or (
            not stripped.startswith("|") and _looks_like_code(stripped) and not _is_title(stripped)
        )
        if inside and not line.blank_before:
            # Within a program, until something reads like a title or a sentence.
            looks = looks or not (_is_title(stripped) or _is_prose(stripped) or stripped.startswith("|"))
        elif inside:
            looks = looks or (line.text.startswith("  ") and not line.bullet)
            looks = looks or _SEQUENCE.match(line.text) is not None
            # Commands: only where the program's language stands above it.
            looks = looks or (named and line.text[0].islower() and not stripped.endswith((".", ":", "?")))
        line.code = inside = looks and not (line.bullet and not inside)
        named = named and inside


def _looks_like_code(line: str) -> bool:
    return _CODE.search(line) is not None and not _is_prose(line)


def _is_prose(line: str) -> bool:
    words = line.split()
    if line.startswith(("#", "'", '"', "@", "-", "{", "}")):
        return False
    plain = sum(word.strip(".,;:!?()\"'").isalpha() for word in words)
    return len(words) > 7 and plain >= 0.8 * len(words) and line[:1].isupper()


def _mark_headings(lines: list[_Line]) -> None:
    spaced = sum(line.blank_before > 0 for line in lines) > 0.2 * len(lines)
    ranked = any(line.blank_before > 1 for line in lines)
    nested = False
    for at, line in enumerate(lines):
        after = lines[at + 1] if at + 1 < len(lines) else None
        if line.code or line.bullet or after is None or not _is_title(line.text.strip()) or line.text.startswith("  "):
            continue
        alone = (not at or line.blank_before) and after.blank_before if spaced else True
        if not alone and not (spaced and after.code and line.blank_before):
            continue
        if not at:
            line.level = 1
        elif spaced:
            line.level = 3 if ranked and line.blank_before < 2 else 2
        else:
            above = lines[at - 1].level
            leads = not after.code and not after.bullet and _is_title(after.text.strip())
            nested = above == 2 or (nested and not leads and line.text.strip().lower() not in _FIRST_RANK)
            line.level = 3 if nested else 2


def _is_title(line: str) -> bool:
    words = line.split()
    if not 0 < len(words) <= _MOST_WORDS or len(line) > _LONGEST_TITLE or not line[0].isalnum() or line[0].islower():
        return False
    if _TITLE_END.search(line) or _NOT_IN_TITLE.search(line) or joints(line) > 1 or line.lower() in LANGUAGES:
        return False
    long = [word for word in words if len(word) > 3 and word[0].isalpha()]
    return bool(long) and sum(word[0].isupper() for word in long) >= 0.5 * len(long)


def _written(lines: list[_Line]) -> list[str]:
    out: list[str] = []
    inside = False
    for at, line in enumerate(lines):
        if line.code and (not inside or line.language):
            out += ["```", ""] if inside else [""]
            out.append(f"```{line.language}")
            inside = True
            if line.language:
                continue
        elif inside and not line.code:
            out += ["```", ""]
            inside = False
        elif line.blank_before or line.level or (at and lines[at - 1].level):
            out += [""] * (line.blank_before if inside else 1)
        if line.level:
            out.append(f"{'#' * line.level} {line.text.strip()}")
        elif line.code:
            out.append(line.text)
        else:
            out.append(_BULLET.sub(lambda match: f"{match[1]}. " if match[1] else "- ", line.text))
    if inside:
        out.append("```")
    return out
