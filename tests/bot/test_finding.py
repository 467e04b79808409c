"""`rackside knowledge search` and `items` on a small knowledge base of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from evals.bench.known_questions import known_questions
from knowledge.encoder import load_encoder
from knowledge.home import default_home
from knowledge.indexing import build_index
from knowledge.search import Library

TOML = 'id = "{0}"\ntitle = "{0}"\nowner = "o"\nlicense = "l"\ntrust = "high"\nlanguage = "en"\n'
FRONT = (
    "---\ntitle: {0}\ndate: 2026-11-21\napplies: [{1}]\nsources:\n  - {{title: S, url: 'https://example.org'}}\n---\n"
)
ITEM = (
    "## AB-{0:02d} · {1}\n\nIt holds.\n\n- **Phase:** day {2} · **Owner:** {3} · **Severity:** low · **Applies to:** any\n"
    "- **Why:** x.\n- **Verify:** x.\n{4}- **Fix:** x.\n- **Source:** [S](https://example.org) (2026-11-21)\n\n"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    root = tmp_path_factory.mktemp("packs")
    pages = {
        "list/one": FRONT.format("Memory list", "any")
        + "Memory.\n\n"
        + ITEM.format(1, "Memory is set", 0, "sre", "- **Checks:** `xid_critical`\n")
        + ITEM.format(2, "Memory is watched", 2, "mlops", "- **Evidence:** a report.\n"),
        "read/vllm": FRONT.format("vLLM memory", "vllm") + "Memory of vLLM.\n\n## Deeper\n\nMemory is used.\n",
        "read/tgi": FRONT.format("TGI memory", "tgi") + "Memory of TGI.\n",
    }
    for name, text in pages.items():
        file = root / f"{name}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        (file.parent / "pack.toml").write_text(TOML.format(file.parent.name))
    home = tmp_path_factory.mktemp("home")
    encoder = load_encoder(default_home())
    known_questions(home)
    build_index(home, packs=root, encoder=encoder, forget=True)
    return Library.open(home, packs=root, encoder=encoder)


@pytest.fixture
def run(library: Library, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setattr("bot.app.make_library", lambda settings: library)
    return CliRunner()


def ids(run: CliRunner, *options: str) -> list[str]:
    told = run.invoke(app, ["knowledge", "search", "memory", "-k", "9", "--json", *options])
    assert told.exit_code == 0, told.output
    return [row["id"].partition("#")[0] if "#ab" not in row["id"] else row["id"] for row in json.loads(told.stdout)]


def test_a_search_is_kept_to_what_is_asked_for(run: CliRunner) -> None:
    assert set(ids(run)) >= {"read/vllm", "read/tgi"}
    assert set(ids(run, "--pack", "read")) == {"read/vllm", "read/tgi"}
    assert set(ids(run, "--runtime", "vllm", "--pack", "read")) == {"read/vllm"}
    assert set(ids(run, "--phase", "2")) == {"list/one#ab-02"}
    assert set(ids(run, "--items")) == {"list/one#ab-01", "list/one#ab-02"}


def test_many_questions_are_kept_to_it_too(run: CliRunner) -> None:
    told = run.invoke(app, ["knowledge", "search", "-", "--json", "--pack", "read"], input="memory\nmemory of tgi\n")
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert [{row["pack"] for row in found} for found in rows] == [{"read"}, {"read"}]


def test_the_text_is_the_opening_and_the_section(run: CliRunner) -> None:
    told = run.invoke(app, ["knowledge", "search", "vllm memory", "-k", "1", "--json"])
    (row,) = json.loads(told.stdout)
    assert row["text"] == "Memory of vLLM.\n\n**Deeper**\n\nMemory is used."


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["search", "x", "--pack", "nope"], "there is no pack 'nope'; there are list, read"),
        (["search", "x", "--runtime", "word"], "there is no runtime 'word'"),
        (["search", "x", "--phase", "3"], "--phase"),
        (["items", "--owner", "boss"], "there is no team 'boss'"),
        (["items", "--pack", "nope"], "there is no pack 'nope'"),
    ],
)
def test_what_does_not_exist_is_said_with_what_does(run: CliRunner, options: list[str], says: str) -> None:
    told = run.invoke(app, ["knowledge", *options])
    assert told.exit_code == 2
    assert says in " ".join(told.output.split())


def test_items_are_listed_by_phase_and_owner(run: CliRunner) -> None:
    told = run.invoke(app, ["knowledge", "items"])
    assert "AB-01" in told.stdout
    assert "2 items, 1 of them verified by checks" in told.stdout
    assert "AB-01" not in run.invoke(app, ["knowledge", "items", "--phase", "2"]).stdout
    assert "AB-02" not in run.invoke(app, ["knowledge", "items", "--owner", "sre"]).stdout
    (row,) = json.loads(run.invoke(app, ["knowledge", "items", "--owner", "sre", "--json"]).stdout)
    assert (row["id"], row["checks"], row["passage"]) == ("AB-01", ["xid_critical"], "list/one#ab-01")


def test_a_folder_is_no_pack(run: CliRunner, tmp_path: Path) -> None:
    assert run.invoke(app, ["knowledge", "search", "x", "--pack", str(tmp_path)]).exit_code == 2
