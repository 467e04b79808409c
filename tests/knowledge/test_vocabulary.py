"""The field's words: stems, identifiers, short forms, typos."""

from __future__ import annotations

import pytest

from knowledge.encoder import whole_words
from knowledge.vocabulary import SHORT_FORMS, Vocabulary, identifiers, stem, terms, whole_terms

NAMES = ["KV cache", "Preemption", "Autoscaling an inference server", "GPU utilisation", "Throttling", "cooling"]


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(NAMES, terms("a cache of keys"), whole_words())


@pytest.mark.parametrize(
    "same",
    [
        "preemption preempt preempted preempting preempts",
        "utilisation utilization utilised utilize",
        "batch batches batching batched",
        "cache caches caching cached",
        "quantise quantization quantized",
        "replica replicas",
        "query queries queried",
        "saturation saturated saturates",
        "scale scaling scaled",
    ],
)
def test_forms_of_a_word_meet(same: str) -> None:
    assert len({stem(word) for word in same.split()}) == 1


def test_other_words_do_not_meet() -> None:
    assert len({stem(word) for word in ["class", "cast", "gas", "pass", "node", "nodes.x", "mode"]}) == 7


def test_identifiers_are_found_whole_and_in_parts() -> None:
    found = terms("vllm:kv_cache_usage_perc --max-num-seqs OOMKilled")
    assert {"vllm:kv_cache_usage_perc", "cach", "max-num-seqs", "num", "oomkill", "kill"} <= set(found)
    assert terms("the of and 🔥 ...") == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("preemtion", "preemption"),
        ("utilsation", "utilisation"),
        ("autoscalling", "autoscaling"),
        ("oomkiled", "oomkilled"),
    ],
)
def test_typos_on_terms_are_mended(vocabulary: Vocabulary, typed: str, meant: str) -> None:
    found = vocabulary.reword(f"why {typed}?")
    assert found.text == f"why {meant}?"
    assert found.mended == {typed: meant}


@pytest.mark.parametrize("word", ["cooking", "chef", "prevention", "xyzzyplugh", "auto", "max-num-sqs", "keys"])
def test_other_words_are_left_alone(vocabulary: Vocabulary, word: str) -> None:
    assert vocabulary.reword(f"a {word} b").mended == {}


def test_short_forms_are_spelled_out_once(vocabulary: Vocabulary) -> None:
    found = vocabulary.reword("OOM oom, and TTFT")
    assert found.added == (SHORT_FORMS["oom"], SHORT_FORMS["ttft"])
    assert found.text == "OOM oom, and TTFT"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("difference between xid 94 and 95", {"94", "95"}),
        ("Xids 13, 31 or 43?", {"13", "31", "43"}),
        ("exit code 137, then 20 minutes of quiet", {"137"}),
        ("--max-num-seqs 256 vs 64", {"max_num_seqs"}),
        ("--quantization fp8 or max_lora_rank=64", {"quantization", "max_lora_rank"}),
        ("vllm:num_requests_waiting and NCCL_IB_DISABLE", {"vllm:num_requests_waiting", "nccl_ib_disable"}),
        ("two-node p95 of 12 s over 94 replicas", set()),
        ("", set()),
    ],
)
def test_what_is_named_exactly(text: str, named: set[str]) -> None:
    assert identifiers(text) == named


def test_a_word_of_four_letters_is_mended_only_when_it_is_near() -> None:
    vocabulary = Vocabulary(["paged attention", "speculative decoding"], ["paged"], ["page", "fast"])
    assert vocabulary.reword("pagd attention").text == "paged attention"
    assert vocabulary.reword("fazt specs").text == "fazt specs"
    assert vocabulary.reword("pgd").text == "pgd"


def test_whole_words_alone() -> None:
    assert whole_terms("react useEffect runs") == ["react", "useeffect", "run"]
    assert whole_terms("vllm:num_requests_waiting is the one") == ["vllm:num_requests_waiting", "one"]


def test_a_state_of_a_pod_is_no_name() -> None:
    assert identifiers("driver daemonset is in Init:CrashLoopBackOff") == frozenset()
    assert identifiers("Init:CrashLoopBackOff since vllm:num_requests_waiting") == {"vllm:num_requests_waiting"}
