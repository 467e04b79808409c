"""The engine refuses the combination of its settings.

## What it means
Each argument is known, and together, or with this model, this GPU or this release, they are not allowed; or a file of settings cannot be read.
The engine checks that before it loads anything and says what it minds.

## Why it hurts
Every start ends at the same line, on each replica that gets these settings.

## What would rule it out
An argument that does not exist, a parallel size that does not divide, a longest request beyond the model or the cache, an unknown
model: those have failure modes of their own.
"""

import re

from tools.check import Applies, Check, Limits, Now, On
from tools.failed_starts import DECISIVE, HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.vocabulary.configuration import CONFIGURED_BY, STATED
from tools.vocabulary.refused_starts import (
    LOG_ADDRESS,
    LOG_BUILD_TOOLS,
    LOG_LIBRARY,
    LOG_OS_LIMITS,
    LOG_PERMISSION,
    LOG_REFUSED,
    LOG_UNSUPPORTED,
)
from tools.vocabulary.startup import LOG_DOWNLOAD
from tools.vocabulary.volumes import LOG_UNREADABLE

# The engine wraps whatever goes wrong while it is configured: what names the reason goes first.
_NAMED = (
    *DECISIVE,
    LOG_DOWNLOAD,
    LOG_UNREADABLE,
    LOG_UNSUPPORTED,
    LOG_LIBRARY,
    LOG_PERMISSION,
    LOG_BUILD_TOOLS,
    LOG_OS_LIMITS,
    LOG_ADDRESS,
)
_SERVICE = re.compile(r"(?:(\w{1,40}_PORT)\b.{0,200})?(?:appears to be a URI|base 10: 'tcp://)")
_OPTION = re.compile(
    r"(?<![\w-])(--[a-z][\w-]{1,60})|`([a-z]\w{1,60}(?:_\w{1,40}){1,6})`|'([a-z]\w{1,40}(?:_\w{1,40}){1,6})'"
)
_LORA_RANK = re.compile(r"LoRA rank (\d{1,5}) is greater than max_lora_rank (\d{1,5})")
_FILE = re.compile(r"ScannerError|ParserError|JSONDecodeError|TOMLDecodeError")
_QUANTISED = re.compile(r"model config \(([\w-]{1,40})\) does not match.{0,100}?argument \(([\w-]{1,40})\)")


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Change what the line names."""
    line = told(now, LOG_REFUSED)
    verify = "The engine gets past its configuration and loads the model."
    cites = ("serving/engine-arguments-vllm", "production-readiness/engine-configuration")
    service, quantised = _SERVICE.search(line), _QUANTISED.search(line)
    if service:
        return (
            Remedy(
                f"Kubernetes sets {service[1] or 'VLLM_PORT'} for a Service of that name, and the engine takes it for its own: do not inject the Services of the"
                " namespace as variables, or give the Service another name.",
                Change("spec.enableServiceLinks", "true (default)", "false"),
                verify,
                ("kubernetes/system-limits-and-ports", "platform/kubernetes-deployment-for-vllm"),
            ),
        )
    if quantised:
        return (
            Remedy(
                "The checkpoint says itself how it is quantised: leave the argument out, or name the same.",
                Change("--quantization", quantised[2], quantised[1]),
                verify,
                ("serving/quantisation-formats-and-gpus",),
            ),
        )
    rank = _LORA_RANK.search(line)
    if rank:
        return (
            Remedy(
                "Give the adapters of this server the rank that the largest has. Each slot of --max-loras then takes more GPU memory.",
                Change("--max-lora-rank", rank[2], rank[1]),
                verify,
                ("platform/lora-adapters",),
            ),
        )
    if _FILE.search(line):
        first = "The file of settings cannot be parsed: check it where it is made (a ConfigMap indented otherwise, quotes that a template ate), and parse it in the pipeline."
    else:
        found = list(dict.fromkeys(name for match in _OPTION.finditer(line) for name in match.groups() if name))[:3]
        whom = f" ({', '.join(found)})" if found else ""
        first = f"Take back or change the setting that the line names{whom}: hold the arguments against the release's documentation, and change one at a time."
    return (
        Remedy(first, None, verify, cites),
        Remedy(
            "If it began with a rollout, roll back first: the former combination of image and arguments was accepted.",
            None,
            "The replicas of the former revision are ready.",
            ("kubernetes/rollouts-without-spare-gpus",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_REFUSED),
    helps=(*HELPS, *(signal.now for signal in _NAMED), STATED.now, CONFIGURED_BY.now),
    limits=LIMITS,
    fires=failed_start(LOG_REFUSED, STATED.now, CONFIGURED_BY.now, unless=_NAMED),
    # The peers of a worker that gave up say so in NCCL's words.
    explains=(*QUEUEING, *FAILING, *named("nccl_init_failure")),
    remedies=remedies,
    pages=("serving/engine-arguments-vllm",),
    owner="ml platform",
)
