"""The engine does not know this model.

## What it means
The release that runs has no code for the model's architecture, its tokenizer or its quantisation, wants leave to run the code that the
repository brings, or finds weights whose names and shapes (or a compiled plan whose version) are not those that it expects. Mostly the
model is newer than the image.

## Why it hurts
The engine ends before it serves, on every replica and at every restart: only another image, another checkpoint or another argument helps.

## What would rule it out
The same model served by the same image elsewhere, or files that are missing or broken (that is a failed download).
"""

import re

from tools.catalogue.architectures import known, older
from tools.check import Applies, Check, Limits, Now, On
from tools.engines import ENGINES
from tools.failed_starts import DECISIVE, HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.vocabulary.configuration import ENGINE_NAME, ENGINE_VERSION, MODEL
from tools.vocabulary.refused_starts import LOG_UNSUPPORTED

_ARCHITECTURE = re.compile(r"Model architectures? \[?'?([\w.-]{1,80})|unknown model architecture: '([\w.-]{1,80})'")
_MODEL_TYPE = re.compile(r"model type `?'?([\w.-]{1,80})|Unsupported model type ([\w.-]{1,80})")
_CUSTOM_CODE = re.compile(r"trust_remote_code|custom code|execute the (?:configuration|tokenizer|modeling) file")
_QUANTISED = re.compile(r"[Qq]uanti[sz]ation|quant_method")
_WEIGHTS = re.compile(
    r"no module or parameter named|not initialized from checkpoint|load weight \(torch|size mismatch for|KeyError:"
)
_PLAN = re.compile(r"Serialization assertion|engine plan file")
_TOKENIZER = re.compile(r"Tokenizer class (\S{1,100})")


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """By what the line names: code of its own, quantisation, weights, or an architecture newer than the image."""
    line = told(now, LOG_UNSUPPORTED)
    runs = _release(now)
    verify = "The engine loads the weights, and its log names the architecture that it resolved."
    cites = ("systems/vllm-model-errors-and-output", "platform/container-images")
    roll_back = Remedy(
        "Until then serve the model, or the image, that this workload had before: what ran is still known to work.",
        None,
        "The former revision's replicas are ready.",
        ("kubernetes/rollouts-without-spare-gpus",),
    )
    if _CUSTOM_CODE.search(line):
        first = Remedy(
            "The repository brings code of its own. Look first for a release of the engine that knows the model without it; else read that code,"
            " pin it to a commit (--revision and --code-revision), and allow it.",
            Change("--trust-remote-code", "not set", "set"),
            verify,
            ("systems/vllm-model-errors-and-output", "platform/supply-chain-for-inference"),
        )
    elif _PLAN.search(line):
        first = Remedy(
            "A TensorRT plan runs with the version that built it alone: build it anew with the TensorRT of this very image and on this kind of GPU,"
            " or serve it with the image that it was built in.",
            None,
            "The server loads the plan, and the model turns ready.",
            ("systems/tensorrt-llm", "systems/triton"),
        )
    elif _WEIGHTS.search(line):
        first = Remedy(
            f"The checkpoint's weights are not those that {runs} expects: take the release that the model card names, or a checkpoint made for"
            " this engine (for quantised ones the same tool and format; an adapter is loaded beside its base, not in its place).",
            None,
            verify,
            ("platform/weight-formats-and-loading", "serving/quantisation-formats-and-gpus"),
        )
    elif _QUANTISED.search(line):
        first = Remedy(
            f"{_begins(runs)} has no such quantisation: take a checkpoint in a format that it lists, or a release that has it.",
            None,
            verify,
            ("serving/quantisation-formats-and-gpus", "serving/quantization"),
        )
    else:
        text, change = _newer(now, line, runs)
        first = Remedy(text, change, verify, cites)
    return first, roll_back


def _release(now: Now) -> str:
    name, version = now.get(ENGINE_NAME.now), now.get(ENGINE_VERSION.now)
    title = next((engine.title for engine in ENGINES if name is not None and engine.name == name.text), "")
    if not title:
        return "this release of the engine"
    return f"{title} {version.text}" if version is not None and version.text else f"this release of {title}"


def _begins(runs: str) -> str:
    """The same at the beginning of a sentence; a product keeps its own spelling."""
    return f"T{runs[1:]}" if runs.startswith("this ") else runs


def _newer(now: Now, line: str, runs: str) -> tuple[str, Change | None]:
    """What to take instead, and the change of release where the catalogue knows one that has the architecture."""
    if "failed to be inspected" in line:
        return (
            "Importing the model's code failed: the error above that line names the module that lacks or does not fit.",
            None,
        )
    tokenizer = _TOKENIZER.search(line)
    architecture, kind = _ARCHITECTURE.search(line), _MODEL_TYPE.search(line)
    name = next((group for match in (architecture, kind) if match for group in match.groups() if group), "")
    what = f"the tokenizer {tokenizer[1]}" if tokenizer else name or "this model"
    told = f"{_begins(runs)} does not know {what}"
    engine, version = now.get(ENGINE_NAME.now), now.get(ENGINE_VERSION.now)
    found = known(engine.text, name) if engine is not None and architecture and not tokenizer else None
    if found is not None and version is not None and older(version.text, found.first):
        yet = f", {found.before} not yet" if found.before else ""
        text = f"{told}: {found.title} {found.first} has it{yet} (releases between were not looked at). Take that image rather than a newer Transformers."
        return text, Change(f"version of {found.title}", version.text, f"{found.first} or later")
    if found is not None and version is not None and found.until and older(found.until, version.text):
        text = f"{told} any more: {found.title} {found.until} still had it. Serve it with that release, or move to a model that is kept up."
        return text, None
    library = known("transformers", name) if not tokenizer else None
    has = (
        f"; Transformers {library.first} has it, {library.before} not yet"
        if library is not None and library.before
        else ""
    )
    text = f"{told}{has}: take the image of a release whose list of supported models has it (the model card names the first), rather than a newer"
    return f"{text} Transformers inside this one.", None


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_UNSUPPORTED),
    helps=(*HELPS, *(signal.now for signal in DECISIVE), ENGINE_NAME.now, ENGINE_VERSION.now, MODEL.now),
    limits=LIMITS,
    fires=failed_start(LOG_UNSUPPORTED, MODEL.now, ENGINE_VERSION.now, unless=DECISIVE),
    # Files that an unknown model does not have are asked for on the way; the peers of a worker that gave up say so in NCCL's words.
    explains=(*QUEUEING, *FAILING, *named("model_download_failure", "engine_config_refused", "nccl_init_failure")),
    remedies=remedies,
    pages=("systems/vllm-model-errors-and-output", "systems/model-families-on-vllm"),
    owner="ml platform",
)
