"""What the documents say can be done: every command exists, what needs no cluster is run, every link leads somewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings, load_settings
from evals import question_runs
from evals.incident_runs import INCIDENTS, folders
from knowledge.home import default_home
from tools.casebook import cases, modes, rules

ROOT = Path(__file__).resolve().parent.parent
GUIDES = ("alerts", "audit", "costs", "custom-servers", "digest", "intent", "slack")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in GUIDES))
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"(?<!\\)\]\(([^)\s]+)\)")
_PROGRAMS = {"make", "rackside", "kubectl", "python", "docker", "export"}
_PLACEHOLDER = re.compile(r"^(path/to|\.\./production)\b")
_OFFLINE = {"search", "lint", "schema", "doctor", "ask", "diagnose", "audit"}
_SET_ELSEWHERE = {"RACKSIDE_CONFIG": "bot/settings.py", "RACKSIDE_TORCH_INDEX": "deploy/setup.sh"}


@dataclass(frozen=True)
class Fence:
    """A fenced block: where it stands, its language, its text."""

    where: str
    language: str
    text: str


@cache
def read(name: str) -> str:
    # The wheel is tried where no documents are.
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def fences(name: str, language: str) -> Iterator[Fence]:
    text = read(name)
    for match in _FENCE.finditer(text):
        if match[2] == language:
            line = text.count("\n", 0, match.start()) + 1
            yield Fence(f"{name}:{line}", match[2], textwrap.dedent(match[3]))


def commands() -> list[tuple[str, str]]:
    """Every command of the sh blocks, with where it stands."""
    found = []
    for name in DOCUMENTS:
        for fence in fences(name, "sh"):
            for line in fence.text.replace("\\\n", " ").splitlines():
                found += [(fence.where, line.strip())] if line.strip() and not line.lstrip().startswith("#") else []
    return list(dict.fromkeys(found))


def mentioned() -> list[tuple[str, str]]:
    """Commands inside sentences."""
    found = []
    for name in DOCUMENTS:
        for span in _INLINE.findall(_FENCE.sub("", read(name))):
            words = span.split()
            # What begins with a slash is typed in Slack.
            if not span.startswith("/") and program_of(words) in _PROGRAMS and len(words) > 1:
                found.append((name, span))
    return list(dict.fromkeys(found))


def program_of(words: list[str]) -> str:
    """The program that a command line starts, without variables set for it and without the folder it lies in."""
    rest = [word for word in words if not re.match(r"[A-Z_]+=", word)]
    return Path(rest[0]).name if rest else ""


def split(line: str) -> tuple[str, list[str]]:
    words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word)]
    if ">" in words:
        words = words[: words.index(">")]
    return Path(words[0]).name, words[1:]


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    nothing_set = {"RACKSIDE_HOME": str(default_home()), "KUBECONFIG": "", "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        arguments,
        cwd=ROOT, env={**kept, **nothing_set, **environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def must_exist(word: str) -> None:
    assert _PLACEHOLDER.match(word) or (ROOT / word).exists(), f"there is no {word}"


def make(arguments: list[str]) -> None:
    for target in arguments:
        assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    done = run(["make", "-n", *arguments])
    assert done.returncode == 0, done.stderr


@cache
def helped(*command: str) -> str:
    done = run([sys.executable, "-m", *command, "--help"])
    assert done.returncode == 0, done.stderr
    return done.stdout


def subcommands(command: str) -> frozenset[str]:
    return frozenset(re.findall(r"^  ([a-z-]+)", helped("bot", command).partition("Commands:")[2], re.MULTILINE))


def rackside(arguments: list[str]) -> None:
    groups = 2 if len(arguments) > 1 and arguments[1] in subcommands(arguments[0]) else 1
    subcommand, rest = arguments[:groups], arguments[groups:]
    assert not [word for word in subcommand if word.startswith("-")]
    told = helped("bot", *subcommand)
    for option in (word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)):
        assert re.search(rf"(^|[\s,]){re.escape(option)}\b", told), f"{subcommand} has no {option}"
    if subcommand[-1] == "index":
        for word in rest:
            must_exist(word)
    if subcommand[-1] in _OFFLINE:
        done = run([sys.executable, "-m", "bot", *arguments])
        # With no source set, a live question and doctor see nothing, and say so.
        allowed = {0, 3} if subcommand[-1] in {"ask", "audit", "diagnose", "doctor"} else {0}
        assert done.returncode in allowed, done.stderr
        assert done.stdout.strip()
        assert "Traceback" not in done.stderr


def kubectl(arguments: list[str]) -> None:
    assert shutil.which("kubectl"), "kubectl 1.22 or newer must be on PATH"
    if "secret" in arguments:
        done = run(["kubectl", *arguments, "--dry-run=client", "-o", "yaml"])
        assert done.returncode == 0, done.stderr
        made = yaml.safe_load(done.stdout)
        wanted = (ROOT / "deploy" / "base" / "deployment.yaml").read_text(encoding="utf-8")
        for key in made["data"]:
            assert f"{{name: {made['metadata']['name']}, key: {key}}}" in wanted
        return
    assert arguments[0] in {"apply", "kustomize"}, f"nobody checks kubectl {arguments[0]}"
    path = arguments[-1]
    if _PLACEHOLDER.match(path):
        return
    must_exist(path)
    if arguments[:2] == ["apply", "-f"]:
        assert all(one["kind"] for one in yaml.safe_load_all((ROOT / path).read_text(encoding="utf-8")))
    else:
        done = run(["kubectl", "kustomize", path])
        assert done.returncode == 0, done.stderr
        assert "kind: Deployment" in done.stdout


def python(arguments: list[str]) -> None:
    assert arguments[0] == "-m", "a script would have to be checked otherwise"
    module, rest = arguments[1], arguments[2:]
    assert importlib.util.find_spec(module) is not None, f"there is no module {module}"
    if module.startswith("evals"):
        told = helped(module)
        for option in (word for word in rest if word.startswith("--")):
            assert option in told
    elif module == "pytest":
        done = run([sys.executable, "-m", module, "--collect-only", "-p", "no:cacheprovider", *rest])
        assert done.returncode == 0, done.stdout
    elif module == "pip":
        extra = re.search(r"\[(\w+)\]", rest[-1])
        assert extra
        assert f"\n{extra[1]} = [" in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for word in rest:
        if "/" in word:
            must_exist(word)


def docker(arguments: list[str]) -> None:
    assert arguments[0] in {"build", "push"}
    if "-f" in arguments:
        must_exist(arguments[arguments.index("-f") + 1])


def export(arguments: list[str]) -> None:
    name = arguments[0].partition("=")[0] if arguments else ""
    assert name in {*variables(), "KUBECONFIG", "OPENAI_API_KEY", ""}


CHECKS = {"make": make, "rackside": rackside, "kubectl": kubectl, "python": python, "docker": docker}


@pytest.mark.parametrize(("where", "line"), commands())
def test_a_command_can_be_given(where: str, line: str) -> None:
    if line.startswith("export "):
        assert re.match(r"export ([A-Z_]+)=\S+$", line)
        export(line.split()[1:])
        return
    program, arguments = split(line)
    assert program in CHECKS, f"{where}: nobody checks {program}"
    CHECKS[program](arguments)


@pytest.mark.parametrize(("where", "line"), mentioned())
def test_a_command_in_a_sentence_exists(where: str, line: str) -> None:
    program, arguments = split(line)
    if program == "python" and arguments[:1] == ["-m"]:
        assert importlib.util.find_spec(arguments[1]) is not None, where
    else:
        CHECKS[program](arguments)


def test_the_documents_name_the_commands_that_matter() -> None:
    told = " ".join(line for _, line in commands())
    for one in ("make demo", "make test", "rackside serve", "rackside doctor", "kubectl apply -k", "python -m evals"):
        assert one in told
    assert len(commands()) >= 25


def variables() -> set[str]:
    return {f"RACKSIDE_{name.upper()}" for name in Settings.model_fields} | set(_SET_ELSEWHERE)


def test_every_variable_that_is_named_is_read() -> None:
    for name in DOCUMENTS:
        assert set(re.findall(r"\bRACKSIDE_[A-Z_]+\b", read(name))) <= variables()
    for variable, file in _SET_ELSEWHERE.items():
        assert variable in read(file)


def test_the_settings_of_the_readme_are_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fence,) = [one for one in fences("README.md", "yaml") if one.text.startswith("clusters:")]
    (tmp_path / "settings.yaml").write_text(fence.text, encoding="utf-8")
    monkeypatch.setenv("RACKSIDE_CONFIG", str(tmp_path / "settings.yaml"))
    settings = load_settings()
    assert settings.clusters["east"].prometheus_url
    assert len(settings.limits) == 2
    for name, limits in settings.limits.items():
        assert set(limits) <= set(cases()[name.partition("@")[0]].check.limits)


def test_the_overlay_of_the_readme_renders(tmp_path: Path) -> None:
    (fence,) = [one for one in fences("README.md", "yaml") if "kustomization" in one.text]
    shutil.copytree(ROOT / "deploy" / "base", tmp_path / "rackside" / "deploy" / "base")
    (tmp_path / "production").mkdir()
    (tmp_path / "production" / "kustomization.yaml").write_text(fence.text, encoding="utf-8")
    done = run(["kubectl", "kustomize", str(tmp_path / "production")])
    assert done.returncode == 0, done.stderr
    (deployment,) = [one for one in yaml.safe_load_all(done.stdout) if one["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    assert {one["image"] for one in (*pod["initContainers"], *pod["containers"])} == {"registry.example/rackside:0.1.0"}
    set_to = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert set_to["RACKSIDE_PROMETHEUS_URL"] == "http://prometheus.monitoring.svc:9090"
    assert "RACKSIDE_SLACK_BOT_TOKEN" in set_to


def quoted() -> list[Any]:
    """Blocks that open with the name of a file: their lines are that file's."""
    found = []
    for name in DOCUMENTS:
        for fence in (*fences(name, "python"), *fences(name, "yaml")):
            first = re.match(r"# ((?:tools|tests)/\S+)\n", fence.text)
            if first:
                found.append(pytest.param(first[1], fence.text.split("\n", 1)[1], id=fence.where))
    return found


@pytest.mark.parametrize(("file", "text"), quoted())
def test_code_that_is_shown_stands_in_its_file(file: str, text: str) -> None:
    lines = iter((ROOT / file).read_text(encoding="utf-8").splitlines())
    for shown in text.splitlines():
        if shown.strip() not in {"", "..."}:
            assert any(line == shown for line in lines), f"{file} has no line {shown!r} here"


def test_the_readme_counts_right() -> None:
    text = " ".join(read("README.md").split())
    simulated = len(list(INCIDENTS.glob("*/fleet.yaml")))
    asked = question_runs.read(question_runs.QUESTIONS)
    answerable = [one for one in asked if one.answerable]
    assert f"{len(folders())} incidents end to end" in text
    assert f"({simulated} simulated, {len(folders()) - simulated} written by hand" in text
    assert f"{len(asked)} questions" in text
    assert f"| {len(answerable)} questions |" in text
    assert f"| {sum(bool(one.facts) for one in answerable)} questions |" in text
    assert f"| {len(asked) - len(answerable)} questions |" in text
    assert f"It knows {len(modes())} failure modes, and {len(rules())} readiness rules" in text


def documents() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.splitlines()  # fmt: skip
    return [name for name in listed if "node_modules" not in name and (ROOT / name).is_file()]


@cache
def anchors(path: Path) -> set[str]:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#{1,6} +(.+?) *$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", documents())
def test_every_link_leads_somewhere(name: str) -> None:
    text = _INLINE.sub("", _FENCE.sub("", read(name)))
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / name).parent / path if path else ROOT / name
        assert there.exists(), f"{name} links to {target}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{name} links to {target}: there is no such heading"


def test_links_are_found_at_all() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/checks.md"} <= set(documents())
    assert "CONTRIBUTING.md#adding-an-incident" in _LINK.findall(read("README.md"))
    assert anchors(ROOT / "CONTRIBUTING.md") >= {"anatomy-of-a-failure-mode", "adding-an-incident"}
