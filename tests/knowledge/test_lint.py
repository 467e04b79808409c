"""What contributors are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.lint import lint, lint_report

PACKS = Path(__file__).parent / "data" / "packs"
CHECKS = {"kv_saturation_queueing"}
PACK_TOML = 'id = "p"\ntitle = "P"\nowner = "o"\nlicense = "l"\ntrust = "high"\nlanguage = "en"\n'
FRONT = "title: T\ndate: 2026-11-21\nsources:\n  - {title: S, url: 'https://example.org'}\n"


def problems(tmp_path: Path, body: str, front: str = FRONT, checks: set[str] | None = None) -> list[str]:
    folder = tmp_path / "packs" / "p"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(PACK_TOML)
    (folder / "a.md").write_text(f"---\n{front}---\n{body}")
    (folder / "b.md").write_text(f"---\n{FRONT}---\nAnswer.\n\n## Part\nText.\n")
    return [str(problem) for problem in lint([tmp_path / "packs"], checks)]


def test_good_pages_have_none(tmp_path: Path) -> None:
    body = (
        "It is `a.b`, e.g. this. It ends here!\n\n## One\nSee [b](b.md#part), [b](../p/b.md), [here](#two)"
        " and [web](https://example.org/x).\n\n### Under\nText.\n\n## Two\n```\n## [no](gone.md)\n```\n\n## Three\n\n### Child\nText.\n"
    )
    front = FRONT + "related: [p/b]\nchecks: [kv_saturation_queueing]\n"
    assert problems(tmp_path, body, front, CHECKS) == []


def test_the_fixture_packs_are_good() -> None:
    lines, fine = lint_report([PACKS])
    assert fine
    assert lines == ["2 packs, 12 pages, 0 items, 0 problems"]


@pytest.mark.parametrize(
    ("body", "front", "says"),
    [
        ("A.\n", "title: T\nsources: [{title: S, url: 'https://x.org'}]\n", "it has no date"),
        ("A.\n", "title: T\ndate: 2026-11-21\n", "it names no source"),
        ("A.\n", FRONT.replace("https://example.org", "ftp://x"), "no http link"),
        ("A.\n", FRONT.replace("title: S, ", ""), "has no title"),
        ("A.\n", FRONT + "related: [p/gone]\n", "related page p/gone does not exist"),
        ("A.\n", FRONT + "related: [p/a]\n", "names itself"),
        ("A.\n", FRONT + "checks: [gone_check]\n", "its check gone_check does not exist"),
        ("## H\nText.\n", FRONT, "no opening answer"),
        ("- a list.\n", FRONT, "opening is not prose"),
        ("| a | b |\n", FRONT, "opening is not prose"),
        ("No full stop\n", FRONT, "opening has 0 sentences"),
        ("One. Two. Three. Four.\n", FRONT, "opening has 4 sentences"),
        ("A.\n\n# Top\nText.\n", FRONT, "is of the first level"),
        ("A.\n\n## H\nT.\n\n#### Deep\nT.\n", FRONT, "skips a level"),
        ("A.\n\n## H\n\n## I\nT.\n", FRONT, "'H' has nothing below it"),
        ("A.\n\n## H\nT.\n\n## H\nT.\n", FRONT, "is there 2 times"),
        ("A [x](gone.md).\n", FRONT, "link to gone.md leads nowhere"),
        ("A [x](b.md#gone).\n", FRONT, "link to b.md#gone leads to no heading"),
        ("A [x](#gone).\n", FRONT, "link to #gone leads to no heading"),
        ("A [x](../q/b.md).\n", FRONT, "link to ../q/b.md leads nowhere"),
        ("A [x](b).\n", FRONT, "link to b leads nowhere"),
        ("", FRONT, "nothing below it"),
    ],
)
def test_each_fault_is_named_once(tmp_path: Path, body: str, front: str, says: str) -> None:
    found = problems(tmp_path, body, front, CHECKS)
    assert len(found) == 1
    assert says in found[0]
    assert found[0].startswith("knowledge/packs/p/a.md: ")


def test_checks_are_left_alone_when_nobody_names_them(tmp_path: Path) -> None:
    assert problems(tmp_path, "A.\n", FRONT + "checks: [gone_check]\n") == []


def test_the_last_line_counts(tmp_path: Path) -> None:
    problems(tmp_path, "No full stop\n")
    lines, fine = lint_report([tmp_path / "packs"])
    assert not fine
    assert lines[-1] == "1 pack, 2 pages, 0 items, 1 problem"
    empty, fine = lint_report([tmp_path / "nothing"])
    assert not fine
    assert empty[-1] == "0 packs, 0 pages, 0 items, 1 problem"


def test_one_id_in_two_places(tmp_path: Path) -> None:
    problems(tmp_path, "A.\n")
    found = lint([tmp_path / "packs", tmp_path / "packs"])
    assert [problem.what for problem in found] == ["its id p/a is used 2 times", "its id p/b is used 2 times"]
