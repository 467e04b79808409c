"""Errors whose wording nobody knows: the part of the program that raised them says what they are about."""

from __future__ import annotations

import pytest

from tools.log_lines import read
from tools.signals import LOG_LAST_ERROR
from tools.tracebacks import inferred, traced

SITE = "/usr/local/lib/python3.12/dist-packages/"


def raised(*frames: str, error: str = "ValueError: words that nobody has seen", before: str = "") -> str:
    """A traceback through these frames, each `path:function`, every line after what a logger puts before it."""
    lines = ["Traceback (most recent call last):"]
    for frame in frames:
        path, _, name = frame.partition(":")
        lines += [f'  File "{SITE}{path}", line 12, in {name}', "    do(it)", "    ^^^^^^"]
    return "\n".join(f"{before}{line}" for line in (*lines, error))


@pytest.mark.parametrize(
    ("frames", "means"),
    [
        (("vllm/entrypoints/api.py:main", "huggingface_hub/file_download.py:get"), "log.model_download"),
        (
            ("huggingface_hub/file_download.py:get", "requests/sessions.py:send", "urllib3/pool.py:urlopen"),
            "log.model_download",
        ),
        (
            ("vllm/model_executor/model_loader/x.py:load_model", "botocore/client.py:_make_api_call"),
            "log.model_download",
        ),
        (("safetensors/torch.py:load_file",), "log.model_download"),
        (
            ("vllm/v1/worker/gpu_worker.py:load_model", "vllm/model_executor/models/llama.py:load_weights"),
            "log.unsupported_model",
        ),
        (
            ("sglang/srt/model_executor/model_runner.py:load_model", "sglang/srt/models/qwen.py:__init__"),
            "log.unsupported_model",
        ),
        (("transformers/models/auto/configuration_auto.py:from_pretrained",), "log.unsupported_model"),
        (("vllm/engine/arg_utils.py:create_engine_config", "vllm/config/model.py:__post_init__"), "log.config_refused"),
        (("sglang/srt/server_args.py:check_server_args",), "log.config_refused"),
        (
            ("vllm/distributed/parallel_state.py:init_world", "torch/distributed/distributed_c10d.py:barrier"),
            "log.nccl_init",
        ),
        (
            (
                "vllm/model_executor/models/llama.py:forward",
                "triton/runtime/build.py:_build",
                "subprocess.py:check_call",
            ),
            "log.build_tools",
        ),
        (("vllm/v1/worker/x.py:execute_model", "vllm/model_executor/models/llama.py:forward"), ""),
        (
            (
                "vllm/v1/worker/x.py:start",
                "vllm/distributed/kv_transfer/kv_connector/v1/y.py:register",
                "nixl/_api.py:add",
            ),
            "log.kv_transfer",
        ),
        (("sglang/srt/disaggregation/mooncake/conn.py:send_kvcache",), "log.kv_transfer"),
        (("uvicorn/server.py:run", "asyncio/base_events.py:create_server"), ""),
        ((), ""),
    ],
)
@pytest.mark.parametrize("before", ["", "(EngineCore_DP0 pid=88) ERROR 11-01 10:00:00 [core.py:700] "])
def test_the_failing_part_tells_what_it_is_about(frames: tuple[str, ...], means: str, before: str) -> None:
    told, said = inferred(raised(*frames, before=before))
    assert told == means
    error, _, raised_in = said.partition(" [raised in ")
    assert error == ("ValueError: words that nobody has seen" if means else "")
    assert not raised_in or raised_in.rstrip("]") in {frame.replace(":", " in ") for frame in frames}
    assert bool(raised_in) is bool(means)


def test_the_wrapper_around_it_does_not_decide() -> None:
    log = (
        raised("vllm/config/model.py:__post_init__")
        + "\n"
        + raised(
            "huggingface_hub/x.py:y", error="RuntimeError: Engine core initialization failed. See root cause above."
        )
    )
    assert inferred(log)[0] == "log.config_refused"


def test_of_several_the_last_decides() -> None:
    log = raised("huggingface_hub/x.py:y", error="TimeoutError: first") + "\n" + raised("vllm/config/model.py:z")
    assert inferred(log)[0] == "log.config_refused"
    assert [len(one.frames) for one in traced(log)] == [1, 1]
    assert [one.said for one in traced(log)] == ["TimeoutError: first", "ValueError: words that nobody has seen"]


def test_a_line_that_is_known_goes_before_the_part() -> None:
    known = raised(
        "huggingface_hub/x.py:load_weights",
        error="torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
    )
    told = {signal.name for signal, text in read(known).items() if text and signal is not LOG_LAST_ERROR}
    assert told == {"log.cuda_oom"}


def test_where_nothing_is_known_the_part_is_told_with_the_error() -> None:
    log = (
        raised("huggingface_hub/file_download.py:get")
        + "\nRuntimeError: Engine core initialization failed. See root cause above."
    )
    told = {signal.name: text for signal, text in read(log).items() if text and signal is not LOG_LAST_ERROR}
    shown = "ValueError: words that nobody has seen [raised in huggingface_hub/file_download.py in get]"
    assert told["log.model_download"] == shown


def test_hostile_logs_are_read_in_bounded_time() -> None:
    assert inferred('File "x", line 1, in y\n' * 50_000 + "ValueError: z") == ("", "")
    assert inferred('File "' + "/huggingface_hub/" * 100_000) == ("", "")
    assert inferred("") == ("", "")
