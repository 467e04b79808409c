"""sources.toml: written by the command line or by hand, and never lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from knowledge import indexing
from knowledge.indexing import BuildReport, build_index, load_readings
from knowledge.search import Library
from knowledge.sources import repositories
from knowledge.sources.declared import Declared, SourceProblem, add, declared_file, load_declared, new_source, remove
from knowledge.sources.gathering import Progress
from knowledge.sources.listing import source_lines, source_rows

PACKS = Path(__file__).parent / "data" / "packs"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RACKSIDE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "Run books"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "zanzibar.md").write_text("# Restarting zanzibar\n\nDrain zanzibar first.\n")
    (folder / "own.md").write_text(
        "---\ntitle: Own\nurl: https://wiki.example.org/own#x\ndate: 2024-05-06\ntrust: low\nlicense: CC0\naliases: [mine]\n---\nOwn.\n"
    )
    return folder


def rackside(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["knowledge", *words])
    return done.exit_code, done.stdout, done.stderr


def test_add_list_and_remove(home: Path, docs: Path) -> None:
    code, out, _ = rackside("sources")
    assert (code, "no knowledge of your own yet" in out) == (0, True)
    code, out, err = rackside(
        "add",
        str(docs),
        "--trust",
        "high",
        "--license",
        "MIT",
        "--date",
        "2026-01-02",
        "--url",
        "https://kb.example.org/rb/",
    )
    assert (code, err) == (0, "")
    assert "added Run books" in out
    assert "rackside knowledge index" in out
    code, out, _ = rackside("sources", "--json")
    (row,) = json.loads(out)
    assert (row["name"], row["trust"], row["pages"]) == ("Run books", "high", None)
    assert "not read yet" in rackside("sources")[1]
    code, out, _ = rackside("remove", "Run books")
    assert (code, "removed Run books" in out) == (0, True)
    assert load_declared(home) == ([], [])
    code, _, err = rackside("remove", "Run books")
    assert (code, err) == (2, "rackside: there is no source named 'Run books'\n")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["/nowhere/at/all"], "there is no /nowhere/at/all"),
        (["file:///etc"], "file:// addresses are not read"),
        ([".", "--trust", "total"], "its trust is 'total': write one of high, medium, low"),
        ([".", "--date", "soon"], "its date is 'soon': write it as 2026-11-21"),
        ([".", "--url", "javascript:x"], "its url is 'javascript:x'"),
        ([".", "--name", "a/b"], "its name 'a/b' is not a short name"),
        ([".", "--ref", "../x"], "its ref is '../x'"),
        ([".", "--under", "a/../b"], "its under is 'a/../b'"),
        ([".", "--license", "a\nb"], "its license is not a text of one line"),
    ],
)
def test_what_cannot_be_added_is_one_sentence(home: Path, words: list[str], says: str) -> None:
    code, _, err = rackside("add", *words)
    assert code == 2
    assert err.startswith("rackside: ")
    assert says in err
    assert err.count("\n") == 1
    assert not declared_file(home).exists()


def test_each_page_says_where_it_is_from(home: Path, docs: Path, counting: object) -> None:
    add(home, [new_source(str(docs), trust="high", license="MIT", date="2026-01-02", url="https://kb.example.org/rb/")])
    report = build_index(home, packs=PACKS, encoder=counting)  # type: ignore[arg-type]
    assert report.skipped == []
    library = Library.open(home, packs=PACKS, encoder=counting, base_url="https://ours.example.org")  # type: ignore[arg-type]
    found = library.search("zanzibar", 1)[0].passage
    assert (found.url, found.trust, found.date) == ("https://kb.example.org/rb/deep/zanzibar.md", "high", "2026-01-02")
    page = library.page(found.page_id)
    assert page is not None
    assert (page.pack.title, page.pack.license) == ("Run books", "MIT")
    own = library.page("user/run-books-own")
    assert own is not None
    assert (own.path, own.date, own.pack.trust, own.pack.license, own.aliases) == (
        "https://wiki.example.org/own",
        "2024-05-06",
        "low",
        "CC0",
        ("mine",),
    )
    library.close()
    (row,) = source_rows(load_declared(home)[0], load_readings(home))
    assert row["pages"] == 2
    lines = source_lines([row], now=row["read"] + 3 * 86_400)
    assert lines[0] == "Run books: 2 pages, read 3 days ago"
    assert "license MIT" in lines[2]
    # Nothing of it changed: nothing is encoded again; a file that is gone takes its page along.
    assert build_index(home, packs=PACKS, encoder=counting).embedded == 0  # type: ignore[arg-type]
    (docs / "own.md").unlink()
    again = build_index(home, packs=PACKS, encoder=counting)  # type: ignore[arg-type]
    assert (again.pages, again.embedded) == (report.pages - 1, 0)
    # What is declared anew is shown, and not encoded again.
    add(home, [new_source(str(docs), trust="low")])
    assert build_index(home, packs=PACKS, encoder=counting).embedded == 0  # type: ignore[arg-type]
    assert [one.trust for one in load_declared(home)[0]] == ["low"]
    remove(home, "Run books")
    assert build_index(home, packs=PACKS, encoder=counting).pages == 12  # type: ignore[arg-type]
    assert load_readings(home) == {}


def test_names_are_given_once(home: Path, tmp_path: Path) -> None:
    for part in ("a", "b"):
        (tmp_path / part / "docs").mkdir(parents=True)
    first, second = (add(home, [new_source(str(tmp_path / part / "docs"))])[0] for part in ("a", "b"))
    assert (first.name, second.name) == ("docs", "docs-2")
    assert add(home, [new_source(str(tmp_path / "a" / "docs"))]) == []
    with pytest.raises(SourceProblem, match="there is a source named 'docs' already"):
        add(home, [new_source(str(tmp_path), name="docs")])
    assert [one.name for one in load_declared(home)[0]] == ["docs", "docs-2"]


def test_what_a_person_wrote_stays(home: Path, tmp_path: Path) -> None:
    home.mkdir()
    written = (
        '# Mine.\n\n[[source]]\n# keep me\nplace = "https://github.com/acme/rb"\nref = "main"\ndate = 2026-01-02\n\n'
        '[[source]]\nplace = "/srv/x"\ntrust = "total"\n\n[[source]]\nname = "y"\nplace = "~/y"\n'
    )
    declared_file(home).write_text(written)
    found, problems = load_declared(home)
    assert [(one.name, one.place, one.date) for one in found] == [
        ("rb", "https://github.com/acme/rb", "2026-01-02"),
        ("y", str(Path.home() / "y"), ""),
    ]
    assert problems == ["sources.toml, source 2: its trust is 'total': write one of high, medium, low"]
    (tmp_path / "z").mkdir()
    add(home, [new_source(str(tmp_path / "z"), license='say "MIT" \\ é')])
    remove(home, "y")
    text = declared_file(home).read_text()
    assert text.startswith("# Mine.\n\n[[source]]\n# keep me\n")
    assert 'trust = "total"' in text
    assert [(one.name, one.license) for one in load_declared(home)[0]] == [("rb", ""), ("z", 'say "MIT" \\ é')]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[source]]\nplace = 3\n", "source 1: its place is not a text of one line"),
        ('[[source]]\nname = "x"\n', "source 1: it has no place"),
        ('[[source]]\nplace = "/x"\ncolour = "red"\n', "source 1: it says colour, which means nothing here"),
        ('[[source]]\nplace = "/x"\n[[source]]\nplace = "/y/x"\n', "source 2: another source is named 'x' already"),
        ("source = 3\n", "source 1: it is not a table"),
        ('[[source]]\nplace = "ext::x"\n', "source 1: ext addresses are not read"),
    ],
)
def test_a_bad_entry_is_a_sentence(home: Path, text: str, says: str) -> None:
    home.mkdir()
    declared_file(home).write_text(text)
    assert any(says in problem for problem in load_declared(home)[1])


@pytest.mark.parametrize("raw", [b"[[source]\n", b"\xff\xfe", b"a = \n"])
def test_a_file_that_is_no_toml_is_not_written_over(home: Path, tmp_path: Path, raw: bytes) -> None:
    home.mkdir()
    declared_file(home).write_bytes(raw)
    for words in (["add", str(tmp_path)], ["remove", "x"], ["sources"], ["index", str(tmp_path)]):
        code, _, err = rackside(*words)
        assert (code, "sources.tomlcannotberead" in "".join(err.split())) == (2, True)
    assert declared_file(home).read_bytes() == raw


def test_removing_a_repository_removes_what_was_fetched(home: Path) -> None:
    place = "https://git.example.org/a/b"
    add(home, [Declared("one", place, under="x"), Declared("two", place, under="y")])
    kept = repositories.folder_of(home, place)
    kept.mkdir(parents=True)
    remove(home, "one")
    assert kept.exists()
    remove(home, place)
    assert not kept.exists()


def test_index_says_what_was_left_out_and_what_cannot_be(home: Path, docs: Path) -> None:
    code, _, err = rackside("index", str(docs / "nothing"))
    assert code == 2
    assert "there is no" in err


def test_index_shows_what_it_does(home: Path, docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def build(where: Path, places: list[str], progress: Progress, **named: object) -> BuildReport:
        asked.extend((where, places, named["forget"]))
        progress(0, 1, "fetching [bold]x[/]")
        progress(1, 2, "embedding")
        return BuildReport(3, 9, 2, 7, 1.25, ["x.md: it is [bold]empty[/bold]"])

    monkeypatch.setattr(indexing, "build_index", build)
    code, out, err = rackside("index", str(docs), "https://git.example.org/a/b", "--forget")
    assert (code, out) == (0, "3 pages, 9 passages; 2 encoded now, 7 kept (1.2 s)\n")
    assert err == "left out: x.md: it is [bold]empty[/bold]\n"
    assert asked == [home, [str(docs), "https://git.example.org/a/b"], True]
    help_text = " ".join(rackside("index", "--help")[1].split())
    for word in ("Confluence", "Notion", "git", "embeds only what changed"):
        assert word in help_text


def test_ages_in_words(home: Path) -> None:
    row = {
        "name": "n",
        "place": "/p",
        "trust": "low",
        "pages": 1,
        "read": 0.0,
        "commit": "c" * 40,
        "problems": ["x"] * 7,
    }
    row |= dict.fromkeys(("license", "date", "ref", "under", "url"), "")
    lines = source_lines([row], now=7300.0)
    assert lines[0] == "n: 1 page, read 2 hours ago"
    assert lines[2].endswith("commit cccccccccccc")
    assert lines[-1] == "    and 2 more: rackside knowledge sources --json"
    assert source_lines([row], now=0.5)[0].endswith("moments ago")
