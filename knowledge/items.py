"""Checklist items: what a page of a checklist asks for, one `##` section each.

An item is written in Markdown that reads well on its own, so that a checklist is a page like any other and
an item is found, quoted and cited like any passage. What an audit needs of it stands in fixed bullets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from knowledge.pages import Page, Source
from knowledge.passages import ITEM_HEADING, Section, sections

Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
# The teams that platform, ML and on-call engineers meet; an item has one, or two that must agree.
OWNERS = (
    "ml",
    "mlops",
    "platform",
    "sre",
    "security",
    "finops",
    "product",
    "data",
    "governance",
)
PHASES = (0, 1, 2)
FIELDS = ("Phase", "Owner", "Severity", "Applies to", "Why", "Verify", "Checks", "Evidence", "Fix", "Source")
REQUIRED = ("Phase", "Owner", "Severity", "Applies to", "Why", "Verify", "Fix", "Source")

# What is meant as an item's heading and is not one: the author is told, the item is not lost in silence.
_NEARLY = re.compile(r"[A-Za-z]{2,4}[-. ]?\d{1,3}\b")
_FIELD = re.compile(r"\*\*(?P<name>[A-Z][A-Za-z ]*):\*\*\s*(?P<value>.*?)\s*(?=·\s*\*\*[A-Z]|$)")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_DATE = re.compile(r"\((\d{4}-\d{2}-\d{2})\)")
_CHECK = re.compile(r"`([a-z][a-z0-9_]*)`")


@dataclass(frozen=True, slots=True)
class Item:
    """One point of a checklist.

    `statement` is what must hold. `phase` is 0 (before the cluster), 1 (deployment) or 2 (operation). `checks` are
    the ids of the checks that verify it from live evidence; `evidence` is what a person must show where no check
    does, or in addition. `applies` holds lower-case words (engines, `multi-gpu`), empty for every workload.
    `passage` is the id by which it is cited.
    """

    id: str
    pack: str
    page: str
    area: str
    title: str
    statement: str
    phase: int
    owners: tuple[str, ...]
    severity: Severity
    why: str
    verify: str
    fix: str
    sources: tuple[Source, ...]
    date: str
    applies: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    evidence: str = ""

    @property
    def passage(self) -> str:
        """The id of the passage that holds the item."""
        return f"{self.page}#{self.id.lower()}"


def item_id(heading: str) -> str:
    """The id that a heading gives an item, empty where the heading is none."""
    match = ITEM_HEADING.fullmatch(heading)
    return match["id"] if match else ""


def items(pages: Iterable[Page]) -> list[Item]:
    """Every well-formed item of the pages, in their order. `problems` says what is wrong with the others."""
    found = []
    for page in pages:
        for section in sections(page.text, page.title):
            item = _parse(page, section)
            if isinstance(item, Item):
                found.append(item)
    return found


def problems(page: Page, checks: Iterable[str] | None = None) -> Iterator[str]:
    """Sentences for what its author must mend in a page's items; `checks` as in `lint`."""
    known = None if checks is None else frozenset(checks)
    last = ""
    for section in sections(page.text, page.title):
        heading = section.path[-1] if section.path else ""
        if not heading:
            continue
        if not item_id(heading):
            if _NEARLY.match(heading) and _fields(section):
                yield f"its heading {heading!r} is nearly an item's: write `## DR-07 · What must hold`"
            continue
        if section.level != 2:
            yield f"its item {item_id(heading)} is not under a heading of the second level (##)"
        item = _parse(page, section)
        if not isinstance(item, Item):
            yield from (f"its item {item_id(heading)} {what}" for what in item)
            continue
        if last and item.id <= last:
            yield f"its item {item.id} follows {last}: ids go up down the page"
        last = item.id
        if known is not None:
            yield from (
                f"its item {item.id} names check {one}, which does not exist" for one in item.checks if one not in known
            )


def table(found: Iterable[Item]) -> str:
    """The items as the Markdown table of a checklist's overview page: linked id, area, what, phase, owner, severity."""
    lines = ["| item | area | what must hold | phase | owner | severity |", "|---|---|---|---|---|---|"]
    for item in found:
        slug = item.page.partition("/")[2]
        title = item.title.replace("|", "\\|")
        lines.append(
            f"| [{item.id}]({slug}.md) | {item.area} | {title} | day {item.phase} | {' and '.join(item.owners)} | {item.severity} |"
        )
    return "\n".join(lines)


def _parse(page: Page, section: Section) -> Item | list[str]:
    """The item of a section, or what keeps it from being one (nothing for a section that is no item)."""
    match = ITEM_HEADING.fullmatch(section.path[-1]) if section.path else None
    if match is None:
        return []
    fields = _fields(section)
    wrong = [f"does not say `{name}`" for name in REQUIRED if not fields.get(name)]
    wrong += [f"has a field {name!r} that no item has" for name in fields if name not in FIELDS]
    if not fields.get("Checks") and not fields.get("Evidence"):
        wrong.append("names neither `Checks` nor `Evidence`: nobody could prove it")
    statement = _statement(section)
    if not statement:
        wrong.append("does not say what must hold before its bullets")
    phase = next((day for day in PHASES if fields.get("Phase") == f"day {day}"), None)
    if fields.get("Phase") and phase is None:
        wrong.append(f"has phase {fields['Phase']!r}: write day 0, day 1 or day 2")
    owners = tuple(fields.get("Owner", "").split(" and "))
    wrong += [
        f"has owner {owner!r}: write one of {', '.join(OWNERS)}" for owner in owners if owner and owner not in OWNERS
    ]
    severity = next((level for level in SEVERITIES if level == fields.get("Severity")), None)
    if fields.get("Severity") and severity is None:
        wrong.append(f"has severity {fields['Severity']!r}: write one of {', '.join(SEVERITIES)}")
    checks = tuple(_CHECK.findall(fields.get("Checks", "")))
    if fields.get("Checks") and not checks:
        wrong.append("has `Checks` without a check's id between backticks")
    source = fields.get("Source", "")
    sources = tuple(Source(title, url) for title, url in _LINK.findall(source))
    date = _DATE.search(source)
    if source and not sources:
        wrong.append("has a source without a link")
    if source and date is None:
        wrong.append("has a source without the date it was read: end it with (2026-11-21)")
    if wrong or phase is None or severity is None or date is None:
        return wrong
    applies = tuple(word.strip() for word in fields["Applies to"].split(",") if word.strip() != "any")
    return Item(
        id=match["id"],
        pack=page.pack.id,
        page=page.id,
        area=page.title,
        title=match["title"],
        statement=statement,
        phase=phase,
        owners=owners,
        severity=severity,
        why=fields["Why"],
        verify=fields["Verify"],
        fix=fields["Fix"],
        sources=sources,
        date=date[1],
        applies=applies,
        checks=checks,
        evidence=fields.get("Evidence", ""),
    )


def _fields(section: Section) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in section.lines:
        if line.lstrip().startswith("- **"):
            for match in _FIELD.finditer(line):
                found.setdefault(match["name"], match["value"])
    return found


def _statement(section: Section) -> str:
    lines = []
    for line in section.lines:
        if line.lstrip().startswith("- **"):
            break
        lines.append(line.strip())
    return " ".join(line for line in lines if line)
