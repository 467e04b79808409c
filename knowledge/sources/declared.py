"""What a user has added: `sources.toml` in the home folder, written by `rackside knowledge add` or by hand."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from knowledge.pages import TRUSTS, Trust
from knowledge.sources import repositories
from knowledge.sources.dates import iso_date
from knowledge.sources.repositories import is_address, wrong_address
from knowledge.sources.web_page import web_link

FILE = "sources.toml"
_ENTRY = re.compile(r"^\[\[[ \t]*source[ \t]*\]\]", re.MULTILINE)
_NAME = re.compile(r"[\w][\w .&+-]{0,79}")
_REF = re.compile(r"[A-Za-z0-9][\w./+-]{0,199}")
_HEAD = (
    "# Your own knowledge, read by `rackside knowledge index`. See `rackside knowledge add --help`.\n"
    "# place: a folder, a file, or the address of a git repository. The rest may be left out.\n"
)


class SourceProblem(ValueError):  # noqa: N818 - what people read
    """A source that cannot be added, found or read: a sentence for a person."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One source. Empty fields are not declared.

    `place` is an absolute path or a git address; `url` is where its pages can be read on the web; `ref` is a branch,
    tag or commit and `under` a folder inside the repository.
    """

    name: str
    place: str
    trust: Trust | Literal[""] = ""
    license: str = ""
    date: str = ""
    url: str = ""
    ref: str = ""
    under: str = ""

    @property
    def is_git(self) -> bool:
        """Is it read with git, at a commit, rather than as the files lie?"""
        return is_address(self.place) or bool(self.ref or self.under) or _is_bare(Path(self.place))


def declared_file(home: Path) -> Path:
    """Where the declaration lies."""
    return home / FILE


def load_declared(home: Path) -> tuple[list[Declared], list[str]]:
    """The sources in their order, and a sentence for each entry that says something impossible.

    Raises SourceProblem where the file cannot be read at all.
    """
    file = declared_file(home)
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("source", [])
    except FileNotFoundError:
        return [], []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceProblem(
            f"{file} cannot be read ({error}). Mend it, or remove it and add the sources anew."
        ) from error
    found: list[Declared] = []
    problems: list[str] = []
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries], start=1):
        try:
            found.append(_checked(entry, {one.name for one in found}))
        except SourceProblem as problem:
            problems.append(f"{file.name}, source {number}: {problem}")
    return found, problems


def add(home: Path, wanted: Sequence[Declared]) -> list[Declared]:
    """Declare sources, each under a name of its own; one whose place is declared already is declared anew.

    Returns them as they were written. Raises SourceProblem, and then nothing was written.
    """
    known, _ = load_declared(home)
    added: list[Declared] = []
    for one in wanted:
        same = next((old for old in (*known, *added) if _same_place(old, one)), None)
        if same is not None and not _says_more(one):
            continue
        if same is not None:
            _write(home, [old for old in known if old != same])
            known = [old for old in known if old != same]
            added = [old for old in added if old != same]
        name = one.name or (same.name if same else "") or _default_name(one.place)
        taken = {old.name for old in (*known, *added)}
        if one.name in taken:
            raise SourceProblem(f"there is a source named {one.name!r} already: give this one another --name")
        number = 2
        free = name
        while free in taken:
            free, number = f"{name}-{number}", number + 1
        added.append(_checked({**asdict(one), "name": free}, taken))
    if added:
        _write(home, [*known, *added])
    return added


def remove(home: Path, name: str) -> Declared:
    """Forget the source of this name or place, and return it. Raises SourceProblem where there is none."""
    known, _ = load_declared(home)
    place = name if is_address(name) else str(Path(name).expanduser().absolute())
    gone = next((one for one in known if one.name == name), None) or next(
        (one for one in known if one.place == place), None
    )
    if gone is None:
        names = ", ".join(one.name for one in known)
        raise SourceProblem(f"there is no source named {name!r}" + (f"; there are: {names}" if names else ""))
    _write(home, [one for one in known if one is not gone])
    if all(one.place != gone.place for one in known if one is not gone):
        repositories.forget(home, gone.place)
    return gone


def forget_all(home: Path) -> None:
    """Forget every source."""
    with contextlib.suppress(FileNotFoundError):
        declared_file(home).unlink()


def new_source(place: str, **rest: str) -> Declared:
    """A source that is not declared yet, from what a person typed; SourceProblem for what cannot be."""
    one = _checked({**rest, "place": placed(place)}, set())
    return replace(one, name=rest.get("name", "").strip())


def placed(place: str) -> str:
    """A place as it is declared: an address as it is, a path made absolute. Raises SourceProblem for neither."""
    text = place.strip()
    if wrong := wrong_address(text):
        raise SourceProblem(wrong)
    if is_address(text):
        return text
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise SourceProblem(f"there is no {text}: give a folder, a file, or the address of a git repository")
    return str(path)


def _checked(entry: Any, taken: set[str]) -> Declared:
    if not isinstance(entry, dict):
        raise SourceProblem('it is not a table of `name = "value"` lines')
    known = {one.name for one in fields(Declared)}
    unknown = sorted(str(name) for name in entry if name not in known)
    if unknown:
        raise SourceProblem(f"it says {', '.join(unknown)}, which means nothing here: write {', '.join(sorted(known))}")
    texts = {
        name: value.isoformat() if name == "date" and hasattr(value, "isoformat") else value
        for name, value in entry.items()
    }
    wrong = [name for name, value in texts.items() if not isinstance(value, str) or not value.isprintable()]
    if wrong:
        raise SourceProblem(f"its {wrong[0]} is not a text of one line")
    place = texts.get("place", "").strip()
    if not place:
        raise SourceProblem("it has no place: a folder, a file, or the address of a git repository")
    if said := wrong_address(place):
        raise SourceProblem(said)
    name = texts.get("name", "").strip() or _default_name(place)
    if not _NAME.fullmatch(name):
        raise SourceProblem(f"its name {name[:40]!r} is not a short name of letters, digits, spaces and hyphens")
    if name in taken:
        raise SourceProblem(f"another source is named {name!r} already")
    _check_the_rest(texts)
    if not is_address(place):
        place = str(Path(place).expanduser().absolute())
    rest = {name: texts.get(name, "") for name in ("trust", "license", "ref")}
    under, date, url = (
        texts.get("under", "").strip("/"),
        iso_date(texts.get("date", "")),
        web_link(texts.get("url", "")),
    )
    return Declared(name, place, date=date, url=url, under=under, **rest)


def _check_the_rest(texts: dict[str, str]) -> None:
    trust = texts.get("trust", "")
    if trust and trust not in TRUSTS:
        raise SourceProblem(f"its trust is {trust!r}: write one of {', '.join(TRUSTS)}")
    date = texts.get("date", "")
    if date and not iso_date(date):
        raise SourceProblem(f"its date is {date!r}: write it as 2026-11-21")
    url = texts.get("url", "")
    if url and not web_link(url):
        raise SourceProblem(f"its url is {url!r}: write an address that begins with https:// and holds no password")
    ref = texts.get("ref", "")
    if ref and (not _REF.fullmatch(ref) or ".." in ref):
        raise SourceProblem(f"its ref is {ref!r}: write a branch, a tag or a whole commit id")
    under = texts.get("under", "").strip("/")
    if any(part in {"", ".", ".."} for part in under.split("/")) and under:
        raise SourceProblem(f"its under is {under!r}: write a folder inside the repository")


def _same_place(one: Declared, other: Declared) -> bool:
    return (one.place, one.under) == (other.place, other.under)


def _says_more(one: Declared) -> bool:
    return any((one.name, one.trust, one.license, one.date, one.url, one.ref))


def _default_name(place: str) -> str:
    last = re.split(r"[/:\\]", place.rstrip("/"))[-1].removesuffix(".git")
    name = re.sub(r"[^\w .&+-]+", "-", last).strip(" .-&+")[:80]
    return name or "pages"


def _is_bare(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def _write(home: Path, sources: Sequence[Declared]) -> None:
    """Write the declaration in one step, keeping what a person wrote around the entries that stay."""
    file = declared_file(home)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = _HEAD
    text = _edited(text, sources)
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=home, prefix=".sources-", delete=False) as draft:
        draft.write(text)
    Path(draft.name).chmod(0o644)
    Path(draft.name).replace(file)


def _edited(text: str, sources: Sequence[Declared]) -> str:
    starts = [match.start() for match in _ENTRY.finditer(text)]
    head = text[: starts[0]] if starts else text
    entries = [text[start:end] for start, end in pairwise([*starts, len(text)])]
    kept: list[str] = []
    left = list(sources)
    for entry in entries:
        try:
            one = _checked(tomllib.loads(entry)["source"][0], set())
        except (tomllib.TOMLDecodeError, SourceProblem, KeyError):
            # Not ours to drop: its sentence says what to mend.
            kept.append(entry.rstrip("\n") + "\n")
            continue
        if one in left:
            left.remove(one)
            kept.append(entry.rstrip("\n") + "\n")
    return "\n".join([head.rstrip("\n") + "\n", *kept, *map(_entry, left)])


def _entry(one: Declared) -> str:
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in asdict(one).items() if value]
    return "[[source]]\n" + "\n".join(lines) + "\n"
