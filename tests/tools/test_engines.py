"""A container's configuration as its engine resolves it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tools.engines import ENGINES, Configuration, Container, Key, Origin, flag, ray_serve, resolve, written_flags
from tools.engines.arguments import readable
from tools.engines.manifest import container_of
from tools.engines.shell import Unresolved, read_script

VLLM = "vllm/vllm-openai:v0.11.0"
H100 = ("NVIDIA-H100-80GB-HBM3", 80.0 * 2**30)


def ran(*args: str, image: str = VLLM, **more: Any) -> Configuration:
    return resolve(Container(image=image, args=args, **more))


def shell(script: str, **env: str | None) -> Configuration:
    return resolve(Container(image=VLLM, command=("sh", "-c"), args=(script,), env=tuple(env.items())))


@pytest.mark.parametrize(
    ("command", "args"),
    [
        ((), ("org/model",)),
        ((), ("--model", "org/model")),
        ((), ("serve", "org/model")),
        ((), ("--model=org/model",)),
        (("vllm", "serve"), ("org/model",)),
        (("vllm", "serve", "--enable-prefix-caching", "org/model"), ()),
        (("/usr/local/bin/vllm",), ("serve", "--port", "8000", "org/model")),
        (("python3", "-u", "-m", "vllm.entrypoints.openai.api_server"), ("--model", "org/model")),
        (("tini", "--", "python", "-m", "vllm.entrypoints.openai.api_server", "--model=org/model"), ()),
        (("bash", "-lc"), ("set -euo pipefail\nexec vllm serve 'org/model' \\\n  --port 80 # --model other",)),
        (("/bin/sh", "-c", "vllm serve org/model > /var/log/x 2>&1"), ()),
        (("bash", "-e", "-o", "pipefail", "-c", 'exec vllm serve "$@"', "--", "org/model"), ("--port", "1")),
        (("env", "A=b", "vllm", "serve", "org/model"), ()),
    ],
)
def test_the_model_however_vllm_is_launched(command: tuple[str, ...], args: tuple[str, ...]) -> None:
    found = resolve(Container(image=VLLM, command=command, args=args))
    assert (found.engine, found.version, found.text(Key.MODEL)) == ("vllm", "0.11.0", "org/model")
    assert found[Key.MODEL].origin is Origin.ARGUMENT


@pytest.mark.parametrize(
    "words",
    [
        ("--tensor-parallel-size", "4"),
        ("--tensor-parallel-size=4",),
        ("--tensor_parallel_size", "4"),
        ("--tensor_parallel_size=4",),
        ("-tp", "4"),
        ("-tp=4",),
        ("-tp", "2", "--tensor-parallel-size", "8", "-tp", "4"),
    ],
)
def test_a_flag_in_each_of_its_forms(words: tuple[str, ...]) -> None:
    found = ran("org/model", *words)
    assert found.number(Key.TENSOR_PARALLEL) == 4
    assert found[Key.TENSOR_PARALLEL].origin is Origin.ARGUMENT
    assert found.gpus == 4


@pytest.mark.parametrize(
    ("words", "on", "origin"),
    [
        (("--enable-prefix-caching",), True, Origin.ARGUMENT),
        (("--no-enable-prefix-caching",), False, Origin.ARGUMENT),
        (("--enable-prefix-caching", "--no-enable-prefix-caching"), False, Origin.ARGUMENT),
        (("--enable-prefix-caching=False",), False, Origin.ARGUMENT),
        (("--enable-prefix-caching", "false", "org/model"), False, Origin.ARGUMENT),
        (("--enable-prefix-caching=perhaps",), None, Origin.UNKNOWN),
        ((), None, Origin.UNKNOWN),
    ],
)
def test_a_switch(words: tuple[str, ...], on: bool | None, origin: Origin) -> None:
    found = ran(*words)
    assert (found.on(Key.PREFIX_CACHING), found[Key.PREFIX_CACHING].origin) == (on, origin)


@pytest.mark.parametrize(
    ("image", "share"),
    [
        ("vllm/vllm-openai:v0.6.6.post1", 0.9),
        ("vllm/vllm-openai:v0.11.0", 0.9),
        ("mirror:5000/vllm-openai:0.19.0-cu128", 0.9),
        ("vllm/vllm-openai:v0.20.0", 0.92),
        ("vllm/vllm-openai:v0.20", 0.92),
        ("vllm/vllm-openai:v0.33.1@sha256:abc", 0.92),
        ("rocm/vllm:rocm6.4_ubuntu22.04_vllm_0.9.1", 0.9),
        ("vllm/vllm-openai:v0.34.0", None),
        ("vllm/vllm-openai:v0.5.4", None),
        ("vllm/vllm-openai:latest", None),
        ("vllm/vllm-openai", None),
        ("nvcr.io/nvidia/vllm:25.09-py3", None),
        ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.9.1", None),
        ("lmcache/vllm-openai:v0.10.0", None),
        ("corp/vllm-gateway:0.10.0", None),
    ],
)
def test_a_default_follows_the_version_and_is_unknown_without_one(image: str, share: float | None) -> None:
    setting = ran("org/model", image=image)[Key.GPU_MEMORY_UTILIZATION]
    assert setting.value == share
    assert setting.origin is (Origin.DEFAULT if share else Origin.UNKNOWN)
    assert setting.detail
    assert ran("org/model", image="nvcr.io/nvidia/vllm:25.09-py3").version == ""


def test_an_image_of_ones_own_tells_no_version_of_vllm() -> None:
    found = resolve(Container(image="corp/llm:0.11.0", command=("vllm", "serve", "m", "-tp", "2")))
    assert (found.engine, found.version, found.number(Key.TENSOR_PARALLEL), found.gpus) == ("vllm", "", 2, None)


@pytest.mark.parametrize(
    ("image", "gpu", "words", "limit"),
    [
        (VLLM, H100, (), 1024),
        (VLLM, ("NVIDIA-A100-SXM4-80GB", 80.0 * 2**30), (), 256),
        (VLLM, ("NVIDIA-L4", 24.0 * 2**30), (), 256),
        (VLLM, H100, ("--max-num-batched-tokens", "512"), 512),
        (VLLM, H100, ("--max-num-seqs", "64"), 64),
        (VLLM, ("", 0.0), (), None),
        ("vllm/vllm-openai:v0.9.0", H100, (), None),
        ("vllm/vllm-openai:v0.6.6", ("", 0.0), (), 256),
        ("vllm/vllm-openai:v0.33.0", H100, ("--performance-mode", "throughput"), None),
        (VLLM, H100, ("--max-num-seqs", "$(N)"), None),
        (VLLM, H100, ("--max-num-seqs", "-5"), None),
    ],
)
def test_the_limit_of_sequences_follows_the_gpu(
    image: str, gpu: tuple[str, float], words: tuple[str, ...], limit: float | None
) -> None:
    found = ran("m", *words, image=image, gpu_name=gpu[0], gpu_memory=gpu[1], env=(("N", None),))
    assert found.number(Key.MAX_NUM_SEQS) == limit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8192", 8192),
        ("32k", 32_000),
        ("32K", 32_768),
        ("1.5k", 1500),
        ("1.5K", None),
        ("auto", None),
        ("-1", -1),
        ("1e999", None),
        ("nan", None),
        ("１２", None),
        ("1_000", None),
        ("🔥", None),
        ("", None),
        ("9" * 100, None),
    ],
)
def test_lengths_as_people_write_them(text: str, value: float | None) -> None:
    assert readable(text) == value
    assert ran("m", f"--max-model-len={text}").number(Key.MAX_MODEL_LEN) == (value if value and value > 0 else None)


def test_variables_are_filled_in_by_the_kubelet_and_by_the_shell() -> None:
    env = (("BASE", "8"), ("SEQS", "$(BASE)0"), ("TOKEN", None))
    found = ran("m", "--max-num-seqs=$(SEQS)", "--max-model-len", "$(UNSET)", "--revision", "$(TOKEN)", env=env)
    assert found.number(Key.MAX_NUM_SEQS) == 80
    assert found[Key.MAX_MODEL_LEN].origin is Origin.UNKNOWN
    assert found[Key.REVISION].origin is Origin.UNKNOWN
    assert "only the container knows" in found[Key.REVISION].detail
    assert ran("m", "--revision=$$(TOKEN)", env=env).text(Key.REVISION) == "$(TOKEN)"
    script = 'M=org/m; vllm serve "$M" -tp ${TP:-2} --max-num-seqs "${SEQS}" --revision \'$M\' $MORE'
    found = shell(script, SEQS="16", MORE="--dtype half --gpu-memory-utilization .5")
    assert [found[key].value for key in (Key.MODEL, Key.TENSOR_PARALLEL, Key.MAX_NUM_SEQS, Key.REVISION, Key.DTYPE)] == [
        "org/m", 2, 16, "$M", "half",
    ]  # fmt: skip
    assert found.number(Key.GPU_MEMORY_UTILIZATION) == 0.5


@pytest.mark.parametrize(
    "script",
    [
        "vllm serve m $EXTRA",
        "vllm serve m $(cat /args)",
        "vllm serve m `cat /args`",
        "vllm serve m --$FLAG 3",
        "vllm serve m ${EXTRA[@]}",
        "vllm serve m $(EXTRA)",
    ],
)
def test_what_only_a_run_tells_leaves_the_rest_unknown(script: str) -> None:
    found = shell(script, EXTRA=None)
    assert found.text(Key.MODEL) == "m"
    assert found[Key.GPU_MEMORY_UTILIZATION].origin is Origin.UNKNOWN
    assert found.gpus is None


@pytest.mark.parametrize(
    "container",
    [
        Container(image=VLLM, command=("/entrypoint.sh",), args=("--max-num-seqs", "8")),
        Container(image=VLLM, command=("sh", "-c", "/entrypoint.sh --max-num-seqs 8")),
        Container(image=VLLM, command=("sh", "-c", "vllm serve a --max-num-seqs 8 & vllm serve b --max-num-seqs 9")),
        Container(image=VLLM, command=("sh", "-c", "$(SCRIPT)"), env=(("SCRIPT", None),)),
        Container(image=VLLM, args=("m", "--max-num-seqs", "8", "--config", "/etc/vllm.yaml")),
    ],
)
def test_no_default_is_told_of_a_launch_that_is_not_wholly_seen(container: Container) -> None:
    found = resolve(container)
    assert found.engine == "vllm"
    assert found[Key.GPU_MEMORY_UTILIZATION].origin is Origin.UNKNOWN
    assert found[Key.TENSOR_PARALLEL].detail
    assert found.number(Key.MAX_NUM_SEQS) in {8, None}
    assert found.gpus is None


def test_a_file_of_options_comes_after_arguments_and_before_defaults() -> None:
    text = "tensor-parallel-size: 4\nmax_num_seqs: 32\nenable_prefix_caching: false\nmodel: from/file\n"
    found = ran("m", "--config", "/etc/v.yaml", "--max-num-seqs=8", files=(("/etc/v.yaml", text),))
    assert (found.number(Key.MAX_NUM_SEQS), found[Key.MAX_NUM_SEQS].origin) == (8, Origin.ARGUMENT)
    assert (found.number(Key.TENSOR_PARALLEL), found[Key.TENSOR_PARALLEL].origin) == (4, Origin.FILE)
    assert found.on(Key.PREFIX_CACHING) is False
    assert found.text(Key.MODEL) == "m"
    assert found[Key.GPU_MEMORY_UTILIZATION].origin is Origin.DEFAULT
    assert found.gpus == 4


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        "a: [",
        "&a [*a]",
        "x: &x 1\ny: *x",
        "\x00\x01",
        "!!python/object/apply:os.system ['true']",
        "z" * 2**21,
    ],
)
def test_a_file_that_is_none_tells_nothing(text: str) -> None:
    found = ran("m", "--config=/v", files=(("/v", text),))
    assert found[Key.GPU_MEMORY_UTILIZATION].origin is Origin.UNKNOWN


@pytest.mark.parametrize(
    ("words", "gpus"),
    [
        ((), 1),
        (("-tp", "2", "-pp", "2"), 4),
        (("-tp", "2", "-dp", "4"), 8),
        (("-tp", "2", "-dp", "4", "--data-parallel-size-local", "2"), 4),
        (("-tp", "8", "--nnodes", "2"), None),
        (("-tp", "8", "--distributed-executor-backend", "ray"), None),
        (("-tp", "8", "--distributed-executor-backend", "mp"), 8),
        (("-dp", "8", "--data-parallel-rank", "1"), None),
        (("-tp", "0"), None),
        (("-tp", "1e9"), None),
        (("-tp", "four"), None),
    ],
)
def test_how_many_gpus_vllm_puts_to_use(words: tuple[str, ...], gpus: int | None) -> None:
    assert ran("m", *words).gpus == gpus


@pytest.mark.parametrize(
    ("script", "gpus"),
    [
        ("vllm serve m -tp 2", 2),
        ("set -e; echo start; mkdir -p /tmp/x && vllm serve m -tp 2", 2),
        ("python embed.py & vllm serve m -tp 2", None),
        ("vllm serve m -tp 2 & /opt/rerank --device 1", None),
        ("ray start --head && vllm serve m -tp 2", None),
    ],
)
def test_what_else_a_script_starts_may_use_gpus_too(script: str, gpus: int | None) -> None:
    found = shell(script)
    assert (found.number(Key.TENSOR_PARALLEL), found.gpus) == (2, gpus)


def test_a_variable_may_set_vllms_data_parallel_size() -> None:
    found = ran("m", "-tp", "2", env=(("VLLM_DP_SIZE", "4"),))
    assert (found.gpus, found[Key.DATA_PARALLEL].said) == (8, "environment VLLM_DP_SIZE")
    assert ran("m", "-dp", "2", env=(("VLLM_DP_SIZE", "4"),)).gpus == 2
    assert ran("m", env=(("VLLM_DP_SIZE", None),)).gpus is None


@pytest.mark.parametrize(
    ("container", "engine", "settings", "gpus"),
    [
        (
            Container("lmsysorg/sglang:v0.5.3-cu129", ("python3", "-m", "sglang.launch_server"), ("--model-path", "m", "--tp", "2", "--context-length", "8192", "--mem-fraction-static", "0.8", "--disable-radix-cache")),
            "sglang",
            {Key.MODEL: "m", Key.TENSOR_PARALLEL: 2, Key.MAX_MODEL_LEN: 8192, Key.GPU_MEMORY_UTILIZATION: 0.8, Key.PREFIX_CACHING: False, Key.DTYPE: "auto"},
            2,
        ),
        (Container("lmsysorg/sglang:v0.5.3", ("python3", "-m", "sglang.launch_server", "--model-path", "m", "--tp_size", "2")), "sglang", {Key.TENSOR_PARALLEL: 1}, 1),
        (Container("lmsysorg/sglang:v0.5.3", ("python3", "-m", "sglang.launch_server", "--model", "m", "--tp", "8", "--dp", "8", "--enable-dp-attention")), "sglang", {Key.DATA_PARALLEL: 8, Key.PREFIX_CACHING: True}, 8),
        (
            Container("ghcr.io/huggingface/text-generation-inference:3.3.5", (), ("--max-total-tokens", "4096", "--quantize", "awq"), (("MODEL_ID", "m"), ("NUM_SHARD", "2"), ("MAX_TOTAL_TOKENS", "1"))),
            "tgi",
            {Key.MODEL: "m", Key.TENSOR_PARALLEL: 2, Key.MAX_MODEL_LEN: 4096, Key.QUANTIZATION: "awq", Key.MAX_CONCURRENT_REQUESTS: 128, Key.TRUST_REMOTE_CODE: False},
            2,
        ),
        (Container("ghcr.io/huggingface/text-generation-inference:3.3.5", (), ("--model-id=m",)), "tgi", {Key.TENSOR_PARALLEL: None}, None),
        (Container("ghcr.io/huggingface/text-generation-inference:3.3.5", (), ("--model-id=m", "--sharded", "false")), "tgi", {Key.TENSOR_PARALLEL: 1}, 1),
        (Container("ghcr.io/huggingface/text-generation-inference:3.3.5", (), ("--model-id=m",), (("SHARDED", "false"),)), "tgi", {Key.TENSOR_PARALLEL: 1}, 1),
        (Container("ghcr.io/huggingface/text-embeddings-inference:86-1.9", (), ("--model-id", "BAAI/bge-m3")), "tei", {Key.MODEL: "BAAI/bge-m3", Key.MAX_CONCURRENT_REQUESTS: 512, Key.MAX_BATCHED_TOKENS: 16384}, 1),
        (Container("nvcr.io/nvidia/tritonserver:25.08-py3", ("tritonserver",), ("--model-repository=/models",)), "triton", {Key.MODEL: "/models", Key.MAX_NUM_SEQS: None, Key.PORT: None}, None),
        (
            Container("nvcr.io/nvidia/tritonserver:25.08-trtllm-python-py3", ("bash", "-c", "python3 tools/fill_template.py -i /m/tensorrt_llm/config.pbtxt triton_max_batch_size:64,kv_cache_free_gpu_mem_fraction:0.85,enable_kv_cache_reuse:True,engine_dir:/e\npython3 scripts/launch_triton_server.py --world_size 2 --model_repo=/m")),
            "triton",
            {Key.MODEL: "/m", Key.MAX_NUM_SEQS: 64, Key.GPU_MEMORY_UTILIZATION: 0.85, Key.PREFIX_CACHING: True},
            2,
        ),
        (Container("nvcr.io/nvidia/tensorrt-llm/release:1.0.0", ("trtllm-serve",), ("org/m", "--tp_size", "4", "--max_batch_size=128", "--kv_cache_free_gpu_memory_fraction", "0.8")), "tensorrt_llm", {Key.MODEL: "org/m", Key.TENSOR_PARALLEL: 4, Key.MAX_NUM_SEQS: 128, Key.GPU_MEMORY_UTILIZATION: 0.8}, 4),
        (Container("pytorch/torchserve:0.12.0-gpu", ("torchserve", "--start", "--models", "m=m.mar", "--model-store", "/s")), "torchserve", {Key.MODEL: "m=m.mar"}, None),
        (Container("nvcr.io/nvidia/ai-dynamo/vllm-runtime:1.0.0", ("python3", "-m", "dynamo.vllm"), ("--model", "m", "-tp", "2")), "dynamo_vllm", {Key.MODEL: "m", Key.TENSOR_PARALLEL: 2, Key.GPU_MEMORY_UTILIZATION: None}, None),
        (Container("nvcr.io/nvidia/ai-dynamo/sglang-runtime:1.0.0", ("python3", "-m", "dynamo.sglang", "--model-path", "m", "--tp", "2")), "dynamo_sglang", {Key.TENSOR_PARALLEL: 2}, None),
        (Container("nvcr.io/nvidia/ai-dynamo/tensorrtllm-runtime:1.0.0", ("python3", "-m", "dynamo.trtllm"), ("--model-path", "m"), (("DYN_TRTLLM_MAX_BATCH_SIZE", "16"),)), "dynamo_trtllm", {Key.MODEL: "m", Key.MAX_NUM_SEQS: 16}, None),
        (Container("kserve/huggingfaceserver:v0.15.2-gpu", (), ("--model_name=m", "--model_id=org/m", "--backend=vllm", "--max-model-len=16384", "--tensor-parallel-size=2")), "kserve_vllm", {Key.MODEL: "org/m", Key.TENSOR_PARALLEL: 2, Key.MAX_MODEL_LEN: 16384, Key.DTYPE: "auto", Key.GPU_MEMORY_UTILIZATION: None, Key.PREFIX_CACHING: None, Key.PORT: 8080}, 2),
        (Container("local/server:1", ("python3", "-m", "huggingfaceserver"), ("--model_id", "org/m", "--gpu_memory_utilization", "0.8", "--max_length", "4096")), "kserve_vllm", {Key.MODEL: "org/m", Key.MAX_MODEL_LEN: 4096, Key.GPU_MEMORY_UTILIZATION: 0.8, Key.TENSOR_PARALLEL: None}, None),
        (Container("kserve/huggingfaceserver:v0.15.2-gpu", (), ("--model_name=m",)), "kserve_vllm", {Key.MODEL: "/mnt/models", Key.TENSOR_PARALLEL: 1}, None),
        (Container("kserve/huggingfaceserver:v0.15.2-gpu", (), ("--backend=huggingface", "--tensor-parallel-size=2")), "kserve_vllm", {Key.TENSOR_PARALLEL: 2}, None),
        (Container("kserve/huggingfaceserver:v0.15.2-gpu", (), ("--tensor-parallel-size=2", "--pipeline-parallel-size=2")), "kserve_vllm", {Key.TENSOR_PARALLEL: 2}, 4),
        (Container("kserve/huggingfaceserver:v0.14.1-gpu", (), ("--model_name=m",)), "kserve_vllm", {Key.DTYPE: "float16"}, None),
        (Container("kserve/huggingfaceserver:v0.13.0-gpu", (), ("--model_name=m",)), "kserve_vllm", {Key.DTYPE: None}, None),
        (Container("kserve/huggingfaceserver:latest-gpu", (), ("--backend=vllm", "--tensor-parallel-size=2")), "kserve_vllm", {Key.TENSOR_PARALLEL: 2, Key.DTYPE: None}, None),
        (Container("registry.local/serve:7", ("python", "serve.py", "-tp", "2", "--dtype=$X")), "", {Key.TENSOR_PARALLEL: 2, Key.DTYPE: "$X", Key.PIPELINE_PARALLEL: None}, None),
        (Container("busybox", (), ()), "", {Key.MODEL: None}, None),
    ],
)  # fmt: skip
def test_every_engine(container: Container, engine: str, settings: dict[Key, object], gpus: int | None) -> None:
    found = resolve(container)
    assert found.engine == engine
    assert {key: found[key].value for key in settings} == settings
    assert found.gpus == gpus


def test_variables_from_elsewhere_hide_an_engines_defaults() -> None:
    image = "ghcr.io/huggingface/text-generation-inference:3.3.5"
    assert ran("--model-id=m", image=image, env_from=True)[Key.MAX_CONCURRENT_REQUESTS].origin is Origin.UNKNOWN
    assert (
        ran("--model-id=m", image=image, env=(("MAX_CONCURRENT_REQUESTS", None),)).number(Key.MAX_CONCURRENT_REQUESTS)
        is None
    )
    assert ran("--model-id=m", image=VLLM, env_from=True)[Key.GPU_MEMORY_UTILIZATION].origin is Origin.DEFAULT


def test_a_shortened_flag_is_not_taken_for_the_default() -> None:
    setting = ran("m", "--tensor-parallel", "4")[Key.TENSOR_PARALLEL]
    assert (setting.value, setting.origin) == (None, Origin.UNKNOWN)
    assert "--tensor-parallel" in setting.said


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("a b;c d && e|f & g\n(h)", [["a", "b"], ["c", "d"], ["e"], ["f"], ["g"], ["h"]]),
        ("if true; then X=1; fi; a $X", [["true"], ["a", "$X"]]),
        ("X=1; X=2 a $X", [["a", "1"]]),
        ("export X=1 Y=2\na ${X}${Y} ${Z:-z} ${Z-} ${X:+n}", [["a", "12", "z", "${X:+n}"]]),
        ("a 'b c' \"d $X\" e\\ f \\$X \"\\$X\" '' # g", [["a", "b c", "d v w", "e f", "$X", "$X", ""]]),
        ("a $X", [["a", "v", "w"]]),
        ("a > b 2>&1 <c d", [["a", "d"]]),
        ("a $1 $2 \"$@\"", [["a", "p", "q", "r", "p", "q r"]]),
        ("a \"$(b \"c\")\" `d`", [["a", '$(b "c")', "`d`"]]),
        ("a 'b", [["a", "b"]]),
        ("", []),
    ],
)  # fmt: skip
def test_scripts(script: str, found: list[list[str]]) -> None:
    read = read_script(script, {"X": "v w"} if "X=" not in script else {}, ("p", "q r"))
    assert [list(command) for command in read.commands] == found


def test_what_is_exported_is_seen_by_the_server() -> None:
    script = "export NUM_SHARD=2; MODEL_ID=m; text-generation-launcher"
    found = resolve(Container("ghcr.io/huggingface/text-generation-inference:3.3.5", ("sh", "-c", script)))
    assert found.number(Key.TENSOR_PARALLEL) == 2
    assert found.text(Key.MODEL) == "bigscience/bloom-560m"


@pytest.mark.parametrize(
    "word", ["\0\1\2\xff", "\ud800", "🔥" * 100, "'", '"', "`", "$(", "${", "\\", "-" * 1000, "=", "--=", "-"]
)
def test_words_that_are_none(word: str) -> None:
    for container in (
        Container(VLLM, (), ("m", word, "--max-num-seqs", "8")),
        Container(VLLM, ("sh", "-c", f"vllm serve m --max-num-seqs 8 {word}")),
        Container(word, (word,), (word, word), ((word, word),)),
    ):
        found = resolve(container)
        assert isinstance(found, Configuration)
        assert found.number(Key.MAX_NUM_SEQS) in {8, None}
        written_flags(container)


def test_ten_thousand_arguments_take_no_time() -> None:
    many = tuple(word for i in range(5000) for word in (f"--flag-{i}", "x" * 50))
    long = " ".join(many) + ' "${' * 5000
    started = time.process_time()
    assert ran("m", *many, "-tp", "2").number(Key.TENSOR_PARALLEL) == 2
    assert shell(f"vllm serve m -tp 2 {long}").number(Key.TENSOR_PARALLEL) == 2
    assert ran("m", *(("$(A)" * 100,) * 1000), env=(("A", "x" * 100),)).engine == "vllm"
    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"image": None, "command": "vllm serve", "args": {"a": 1}, "env": "x"},
        {"image": 7, "command": [None, 1, ["x"]], "args": [{}], "env": [None, {}, {"name": 3, "value": {}}, {"name": "a", "valueFrom": 1}]},
    ],
)  # fmt: skip
def test_a_container_of_any_shape(raw: dict[str, Any]) -> None:
    assert resolve(container_of(raw)).engine == ""


def test_written_flags_keep_variables_as_they_are() -> None:
    container = container_of(
        {
            "args": ["vllm serve m --hf-token $TOKEN --api_key=$(KEY)", "-x", "--y=1"],
            "env": [{"name": "KEY", "value": "secret"}],
        }
    )
    assert written_flags(container) == {"hf-token": "$TOKEN", "api-key": "$(KEY)", "x": "true", "y": "1"}


def test_every_option_is_named_and_its_unknowns_have_a_reason() -> None:
    assert len({engine.name for engine in ENGINES}) == len(ENGINES)
    for engine in ENGINES:
        for option in engine.options:
            flags = (*option.flags, *option.off)
            assert all(flag.startswith("-") and flag == flag.lower() for flag in flags), option.key
            assert option.defaults or option.depends or option.key == Key.MODEL, (engine.name, option.key)


def test_an_unresolved_word_says_so() -> None:
    (command,) = read_script("a $UNKNOWN", {}).commands
    assert isinstance(command[1], Unresolved)
    assert command[1].open


SERVE = """
applications:
  - name: llm
    import_path: ray.serve.llm:build_openai_app
    args:
      llm_configs:
        - model_loading_config: {model_id: chat-8b, model_source: meta-llama/Llama-3.1-8B-Instruct}
          engine_kwargs: {tensor_parallel_size: 2, max_model_len: 8192, enable_prefix_caching: false, max_num_seqs: lots}
        - model_loading_config: {model_id: org/small}
          llm_engine: SGLang
          engine_kwargs: {tp_size: 4}
        - configs/other.yaml
        - {model_loading_config: {model_id: x}, llm_engine: Other}
"""


def test_ray_serve_tells_each_model_of_its_configuration() -> None:
    found = ray_serve.configurations(SERVE)
    assert list(found) == ["chat-8b", "org/small"]
    chat = found["chat-8b"]
    assert (chat.engine, chat.text(Key.MODEL), chat.number(Key.TENSOR_PARALLEL)) == (
        "ray_vllm", "meta-llama/Llama-3.1-8B-Instruct", 2,
    )  # fmt: skip
    assert (chat[Key.MAX_MODEL_LEN].value, chat[Key.MAX_MODEL_LEN].origin) == (8192, Origin.FILE)
    assert chat.on(Key.PREFIX_CACHING) is False
    assert chat[Key.MAX_NUM_SEQS].origin is Origin.UNKNOWN
    assert chat[Key.GPU_MEMORY_UTILIZATION].origin is Origin.UNKNOWN
    assert found["org/small"].number(Key.TENSOR_PARALLEL) == 4
    assert found["org/small"].text(Key.MODEL) == "org/small"


@pytest.mark.parametrize(
    "text",
    [None, 7, "", "[]", "applications: 3", "applications: [x, {args: 1}, {args: {llm_configs: path.yaml}}]", "a: &a [*a]",
     "applications: [{args: {llm_configs: [{model_loading_config: x, engine_kwargs: y}]}}]", "{" * 100_000, "\x00"],
)  # fmt: skip
def test_a_serve_config_of_any_shape(text: object) -> None:
    assert ray_serve.configurations(text) == {}


def test_a_setting_is_called_as_its_engine_calls_it() -> None:
    assert flag("vllm", Key.MAX_NUM_SEQS) == "--max-num-seqs"
    assert flag("sglang", Key.MAX_NUM_SEQS) == "--max-running-requests"
    assert flag("tgi", Key.TENSOR_PARALLEL) == "--num-shard"
    assert flag("ray_vllm", Key.MAX_NUM_SEQS) == "engine_kwargs max_num_seqs"
    assert flag("triton", Key.MAX_NUM_SEQS) == ""
    assert flag("another", Key.MAX_NUM_SEQS) == ""
