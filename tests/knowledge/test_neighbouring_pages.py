"""What users added is known, also where it is of a field that is declined otherwise."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from knowledge.encoder import OnnxEncoder
from knowledge.indexing import build_index
from knowledge.search import Library
from knowledge.sources.folders import USER_PACK

PACKS = Path(__file__).parent / "data" / "packs"
KAFKA = """# Kafka retention in our clusters

Topics keep seven days by default. Ask the streaming team before you raise `retention.ms` beyond 14 days.

## Consumer lag

Lag above 100,000 pages the streaming team. Restart the consumer group only after checking the brokers' disks.
"""
SLURM = """# Slurm login nodes

Log in to login1 or login2 with your key and the second factor. Do not run Python jobs there: they are killed.
"""
ASKED = {
    "how long do we keep kafka topics": "user/ours-kafka",
    "kafka retention": "user/ours-kafka",
    "consumer lag is over 100000, who gets paged": "user/ours-kafka",
    "how do I log in to the slurm login node": "user/ours-slurm",
}


@pytest.fixture(scope="module")
def added(built_home: Path, onnx: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Library:
    home = tmp_path_factory.mktemp("added")
    shutil.copytree(built_home / "index", home / "index")
    folder = home / "ours"
    folder.mkdir()
    (folder / "kafka.md").write_text(KAFKA, encoding="utf-8")
    (folder / "slurm.md").write_text(SLURM, encoding="utf-8")
    build_index(home, [folder], packs=PACKS, encoder=onnx)
    return Library.open(home, packs=PACKS, encoder=onnx)


@pytest.mark.parametrize(("asked", "page"), ASKED.items())
def test_a_question_that_a_users_page_answers_is_answered_with_it(added: Library, asked: str, page: str) -> None:
    hits = added.search(asked)
    assert hits[0].passage.page_id == page
    assert not added.outside(asked, hits)


def test_a_users_page_counts_where_the_same_passage_of_ours_would_not(shipped: Library) -> None:
    """How near such a page comes to each question was measured with the pages above among all the packs."""
    for asked, cosine in (("how long do we keep kafka topics", 0.755), ("kafka retention", 0.739)):
        hit = replace(shipped.search(asked)[0], cosine=cosine)
        theirs = replace(hit, passage=replace(hit.passage, pack=USER_PACK.id))
        assert shipped.outside(asked, [hit])
        assert not shipped.outside(asked, [hit, theirs])


def test_a_users_page_that_only_names_the_field_does_not_count(shipped: Library) -> None:
    asked = "how do I write a kafka consumer in java"
    hit = shipped.search(asked)[0]
    theirs = replace(hit, passage=replace(hit.passage, pack=USER_PACK.id), cosine=0.49)
    assert shipped.outside(asked, [theirs])


@pytest.mark.parametrize("asked", ["best pizza in naples", "how do I renew my passport"])
def test_what_no_page_answers_stays_declined(added: Library, asked: str) -> None:
    assert added.outside(asked, added.search(asked))
