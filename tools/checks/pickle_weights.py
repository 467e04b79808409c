"""The weights are loaded from pickle files.

## What it means
The load format or the file's name says so, or the log shows checkpoints that PyTorch unpickles (.bin, .pt, .pth).

## Why it hurts
A pickle runs whatever code its author put in while it loads. It also takes twice the host memory and much longer than safetensors.

## What would rule it out
Safetensors in the model's directory, and a load format that takes nothing else.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, Unseen, because
from tools.reading import Reason
from tools.rules import advise
from tools.vocabulary.configuration import MODEL
from tools.vocabulary.security import LOG_PICKLE, WEIGHT_FORMAT


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where the configuration chooses pickle, or where the log shows it."""
    for found in now.each(WEIGHT_FORMAT.now):
        if found.text.startswith("pickle"):
            return because("{found_of} loads its weights from {found}.", now.get(MODEL.now), found=found)
    line = now.get(LOG_PICKLE.now)
    if line is not None and line.text:
        return because("{line_of} unpickles its weights: {line}", now.get(MODEL.now), line=line)
    for found in now.each(WEIGHT_FORMAT.now):
        unread = now.blind(found.subject, LOG_PICKLE.now)
        # The engine chooses by what lies there, and only its log says what that was. Where nobody went to read it, the setting alone is judged.
        if found.text == "none" and unread.blind is not None and unread.blind.reason is not Reason.NO_SERIES:
            raise Unseen(unread)
    return None


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ANY,
    severity="medium",
    needs=(WEIGHT_FORMAT.now,),
    helps=(LOG_PICKLE.now, MODEL.now),
    fires=fires,
    remedies=advise(
        "Take the model's safetensors revision, or convert it once, and let the engine take nothing else.",
        "The log speaks of safetensors checkpoint shards, and the start is shorter.",
        "playbooks/security",
        "production-readiness/storage-of-weights",
        change=("--load-format", "what it is now", "safetensors"),
    ),
    pages=("playbooks/security", "production-readiness/storage-of-weights"),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        "pickle",
        r"\bdeseriali[sz]\w*|\b(?:no|not|without|other than|instead of) safetensors\b",
        r"\b(?:weights?|checkpoints?|model files?)\b[^.?!]{0,60}\b(?:unsafe|dangerous|could run|can run|execut\w*)\b",
        r"\.(?:bin|pth?)\b.{0,40}(?:weight|file|checkpoint|load|shard)",
    ),
)
