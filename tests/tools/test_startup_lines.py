"""Lines of failed starts as engines, PyTorch, NCCL and the hub print them, near misses, and what is computed from them."""

from __future__ import annotations

import time

import pytest

from tests.tools.scenes import SUBJECTS, scene, snapshot
from tools.casebook import cases
from tools.diagnose import run
from tools.finding import Change
from tools.log_lines import matches
from tools.signals import Signal
from tools.vocabulary.cluster_parts import LOG_WRITE_FULL
from tools.vocabulary.startup import (
    LOG_BAD_FLAG,
    LOG_COLLECTIVE,
    LOG_DOWNLOAD,
    LOG_DRIVER,
    LOG_ENGINE_DEAD,
    LOG_FREE_MEMORY,
    LOG_LEN_KV,
    LOG_LEN_MODEL,
    LOG_MEMORY_MONITOR,
    LOG_NCCL,
    LOG_NO_KERNEL,
    LOG_NO_KV,
    LOG_TP,
    LOG_UNREACHABLE,
    PATTERNS,
    fragments,
)

FREE = (
    "ValueError: Free memory on device {}(12.18/23.56 GiB) on startup is less than desired GPU memory"
    " utilization (0.92, 21.67 GiB). Decrease GPU memory utilization."
)
LONG = (
    "(EngineCore pid=81) ERROR 04-19 10:59:54 [core.py:1108] ValueError: To serve at least one request with the {} max seq"
    " len (16384), {}3.0 GiB KV cache is needed, which is larger than the available KV cache memory (0.18 GiB). Based on"
    " the available memory, the estimated maximum model length is 976. Try increasing `gpu_memory_utilization`"
)
WATCHDOG = (
    "[rank0]:[E1218 20:27:21.426 ProcessGroupNCCL.cpp:629] [Rank 0] Watchdog caught collective operation timeout:"
    " WorkNCCL(SeqNum=1, OpType=BROADCAST, Timeout(ms)=600000) ran for 600081 milliseconds before timing out."
)


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        (FREE.format("cuda:0 "), LOG_FREE_MEMORY),
        (FREE.format(""), LOG_FREE_MEMORY),
        ("ValueError: No available memory for the cache blocks. Try increasing it", LOG_NO_KV),
        ("RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.", LOG_NO_KV),
        (LONG.format("model's", ""), LOG_LEN_KV),
        (LONG.format("models's", "("), LOG_LEN_KV),
        (
            "The model's max seq len (32768) is larger than the maximum number of tokens that can be stored in KV cache (27296).",
            LOG_LEN_KV,
        ),
        (
            "User-specified max_model_len (65536) is greater than the derived max_model_len (max_position_embeddings=32768.0)",
            LOG_LEN_MODEL,
        ),
        ("huggingface_hub.errors.GatedRepoError: 403 Client Error.", LOG_DOWNLOAD),
        ("RuntimeError: Failed to fetch model. No model found in roofing/v12.", LOG_DOWNLOAD),
        ("An error occurred (403) when calling the HeadObject operation: Forbidden", LOG_DOWNLOAD),
        (
            "An error occurred (RequestTimeTooSkewed) when calling the ListObjects operation: The difference",
            LOG_DOWNLOAD,
        ),
        (
            "An error occurred (InvalidIdentityToken) when calling the AssumeRoleWithWebIdentity operation: No",
            LOG_DOWNLOAD,
        ),
        ("fatal error: Unable to locate credentials", LOG_DOWNLOAD),
        (
            "x@y.iam.gserviceaccount.com does not have storage.objects.list access to the Google Cloud Storage bucket.",
            LOG_DOWNLOAD,
        ),
        ("Error 803: system has unsupported display driver / cuda driver combination", LOG_DRIVER),
        (
            "NVIDIA B200 with CUDA capability sm_100 is not compatible with the current PyTorch installation.",
            LOG_NO_KERNEL,
        ),
        ("RuntimeError: Cannot find any model weights with `/models/x`", LOG_DOWNLOAD),
        ("OSError: [Errno 28] No space left on device", LOG_DOWNLOAD),
        ("RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)", LOG_NCCL),
        ("misc/ibvwrap.cc:278 NCCL WARN Call to ibv_reg_mr_iova2 failed with error Cannot allocate memory", LOG_NCCL),
        ("misc/socket.cc:442 NCCL WARN socketStartConnect: Connect to 10.0.0.2<43721> failed", LOG_NCCL),
        ("OSError: Can't load tokenizer for '/models/x'. If you were trying to load it from", LOG_DOWNLOAD),
        ("OSError: Can't load the configuration of 'org/x'. If you were trying to load it from", LOG_DOWNLOAD),
        (
            "ValueError: Unrecognized model in /models/x. Should have a `model_type` key in its config.json",
            LOG_DOWNLOAD,
        ),
        (
            "ValueError: The memory capacity is unbalanced. Some GPUs may be occupied by other processes.",
            LOG_FREE_MEMORY,
        ),
        (
            "AssertionError: Error in memory profiling. Initial free memory 1085, current free memory 2094.",
            LOG_FREE_MEMORY,
        ),
        (
            "ValueError: User-specified context_length (131072) is greater than the derived context_length (32768).",
            LOG_LEN_MODEL,
        ),
        ("INFO [kv_cache_utils.py:1321] Maximum concurrency for 65,536 tokens per request: 0.63x", LOG_LEN_KV),
        (
            "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in",
            LOG_DOWNLOAD,
        ),
        (
            "request error: HTTP status client error (404 Not Found) for url (https://huggingface.co/org/x/resolve/main)",
            LOG_DOWNLOAD,
        ),
        ("Error: Could not download model artifacts", LOG_DOWNLOAD),
        ("HTTPSConnectionPool(host='cdn-lfs.hf.co', port=443): Read timed out.", LOG_DOWNLOAD),
        ("AssertionError: 28 is not divisible by 8", LOG_TP),
        ("ValueError: `num_heads` must be divisible by `num_shards` (got `num_heads`: 28 and `num_shards`: 8)", LOG_TP),
        ("ValueError: The input size is not aligned. This can be caused by too large tensor parallel size.", LOG_TP),
        (
            "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 1/2 clients joined.",
            LOG_NCCL,
        ),
        (
            "RuntimeError: Gloo connectFullMesh failed with [../third_party/gloo/transport/tcp/pair.cc:144] no error",
            LOG_NCCL,
        ),
        (
            "RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.21",
            LOG_NCCL,
        ),
        ("vllm.engine.async_llm_engine.AsyncEngineDeadError: Background loop has errored already.", LOG_ENGINE_DEAD),
        (
            "CRITICAL 10-12 22:21:34 launcher.py:99] MQLLMEngine is already dead, terminating server process",
            LOG_ENGINE_DEAD,
        ),
        (
            "[2026-01-02 03:04:05] DetokenizerManager hit an exception: Traceback (most recent call last):",
            LOG_ENGINE_DEAD,
        ),
        ("Scheduler watchdog timeout (self.watchdog_timeout=300, self.soft=False)", LOG_ENGINE_DEAD),
        ("E0113 1 python.cc:1970] Stub process is unhealthy and it will be restarted.", LOG_ENGINE_DEAD),
        ("safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge", LOG_DOWNLOAD),
        ("safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer", LOG_DOWNLOAD),
        ("OSError: Consistency check failed: file should be of size 4227858712 but has size 2290365199", LOG_DOWNLOAD),
        (
            "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
            LOG_DOWNLOAD,
        ),
        ("_pickle.UnpicklingError: invalid load key, 'v'.", LOG_DOWNLOAD),
        ("ValueError: Invalid repository ID or local directory specified: '/mnt/models'.", LOG_DOWNLOAD),
        (
            "OSError: org/x is not a local folder and is not a valid model identifier listed on 'https://hf'",
            LOG_DOWNLOAD,
        ),
        (
            "W file_system_storage_path_source.cc:268] No versions of servable sizes found under base path s3://m",
            LOG_DOWNLOAD,
        ),
        ("E storage_path_source.cc:362] Could not find base path /mnt/models for servable flower-sample", LOG_DOWNLOAD),
        ("failed to load 'unknown_model', failed to poll from model repository", LOG_DOWNLOAD),
        ("Exception: Could not receive runai_response from libstreamer due to: b'File access error'", LOG_DOWNLOAD),
        (
            "Could not start backend: Runtime compute cap 120 is not compatible with compile time compute cap 80",
            LOG_NO_KERNEL,
        ),
        (
            "ValueError: The quantization method awq is not supported for the current GPU. Minimum capability: 75.",
            LOG_NO_KERNEL,
        ),
        ("RuntimeError: FlashAttention only supports Ampere GPUs or newer.", LOG_NO_KERNEL),
        ('ValueError("type fp8e4nv not supported in this architecture. The supported fp8 dtypes are', LOG_NO_KERNEL),
        (
            "[TRT] [E] 6: The engine plan file is generated on an incompatible device, expecting compute 5.3",
            LOG_NO_KERNEL,
        ),
        (
            "api_server.py: error: argument --guided-decoding-backend: invalid choice: 'x' (choose from auto)",
            LOG_BAD_FLAG,
        ),
        ("vllm serve: error: argument --max-num-seqs: invalid int value: '1e3'", LOG_BAD_FLAG),
        ("error: argument --quantization/-q: expected one argument", LOG_BAD_FLAG),
        ("error: invalid value 'fp8x' for '--quantize <QUANTIZE>'", LOG_BAD_FLAG),
        (
            "TypeError: AsyncEngineArgs.__init__() got an unexpected keyword argument 'num_scheduler_steps'",
            LOG_BAD_FLAG,
        ),
        ("flag provided but not defined: -poolName", LOG_BAD_FLAG),
        ("Error: unknown flag: --pool-names", LOG_BAD_FLAG),
        ("ray.exceptions.OutOfMemoryError: Task was killed due to the node running low on memory.", LOG_MEMORY_MONITOR),
        (
            "(raylet) node_manager.cc:3277: 2 Workers (tasks / actors) killed due to memory pressure (OOM), 0 Workers crashed",
            LOG_MEMORY_MONITOR,
        ),
        (
            "Unable to create lease. Check etcd server status at http://store:2379: Connection refused (os error 111)",
            LOG_UNREACHABLE,
        ),
        ("ERROR store.go:12] failed to connect to redis://cache:6379", LOG_UNREACHABLE),
        (
            "(Caused by ConnectTimeoutError(<HTTPConnection>, 'Connection to peer timed out. (connect timeout=None)')) http://peer:8998",
            LOG_UNREACHABLE,
        ),
        ("RuntimeError: The NVIDIA driver on your system is too old (found version 12080).", LOG_DRIVER),
        ("RuntimeError: CUDA error: no kernel image is available for execution on the device", LOG_NO_KERNEL),
        ("vllm: error: unrecognized arguments: --swap-space 4", LOG_BAD_FLAG),
        ("error: unexpected argument '--max-batch' found", LOG_BAD_FLAG),
        ("Total number of attention heads (28) must be divisible by tensor parallel size (8).", LOG_TP),
        ("Duplicate GPU detected : rank 1 and rank 0 both on CUDA device db000", LOG_NCCL),
        ("ncclInvalidUsage: This usually reflects invalid usage of NCCL library.", LOG_NCCL),
        (WATCHDOG, LOG_COLLECTIVE),
        ("TimeoutError: RPC call to sample_tokens timed out.", LOG_COLLECTIVE),
        ("Worker proc VllmWorker-0 died unexpectedly, shutting down executor.", LOG_ENGINE_DEAD),
        ("RuntimeError: Engine core initialization failed. See root cause above.", LOG_ENGINE_DEAD),
    ],
)
def test_each_line_is_told_by_its_own_pattern(line: str, signal: Signal) -> None:
    found = matches(f"before\n{line}\nafter")
    # A full disk is told of what was written at a start, and of the store where a server that runs cannot write.
    beside = {LOG_WRITE_FULL} if "Errno 28" in line else set()
    assert {told for told, text in found.items() if text} == {signal, *beside}


@pytest.mark.parametrize(
    "line",
    [
        "INFO Free memory on device cuda:0: 70.1 GiB",
        "INFO Available KV cache memory: 12.41 GiB",
        "INFO max_model_len (65536) accepted, derived max_model_len is 131072",
        "UserWarning: CUDA initialization: The NVIDIA driver on your system is too old (found version 12080).",
        "usage: vllm serve [model_tag] [options]",
        "NCCL INFO Bootstrap : Using eth0:10.0.0.1<0>",
        "INFO vLLM is using nccl==2.21.5",
        'HTTP Request: HEAD https://huggingface.co/org/model "HTTP/1.1 404 Not Found"',
        "INFO tensor parallel size (8) divides 64 attention heads",
        "WARNING No available shared memory broadcast block found in 60 seconds. This typically happens when compiling",
        "Tried to allocate nothing",
        "INFO Loading safetensors checkpoint shards: 100% Completed, header of model-00001.safetensors read",
        "INFO connected to etcd at http://store:2379",
        "WARNING FlashAttention only supports Ampere GPUs or newer, falling back to xformers",
        "INFO Runtime compute cap 80 is compatible with compile time compute cap 80",
        "INFO argument --max-num-seqs: 256",
        "INFO Found 2 versions of servable sizes under base path /models/sizes",
        "ERROR: This container was built for NVIDIA Driver Release 590.48 or later, but version 570 was detected",
        "INFO 28 heads are divisible by 4",
        "INFO watchdog_timeout=300",
        "HTTPSConnectionPool(host='api.example.com', port=443): Read timed out.",
        "INFO the client socket has connected to 10.0.0.1",
        "INFO [kv_cache_utils.py:1321] Maximum concurrency for 131,072 tokens per request: 1.43x",
        "INFO Maximum concurrency for 8,192 tokens per request: 10.05x",
        "INFO memory capacity of all GPUs is balanced",
        "INFO context_length (32768) is the derived context_length",
        'NCCL WARN Missing "iommu=pt" from kernel command line which can lead to system instability',
        "INFO ray: memory on the node is at 71 %, below the usage threshold",
        "WARNING a client closed its connection: connection refused by the other side",
    ],
)
def test_a_near_miss_says_nothing(line: str) -> None:
    assert set(matches(line).values()) == {""}


def test_the_number_that_fits_survives_the_cut() -> None:
    assert matches(f"{'p' * 100} {LONG.format('model', '(')}")[LOG_LEN_KV].startswith("To serve")
    assert "length is 976" in matches(LONG.format("model's", "("))[LOG_LEN_KV]


def test_what_lay_reserved_is_read_in_its_unit() -> None:
    line = "Tried to allocate 512.00 MiB. GPU 0 has 79 GiB. 8.00 GiB is reserved by PyTorch but unallocated"
    assert fragments(line) == ("512.00Mi", "8.00Gi")
    assert fragments("Tried to allocate 512.00 MiB.") == ()


@pytest.mark.parametrize(
    "bait",
    [
        "To serve at least one request with ",
        "401 Client Error",
        "Tried to allocate 1 GiB",
        "Max retries ",
        "Connection refused ",
        "http://a",
    ],
)
def test_a_giant_line_is_read_in_no_time(bait: str) -> None:
    started = time.process_time()
    for pattern in PATTERNS.values():
        pattern.search(bait + "a" * 262_144)
        pattern.search(bait * (262_144 // len(bait)))
    assert time.process_time() - started < 2


def changes(check: str, **world: object) -> list[Change]:
    told = {**scene(check)["fires"], **world}
    outcomes = run(snapshot(told, SUBJECTS["workload"]), {})
    found = next(one for one in outcomes if one.case.id == check and one.subject == SUBJECTS["workload"])
    return [remedy.change for remedy in found.remedies if remedy.change is not None]


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("startup_free_memory_insufficient", Change("--gpu-memory-utilization", "0.92", "0.49")),
        ("max_model_len_exceeds_kv", Change("--max-model-len", "16384", "768")),
        ("max_model_len_gt_derived", Change("--max-model-len", "65536", "32768")),
        ("tp_invalid", Change("--tensor-parallel-size", "8", "4")),
        ("no_kv_memory", Change("--gpu-memory-utilization", "default", "0.93")),
    ],
)
def test_what_the_line_holds_is_computed(check: str, change: Change) -> None:
    assert change in changes(check)


def test_a_startup_probe_gets_twice_the_longest_start_that_was_seen() -> None:
    world = {"pod.startup_took now": 700, "pod.startup_budget now": 90, "pod.lived_for now": 95}
    found = changes("liveness_kills_slow_load", **world)
    assert found == [Change("startupProbe (failureThreshold x periodSeconds)", "90 s in all", "140 x 10 s")]


def test_the_wrong_architecture_is_no_wrong_tag() -> None:
    world = scene("image_pull_fail")
    told = {**world["fires"], "pod.pull_said now": "Failed to pull image: no match for platform in manifest: not found"}
    found = next(one for one in run(snapshot(told, SUBJECTS["workload"]), {}) if one.case.id == "image_pull_fail")
    assert "architecture" in found.remedies[0].text


@pytest.mark.parametrize(
    "check", ["no_kv_memory", "nccl_init_failure", "shm_too_small", "liveness_kills_slow_load", "xid_critical"]
)
def test_the_specific_cause_explains_the_general_symptom(check: str) -> None:
    symptoms = {one.symptom for one in cases()[check].check.explains}
    assert {"crash_loop", "engine_dead", "gpu_held_by_not_ready_pod", "readiness_never_true"} <= symptoms


def test_the_length_that_the_overridden_cache_holds_is_computed() -> None:
    line = "INFO Maximum concurrency for 65,536 tokens per request: 0.63x"
    found = changes("max_model_len_exceeds_kv", **{"log.max_len_kv now": line})
    assert found[0] == Change("--max-model-len", "65536", "41216")


def test_files_that_are_not_whole_are_fetched_again() -> None:
    line = "safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge"
    told = {**scene("model_download_failure")["fires"], "log.model_download now": line}
    found = next(
        one for one in run(snapshot(told, SUBJECTS["workload"]), {}) if one.case.id == "model_download_failure"
    )
    assert "Git LFS" in found.remedies[0].text
