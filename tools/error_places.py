"""Which part of a program printed its last error, by the source file or module that its logger names: what to go by where no wording is known.

A transfer engine's error is a failed transfer whatever its words are. Only the last error counts, past what merely reports that
something behind it fell: a part that complained and went on proves nothing.
"""

from __future__ import annotations

import re

from tools.last_error import LONGEST_READ, exception

# How loggers name the place: glog and klog, vLLM, NCCL, UCX, Rust's tracing as text and as JSON.
_FORMS = (
    re.compile(r"(?:^|\s)[EF]\d{4} \d{2}:\d{2}:\d{2}\.\d{1,9}\s{1,8}\d{1,9} (?P<place>[\w./-]{1,120}):\d{1,6}\] (?P<said>.+)"),
    re.compile(
        r"(?:ERROR|CRITICAL) \d{2}-\d{2} \d{2}:\d{2}:\d{2} \[?(?P<place>[\w./-]{1,120}\.py):\d{1,6}\] (?P<said>.+)"
    ),
    re.compile(r"\s(?P<place>[\w./-]{1,80}\.(?:cc|cu|h)):\d{1,6} NCCL WARN (?P<said>.+)"),
    re.compile(r"\s(?P<place>\w{1,60}\.c):\d{1,6}\s{1,3}UCX\s{1,3}(?:ERROR|FATAL) (?P<said>.+)"),
    # Spans that the error was in may come first.
    re.compile(
        r"\sERROR (?:[\w-]{1,60}(?:\{[^}\n]{0,300}\})?: ){0,4}(?P<place>[a-z_]\w{0,60}(?:::\w{1,60}){1,8}): (?P<said>.+)"
    ),
    re.compile(r'"level":"ERROR".{0,400}?"target":"(?P<place>[\w:]{1,120})","message":"(?P<said>[^"\n]{1,300})'),
)  # fmt: skip
_PARTS = (
    (
        "log.kv_transfer",
        re.compile(
            r"(?:^|/)(?:transfer_(?:engine|metadata|task)\w{0,30}|(?:rdma|tcp|nvlink|nvmeof|ascend_direct|hip|efa)_(?:context|endpoint|transport|worker_pool)"
            r"|master_client|store_py|real_client|client_service|nixl_\w{1,30}|ucx_\w{1,30}|kv_connector\w{0,30}"
            r"|(?:nixl|mooncake|lmcache|p2p_nccl|offloading|multi)\w{0,20}_connector\w{0,10}|moriio\w{0,20})\.(?:cc|cpp|h|py)$"
            # UCX alone is written in C.
            r"|\.c$|^(?:kvbm|dynamo_kvbm|dynamo_llm::block_manager|nixl)\b"
        ),
    ),
    (
        "log.nccl_init",
        re.compile(
            r"(?:^|/)(?:net_ib|net_socket|ibvwrap|socket|p2p|shm|nvls|bootstrap|cudawrap)\w{0,20}\.(?:cc|cu|h)$"
        ),
    ),
    ("log.unreachable", re.compile(r"^dynamo_runtime::transports::")),
    (
        "log.no_backend",
        re.compile(r"^dynamo_llm::(?:discovery|kv_router)|^dynamo_runtime::(?:discovery|component::client)"),
    ),
    ("log.config_refused", re.compile(r"(?:^|/)(?:arg_utils|server_args|llm_args)\.py$")),
    ("log.unsupported_model", re.compile(r"(?:^|/)(?:registry|model_config)\.py$")),
    ("log.model_download", re.compile(r"(?:^|/)(?:weight_utils|repo_utils|runai_utils|s3_utils)\.py$")),
)
# Who tells that something behind it fell: the engine's loop, its clients, and what serves the requests.
_REPORTS = re.compile(
    r"(?:^|/)(?:core|core_client|async_llm|multiproc_executor|worker_base|ray_executor|dump_input|launcher|api_server|utils|serving_\w{1,30}|serving|engine|client)\.py$"
    r"|^dynamo_llm::http\b"
)


def inferred(log: str) -> tuple[str, str]:
    """The signal that the place of the last error stands for and the error's line, two empty texts where it stands for none."""
    for line in reversed(log.splitlines()):
        head = line[:LONGEST_READ]
        found = next((match for form in _FORMS if (match := form.search(head))), None)
        if found is None:
            if exception(head):
                return "", ""  # raised where no logger says: that is the last error
            continue
        if _REPORTS.search(found["place"]):
            continue
        means = next((means for means, part in _PARTS if part.search(found["place"])), "")
        return (means, " ".join(found["said"].split())) if means else ("", "")
    return "", ""
