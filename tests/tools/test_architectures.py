"""Which release knows which architecture: what the file holds, and what is made of it."""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from tools.catalogue import architectures
from tools.catalogue.architectures import Known, known, older

ENGINES = tomllib.loads(Path(architectures.__file__).with_suffix(".toml").read_text(encoding="utf-8"))["engine"]


@pytest.mark.parametrize(
    ("engine", "name", "found"),
    [
        ("vllm", "LlamaForCausalLM", Known("vLLM", "0.6.6")),
        ("vllm", "Qwen3NextForCausalLM", Known("vLLM", "0.11.0", "0.8.5")),
        ("vllm", "Phi3SmallForCausalLM", Known("vLLM", "0.6.6", "", "0.9.2")),
        ("sglang", "Qwen3NextForCausalLM", Known("SGLang", "0.5.3", "0.4.6")),
        ("transformers", "qwen3_next", Known("Transformers", "4.57.1", "4.51.3")),
        ("vllm", "NobodyForCausalLM", None),
        ("tgi", "LlamaForCausalLM", None),
        ("vllm", "", None),
    ],
)
def test_the_first_release_that_has_a_name(engine: str, name: str, found: Known | None) -> None:
    assert known(engine, name) == found


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: str(engine["name"]))
def test_a_name_stands_under_one_release_and_goes_after_it_came(engine: dict[str, object]) -> None:
    read, since, gone = engine["read"], engine["since"], engine["gone"]
    assert isinstance(read, list)
    assert isinstance(since, dict)
    assert isinstance(gone, dict)
    assert all(older(one, other) for one, other in pairwise(read))
    assert {*since, *gone} <= set(read)
    names = [name for told in since.values() for name in told]
    assert len(names) == len(set(names))
    came = {name: read.index(release) for release, told in since.items() for name in told}
    assert all(came[name] < read.index(release) for release, told in gone.items() for name in told)


def test_releases_are_compared_as_numbers() -> None:
    assert older("0.9.1", "0.11.0")
    assert older("v0.9", "0.9.1.post2")
    others = [
        ("0.11.0", "0.9.1"),
        ("0.9.1", "0.9.1"),
        ("", "0.9.1"),
        ("latest", "0.9.1"),
        ("0.1", "9" * 5000),
        ("0.²", "0.9"),
    ]
    assert not [pair for pair in others if older(*pair)]
