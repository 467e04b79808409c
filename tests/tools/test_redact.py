"""Secrets and users' prompts are taken out; what only looks like a secret stays."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid

import pytest

from bot.advisor.question import Answer, Scope
from tools.finding import Evidence, Finding
from tools.redact import marks, redact, redacted

# Put together here, so that no scanner takes this file for a leak.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"
HF = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"
OPENAI = "sk-" + "proj-AbCdEf0123456789AbCdEf0123456789"
ANTHROPIC = "sk-" + "ant-api03-abcdefghijklmnopqrstuvwx_0123456789"
SLACK = "xoxb-" + "123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx"
GITHUB = "ghp_" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
NVIDIA = "nvapi-" + "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
KEY = "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEowIBAAKCAQEA7\nabc\n-----END RSA PRIVATE " + "KEY-----"
RANDOM = base64.b64encode(hashlib.sha512(b"not a secret").digest()).decode()

SECRETS = [
    AWS, HF, OPENAI, ANTHROPIC, SLACK, GITHUB, GOOGLE, JWT, NVIDIA, KEY, RANDOM,
    f"AWS_SECRET_ACCESS_KEY={AWS_SECRET}",
    f"export HF_TOKEN={HF} && vllm serve",
    "vllm serve --api-key correct-horse-battery",
    "--hf-token=abcdef123456",
    "Authorization: Bearer abcdef.ghijkl.mnopqr",
    "curl -H 'authorization: Basic dXNlcjpwYXNzd29yZA=='",
    "redis://:hunter2@cache:6379/0",
    "postgresql://app:hunter2@db.prod:5432/app",
    "https://user:hunter2@registry.example.org/v2/",
    'env: {"name": "OPENAI_API_KEY", "value": "abcd1234efgh"}',
    "- name: WANDB_API_KEY\n  value: abcd1234efgh5678",
    "password: hunter2!", 'password="hunter2!"', "PGPASSWORD=hunter22 psql",
    "https://acct.blob.core.windows.net/c?sv=2024&sig=AbC%2Fdef1234567",
    "https://hooks.slack.com/" + "services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    "Cookie: session=abcdef0123456789",
    "client_secret: 8f14e45fceea167a5a36dedd4bea2543",
]  # fmt: skip
TYPED = "my diagnosis is stage four, what now"
PROMPTS = [
    f"INFO 11-21 03:10:00 logger.py:42] Received request cmpl-1: prompt: '{TYPED}', params: SamplingParams(n=1), prompt_token_ids: [1, 2, 3], lora_request: None.",
    f'INFO Received request chatcmpl-9: prompt: "it\'s {TYPED}", params: SamplingParams(n=1)',
    f"INFO Generated response chatcmpl-9: output: '{TYPED}', output_token_ids: [4, 5], finish_reason: stop",
    f"[2026-11-21 03:10:00] Receive: obj=GenerateReqInput(text='{TYPED}', input_ids=[1, 2], sampling_params={{}})",
    f"[2026-11-21 03:10:00] Finish: obj=GenerateReqInput(rid='1'), out={{'text': '{TYPED}', 'meta_info': {{}}}}",
    f"DEBUG generate: text_generation_router::server: router/src/server.rs:520: Input: {TYPED}",
    f"DEBUG text_generation_router::server: router/src/server.rs:431: Output: {TYPED}",
    f'POST /v1/chat/completions {{"messages": [{{"role": "user", "content": "{TYPED}"}}]}}',
    f'{{"prompt": "{TYPED}", "max_tokens": 16}}',
    f"prompt: '{TYPED} and the log line ends here",
    f"inputs: ['{TYPED}', 'and {TYPED}']",
]
NEAR_MISSES = [
    "image nvcr.io/nvidia/tritonserver@sha256:" + hashlib.sha256(b"x").hexdigest(),
    "GPU-5a1f0e3c-8b2d-4c6e-9f10-0a1b2c3d4e5f", "MIG-3c9b1d5e-aaaa-5bbb-8ccc-0123456789ab",
    "commit c9ae14996a8d7d6fd0b2b6f4d9bc3f6a1e2d3c4b", str(uuid.UUID(int=7)),
    "llama-70b-chat-7d9f8b6c5d-x2x4q", "vllm:time_to_first_token_seconds_bucket", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
    "meta-llama/Llama-3.1-70B-Instruct-AWQ-INT4-calibrated-2024", "max_tokens=4096, prompt_tokens: 512",
    "time to first token: 3.21 s", "tokens per second: 123456", "secret \"hf-token\" not found",
    "secretName: vllm-tls-certificate", "HF_TOKEN=$HF_TOKEN", "--api-key ${VLLM_API_KEY}", "api key: missing",
    "the api key of the gateway is wrong", "Authorization: Bearer <token>", "prompt: 512 tokens", "password: required",
    'rate(vllm:prompt_tokens_total{namespace="prod",model_name="qwen"}[5m])', "input: 4096 tokens, output: 128 tokens",
    "http://prometheus.monitoring:9090/graph", "containerd://" + hashlib.sha256(b"y").hexdigest(),
    "The prompt is longer than the context: 131072 tokens", "--max-num-batched-tokens 8192", "token_ids are not logged",
    "FailedCreatePodSandBox FailedScheduling 0/12 nodes are available: 12 Insufficient nvidia.com/gpu",
    "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb", "credential helper gcloud", "pvc-0f3b2c1d-7a6b-4c5d-9e8f-0a1b2c3d4e5f",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_leaves_a_mark(text: str) -> None:
    shown = redact(f"before {text} after")
    assert marks(shown) >= 1, shown
    assert shown.startswith("before ")
    for secret in (
        AWS,
        AWS_SECRET,
        HF,
        OPENAI,
        ANTHROPIC,
        SLACK,
        GITHUB,
        GOOGLE,
        JWT,
        NVIDIA,
        RANDOM,
        "hunter2",
        "MIIEow",
    ):
        assert secret not in shown
    for value in ("correct-horse", "abcdef", "abcd1234", "dXNlcjp", "8f14e45f", "B00000000", "AbC%2Fdef"):
        assert value not in shown
    assert redact(shown) == shown


@pytest.mark.parametrize("line", PROMPTS)
def test_what_a_user_typed_is_no_part_of_a_log_line(line: str) -> None:
    shown = redact(line)
    assert "stage four" not in shown
    assert "[1, 2" not in shown
    assert "[4, 5]" not in shown
    assert marks(shown) >= 1
    assert redact(shown) == shown


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_near_misses_stay(text: str) -> None:
    assert redact(text) == text


def test_huge_and_broken_texts_are_bounded_work() -> None:
    for text in (
        "'" * 50_000,
        "prompt: '" * 20_000,
        "a" * 200_000,
        "password=" * 20_000,
        "a-" * 100_000,
        "A_" * 50_000,
        "\ud800" * 100,
        "",
    ):
        assert redact(redact(text)) == redact(text)


def test_plain_data_is_walked_and_what_holds_nothing_is_the_same_object() -> None:
    evidence = Evidence("e1", f"--hf-token={HF}", 1.0, "", "api", "q", "")
    finding = Finding("k", "i", "t", "s", "high", "high", True, "b", evidence=(evidence,))
    assert HF not in repr(redacted({"a": [finding], "b": (1.0, None)}))
    clean = Finding("k", "i", "t", "s", "high", "high", True, "b")
    assert redacted(clean) is clean
    # An equal text that was seen before is no reason to copy.
    first, second = ("".join(["nothing", " hidden"]) for _ in range(2))
    assert redacted(first) is first
    assert redacted(second) is second


def test_an_answer_is_redacted_by_its_construction() -> None:
    evidence = Evidence("e1", f"log: prompt: '{TYPED}'", None, "", "log", "", "")
    finding = Finding("k", "i", "t", "s", "high", "high", True, f"uses {AWS}", evidence=(evidence,))
    answer = Answer(
        f"is {OPENAI} fine?", "live", Scope(), f"{SLACK} leaked", (finding,), text=f"see {GITHUB}", note=JWT
    )
    everything = json.dumps(repr(answer))
    for secret in (AWS, OPENAI, SLACK, GITHUB, JWT, "stage four"):
        assert secret not in everything
