"""The engine runs with other settings than were written down for it.

## What it means
The server's own account of its settings, or the arguments of its pod, differ from what the manifest states. A wrapper or a
variable overrides them, the engine corrected them for this model, or the workload was changed and its pods were kept.

## Why it hurts
Memory, batch size and context are not what capacity was planned with, and the next restart changes them without a change.

## What would rule it out
Settings that nobody stated, or a rollout that is under way.
"""

from collections.abc import Mapping

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import named
from tools.finding import Change, Remedy
from tools.reading import Reading
from tools.vocabulary.configuration import (
    ACTUAL_CACHE_DTYPE,
    ACTUAL_PREFIX_CACHING,
    ACTUAL_SHARE,
    CONFIGURED_BY,
    OUTDATED,
    STATED,
)

ACTUAL = {
    "gpu_memory_utilization": ACTUAL_SHARE.now,
    "kv_cache_dtype": ACTUAL_CACHE_DTYPE.now,
    "prefix_caching": ACTUAL_PREFIX_CACHING.now,
}
# The engine writes them as Python does, or by another name for the same.
_SAME = {"true": "on", "false": "off", "fp8": "fp8_e4m3"}


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where a stated setting is not what the server says, or where a workload keeps pods as they were."""
    outdated = now.get(OUTDATED.now)
    if outdated is not None and outdated.text:
        return because("{outdated_of} runs with {outdated}.", now.get(CONFIGURED_BY.now), outdated=outdated)
    found = _drift(now, limits["apart"])
    if found is None:
        return None
    stated, actual = found
    return because(
        "{actual_of} says {actual}, its manifest states {stated}.",
        now.of(stated.subject, CONFIGURED_BY.now),
        actual=actual,
        stated=stated,
    )


def _drift(now: Now, apart: float) -> tuple[Reading, Reading] | None:
    for stated in now.each(STATED.now):
        for name, value in settings(stated.text).items():
            if name not in ACTUAL or value == "auto":
                continue
            now[ACTUAL[name]]  # blind where the server's own account is, and nothing to see where it gives none
            actual = now.of(stated.subject, ACTUAL[name])
            if actual is not None and not same(value, actual.text, apart):
                return stated, actual
    return None


def settings(text: str) -> Mapping[str, str]:
    """Names and values of a list such as `a=1, b=on`."""
    return dict(part.split("=", 1) for part in text.split(", ") if "=" in part)


def same(stated: str, actual: str, apart: float = 0.0) -> bool:
    """Whether two texts are the same setting: numbers by value (nearer than `apart`, a share), and however truth and FP8 are written."""
    try:
        left_number, right_number = float(stated), float(actual)
        return abs(left_number - right_number) <= max(1e-6, apart * max(abs(left_number), abs(right_number)))
    except ValueError:
        left, right = stated.lower(), actual.lower()
        return _SAME.get(left, left) == _SAME.get(right, right)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    verify = (
        "The server's account of its settings (vllm:cache_config_info, its first log lines) agrees with the manifest."
    )
    cites = ("production-readiness/drift-and-cost", "platform/kubernetes-deployment-for-vllm")
    outdated = now.get(OUTDATED.now)
    if outdated is not None and outdated.text:
        return (
            Remedy(
                "Finish the change: resume the paused rollout, or delete the pods one by one where they are replaced on deletion only.",
                None,
                verify,
                cites,
            ),
        )
    found = _drift(now, limits["apart"])
    change = None
    if found is not None:
        stated, actual = found
        for name, value in settings(stated.text).items():
            told = now.of(stated.subject, ACTUAL[name]) if name in ACTUAL else None
            if told is not None and told.value == actual.value and told.name == actual.name:
                change = Change(f"{name} of the running server", actual.text[:60], value[:60])
    return (
        Remedy(
            "Find what overrides it: the image's start script, an engine variable, a configuration file, or a line of the log in which"
            " the engine corrects the setting for this model. Then state what shall hold, and restart.",
            change,
            verify,
            cites,
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(STATED.now,),
    helps=(*ACTUAL.values(), OUTDATED.now, CONFIGURED_BY.now),
    limits={"apart": Limit(0.04, "ratio", "less of a GPU's memory is no difference that anybody would feel")},
    fires=fires,
    # What is compared decides how much the cache holds.
    explains=named("kv_saturation_queueing", "kv_memory_cliff", "preemption_thrash"),
    remedies=remedies,
    pages=("platform/kubernetes-deployment-for-vllm", "serving/kv-cache"),
    owner="ml platform",
)
