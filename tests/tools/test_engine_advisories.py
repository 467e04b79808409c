"""Published holes by version: their bounds, their sources, and what a pod's image tells of them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tools.engine_advisories import ADVISORIES, ENGINES, known, version
from tools.engines import ENGINES as RESOLVED
from tools.readers import Listed
from tools.readers.engine_settings import read
from tools.vocabulary.readiness import KNOWN_HOLES


def test_each_advisory_has_bounds_words_and_a_primary_source() -> None:
    for one in ADVISORIES:
        assert re.fullmatch(r"CVE-\d{4}-\d{4,7}|PYSEC-\d{4}-\d+", one.id)
        assert one.since < one.fixed
        assert re.match(r"https://github\.com/(pypa/advisory-database|CVEProject/cvelistV5)/", one.source)
        assert one.what
        assert not one.what.endswith(".")
    assert len({one.id for one in ADVISORIES}) == len(ADVISORIES)
    assert {engine.name for engine in RESOLVED} >= ENGINES


@pytest.mark.parametrize("one", ADVISORIES, ids=lambda one: one.id)
def test_it_concerns_versions_from_the_first_up_to_the_mended_one(one: Any) -> None:
    assert one in known(one.engine, one.since)
    assert one not in known(one.engine, one.fixed)
    before = (*one.fixed[:-1], one.fixed[-1] - 1) if one.fixed[-1] else (*one.fixed[:-2], one.fixed[-2] - 1, 99)
    assert one in known(one.engine, before)
    assert one not in known("another", one.since)


def test_the_one_that_was_mended_last_comes_first() -> None:
    found = known("vllm", (0, 19, 1))
    assert [one.id for one in found] == ["PYSEC-2026-4344", "PYSEC-2026-4199", "PYSEC-2026-2303", "CVE-2026-47155"]
    assert known("vllm", (0, 33, 0)) == ()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0.10.2", (0, 10, 2)),
        ("0.9.0.1", (0, 9, 0, 1)),
        ("1.0", (1, 0)),
        ("", ()),
        ("1", ()),
        ("0.10.x", ()),
        ("0.10.2rc1", ()),
        ("9" * 9 + ".1", ()),
    ],
)
def test_versions_are_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers


def told(image: str, *args: str) -> Any:
    container = {"name": "engine", "image": image, "args": list(args)}
    item = {"metadata": {"namespace": "team", "name": "app-0"}, "spec": {"containers": [container]}}
    found: dict[Any, Any] = {}
    for one in read(Listed(0.0, {"pods": [item]})):
        found.update(one.facts)
    return found.get(KNOWN_HOLES)


def test_what_an_image_tells() -> None:
    old = told("vllm/vllm-openai:v0.31.0", "--model", "m")
    assert (
        old
        == "vLLM 0.31.0: PYSEC-2026-4344 (a chat template of a request blocks the server); versions from 0.32.0 on are not named"
    )
    assert str(told("lmsysorg/sglang:v0.5.2")).startswith("SGLang 0.5.2: CVE-2026-93034")
    assert "and 3 more; versions from 0.5.21 on are not named" in str(told("lmsysorg/sglang:v0.5.2"))
    assert told("vllm/vllm-openai:v0.33.0") == ""


@pytest.mark.parametrize(
    "image",
    [
        "vllm/vllm-openai:latest",
        "vllm/vllm-openai",
        "vllm/vllm-openai@sha256:abc",
        "corp/x:0.1.0",
        "ghcr.io/huggingface/text-generation-inference:3.0",
    ],
)
def test_without_a_version_or_a_list_nothing_is_told(image: str) -> None:
    assert told(image, "--model", "m") is None
