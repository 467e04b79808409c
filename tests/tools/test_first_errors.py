"""Errors of one log: what came first is the cause of what came of it, where nothing went on between them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.pairs import APP, OTHER, two
from tools.diagnose import diagnose
from tools.error_order import Order, before
from tools.log_lines import read
from tools.vocabulary.order import LOG_ORDER

OOM = "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.75 GiB (GPU 0; 39.39 GiB total capacity)"
NO_KV = (
    "RuntimeError: Not enough memory to handle 4096 prefill tokens. You need to decrease `--max-batch-prefill-tokens`"
)
NEXT = "During handling of the above exception, another exception occurred:"
WENT_ON = "INFO 11-20 10:00:00 [loader.py:458] Loading weights took 12.31 seconds"
ENDED = "INFO 11-20 10:00:00 [launcher.py:99] Shutting down FastAPI HTTP server."


def _order(*lines: str) -> str:
    return read("\n".join(lines))[LOG_ORDER]


def test_an_exception_before_the_one_that_it_was_turned_into() -> None:
    assert _order("Traceback (most recent call last):", OOM, NEXT, NO_KV) == "log.cuda_oom>log.no_kv_memory"
    assert _order("Traceback (most recent call last):", NO_KV, NEXT, OOM) == "log.no_kv_memory>log.cuda_oom"
    assert _order(OOM) == _order("") == ""


def test_an_error_that_was_survived_says_nothing() -> None:
    assert _order(OOM, WENT_ON, NO_KV) == ""
    assert _order(OOM, ENDED, NO_KV) == "log.cuda_oom>log.no_kv_memory", "it went down, and did not go on"
    assert _order(f"WARNING {OOM}", NO_KV) == "", "what is a warning was no end"
    # Tried in vain, gone on, and then the end: the last of the first kind leads.
    assert _order(OOM, WENT_ON, OOM, NO_KV) == "log.cuda_oom>log.no_kv_memory"


def test_what_every_rank_prints() -> None:
    assert _order(*[line for _ in range(200) for line in (OOM, NO_KV)]) == "log.cuda_oom>log.no_kv_memory"
    assert before("log.a>log.b, log.a>log.c, rest") == {"log.a": {"log.b", "log.c"}}
    assert before("x" * 100_000) == {}


def test_nccl_says_what_failed_and_the_reason_after_it() -> None:
    nccl = "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:3356, unhandled system error, NCCL version 2.27.3"
    reason = "Error while creating shared memory segment /dev/shm/nccl-x1 (size 9637888), error: No space left on device (28)"
    assert _order(nccl, reason) == "log.shm>log.nccl_init"
    assert _order(nccl, f"gpu-1:77:88 [0] misc/shmutils.cc:87 NCCL WARN {reason}") == "log.shm>log.nccl_init"
    assert _order(OOM, nccl) == "log.cuda_oom>log.nccl_init"


def test_one_line_of_two_kinds_has_no_order() -> None:
    order = Order()
    order.line("Error", ["log.a", "log.b"])
    assert str(order) == ""


CRASHED = {
    "pod.exit_code now": 1, "pod.terminated_ago now": 120, "pod.termination_reason now": "Error", "log.serving now": "",
    "pod.age now": 3600, "pod.lived_for now": 60,
}  # fmt: skip
TWO = {
    **CRASHED,
    "log.model_download now": "OSError: Can't load tokenizer for 'x'.",
    "log.tp_invalid now": "invalid device ordinal",
}


@pytest.mark.parametrize(
    ("order", "roots"),
    [
        ("", {"model_download_failure", "tp_invalid"}),
        ("log.model_download>log.tp_invalid", {"model_download_failure"}),
        ("log.tp_invalid>log.model_download", {"tp_invalid"}),
        (
            "log.tp_invalid>log.model_download, log.model_download>log.tp_invalid",
            {"model_download_failure", "tp_invalid"},
        ),
        ("log.cuda_oom>log.model_download", {"model_download_failure", "tp_invalid"}),
    ],
    ids=["nothing is known", "the one first", "the other first", "both ways", "of another kind"],
)
def test_headlines_of_one_log(order: str, roots: set[str]) -> None:
    world: dict[str, Any] = {**TWO, "log.order now": order}
    told = diagnose(two((APP, world)))
    assert {finding.id for finding in told.findings if finding.root} & {"model_download_failure", "tp_invalid"} == roots
    assert {"model_download_failure", "tp_invalid"} <= {finding.id for finding in told.findings}


def test_logs_of_two_pods_or_workloads_are_not_one() -> None:
    order = "log.model_download>log.tp_invalid"
    download, parallel = (
        {k: v for k, v in TWO.items() if k != one} for one in ("log.tp_invalid now", "log.model_download now")
    )
    apart = diagnose(two((APP, {**download, "log.order now": order}), (OTHER, {**parallel, "log.order now": order})))
    roots = {(finding.id, finding.subject) for finding in apart.findings if finding.root}
    assert {("model_download_failure", str(APP)), ("tp_invalid", str(OTHER))} <= roots
    pods = {
        **TWO,
        "log.model_download now": ["OSError: Can't load tokenizer for 'x'.", ""],
        "log.tp_invalid now": ["", "invalid device ordinal"],
    }
    told = diagnose(two((APP, {**pods, "log.order now": order})))
    assert {"model_download_failure", "tp_invalid"} <= {finding.id for finding in told.findings if finding.root}
