"""The engine does not know one of its arguments.

## What it means
The command line names an argument, or a value of one, that this release does not have: removed or renamed since, or mistyped.

## Why it hurts
It ends before it loads anything, on every replica that the new image reaches.

## What would rule it out
A log without a complaint of the argument parser.
"""

from tools.check import Applies, Check, Limits, Now, On
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.vocabulary.startup import LOG_BAD_FLAG


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    line = told(now, LOG_BAD_FLAG)
    _, _, rest = line.partition("unrecognized arguments: ")
    flag = rest.split()[0][:60] if rest.split() else "the argument that the log names"
    return (
        Remedy(
            f"Remove or rename {flag}: hold the arguments against --help of this very image.",
            None,
            "The engine gets past its arguments and loads the model.",
            ("serving/engine-arguments-vllm",),
        ),
        Remedy(
            "Pin the image by version, and change image and arguments together.",
            None,
            "A rollout of the same manifest starts the same release each time.",
            ("platform/container-images",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_BAD_FLAG),
    helps=(*HELPS,),
    limits=LIMITS,
    fires=failed_start(LOG_BAD_FLAG),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("serving/engine-arguments-vllm", "platform/container-images"),
    owner="ml platform",
)
