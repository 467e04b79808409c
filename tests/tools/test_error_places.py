"""Errors whose wording nobody knows, printed by a logger: the source file that it names says what they are about."""

from __future__ import annotations

import time

import pytest

from tools.error_places import inferred
from tools.log_lines import read
from tools.vocabulary import log_signals

GLOG = "E0414 03:56:41.856248 77969 {}:173] words that nobody has seen"
VLLM = "(Worker_TP0 pid=7) ERROR 12-10 03:24:54 [{}:410] words that nobody has seen"
UCX = "[1749803291.555759] [pod-0:7053 :0]          {}:1260 UCX  ERROR words that nobody has seen"
SPAN = "2026-05-01T10:00:00.9Z ERROR http-request{{method=POST uri=/v1}}: generate: {}: words that nobody has seen"
NCCL = "node-1:311:405 [0] transport/{}:199 NCCL WARN words that nobody has seen"
RUST = "2026-05-01T10:00:00.040824Z ERROR {}: words that nobody has seen"
JSON = (
    '{{"time":"2026-05-01T10:00:00Z","level":"ERROR","target":"{}","message":"words that nobody has seen","line":12}}'
)
FELL = "(APIServer pid=1) ERROR 12-10 03:24:55 [async_llm.py:430] AsyncLLM output_handler failed."


@pytest.mark.parametrize(
    ("form", "place", "means"),
    [
        (GLOG, "transfer_metadata_plugin.cpp", "log.kv_transfer"),
        (GLOG, "rdma_context.cpp", "log.kv_transfer"),
        (GLOG, "master_client.cpp", "log.kv_transfer"),
        (GLOG, "model_lifecycle.cc", ""),
        (VLLM, "mooncake_connector.py", "log.kv_transfer"),
        (VLLM, "distributed/kv_transfer/nixl_connector.py", "log.kv_transfer"),
        (VLLM, "weight_utils.py", "log.model_download"),
        (VLLM, "arg_utils.py", "log.config_refused"),
        (VLLM, "gpu_model_runner.py", ""),
        (NCCL, "net_ib.cc", "log.nccl_init"),
        (NCCL, "collectives.cc", ""),
        (RUST, "dynamo_llm::discovery::watcher", "log.no_backend"),
        (RUST, "dynamo_runtime::transports::etcd", "log.unreachable"),
        (RUST, "dynamo_llm::http::service::openai", ""),
        (SPAN, "dynamo_llm::kv_router::scheduler", "log.no_backend"),
        (SPAN, "text_generation_router_v3::backend", ""),
        (UCX, "tcp_ep.c", "log.kv_transfer"),
        (JSON, "dynamo_llm::block_manager::offload", "log.kv_transfer"),
        (JSON, "text_generation_router_v3::backend", ""),
    ],
)
def test_the_place_of_the_last_error_says_what_it_is_about(form: str, place: str, means: str) -> None:
    line = form.format(place)
    for log in (line, f"started\n{line}\n", f"{line}\n{FELL}", f"{line}\nINFO:     Waiting for application shutdown."):
        told, said = inferred(log)
        assert told == means
        assert bool(said) == bool(means)
        assert "words that nobody has seen" in said or not means
        if means:
            assert read(log)[log_signals()[means]] == said


def test_what_was_gone_on_from_proves_nothing() -> None:
    """Another part printed the last error, or something was raised where no logger says."""
    went_on = GLOG.format("rdma_context.cpp")
    assert inferred(f"{went_on}\n{VLLM.format('gpu_model_runner.py')}") == ("", "")
    assert inferred(f"{went_on}\nValueError: words that nobody has seen") == ("", "")
    served = RUST.format("dynamo_llm::http::service::openai")
    assert inferred(f"{RUST.format('dynamo_llm::kv_router::scheduler')}\n{served}")[0] == "log.no_backend"
    assert inferred(f"{went_on}\n{FELL}\nRuntimeError: Engine core initialization failed. See root cause above.")[0]


def test_a_warning_names_a_place_in_vain() -> None:
    assert inferred(GLOG.format("rdma_context.cpp").replace("E0414", "W0414")) == ("", "")
    assert inferred(VLLM.format("mooncake_connector.py").replace("ERROR", "WARNING")) == ("", "")
    assert inferred("") == ("", "")


def test_a_known_wording_weighs_more_than_a_place() -> None:
    log = f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\n{GLOG.format('rdma_context.cpp')}"
    told = {signal.name for signal, text in read(log).items() if text}
    assert "log.cuda_oom" in told
    assert "log.kv_transfer" not in told


def test_how_a_process_fell_leaves_open_why() -> None:
    """The abort that follows an error hides neither the part that raised it nor the one that printed it."""
    log = f"{GLOG.format('rdma_context.cpp')}\nterminate called after throwing an instance of 'std::runtime_error'"
    told = {signal.name for signal, text in read(log).items() if text}
    assert {"log.kv_transfer", "log.native_crash"} <= told


RAISED = 'Traceback (most recent call last):\n  File "/app/engine.py", line 7, in step\nValueError: words that nobody has seen'


@pytest.mark.parametrize(
    ("last", "crashed"),
    [
        ("terminate called after throwing an instance of 'c10::Error'", False),
        ("free(): invalid pointer", False),
        ("!!!!!!! Segfault encountered !!!!!!!", True),
        ("Fatal Python error: Segmentation fault", True),
    ],
)
def test_an_abort_after_an_error_is_how_it_ended_and_not_why(last: str, crashed: bool) -> None:
    crash = log_signals()["log.native_crash"]
    assert read(f"started\n{last}")[crash] == last
    assert bool(read(f"{RAISED}\n{last}")[crash]) == crashed


@pytest.mark.parametrize("filler", ["E0414 03:56:41.8 1 ", "ERROR a::", '"level":"ERROR" ', "a.cc:1 NCCL "])
def test_a_giant_line_takes_no_time(filler: str) -> None:
    started = time.process_time()
    assert inferred(filler * 20_000) == ("", "")
    assert time.process_time() - started < 5
