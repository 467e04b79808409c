"""What is advised for a start that failed is computed from the line and from what the manifest says."""

from __future__ import annotations

import pytest

from tests.tools.scenes import SUBJECTS, scene, snapshot
from tools.casebook import cases
from tools.check import Where
from tools.diagnose import run
from tools.finding import Change, Remedy


def remedies(check: str, **world: object) -> tuple[Remedy, ...]:
    told = {**scene(check)["fires"], **{name.replace("__", "."): value for name, value in world.items()}}
    outcomes = run(snapshot(told, SUBJECTS["workload"]), {})
    return next(one for one in outcomes if one.case.id == check and one.subject == SUBJECTS["workload"]).remedies


DENIED = "PermissionError: [Errno 13] Permission denied: '{}'"
VLLM = {"engine.name now": "vllm", "engine.version now": "0.9.1"}


@pytest.mark.parametrize(
    ("check", "world", "change"),
    [
        # Read-only root: an emptyDir where the cache lies.
        (
            "path_not_writable",
            {
                "log.permission_denied now": "OSError: [Errno 30] Read-only file system: '/home/app/.cache/vllm/torch_compile_cache'",
                "pod.root_read_only now": "engine",
                "pod.mounts now": "/models (read-only), /tmp",
            },
            Change("volumeMounts[/home/app/.cache]", "none", "emptyDir"),
        ),
        (
            "path_not_writable",
            {
                "log.permission_denied now": DENIED.format("/.config/vllm/config.json"),
                "pod.mounts now": "/models",
                "pod.root_read_only now": "",
            },
            Change("env HOME", "of the image", "/cache, an emptyDir"),
        ),
        (
            "path_not_writable",
            {
                "log.permission_denied now": DENIED.format("/models/.locks/x.lock"),
                "pod.mounts now": "/models (read-only)",
            },
            Change("volumeMounts[/models].readOnly", "true", "false, or an emptyDir for the cache"),
        ),
        (
            "path_not_writable",
            {
                "log.permission_denied now": DENIED.format("/data/hub/x"),
                "pod.mounts now": "/data",
                "pod.runs_as now": "user 1000, group 3000, fsGroup not set",
            },
            Change("spec.securityContext.fsGroup", "not set", "3000"),
        ),
        (
            "path_not_writable",
            {
                "log.permission_denied now": DENIED.format("/data/hub/x"),
                "pod.mounts now": "/data",
                "pod.runs_as now": "user 1000, group not set, fsGroup not set",
            },
            Change("spec.securityContext.fsGroup", "not set", "1000"),
        ),
        (
            "path_not_writable",
            {
                "log.permission_denied now": "ERROR: [Errno 13] error while attempting to bind on address ('0.0.0.0', 80): permission denied"
            },
            Change("--port", "80", "8000"),
        ),
        (
            "path_not_writable",
            {"log.permission_denied now": "KeyError: 'getpwuid(): uid not found: 1000'"},
            Change("env", "not set", "HOME=/cache, USER=app, LOGNAME=app"),
        ),
        (
            "library_missing",
            {
                "log.library_missing now": "ImportError: libcuda.so.1: cannot open shared object file",
                "pod.gpu_request now": 0,
            },
            Change("resources.limits.nvidia.com/gpu", "not set", "1"),
        ),
        (
            "library_missing",
            {
                "log.library_missing now": "RuntimeError: Failed to infer device type",
                "pod.gpu_request now": 1,
                "pod.driver_settings now": "runtimeClassName nvidia, NVIDIA_VISIBLE_DEVICES=void",
            },
            Change("env NVIDIA_VISIBLE_DEVICES", "void", "not set (the device plugin sets it)"),
        ),
        (
            "library_missing",
            {
                "log.library_missing now": "ImportError: libcuda.so.1: cannot open shared object file",
                "pod.driver_settings now": "runtimeClassName nvidia, NVIDIA_DRIVER_CAPABILITIES=utility,video",
            },
            Change("env NVIDIA_DRIVER_CAPABILITIES", "utility,video", "compute,utility"),
        ),
        (
            "library_missing",
            {
                "log.library_missing now": "ImportError: libcuda.so.1: cannot open shared object file",
                "pod.driver_settings now": "runtimeClassName not set",
            },
            Change("spec.runtimeClassName", "not set", "nvidia"),
        ),
        (
            "library_missing",
            {
                "log.library_missing now": "RuntimeError: Failed to infer device type",
                "pod.driver_settings now": "runtimeClassName nvidia, LD_LIBRARY_PATH=/opt/lib",
            },
            Change("env LD_LIBRARY_PATH", "/opt/lib", "/opt/lib:/usr/local/nvidia/lib64"),
        ),
        (
            "address_in_use",
            {"pod.ports_shared now": "8000 (engine and proxy), 9090 (engine and exporter)"},
            Change("port", "8000", "8001"),
        ),
        (
            "address_in_use",
            {"pod.host_access now": "hostNetwork"},
            Change("spec.hostNetwork", "true", "false"),
        ),
        (
            "engine_config_refused",
            {"log.config_refused now": "ValueError: LoRA rank 64 is greater than max_lora_rank 16."},
            Change("--max-lora-rank", "16", "64"),
        ),
        (
            "engine_config_refused",
            {
                "log.config_refused now": "ValueError: Quantization method specified in the model config (fp8) does not match the quantization method specified in the `quantization` argument (awq)."
            },
            Change("--quantization", "awq", "fp8"),
        ),
        (
            "engine_config_refused",
            {"log.config_refused now": "ValueError: invalid literal for int() with base 10: 'tcp://10.0.0.7:8000'"},
            Change("spec.enableServiceLinks", "true (default)", "false"),
        ),
        (
            "unsupported_model",
            {
                "log.unsupported_model now": "Please pass the argument `trust_remote_code=True`; consider setting `trust_remote_code=True`"
            },
            Change("--trust-remote-code", "not set", "set"),
        ),
        (
            "unsupported_model",
            {
                **VLLM,
                "log.unsupported_model now": "Model architectures ['Qwen3NextForCausalLM'] are not supported for now.",
            },
            Change("version of vLLM", "0.9.1", "0.11.0 or later"),
        ),
        (
            "build_tools_missing",
            VLLM,
            Change("env VLLM_USE_FLASHINFER_SAMPLER", "not set", "0"),
        ),
        (
            "build_tools_missing",
            {**VLLM, "log.build_tools now": "RuntimeError: Failed to find C compiler. Please specify via CC"},
            Change("--enforce-eager", "not set", "set"),
        ),
        (
            "build_tools_missing",
            {"engine.name now": "sglang"},
            Change("--attention-backend", "default", "triton"),
        ),
        (
            "os_limits_reached",
            {
                "log.os_limits now": "OpenBLAS blas_thread_init: pthread_create failed for thread 50 of 192: Resource temporarily unavailable",
                "pod.cpu_limit now": 16,
            },
            Change("env OMP_NUM_THREADS and OPENBLAS_NUM_THREADS", "not set (192 threads)", "16"),
        ),
        (
            "os_limits_reached",
            {
                "log.os_limits now": "ibv_create_cq(cqe=4096) failed: Cannot allocate memory : Please set max locked memory (ulimit -l) to 'unlimited' (current: 64 kbytes)"
            },
            Change("securityContext.capabilities.add", "locked memory: 64 kbytes", "IPC_LOCK"),
        ),
    ],
)
def test_the_change_is_computed(check: str, world: dict[str, object], change: Change) -> None:
    assert change in [remedy.change for remedy in remedies(check, **world)]


@pytest.mark.parametrize(
    ("check", "line", "says"),
    [
        (
            "unsupported_model",
            "ValueError: Model architectures ['Glm5ForCausalLM'] are not supported for now.",
            "does not know Glm5ForCausalLM",
        ),
        (
            "unsupported_model",
            "The checkpoint you are trying to load has model type `qwen3_next` but Transformers does not recognize",
            "does not know qwen3_next; Transformers 4.57.1 has it, 4.51.3 not yet",
        ),
        (
            "unsupported_model",
            "ValueError: Tokenizer class TokenizersBackend does not exist or is not currently imported.",
            "the tokenizer TokenizersBackend",
        ),
        ("unsupported_model", "ValueError: Unknown quantization method: nvfp4. Must be one of", "no such quantisation"),
        ("unsupported_model", "KeyError: 'layers.0.mlp.experts.w2_weight'", "checkpoint's weights"),
        ("unsupported_model", "Model architectures ['X'] failed to be inspected.", "the error above that line"),
        ("unsupported_model", "Serialization assertion stdVersionRead == serializationVersion failed", "TensorRT plan"),
        ("engine_config_refused", "yaml.scanner.ScannerError: mapping values are not allowed here", "cannot be parsed"),
        (
            "engine_config_refused",
            "ValueError: `enable_chunked_prefill` is not supported with --enable-lora-bias",
            "(enable_chunked_prefill, --enable-lora-bias)",
        ),
        ("library_missing", "ModuleNotFoundError: No module named 'flash_attn'", "lacks flash_attn"),
        ("library_missing", "exec /usr/bin/python3: exec format error", "another processor"),
        ("library_missing", "ImportError: libcudart.so.12: cannot open shared object file", "libcudart.so.12"),
        ("library_missing", "ImportError: /x/y.so: version `GLIBC_2.34' not found", "newer libc"),
        (
            "library_missing",
            "ImportError: This modeling file requires the following packages that were not found in your environment: timm, open_clip.",
            "lacks timm, open_clip",
        ),
        ("library_missing", "AssertionError: Torch not compiled with CUDA enabled", "CPU build"),
        (
            "build_tools_missing",
            "FileNotFoundError: [Errno 2] No such file or directory: '/usr/bin/ninja'",
            "lacks ninja",
        ),
        ("build_tools_missing", "/bin/sh: 1: nvcc: not found", "lacks nvcc"),
        ("build_tools_missing", "fatal error: Python.h: No such file or directory", "Python's headers"),
        ("build_tools_missing", "ptxas fatal   : Value 'sm_121a' is not defined", "does not know sm_121a"),
        ("build_tools_missing", "/usr/bin/ld: cannot find -lcuda: No such file", "libcuda"),
        ("build_tools_missing", "RuntimeError: Ninja build failed. Ninja output:", "MAX_JOBS"),
        ("os_limits_reached", "OSError: [Errno 24] Too many open files", "ulimit -n"),
        (
            "address_in_use",
            "The server socket has failed to listen on any local network address. port: 29500, useIpv6: false, code: -98, name: EADDRINUSE",
            "Port 29500 is one that the engine's own processes meet on",
        ),
        (
            "container_right_missing",
            "ERROR:    [Errno 13] error while attempting to bind on address ('0.0.0.0', 80): permission denied",
            "A port below 1024",
        ),
        ("address_in_use", "listen tcp :9090: bind: address already in use", "Port 9090"),
        ("address_in_use", "OSError: [Errno 98] Address already in use", "The port"),
    ],
)
def test_the_advice_names_what_the_line_names(check: str, line: str, says: str) -> None:
    signal = next(name for name in scene(check)["fires"] if name.startswith("log.") and name != "log.serving now")
    assert says in " ".join(remedy.text for remedy in remedies(check, **{signal: line}))


def test_what_an_init_container_may_not_write_is_not_told_by_the_mounts_of_the_server() -> None:
    line = "mkdir: cannot create directory '/models/x': Permission denied"
    told = {"log.permission_denied now": line, "pod.mounts now": "/models (read-only)"}
    found = remedies("path_not_writable", **told, **{"pod.told_of now": "init container fetch-weights"})
    assert [one.change for one in found] == [None]
    assert "init container fetch-weights write /models/x" in found[0].text


def test_a_release_that_has_it_no_more_is_named_without_a_change_to_it() -> None:
    line = "Model architecture Phi3SmallForCausalLM was supported in vLLM until v0.9.2, and is not supported anymore."
    newest = {"engine.name now": "vllm", "engine.version now": "0.33.0", "log.unsupported_model now": line}
    first = remedies("unsupported_model", **newest)[0]
    assert first.text.startswith("vLLM 0.33.0 does not know Phi3SmallForCausalLM any more: vLLM 0.9.2 still had it")
    assert first.change is None


CAUSES = (
    "unsupported_model",
    "engine_config_refused",
    "path_not_writable",
    "library_missing",
    "address_in_use",
    "build_tools_missing",
    "os_limits_reached",
)


@pytest.mark.parametrize("check", CAUSES)
def test_it_explains_what_shows_of_a_server_that_does_not_come_up(check: str) -> None:
    symptoms = {one.symptom for one in cases()[check].check.explains if one.where is Where.SAME_WORKLOAD}
    assert {"crash_loop", "engine_dead", "readiness_never_true", "gpu_held_by_not_ready_pod"} <= symptoms


@pytest.mark.parametrize(
    "check", ["unsupported_model", "engine_config_refused", "build_tools_missing", "address_in_use"]
)
def test_peers_of_a_worker_that_gave_up_are_no_cause_of_their_own(check: str) -> None:
    assert "nccl_init_failure" in {one.symptom for one in cases()[check].check.explains}


def test_no_two_of_them_explain_each_other() -> None:
    """Were there a circle, neither would be the headline."""
    edges = {check: {one.symptom for one in cases()[check].check.explains} for check in cases()}
    reached = {check: set(edges[check]) for check in CAUSES}
    for _ in range(len(edges)):
        for told in reached.values():
            told |= {deeper for one in tuple(told) for deeper in edges.get(one, ())}
    assert not {check for check in CAUSES if check in reached[check]}


@pytest.mark.parametrize(
    ("code", "line", "first"),
    [
        (132, "", "The binary was built for another processor"),
        (139, "", "Read the frames, if its log holds any"),
        (139, "!!!!!!! Segfault encountered !!!!!!!", "Read the frames after the line"),
    ],
)
def test_a_crash_without_a_line_is_advised_by_its_signal(code: int, line: str, first: str) -> None:
    world = {"pod.exit_code now": code, "log.native_crash now": line, "log.last_error now": ""}
    assert remedies("native_crash", **world)[0].text.startswith(first)
