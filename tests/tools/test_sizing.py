"""Sizing: the arithmetic against known figures, what holds for every request, and the nearest fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.catalogue.gpus import gpu, gpus
from tools.catalogue.models import model, models
from tools.prices import price_book
from tools.sizing import PLANNED_USE, Request, SizingError, formula, size
from tools.sizing_layout import LayoutError, lay, reach, splits
from tools.sizing_memory import GIB, KV_BYTES, WEIGHT_BYTES, kv_bytes_per_token, sequence_bytes, weights_bytes
from tools.sizing_nearest import nearest, smallest
from tools.sizing_speed import ridge, speed

KIB = 1024


def asked(
    name: str, card: str, count: int = 1, context: int | None = None, users: int | None = None, **more: object
) -> Request:
    return Request(model(name), gpu(card), count, context, users, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "gib", "kib"),
    [
        ("llama-2-7b", 12.55, 512), ("llama-2-13b", 24.24, 800), ("llama-3.1-8b", 14.96, 128), ("llama-3.1-70b", 131.42, 320),
        ("mistral-7b", 13.50, 128), ("qwen2.5-7b", 14.19, 56), ("qwen2.5-72b", 135.43, 320), ("mixtral-8x7b", 86.99, 128),
    ],
)  # fmt: skip
def test_weights_and_cache_of_known_models(name: str, gib: float, kib: int) -> None:
    one = model(name)
    assert weights_bytes(one, "bf16") / GIB == pytest.approx(gib, abs=0.01)
    assert kv_bytes_per_token(one, "bf16") == kib * KIB
    assert kv_bytes_per_token(one, "fp8") == kib * KIB // 2


def test_one_sequence_of_llama_2_is_two_gib() -> None:
    assert sequence_bytes(model("llama-2-7b"), 4096, "bf16") == 2 * GIB
    assert sequence_bytes(model("llama-3.1-70b"), 131_072, "bf16") == 40 * GIB


def test_the_latent_cache_is_one_vector_per_layer_and_copied_on_every_gpu() -> None:
    deepseek = model("deepseek-v3")
    assert kv_bytes_per_token(deepseek, "bf16") == 70_272
    assert sequence_bytes(deepseek, 16, "bf16", tp=8) == sequence_bytes(deepseek, 16, "bf16")
    assert kv_bytes_per_token(model("deepseek-v3.2"), "fp8") == 61 * (656 + 132)


def test_heads_are_divided_and_then_copied() -> None:
    llama = model("llama-3.1-70b")
    whole = sequence_bytes(llama, 4096, "bf16")
    assert sequence_bytes(llama, 4096, "bf16", tp=8) == whole // 8
    assert sequence_bytes(llama, 4096, "bf16", tp=16) == whole // 8


def test_a_window_caps_its_layers_and_a_state_does_not_grow() -> None:
    mistral = model("mistral-7b-v0.1")
    assert sequence_bytes(mistral, 32_768, "bf16") == sequence_bytes(mistral, 8192, "bf16")
    gemma = model("gemma-3-27b")
    grown = sequence_bytes(gemma, 65_536, "bf16") - sequence_bytes(gemma, 32_768, "bf16")
    assert grown == 32_768 * gemma.caching_layers * 2 * gemma.kv_heads * gemma.head_dim * 2
    qwen = model("qwen3.5-27b")
    assert sequence_bytes(qwen, 16, "bf16") > qwen.state_bytes > 100 * 2**20


def test_four_bit_checkpoints_keep_their_embeddings() -> None:
    assert weights_bytes(model("llama-3.1-70b"), "int4") / 1e9 == pytest.approx(39.8, abs=0.2)
    assert weights_bytes(model("llama-3.1-8b"), "int4") / 1e9 == pytest.approx(5.73, abs=0.05)
    assert weights_bytes(model("llama-3.1-70b"), "fp8") / 1e9 == pytest.approx(72.7, abs=0.2)
    assert weights_bytes(model("gpt-oss-120b"), "mxfp4") / GIB == pytest.approx(60.8, abs=0.3)


def test_an_8b_model_on_a_24_gb_card_starts_only_with_a_shorter_context() -> None:
    found = size(asked("llama-3.1-8b", "a10g"))
    assert found.fit == "short"
    assert "--max-model-len" in found.verdict
    assert found.cache == pytest.approx(3.4, abs=0.1)
    assert found.tokens == pytest.approx(28_000, rel=0.03)
    assert size(asked("llama-3.1-8b", "a10g", context=16_384)).works


def test_70b_in_bf16_on_two_h100_leaves_a_few_gib() -> None:
    found = size(asked("llama-3.1-70b", "h100", 2, 32_768, 16))
    assert found.fit == "short"
    assert 4 < found.cache * 2 < 8
    assert 16_000 < found.tokens < 24_000
    assert size(asked("llama-3.1-70b", "h100", 4, 32_768, 8)).works
    assert size(asked("llama-3.1-70b", "h200", 2, 32_768, 8)).works


def test_72b_on_one_b200_and_13b_on_one_a100() -> None:
    found = size(asked("qwen2.5-72b", "b200", 1, 8192, utilization=0.92))
    assert found.tokens == pytest.approx(82_000, rel=0.1)
    assert size(asked("llama-2-13b", "a100-40gb", context=4096)).tokens == pytest.approx(13_000, rel=0.05)
    four = size(asked("llama-3.1-70b", "a100-40gb", 4, 32_768))
    assert four.fit == "short", "four 40 GB cards hold the weights of 70B and next to nothing else"
    assert four.tokens < 16_000


def test_what_cannot_run_says_why() -> None:
    assert "no BF16" in size(asked("llama-3.1-8b", "t4", dtype="bf16")).verdict
    assert size(asked("llama-3.1-8b", "t4")).request.weights == "fp16"
    assert "too old" in size(asked("llama-3.1-8b", "t4", dtype="fp8")).verdict
    assert "beyond it" in size(asked("llama-2-7b", "h100", context=8192)).verdict
    assert "not 8" in size(asked("qwen2.5-7b", "h100", 8, 8192, tp=8)).verdict
    assert any("FP8 tensor cores" in one for one in size(asked("llama-3.1-8b", "a100", 1, 8192, dtype="fp8")).caveats)


def test_tight_is_told_from_comfortable() -> None:
    one = size(asked("llama-3.1-8b", "h100", 1, 8192, 1))
    most = replace(one.request, users=one.sequences)
    assert size(most).fit == "tight"
    assert size(replace(one.request, users=int(one.sequences * PLANNED_USE) - 1)).fit == "fits"
    assert size(replace(one.request, users=one.sequences + 1)).fit == "short"


@pytest.mark.parametrize(
    "more",
    [{"context": 0}, {"context": -5}, {"users": -1}, {"utilization": 0.0}, {"utilization": 1.5}, {"dtype": "fp7"}, {"kv_dtype": "int3"},
     {"reserve": -1.0}, {"context": 2**60}, {"users": 10**12}, {"utilization": float("nan")}],
)  # fmt: skip
def test_nonsense_is_a_sentence(more: dict[str, object]) -> None:
    request = replace(asked("llama-3.1-8b", "h100", context=4096), **more)  # type: ignore[arg-type]
    with pytest.raises(SizingError) as told:
        size(request)
    assert str(told.value).endswith(".")


@pytest.mark.parametrize("count", [0, -1, 10**9])
def test_a_count_that_is_none_is_said(count: int) -> None:
    assert size(asked("llama-3.1-8b", "h100", count, 4096)).fit == "no"


def test_splits_follow_the_heads() -> None:
    qwen = model("qwen2.5-7b")
    assert [tp for tp in range(1, 9) if splits(qwen, tp)] == [1, 2, 4]
    layout = lay(qwen, gpu("h100"), 8)
    assert (layout.tp, layout.pp) == (4, 2)
    assert any("28 attention heads" in note for note in layout.notes)
    assert lay(model("llama-3.1-70b"), gpu("h100"), 16).pp == 2, "tensor parallelism stays in the node"
    assert lay(model("deepseek-r1"), gpu("gb200"), 64).tp == 64, "a rack is one island"
    assert any("PCIe" in note for note in lay(model("llama-3.1-70b"), gpu("l40s"), 8).notes)
    with pytest.raises(LayoutError, match="does not go into"):
        lay(qwen, gpu("h100"), 8, tp=3)
    with pytest.raises(LayoutError, match="leaves the 8"):
        lay(model("llama-3.1-70b"), gpu("h100"), 16, tp=16)


REQUESTS = st.builds(
    Request,
    model=st.sampled_from(models()),
    gpu=st.sampled_from(gpus()),
    count=st.sampled_from([1, 2, 3, 4, 6, 8, 16]),
    context=st.one_of(st.none(), st.integers(1, 200_000)),
    users=st.one_of(st.none(), st.integers(1, 5000)),
    dtype=st.one_of(st.none(), st.sampled_from(sorted(WEIGHT_BYTES))),
    kv_dtype=st.one_of(st.none(), st.sampled_from(sorted(KV_BYTES))),
    utilization=st.floats(0.3, 1.0),
)


@settings(max_examples=120, deadline=None)
@given(REQUESTS)
def test_what_holds_for_every_request(request_: Request) -> None:
    found = size(request_)
    assert found.verdict.isprintable()
    if found.layout is None:
        return
    assert found.layout.count == request_.count
    assert found.layout.tp <= reach(request_.gpu)
    assert splits(request_.model, found.layout.tp)
    assert found.weights + found.reserve + found.cache <= found.budget + 1e-6 or found.cache == 0
    assert found.works == (found.sequences >= request_.at_once)
    assert found.sequences * found.sequence <= found.cache + 1e-9
    if found.longest:
        held = sequence_bytes(request_.model, found.longest, request_.cache, found.layout.tp, found.layout.pp)
        assert held * request_.at_once <= found.cache * GIB
    ceiling = speed(found)
    assert (ceiling is None) == (found.sequences == 0)
    if ceiling:
        assert ceiling.together >= ceiling.alone * 0.999
        assert ceiling.each <= ceiling.alone * 1.001
    assert formula(found)


@settings(max_examples=60, deadline=None)
@given(REQUESTS)
def test_more_memory_lighter_weights_and_shorter_requests_never_hold_less(request_: Request) -> None:
    found = size(request_)
    assert size(replace(request_, utilization=1.0)).sequences >= found.sequences
    if found.layout is not None and request_.weights in {"bf16", "fp16"}:
        lighter = size(replace(request_, dtype="int4"))
        assert lighter.sequences >= found.sequences
    if request_.tokens > 1 and found.layout is not None:
        assert size(replace(request_, context=max(1, request_.tokens // 2))).sequences >= found.sequences


@settings(max_examples=25, deadline=None)
@given(REQUESTS)
def test_every_nearest_fit_is_a_fit(request_: Request) -> None:
    found = size(request_)
    options = nearest(found, price_book())
    assert not options or not found.works
    assert len(options) <= 6
    for option in options:
        assert option.sizing.works
        assert size(option.sizing.request) == option.sizing


def test_the_nearest_fits_of_the_question_that_people_ask() -> None:
    found = size(asked("llama-3.1-70b", "h100", 2, 32_768, 16))
    changes = [option.change for option in nearest(found, price_book())]
    assert any("4 × H100" in change and "FP8 cache" in change for change in changes)
    assert "8 × H100 SXM 80 GB instead of 2" in changes
    first = nearest(size(asked("llama-3.1-8b", "a10g")), price_book())[0]
    assert first.change.startswith("a context of 27,648 tokens"), "the length was our assumption"
    eight = nearest(size(asked("llama-3.1-8b", "t4", context=8192)), price_book())[0]
    assert eight.change == "INT8 weights", "no FP8 on Turing"


def test_the_fewest_of_each_kind_are_cheapest_first() -> None:
    options = smallest(model("llama-3.1-70b"), price_book({"h200": 1.0}), context=8192, users=4)
    assert options[0].sizing.request.gpu.id == "h200"
    prices = [option.usd_per_hour for option in options if option.usd_per_hour is not None]
    assert prices == sorted(prices)
    assert smallest(model("llama-3.1-405b"), price_book(), context=131_072, users=100_000) == ()


def test_ceilings_of_known_cards() -> None:
    ceilings = {"l4": 18.7, "a10g": 37, "l40s": 54, "h100": 209, "h200": 299, "b200": 498}
    for card, tokens in ceilings.items():
        found = speed(size(asked("llama-3.1-8b", card, 1, 16, 1)))
        assert found is not None
        assert found.alone == pytest.approx(tokens, rel=0.02)
    for card, batch in {"h100": 295, "h200": 206, "b200": 281, "a100": 153, "l4": 403, "l40s": 419}.items():
        assert ridge(size(asked("llama-3.1-8b", card, 1, 16, 1))) == pytest.approx(batch, abs=1)


def test_tensor_parallel_gpus_read_at_the_same_time_and_stages_do_not() -> None:
    four = speed(size(asked("llama-3.1-70b", "h100", 4, 16, 1)))
    staged = speed(size(asked("llama-3.1-70b", "h100", 16, 16, 1)))
    assert four is not None
    assert staged is not None
    assert four.alone == pytest.approx(4 * 3350e9 / 141.1e9, rel=0.01)
    assert staged.alone == pytest.approx(8 * 3350e9 / 141.1e9, rel=0.01)


def test_a_mixture_reads_few_experts_alone_and_all_of_them_in_a_batch() -> None:
    one = speed(size(asked("mixtral-8x7b", "b200", 1, 1024, 1)))
    many = speed(size(asked("mixtral-8x7b", "b200", 1, 1024, 64)))
    assert one is not None
    assert many is not None
    assert one.alone == pytest.approx(8000e9 / (12.88e9 * 2), rel=0.02)
    assert many.each < one.alone / 3
