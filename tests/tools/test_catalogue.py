"""The catalogues: every row is whole, named once, sourced, and counts right."""

from __future__ import annotations

import re

import pytest

from tools.catalogue import gpus, models
from tools.catalogue.gpus import gpu, product, slice_of
from tools.catalogue.instances import instance, instances
from tools.catalogue.models import Model, mentioned, model
from tools.catalogue.spelling import LONGEST, UnknownNameError, fold, index

HOSTILE = [
    "",
    " ",
    "\x00\x1b[31m",
    "🔥" * 500,
    "x" * 100_000,
    "../../etc/passwd",
    "{{7*7}}",
    "\u202e⚡",
    "'; drop table gpus;--",
]


@pytest.mark.parametrize("one", gpus.gpus(), ids=lambda one: one.id)
def test_a_gpu_is_whole_and_its_figures_agree(one: gpus.Gpu) -> None:
    assert one.sources
    assert all(
        source.url.startswith("https://") and re.fullmatch(r"\d{4}-\d\d-\d\d", source.date) for source in one.sources
    )
    assert 0 < one.vram_gib - one.cuda_gib < 1, "CUDA sees a little less than NVML"
    assert (one.island > 1) == (one.nvlink_gbs is not None)
    assert one.fp8 is None or one.bf16 is not None
    assert one.fp8 is None or one.fp8 == pytest.approx(2 * (one.bf16 or 0), rel=0.02), "dense FP8 is twice dense BF16"
    known = {
        "vram_mib",
        "cuda_gib",
        "bandwidth_gbs",
        "fp16",
        "bf16",
        "fp8",
        "int8",
        "fp4",
        "nvlink_gbs",
        "watts",
        "island",
    }
    assert one.unconfirmed <= known
    for profile in one.mig:
        sliced, memory = re.fullmatch(r"(\d)g\.(\d+)gb", profile.name).groups()  # type: ignore[union-attr]
        assert int(sliced) * profile.most <= 7
        assert int(memory) * profile.most <= one.vram_gib * 1.05


def test_the_figures_that_people_get_wrong() -> None:
    assert gpu("a10g").bf16 == 70
    assert gpu("a10").bf16 == 125
    assert gpu("a100").fp8 is None
    assert gpu("t4").bf16 is None
    assert (gpu("h100").bandwidth_gbs, gpu("h100 pcie").bandwidth_gbs) == (3350, 2000)
    assert round(gpu("h200").vram_gib, 2) == 140.40
    assert gpu("h200").cuda_gib == 139.72
    assert round(gpu("b200").vram_gib, 2) == 179.06
    assert {"fp16", "bf16", "int8"} <= gpu("a10g").unconfirmed


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("NVIDIA-H100-80GB-HBM3", "h100-sxm"), ("NVIDIA H100 80GB HBM3", "h100-sxm"), ("NVIDIA-A100-SXM4-40GB-MIG-1g.5gb", "a100-40gb"),
        ("Tesla-T4-SHARED", "t4"), ("NVIDIA-A100-SXM4-80GB-MIG-3g.40gb-SHARED", "a100-80gb"), ("NVIDIA-L40S", "l40s"),
        ("NVIDIA-B300-SXM6-AC", "b300"), ("nvidia a10g", "a10g"), ("H200", "h200"), ("MI300X", "mi300x"),
    ],
)  # fmt: skip
def test_product_labels_and_model_names_are_known(label: str, wanted: str) -> None:
    found = product(label)
    assert found is not None
    assert found.id == wanted


@pytest.mark.parametrize("one", [g for g in gpus.gpus() if g.mig], ids=lambda one: one.id)
def test_a_slice_is_never_more_than_its_card(one: gpus.Gpu) -> None:
    for profile in one.mig:
        part = slice_of(one, profile.name)
        assert 0 < part.cuda_gib < one.cuda_gib
        assert 0 < part.bandwidth_gbs <= one.bandwidth_gbs
        assert (part.bf16 or 0) <= (one.bf16 or 0)
        assert (part.island, part.mig, part.nvlink_gbs) == (1, (), None)
    with pytest.raises(UnknownNameError, match="MIG profile"):
        slice_of(one, "9g.99gb")


def test_a_label_is_the_device_name_with_dashes() -> None:
    for one in gpus.gpus():
        for label in one.labels:
            assert " " not in label
            assert product(label) is one


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_are_none_are_refused_in_a_short_plain_sentence(name: str) -> None:
    for look in (gpu, model, instance):
        with pytest.raises(UnknownNameError) as told:
            look(name)
        said = str(told.value)
        assert len(said) < LONGEST + 400
        assert said.isprintable()
    assert product(name) is None
    assert mentioned(name) == ()


def test_an_unknown_name_gets_near_names_and_no_guess() -> None:
    with pytest.raises(UnknownNameError) as told:
        model("llama 3.1 71b")
    assert "Llama 3.1 70B" in told.value.near
    with pytest.raises(UnknownNameError) as told:
        gpu("h101")
    assert any("H100" in near for near in told.value.near)


def test_two_rows_cannot_claim_one_name() -> None:
    with pytest.raises(ValueError, match="names both"):
        index([("one", ["Same name"]), ("two", ["same-NAME"])])


def test_names_are_folded_alike_and_repeating_it_changes_nothing() -> None:
    assert fold("Llama3.1_70B") == fold("LLAMA-3.1 (70b)") == "llama 3.1 70b"
    for one in models.models():
        assert fold(fold(one.repo)) == fold(one.repo)


@pytest.mark.parametrize("one", models.models(), ids=lambda one: one.id)
def test_a_model_is_whole(one: Model) -> None:
    assert one.source
    assert one.heads % one.kv_heads == 0
    assert 0 < one.active_params <= one.params
    assert 0 < one.keep16 < one.params
    assert one.caching_layers + one.window_layers + one.linear_layers == one.layers
    assert one.window_layers == 0 or one.window > 0
    assert (one.linear_layers > 0) == (one.state_bytes > 0)
    for name in (one.id, one.title, one.repo):
        assert model(name) is one
    size = re.search(r"\b(\d+(?:\.\d+)?)B\b", one.title)
    if size and not one.experts:
        assert one.params / 1e9 == pytest.approx(float(size[1]), rel=0.12, abs=0.7), (
            "what it is called and what it counts agree"
        )


@pytest.mark.parametrize(
    "one", [m for m in models.models() if not (m.latent or m.linear_layers or m.experts)], ids=lambda m: m.id
)
def test_the_parameters_of_a_dense_model_follow_from_its_shape(one: Model) -> None:
    attention = 2 * one.hidden * one.head_dim * (one.heads + one.kv_heads)
    bias = (one.heads + 2 * one.kv_heads) * one.head_dim if one.qkv_bias else 0
    layer = attention + bias + 3 * one.hidden * one.intermediate + 2 * one.hidden
    assert one.params == one.layers * layer + one.vocab * one.hidden * (1 if one.tied else 2) + one.hidden


def test_the_published_totals_are_met() -> None:
    published = {
        "llama-2-7b": 6_738_415_616, "llama-2-13b": 13_015_864_320, "llama-3.1-8b": 8_030_261_248, "llama-3.1-70b": 70_553_706_496,
        "qwen2.5-7b": 7_615_616_512, "qwen2.5-72b": 72_706_203_648, "mistral-7b": 7_248_023_552, "mixtral-8x7b": 46_702_792_704,
    }  # fmt: skip
    for identity, params in published.items():
        assert model(identity).params == pytest.approx(params, rel=1e-5)
    assert model("mixtral").active_params == pytest.approx(12.88e9, rel=0.001)
    for identity, billions in (
        ("deepseek-r1", 671),
        ("gpt-oss-120b", 116.8),
        ("qwen3-235b-a22b", 235),
        ("llama-3.1-405b", 405.9),
    ):
        assert model(identity).params / 1e9 == pytest.approx(billions, rel=0.002)


def test_models_are_found_in_words_the_longest_name_first() -> None:
    found = [
        one.id
        for one, _ in mentioned("compare Llama-3.1-8B-Instruct with deepseek r1 distill llama 8b and qwen3 30b a3b")
    ]
    assert found == ["llama-3.1-8b", "deepseek-r1-distill-llama-8b", "qwen3-30b-a3b"]
    assert mentioned("what is the kv cache of a model") == ()


def test_machine_types_lead_to_gpus_of_the_catalogue() -> None:
    assert len(instances()) > 80
    for one in instances().values():
        assert gpu(one.gpu).id == one.gpu
        assert 1 <= one.count <= 16
    assert (instance("P5.48xlarge").gpu, instance("p5.48xlarge").count) == ("h100-sxm", 8)
    assert instance("standard_nc24ads_a100_v4").gpu == "a100-80gb-pcie"
