"""`rackside size` as a process: words or options, a table or JSON, and sentences instead of traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import jsonschema
import pytest

pytestmark = pytest.mark.wheel


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = os.environ.get("RACKSIDE_COMMAND")
    start = [sys.executable, command] if command else [sys.executable, "-m", "bot"]
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    clean = {**kept, "KUBECONFIG": "", "NO_COLOR": "1", "COLUMNS": "100", **environment}
    return subprocess.run([*start, *arguments], env=clean, capture_output=True, text=True, timeout=60, check=False)


def test_words_give_a_table_the_formula_and_what_fits() -> None:
    done = run("size", "does llama 3.1 70b fit on 2 h100 at 32k with 16 users?")
    assert done.returncode == 0, done.stderr
    for part in ("Not at 32,768 tokens", "weights per GPU", "The nearest that works", "Formula", "Assumed", "Sources"):
        assert part in done.stdout
    assert "\x1b[" not in done.stdout


def test_words_need_no_quotes_and_options_win_over_them() -> None:
    told = json.loads(
        run("size", "llama", "3.1", "8b", "on", "h100", "--count", "2", "--context", "4096", "--json").stdout
    )
    assert told["load"]["count"] == 2
    assert told["load"]["context"] == 4096
    assert told["fit"] == "fits"


def test_options_alone_and_the_json_fits_its_schema() -> None:
    done = run("size", "--model", "Qwen/Qwen2.5-72B-Instruct-AWQ", "--gpu", "NVIDIA-A100-SXM4-80GB", "--count", "1", "--context", "8192", "--concurrency", "4", "--json")  # fmt: skip
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert told["load"]["dtype"] == "int4"
    assert told["load"]["users"] == 4
    schema = json.loads(run("schema", "size").stdout)
    jsonschema.validate(told, schema)
    jsonschema.validate(json.loads(run("size", "which gpus for phi 4 with 4 users", "--json").stdout), schema)
    jsonschema.validate(json.loads(run("size", "llama 3.1 8b on t4 bf16", "--json").stdout), schema)


def test_a_label_of_a_mig_slice_is_a_slice() -> None:
    for label in ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", "a100-80gb:1g.10gb"):
        told = json.loads(run("size", "--model", "qwen3-4b", "--gpu", label, "--context", "4096", "--json").stdout)
        assert told["gpu"]["id"] == "a100-80gb:1g.10gb"
    assert run("size", "--model", "qwen3-4b", "--gpu", "NVIDIA-L4-MIG-1g.10gb").returncode == 2


def test_a_model_of_ones_own() -> None:
    told = json.loads(run("size", "--params", "13e9", "--layers", "40", "--kv-heads", "8", "--heads", "40", "--gpu", "l40s", "--context", "8192", "--json").stdout)  # fmt: skip
    assert told["model"]["title"] == "Your model of 13B"
    assert told["fit"] == "fits"
    assert run("size", "--params", "13e9", "--gpu", "l40s").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("llama 9 70b on 2 h100",), "The nearest that I know"),
        (("--model", "llama-3.1-70b", "--gpu", "h1000"), "H100"),
        (("--model", "llama-3.1-70b", "--gpu", "h100", "--dtype", "fp7"), "fp7"),
        (("--model", "llama-3.1-70b", "--gpu", "h100", "--context", "-1"), "positive"),
        (("--model", "llama-3.1-70b", "--gpu", "h100", "--gpu-memory-utilization", "7"), "0.05"),
        ((), "Name a model"),
        (("\x1b[31m🔥",), "Name a model"),
        (("--params", "nan", "--layers", "4", "--kv-heads", "2", "--gpu", "h100"), "between"),
    ],
)
def test_what_cannot_be_sized_is_a_sentence_and_status_2(arguments: tuple[str, ...], says: str) -> None:
    done = run("size", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.startswith("rackside: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys\nfrom bot.advisor.sizing_question import read\nfrom bot.advisor.sizing_report import report\nfrom tools.prices import price_book\n"
        "report(read('llama 3.1 8b on h100'), price_book())\nprint([m for m in ('torch', 'chromadb', 'kubernetes', 'langchain', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
