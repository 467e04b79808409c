"""What containers print: the lines of vLLM 0.11 from its start to its end, and a little of other runtimes."""

from __future__ import annotations

from datetime import UTC, datetime

from evals.fleet import crash_texts
from evals.fleet.engine import Engine
from evals.fleet.hardware import GIB
from evals.fleet.pods import Pod
from evals.fleet.recipe import Workload
from evals.fleet.startup import GONE, Config, CrashKind

API = "(APIServer pid=1)"
CORE = "(EngineCore_DP0 pid=271)"


def clock(at: float) -> str:
    """The time as vLLM's logger prints it."""
    return datetime.fromtimestamp(at, UTC).strftime("%m-%d %H:%M:%S")


def line(who: str, at: float, where: str, text: str, level: str = "INFO") -> str:
    """One line of vLLM's logger."""
    return f"{who} {level} {clock(at)} [{where}] {text}".lstrip()


def worker(config: Config, rank: int) -> str:
    """The prefix of a rank's process."""
    return CORE if config.tp == 1 else f"(Worker_TP{rank} pid={417 + rank})"


def started(pod: Pod, spec: Workload, at: float) -> None:
    """Print what the process prints until it would serve, as far as it comes."""
    assert pod.config is not None
    assert pod.startup is not None
    if spec.runtime == "other":
        _other(pod, spec, at)
        return
    config, startup = pod.config, pod.startup
    stop = startup.crash.after if startup.crash else startup.ready + 1
    for after, text in _vllm_start(spec, config, pod, at):
        if after < stop:
            pod.log.append((at + after, text))


def _vllm_start(spec: Workload, config: Config, pod: Pod, at: float) -> list[tuple[float, str]]:
    startup = pod.startup
    assert startup is not None
    given: dict[str, object] = {"host": "0.0.0.0", "model": spec.model}  # noqa: S104 -- a container's own address, printed in its log
    given |= {name.replace("-", "_"): value for name, value in spec.args.items()}
    if spec.served_name:
        given["served_model_name"] = [spec.served_name]
    version = spec.image.rsplit(":v", 1)[-1]
    took = startup.weights - startup.imported
    who = worker(config, 0)
    boot = startup.imported
    lines = [
        (boot - 6, line("", at + boot - 6, "__init__.py:216", "Automatically detected platform cuda.")),
        (boot - 3, line(API, at + boot - 3, "api_server.py:1839", f"vLLM API server version {version}")),
        (boot - 3, line(API, at + boot - 3, "utils.py:233", f"non-default args: {given}")),
        (
            boot - 1,
            line(API, at + boot - 1, "model.py:547", f"Resolved architecture: {config.model.architecture}"),
        ),
        (boot - 1, line(API, at + boot - 1, "model.py:1510", f"Using max model len {config.max_model_len}")),
        (
            boot - 1,
            line(
                API,
                at + boot - 1,
                "scheduler.py:205",
                f"Chunked prefill is enabled with max_num_batched_tokens={config.max_batched_tokens}.",
            ),
        ),
        (boot + 1, line(CORE, at + boot + 1, "core.py:644", "Waiting for init message from front-end.")),
        (
            boot + 1,
            line(
                CORE,
                at + boot + 1,
                "core.py:77",
                f"Initializing a V1 LLM engine (v{version}) with config: model='{spec.model}', "
                "speculative_config=None, "
                f"tokenizer='{spec.model}', skip_tokenizer_init=False, tokenizer_mode=auto, revision=None, "
                f"trust_remote_code=False, dtype={config.dtype}, max_seq_len={config.max_model_len}, "
                f"load_format={config.load_format}, tensor_parallel_size={config.tp}, "
                "pipeline_parallel_size=1, "
                f"data_parallel_size=1, enforce_eager={config.eager}, "
                f"kv_cache_dtype={spec.args.get('kv-cache-dtype', 'auto')}, "
                f"device_config=cuda, served_model_name={spec.served_name or spec.model}, "
                f"enable_prefix_caching={config.prefix_caching}, chunked_prefill_enabled=True",
            ),
        ),
    ]
    world = f"in world size {config.tp} is assigned as DP rank 0, PP rank 0"
    lines += [
        (
            boot + 4,
            line(
                worker(config, rank),
                at + boot + 4,
                "parallel_state.py:1208",
                f"rank {rank} {world}, TP rank {rank}, EP rank {rank}",
            ),
        )
        for rank in range(config.tp)
    ]
    if config.tp > 1:
        lines.append((boot + 4.5, line(who, at + boot + 4.5, "pynccl.py:103", "vLLM is using nccl==2.27.3")))
    shards = max(1, round(config.weight_bytes / 4.9e9))
    pace = took / shards / 1.1
    kind = "pt" if config.load_format == "pt" else "safetensors"
    lines.append(
        (
            boot + 6,
            line(who, at + boot + 6, "gpu_model_runner.py:2602", f"Starting to load model {spec.model}..."),
        )
    )
    lines.append((boot + 6, line(who, at + boot + 6, "cuda.py:366", "Using Flash Attention backend on V1 engine.")))
    for shard in range(shards + 1):
        done = boot + 6 + shard * (took - 6) / shards
        text = (
            f"Loading {kind} checkpoint shards: {100 * shard // shards:3d}% Completed | "
            f"{shard}/{shards} [{_mmss(done - boot - 6)}<{_mmss((shards - shard) * pace)}, "
            f"{pace:5.2f}s/it]"
        )
        lines.append((done, f"{who} {text}"))
    loaded, seconds = config.weights_per_gpu / GIB, took - 4
    kv, block = config.kv_bytes_per_gpu / GIB, config.kv_tokens
    end, ready = startup.compiled, startup.ready
    lines += [
        (
            startup.weights,
            line(
                who,
                at + startup.weights,
                "default_loader.py:267",
                f"Loading weights took {took - 6:.2f} seconds",
            ),
        ),
        (
            startup.weights + 0.5,
            line(
                who,
                at + startup.weights + 0.5,
                "gpu_model_runner.py:2653",
                f"Model loading took {loaded:.4f} GiB and {seconds:.6f} seconds",
            ),
        ),
    ]
    if not config.eager:
        lines += [
            (
                startup.weights + 7,
                line(who, at + startup.weights + 7, "backends.py:559", "Dynamo bytecode transform time: 5.71 s"),
            ),
            (
                end - 9,
                line(
                    who,
                    at + end - 9,
                    "monitor.py:34",
                    f"torch.compile takes {end - startup.weights - 12:.2f} s in total",
                ),
            ),
        ]
    lines.append((end - 8, line(who, at + end - 8, "gpu_worker.py:298", f"Available KV cache memory: {kv:.2f} GiB")))
    lines += [
        (end - 7, line(CORE, at + end - 7, "kv_cache_utils.py:1087", f"GPU KV cache size: {block:,} tokens")),
        (
            end - 7,
            line(
                CORE,
                at + end - 7,
                "kv_cache_utils.py:1091",
                (
                    f"Maximum concurrency for {config.max_model_len:,} tokens per request: "
                    f"{block / config.max_model_len:.2f}x"
                ),
            ),
        ),
    ]
    if not config.eager:
        lines.append(
            (
                ready - 3,
                line(
                    who,
                    at + ready - 3,
                    "gpu_model_runner.py:3480",
                    (f"Graph capturing finished in {ready - end - 4:.0f} secs, took {config.graphs / GIB:.2f} GiB"),
                ),
            )
        )
    lines += [
        (
            ready - 2,
            line(
                CORE,
                at + ready - 2,
                "core.py:210",
                (
                    "init engine (profile, create kv cache, warmup model) took "
                    f"{ready - startup.weights - 2:.2f} seconds"
                ),
            ),
        ),
        (
            ready - 1,
            line(
                API,
                at + ready - 1,
                "loggers.py:147",
                (f"Engine 000: vllm cache_config_info with initialization after num_gpu_blocks is: {config.kv_blocks}"),
            ),
        ),
        (ready - 1, line(API, at + ready - 1, "api_server.py:1634", "Supported_tasks: ['generate']")),
        (
            ready - 0.5,
            line(
                API,
                at + ready - 0.5,
                "api_server.py:1912",
                "Starting vLLM API server 0 on http://0.0.0.0:8000",
            ),
        ),
    ]
    return lines


def _mmss(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 60:02d}:{whole % 60:02d}"


def serving(pod: Pod, spec: Workload, at: float) -> None:
    """Print that the server answers from now on."""
    if spec.runtime == "vllm":
        for text in (
            "Started server process [1]",
            "Waiting for application startup.",
            "Application startup complete.",
        ):
            pod.log.append((at, f"{API} INFO:     {text}"))


class Periodic:
    """The line that vLLM prints every ten seconds while something happens."""

    def __init__(self) -> None:
        """Remember the tokens of nobody."""
        self._seen: dict[Engine, tuple[float, float]] = {}

    def print(self, pod: Pod, at: float, every: float) -> None:
        """Print the line of one pod's engine."""
        engine = pod.engine
        assert engine is not None
        stats = engine.stats
        before = self._seen.get(engine, (0.0, 0.0))
        self._seen[engine] = (stats.prompt_tokens, stats.generation_tokens)
        prompt, generation = stats.prompt_tokens - before[0], stats.generation_tokens - before[1]
        if prompt <= 0 and generation <= 0:
            return
        hit = stats.prefix_hits / stats.prefix_queries if stats.prefix_queries else 0.0
        text = (
            f"Engine 000: Avg prompt throughput: {prompt / every:.1f} tokens/s, Avg generation "
            f"throughput: {generation / every:.1f} "
            f"tokens/s, Running: {len(engine.running)} reqs, Waiting: {len(engine.waiting)} reqs, "
            f"GPU KV cache usage: {100 * engine.kv_usage:.1f}%, Prefix cache hit rate: {100 * hit:.1f}%"
        )
        pod.log.append((at, line(API, at, "loggers.py:127", text)))

    def forget(self, pods: list[Pod]) -> None:
        """Drop engines that are gone, and start new ones from what they have counted."""
        alive = {pod.engine for pod in pods if pod.engine is not None}
        self._seen = {engine: seen for engine, seen in self._seen.items() if engine in alive}
        for engine in alive:
            self._seen.setdefault(engine, (engine.stats.prompt_tokens, engine.stats.generation_tokens))


def crashed(pod: Pod, kind: CrashKind, at: float) -> None:
    """Print the last words of a process; one that the kernel kills prints none."""
    assert pod.config is not None
    config = pod.config
    if kind == "argument":
        gone = [text for text in pod.template.args if text.removeprefix("--").split("=")[0] in GONE]
        pod.log.append((at - 0.3, "usage: api_server.py [-h] [--headless] [--api-server-count API_SERVER_COUNT]"))
        pod.log.append((at - 0.2, f"api_server.py: error: unrecognized arguments: {' '.join(gone)}"))
        return
    who = worker(config, config.tp - 1 if kind == "gpu_lost" else 0)
    for after, text in crash_texts.last_words(kind, config, pod.name, who, clock(at)):
        pod.log.append((at - 3 + after, text))


def start_failure(uuid: str) -> str:
    """What the container runtime says when a GPU that the pod holds is gone."""
    return (
        "failed to create containerd task: failed to create shim task: OCI runtime create "
        "failed: runc create failed: unable to start "
        "container process: error during container init: error running prestart hook #0: exit "
        "status 1, stdout: , stderr: "
        f"Auto-detected mode as 'legacy'\nnvidia-container-cli: device error: {uuid}: unknown device: unknown"
    )


def _other(pod: Pod, spec: Workload, at: float) -> None:
    assert pod.startup is not None
    ready = at + pod.startup.ready
    for when, text in (
        (
            at + 1,
            (
                f'Args {{ model_id: "{spec.model}", revision: None, tokenization_workers: None, '
                "dtype: None, pooling: None, port: 80 }"
            ),
        ),
        (at + 3, "Downloading `model.safetensors`"),
        (ready - 4, "Starting model backend"),
        (ready - 2, "Starting FlashBert model on Cuda(CudaDevice(DeviceId(1)))"),
        (ready - 1, "Starting HTTP server: 0.0.0.0:80"),
        (ready, "Ready"),
    ):
        moment = datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        pod.log.append((when, f"{moment}  INFO text_embeddings_router: router/src/lib.rs: {text}"))
