"""Checklist items: read as they are written, and every slip of an author is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from knowledge import overviews
from knowledge.encoder import count_tokens
from knowledge.home import PACKS
from knowledge.items import Item, items, problems, table
from knowledge.lint import lint, lint_report
from knowledge.pages import Pack, Page, load_shelf
from knowledge.passages import cut

PACK = Pack("ready", "Ready", "us", "Apache-2.0", "high")
ITEM = """## DR-07 · Requests and limits for GPUs agree

The container's `limits` name the GPUs, and `requests` say the same.

- **Phase:** day 1 · **Owner:** platform and mlops · **Severity:** high · **Applies to:** vllm, multi-gpu
- **Why:** the scheduler sees what is asked for · and nothing else.
- **Verify:** `kubectl get pod X -o yaml`
- **Checks:** `pending_insufficient_gpu`, `gpu_idle_no_process`
- **Evidence:** the manifest's review, younger than 90 days.
- **Fix:** write `nvidia.com/gpu` under `limits`.
- **Source:** [Kubernetes: schedule GPUs](https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/) (2026-11-21)
"""


def page(text: str = ITEM, slug: str = "gpus", pack: Pack = PACK) -> Page:
    return Page(f"{pack.id}/{slug}", pack, "GPUs", f"Answer.\n\n{text}", f"knowledge/packs/{pack.id}/{slug}.md")


def only(text: str = ITEM) -> Item:
    (item,) = items([page(text)])
    return item


def test_every_field_is_read() -> None:
    item = only()
    assert (item.id, item.title) == ("DR-07", "Requests and limits for GPUs agree")
    assert item.statement == "The container's `limits` name the GPUs, and `requests` say the same."
    assert (item.phase, item.owners, item.severity) == (1, ("platform", "mlops"), "high")
    assert item.applies == ("vllm", "multi-gpu")
    assert item.why == "the scheduler sees what is asked for · and nothing else."
    assert item.verify == "`kubectl get pod X -o yaml`"
    assert item.checks == ("pending_insufficient_gpu", "gpu_idle_no_process")
    assert item.evidence == "the manifest's review, younger than 90 days."
    assert item.fix == "write `nvidia.com/gpu` under `limits`."
    assert [source.title for source in item.sources] == ["Kubernetes: schedule GPUs"]
    assert (item.date, item.area, item.pack) == ("2026-11-21", "GPUs", "ready")
    assert list(problems(page(), {"pending_insufficient_gpu", "gpu_idle_no_process"})) == []


def test_an_item_for_every_workload_applies_to_no_word() -> None:
    assert only(ITEM.replace("vllm, multi-gpu", "any")).applies == ()


def test_it_is_cited_by_its_id_whatever_its_words() -> None:
    (_, passage) = cut(page(), count_tokens)
    assert passage.id == only().passage == "ready/gpus#dr-07"
    assert passage.url.endswith("gpus.md#dr-07--requests-and-limits-for-gpus-agree")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("- **Phase:** day 1 · ", "- ", "does not say `Phase`"),
        ("day 1", "day 3", "phase 'day 3'"),
        ("day 1", "Day 1", "phase 'Day 1'"),
        ("platform and mlops", "devops", "owner 'devops'"),
        ("**Severity:** high", "**Severity:** urgent", "severity 'urgent'"),
        ("- **Why:** the scheduler sees what is asked for · and nothing else.\n", "", "does not say `Why`"),
        ("- **Verify:** `kubectl get pod X -o yaml`\n", "", "does not say `Verify`"),
        ("- **Fix:** write `nvidia.com/gpu` under `limits`.\n", "", "does not say `Fix`"),
        ("`pending_insufficient_gpu`, `gpu_idle_no_process`", "pending_insufficient_gpu", "without a check's id"),
        ("`gpu_idle_no_process`", "`no_such_check`", "names check no_such_check"),
        ("(https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/)", "", "source without a link"),
        (" (2026-11-21)", "", "source without the date"),
        ("- **Fix:**", "- **Cure:** x\n- **Fix:**", "has a field 'Cure'"),
        ("The container's `limits` name the GPUs, and `requests` say the same.\n", "", "what must hold"),
        ("## DR-07", "### DR-07", "not under a heading of the second level"),
        ("## DR-07 ·", "## DR-7:", "nearly an item's"),
        ("## DR-07 ·", "## dr-07 ·", "nearly an item's"),
    ],
)
def test_a_slip_is_told(old: str, new: str, says: str) -> None:
    assert old in ITEM
    said = list(problems(page(ITEM.replace(old, new)), {"pending_insufficient_gpu", "gpu_idle_no_process"}))
    assert len(said) == 1, said
    assert says in said[0]


def test_proof_is_a_check_or_evidence() -> None:
    without = "\n".join(line for line in ITEM.splitlines() if "Checks" not in line)
    assert only(without).checks == ()
    neither = "\n".join(line for line in without.splitlines() if "Evidence" not in line)
    assert list(problems(page(neither))) == [
        "its item DR-07 names neither `Checks` nor `Evidence`: nobody could prove it"
    ]
    assert items([page(neither)]) == []


def test_ids_go_up_and_are_used_once() -> None:
    twice = f"{ITEM}\n{ITEM.replace('DR-07', 'DR-06')}"
    assert list(problems(page(twice))) == ["its item DR-06 follows DR-07: ids go up down the page"]


def test_an_ordinary_heading_with_a_number_is_none() -> None:
    text = "## GB-200 racks\n\nText.\n\n## FP-8\n\nText.\n"
    assert list(problems(page(text))) == []
    assert items([page(text)]) == []


def write_pack(root: Path, overview: str | None) -> Path:
    folder = root / "ready"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(
        'id = "ready"\ntitle = "R"\nowner = "o"\nlicense = "l"\ntrust = "high"\nlanguage = "en"\n'
    )
    front = "---\ntitle: GPUs\ndate: 2026-11-21\nsources:\n  - {title: S, url: 'https://example.org'}\n---\nAnswer.\n\n"
    (folder / "gpus.md").write_text(front + ITEM)
    (folder / "nodes.md").write_text(
        front.replace("GPUs", "Nodes") + ITEM.replace("DR-07", "DR-03").replace("agree", "a|b")
    )
    if overview is not None:
        (folder / "overview.md").write_text(front.replace("GPUs", "All") + overview)
    return root


def test_the_overview_lists_every_item_in_order_and_is_not_searched(tmp_path: Path) -> None:
    root = write_pack(tmp_path, "## All items\n\n<!-- items -->\nstale\n<!-- /items -->\n")
    (made,) = overviews.pages(root).values()
    assert "stale" not in made
    assert made.index("[DR-03](nodes.md)") < made.index("[DR-07](gpus.md)")
    assert "2 items." in made
    assert "a\\|b" in made
    (root / "ready" / "overview.md").write_text(made)
    assert list(overviews.pages(root).values()) == [made]
    assert lint([root]) == []
    shelf = load_shelf(root)
    overview = next(one for one in shelf.pages if one.id == "ready/overview")
    assert [passage.id for passage in cut(overview, count_tokens)] == ["ready/overview"]


@pytest.mark.parametrize("overview", [None, "No place.\n"])
def test_a_checklist_without_a_place_for_its_list_is_told(tmp_path: Path, overview: str | None) -> None:
    with pytest.raises(ValueError, match="no line `<!-- items -->`"):
        overviews.pages(write_pack(tmp_path, overview))


def test_an_id_in_two_pages_is_told(tmp_path: Path) -> None:
    root = write_pack(tmp_path, "## All items\n\n<!-- items --><!-- /items -->\n")
    (root / "ready" / "nodes.md").write_text((root / "ready" / "gpus.md").read_text())
    lines, well = lint_report([root])
    assert not well
    assert lines[0].endswith("its item DR-07 is there 2 times (ready/gpus, ready/nodes)")
    assert lines[-1] == "1 pack, 3 pages, 2 items, 1 problem"


def test_the_table_names_phase_owner_and_severity() -> None:
    row = table([only()]).splitlines()[-1]
    assert row == (
        "| [DR-07](gpus.md) | GPUs | Requests and limits for GPUs agree | day 1 | platform and mlops | high |"
    )


def test_our_overviews_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert overviews.main(["--check"]) == 0, capsys.readouterr().err


def test_overviews_name_items_that_exist() -> None:
    """The short lists of what must not be missing cite items of all checklists by id, and no link holds those."""
    shelf = load_shelf(PACKS)
    known = {item.id for item in items(shelf.pages)}
    opened = [page for page in shelf.pages if page.id.endswith(f"/{overviews.SLUG}")]
    named = {name for page in opened for name in re.findall(r"\b(?:DR|GC|IA|MQ|PR)-\d+\b", page.text)}
    assert len(named) > 200
    assert named <= known
