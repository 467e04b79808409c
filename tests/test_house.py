"""What a reviewer would repeat: nothing half-added, nothing stale, no name that is not ours, no module that grew too long."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

import bot
import knowledge
import tools
from knowledge.home import PACKS
from knowledge.pages import load_shelf
from tools import handbook
from tools.casebook import asks, cases
from tools.check import On
from tools.inventory import sources
from tools.signals import SIGNALS, Kind

ROOT = Path(__file__).resolve().parent.parent
SCENES = ROOT / "tests" / "scenes"
CODE = [path for folder in ("bot", "knowledge", "tools", "evals", "tests") for path in (ROOT / folder).rglob("*.py")]
CODE = [path for path in CODE if "node_modules" not in path.parts]


def test_every_check_has_a_scene_and_every_scene_a_check() -> None:
    assert {path.stem for path in SCENES.glob("*.yaml")} == set(cases())


def test_the_generated_pages_are_current() -> None:
    assert handbook.stale() == []


def test_pages_that_checks_name_exist() -> None:
    known = {page.id for page in load_shelf(PACKS).pages}
    named = {page for case in cases().values() for page in case.check.pages}
    assert named <= known
    for case in cases().values():
        assert f"failure-modes/{case.id}" in known


def test_what_a_check_explains_exists_and_nothing_explains_itself_in_a_circle() -> None:
    edges = {case.id: {one.symptom for one in case.check.explains} for case in cases().values()}
    assert {symptom for symptoms in edges.values() for symptom in symptoms} <= set(edges)
    done: set[str] = set()

    def walk(check: str, path: tuple[str, ...]) -> None:
        assert check not in path, " -> ".join((*path, check))
        if check not in done:
            for symptom in edges[check]:
                walk(symptom, (*path, check))
            done.add(check)

    for check in edges:
        walk(check, ())


@pytest.mark.parametrize("check", list(cases()))
def test_a_check_is_complete(check: str) -> None:
    case = cases()[check]
    assert re.fullmatch(r"[a-z][a-z0-9_]+", check)
    assert case.check.needs
    assert not set(case.check.needs) & set(case.check.helps)
    assert case.check.pages
    assert set(case.check.on) <= set(On)
    for name, limit in case.check.limits.items():
        assert limit.source.strip(), f"{name} has no source"
        assert limit.unit


def test_every_signal_that_is_asked_for_can_be_had_from_somewhere() -> None:
    measured = {signal for source in sources() for signal in source.signals}
    for ask in asks():
        assert ask.signal in measured or ask.signal.kind is Kind.FACT, f"no source carries {ask.signal.name}"


def test_every_signal_is_listed_under_its_own_name() -> None:
    for source in sources():
        for signal in source.signals:
            assert SIGNALS[signal.name] is signal


def test_nobody_else_owns_our_names() -> None:
    owners = packages_distributions()
    for name in ("bot", "knowledge", "tools"):
        assert set(owners.get(name, ["rackside"])) == {"rackside"}


def test_no_module_is_named_like_a_package_that_we_use() -> None:
    taken = set(packages_distributions()) | set(sys.stdlib_module_names)
    ours = {path for package in (bot, knowledge, tools) for path in Path(package.__file__ or "").parent.glob("*.py")}
    clash = {path.stem for path in ours if path.stem in taken and path.stem not in {"__init__", "__main__"}}
    assert clash <= {"settings", "store", "schema"}, clash


def test_no_module_is_too_long() -> None:
    product = [path for path in CODE if path.relative_to(ROOT).parts[0] != "tests"]
    long = {
        str(path.relative_to(ROOT)): count for path in product if (count := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_nothing_is_left_open() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b|mark\.(skip|xfail)")
    left = [f"{path.relative_to(ROOT)}" for path in CODE if path != Path(__file__) and marks.search(path.read_text())]
    assert left == []


def test_no_page_or_file_names_a_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    mark = re.compile(r"(?<![\w.])/(?:work|farm|root)/[\w.]")
    found = [
        name
        for name in listed
        if (ROOT / name).suffix in {".py", ".md", ".toml", ".yaml", ".sh", ".mjs", ".json"}
        and (ROOT / name).is_file()
        and mark.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_the_reader_role_only_reads() -> None:
    documents = list(yaml.safe_load_all((ROOT / "deploy" / "base" / "rbac.yaml").read_text(encoding="utf-8")))
    rules = [rule for one in documents for rule in one.get("rules", ())]
    assert rules
    assert {verb for rule in rules for verb in rule["verbs"]} <= {"get", "list", "watch"}
    assert not {"secrets", "configmaps", "pods/exec", "*"} & {name for rule in rules for name in rule["resources"]}
