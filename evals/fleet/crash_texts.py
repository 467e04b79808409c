"""Last words of vLLM 0.11 processes, as their tracebacks read in public reports of that version."""

from __future__ import annotations

from evals.fleet.hardware import GIB, MIB
from evals.fleet.identity import suffix
from evals.fleet.startup import NCCL_SEGMENT, Config, CrashKind

Lines = list[tuple[float, str]]
_SITE = "/usr/local/lib/python3.12/dist-packages"
_API = "(APIServer pid=1)"
_CORE = "(EngineCore_DP0 pid=271)"


def last_words(kind: CrashKind, config: Config, pod: str, who: str, clock: str) -> Lines:
    """Lines with their delay in seconds; ``who`` is the prefix of the process that fails first."""
    if kind in {"host", "probe"}:
        return []
    if kind == "gpu_lost":
        return _gpu_lost(who, clock)
    if kind == "cuda_runtime":
        return _runtime(config, who, clock)
    if kind == "shm":
        return _shm(pod, who, clock)
    if kind == "no_kv":
        error = (
            "ValueError: No available memory for the cache blocks. Try increasing "
            "`gpu_memory_utilization` when initializing the engine."
        )
        frames = ["determine_available_memory", "_initialize_kv_caches"]
    elif kind == "context_too_long":
        need = config.max_model_len * config.kv_bytes_per_token / config.tp / GIB
        have = config.kv_bytes_per_gpu / GIB
        error = (
            "ValueError: To serve at least one request with the models's max seq len "
            f"({config.max_model_len}), ({need:.2f} GiB KV cache "
            f"is needed, which is larger than the available KV cache memory ({have:.2f} GiB). Based "
            "on the available memory, the "
            f"estimated maximum model length is {config.kv_tokens // 16 * 16}. Try increasing "
            "`gpu_memory_utilization` or decreasing "
            "`max_model_len` when initializing the engine."
        )
        frames = ["check_enough_kv_cache_memory", "_initialize_kv_caches"]
    else:
        error = out_of_memory(config, 0, 224 * MIB, config.gpu.total - 91 * MIB)
        frames = ["load_model", "create_weights", "__torch_function__"]
    return _failed_start(who, clock, frames, error)


def out_of_memory(config: Config, rank: int, wanted: float, in_use: float) -> str:
    """PyTorch's message; figures add up to the device's total."""
    free = config.gpu.total - in_use
    held = in_use - config.not_torch - 18 * MIB
    return (
        f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {_size(wanted)}. GPU "
        f"{rank} has a total capacity of "
        f"{config.gpu.total / GIB:.2f} GiB of which {_size(free)} is free. Including non-PyTorch "
        "memory, this process has "
        f"{_size(in_use)} memory in use. Of the allocated memory {_size(held)} is allocated by "
        "PyTorch, and 18.00 MiB is reserved by "
        "PyTorch but unallocated. If reserved but unallocated memory is large try setting "
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See "
        "documentation for Memory Management  "
        "(https://pytorch.org/docs/stable/notes/cuda.html#environment-variables)"
    )


def _size(amount: float) -> str:
    return f"{amount / GIB:.2f} GiB" if amount >= GIB else f"{amount / MIB:.2f} MiB"


def _traced(who: str, clock: str, where: str, frames: list[str], error: str) -> list[str]:
    head = f"{who} ERROR {clock} [{where}]"
    lines = [f"{head} Traceback (most recent call last):"]
    for number, frame in enumerate(frames):
        lines.append(f'{head}   File "{_SITE}/vllm/v1/{_file(frame)}", line {118 + 57 * number}, in {frame}')
    return [*lines, f"{head} {error}"]


def _file(frame: str) -> str:
    return {
        "load_model": "worker/gpu_worker.py",
        "create_weights": "../model_executor/layers/linear.py",
        "__torch_function__": "../../torch/utils/_device.py",
        "determine_available_memory": "worker/gpu_worker.py",
        "_initialize_kv_caches": "engine/core.py",
        "check_enough_kv_cache_memory": "core/kv_cache_utils.py",
        "execute_model": "worker/gpu_model_runner.py",
        "_get_prompt_logprobs_dict": "worker/gpu_model_runner.py",
        "compute_logprobs": "sample/sampler.py",
        "init_device": "worker/gpu_worker.py",
        "run_busy_loop": "engine/core.py",
    }.get(frame, "executor/multiproc_executor.py")


def _failed_start(who: str, clock: str, frames: list[str], error: str) -> Lines:
    where = "core.py:708" if who == _CORE else "multiproc_executor.py:597"
    words = "EngineCore failed to start." if who == _CORE else "WorkerProc failed to start."
    lines = [f"{who} ERROR {clock} [{where}] {words}", *_traced(who, clock, where, frames, error)]
    if who != _CORE:
        lines += [
            f"{_CORE} ERROR {clock} [core.py:708] EngineCore failed to start.",
            (
                f"{_CORE} ERROR {clock} [core.py:708] Exception: WorkerProc initialization failed due to "
                "an exception in a background process. See stack trace for root cause."
            ),
        ]
    lines += [
        f"{_CORE} Process EngineCore_DP0:",
        f"{_API} Traceback (most recent call last):",
        f'{_API}   File "/usr/local/bin/vllm", line 10, in <module>',
        f"{_API}     sys.exit(main())",
        f'{_API}   File "{_SITE}/vllm/v1/engine/utils.py", line 785, in wait_for_engine_startup',
        f'{_API}     raise RuntimeError("Engine core initialization failed. "',
        (f"{_API} RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {{}}"),
    ]
    return [(0.02 * number, text) for number, text in enumerate(lines)]


def _dead_engine(who: str, clock: str, error: list[str]) -> Lines:
    lines = [
        *error,
        f"{_CORE} ERROR {clock} [core.py:710] EngineCore encountered a fatal error.",
        f"{_API} ERROR {clock} [async_llm.py:480] AsyncLLM output_handler failed.",
        (
            f"{_API} ERROR {clock} [async_llm.py:480] vllm.v1.engine.exceptions.EngineDeadError: "
            "EngineCore encountered an issue. See stack trace (above) for the root cause."
        ),
        f"{_API} INFO:     Shutting down",
        f"{_API} INFO:     Waiting for application shutdown.",
        f"{_API} INFO:     Application shutdown complete.",
        f"{_API} INFO:     Finished server process [1]",
    ]
    del who
    return [(0.05 * number, text) for number, text in enumerate(lines)]


def _runtime(config: Config, who: str, clock: str) -> Lines:
    # Logits of a whole chunk of prompt tokens in 32 bits.
    wanted = config.max_batched_tokens * config.model.vocab * 4.0
    error = out_of_memory(config, 0, wanted, config.resident)
    frames = ["execute_model", "_get_prompt_logprobs_dict", "compute_logprobs"]
    return _dead_engine(who, clock, _traced(who, clock, "core.py:710", frames, error))


def _gpu_lost(who: str, clock: str) -> Lines:
    error = "torch.AcceleratorError: CUDA error: unspecified launch failure"
    lines = _traced(who, clock, "core.py:710", ["run_busy_loop", "execute_model"], error)
    hint = (
        "CUDA kernel errors might be asynchronously reported at some other API call, so the "
        "stacktrace below might be incorrect."
    )
    lines.append(f"{who} ERROR {clock} [core.py:710] {hint}")
    return _dead_engine(who, clock, lines)


def _shm(pod: str, who: str, clock: str) -> Lines:
    segment = f"/dev/shm/nccl-{suffix(6, pod, clock)}"  # noqa: S108 -- NCCL's own path, printed in its log
    stamp = f"[{clock}]"
    full = "No space left on device (28)"
    nccl = [
        (
            f"{stamp} {pod}:417:417 [0] misc/shmutils.cc:85 NCCL WARN Error: failed to extend "
            f"{segment} to {NCCL_SEGMENT + 4} bytes, error: {full}"
        ),
        (
            f"{stamp} {pod}:417:417 [0] misc/shmutils.cc:129 NCCL WARN Error while creating shared "
            f"memory segment {segment} (size {NCCL_SEGMENT}), error: {full}"
        ),
        f"{pod}:417:417 [0] NCCL INFO proxy.cc:1336 -> 2",
        f"{pod}:417:417 [0] NCCL INFO init.cc:1704 -> 2",
    ]
    error = "RuntimeError: NCCL error: unhandled system error (run with NCCL_DEBUG=INFO for details)"
    rest = _failed_start(who, clock, ["init_device"], error)
    return [(0.01 * number, text) for number, text in enumerate(nccl)] + [(after + 0.1, text) for after, text in rest]
