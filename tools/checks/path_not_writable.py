"""The container may not write, or read, a path that it needs.

## What it means
The root file system or a mount is read-only, or the user that the container runs as has no rights on the path: images are made to run as
root and keep their caches in its home, and volumes belong to whoever made them.

## Why it hurts
The engine ends where it wants to write its first cache, lock or compiled kernel; or it starts, and each request that needs the file fails.

## What would rule it out
A line that is followed by a start that goes on: some writers (usage statistics, fonts) give up quietly.
"""

import re

from tools import failing_replicas
from tools.check import Applies, Because, Check, Limits, Now, On
from tools.failed_starts import DECISIVE, HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.vocabulary.container_rights import MOUNTS, ROOT_READ_ONLY, RUNS_AS, mounted
from tools.vocabulary.refused_starts import LOG_ADDRESS, LOG_OS_LIMITS, LOG_PERMISSION
from tools.vocabulary.startup import LOG_DOWNLOAD, LOG_NCCL, START_BLOCKED, TOLD_OF
from tools.vocabulary.volumes import LOG_UNREADABLE

# Caches and statistics that cannot be written are often given up quietly: beside one of these that is what happened.
_OTHERWISE = (*DECISIVE, LOG_ADDRESS, LOG_NCCL, LOG_OS_LIMITS, LOG_UNREADABLE)
_START = failed_start(LOG_PERMISSION, ROOT_READ_ONLY.now, RUNS_AS.now, MOUNTS.now, unless=_OTHERWISE)
_PATH = re.compile(r"""(?:'|"|\b(?:at|open|mkdir|create|rename|chmod|touch|directory|file) '?|: )(/[^\s'":]{1,200})""")
_HUB = re.compile(r"huggingface|/hub\b|models--|when downloading")
# By so much of a line it is known again where it is told in other words before and after.
_ENOUGH = 100
_PORT = re.compile(r"attempting to bind on address \(\S{1,60} (\d{1,5})\)")
_USER = re.compile(r"\buser (\d{1,10})\b")
_GROUP = re.compile(r"\bgroup (\d{1,10})\b")
# By what the path is called the variable that moves it.
_VARIABLES = {
    "triton": "TRITON_CACHE_DIR",
    "flashinfer": "FLASHINFER_WORKSPACE_BASE",
    "huggingface": "HF_HOME",
    "inductor": "TORCHINDUCTOR_CACHE_DIR",
    "outlines": "OUTLINES_CACHE_DIR",
    "numba": "NUMBA_CACHE_DIR",
    "matplotlib": "MPLCONFIGDIR",
    "config/vllm": "VLLM_CONFIG_ROOT",
    "vllm": "VLLM_CACHE_ROOT",
}
_VERIFY = "The engine gets past that line and turns ready, and a new pod does as well."
_CITES = ("systems/python-and-image-errors", "platform/container-images")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a start ended with such a line, or a ready replica fails its requests with it; not where the hub refused besides."""
    found = _START(now, limits) or failing_replicas.said_while_ready(
        now, limits["errors"], LOG_PERMISSION, failing_replicas.BREAKING
    )
    if found is None:
        return None
    line = found.readings["line"]
    fetched = now.of(line.subject, LOG_DOWNLOAD.now)
    if fetched is not None and fetched.text and not _HUB.search(line.text):
        return None  # a cache of another kind was given up, and the model did not come
    blocked = now.of(line.subject, START_BLOCKED.now)
    if blocked is not None and line.text[:_ENOUGH] in blocked.text:
        return None  # the runtime says it of a container that it could not make: nothing of it ran
    return found


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """By the path of the line, what is mounted there, and as whom the container runs."""
    line = told(now, LOG_PERMISSION)
    port = _PORT.search(line)
    if port:
        return (
            Remedy(
                f"Below 1024 only root may listen: let the engine listen above, and keep {port[1]} as the Service's port.",
                Change("--port", port[1], "8000"),
                _VERIFY,
                ("platform/exposing-a-model-server",),
            ),
        )
    if "getpwuid" in line:
        return (
            Remedy(
                "The user has no entry in the image's /etc/passwd: name it by variables.",
                Change("env", "not set", "HOME=/cache, USER=app, LOGNAME=app"),
                _VERIFY,
                _CITES,
            ),
        )
    found = _PATH.search(line)
    path = found[1].rstrip(".,)") if found else ""
    part = now.get(TOLD_OF.now)
    if part is not None and part.text:
        said = f"Let the {part.text} write {path or 'what it needs'}: a volume mounted there, and its owner or fsGroup that of the container's user."
        return (Remedy(said, None, _VERIFY, ("platform/model-weight-storage", *_CITES)),)
    return (*_for_path(now, path), _all_caches())


def _for_path(now: Now, path: str) -> tuple[Remedy, ...]:
    if not path:
        return ()
    mounts, locked, runs = (
        now.get(MOUNTS.now),
        now.get(ROOT_READ_ONLY.now),
        now.get(RUNS_AS.now),
    )
    mount = mounted(mounts.text, path) if mounts is not None else None
    user = _USER.search(runs.text) if runs is not None else None
    variable = next((name for part, name in _VARIABLES.items() if part in path.lower()), "")
    moved = f" ({variable} moves it)" if variable else ""
    if mount is not None and mount[1]:
        return (
            Remedy(
                f"The mount at {mount[0]} is read-only. Weights may stay so: let what writes there write elsewhere{moved}. Where the mount is"
                " meant as a cache, make it writable.",
                Change(f"volumeMounts[{mount[0]}].readOnly", "true", "false, or an emptyDir for the cache"),
                _VERIFY,
                ("production-readiness/storage-of-weights", *_CITES),
            ),
        )
    if mount is not None:
        group = _GROUP.search(runs.text) if runs is not None else None
        number = group[1] if group else user[1] if user else "the group of the files"
        return (
            Remedy(
                f"The volume at {mount[0]} belongs to another user{f' than {user[1]}' if user else ''}: let the kubelet give it to a group of the pod"
                " (not for hostPath and most NFS exports: change the owner there, once, from a pod that may).",
                Change("spec.securityContext.fsGroup", _now_is(runs.text if runs is not None else ""), number),
                _VERIFY,
                ("platform/model-weight-storage", *_CITES),
            ),
        )
    if locked is not None and locked.text:
        return (
            Remedy(
                f"The root file system of {locked.text} is read-only, and nothing is mounted there: keep it so, and mount an emptyDir{moved}.",
                Change(f"volumeMounts[{_folder(path)}]", "none", "emptyDir"),
                _VERIFY,
                _CITES,
            ),
        )
    if user and user[1] != "0":
        return (
            Remedy(
                f"User {user[1]} has no rights on {_folder(path)} of the image: give it a home that it may write{moved}.",
                Change("env HOME", "of the image", "/cache, an emptyDir"),
                _VERIFY,
                _CITES,
            ),
        )
    return (Remedy(f"Mount a volume that the container may write at {_folder(path)}{moved}.", None, _VERIFY, _CITES),)


def _now_is(runs: str) -> str:
    return runs.rpartition("fsGroup ")[2] or "not known"


def _folder(path: str) -> str:
    """The folder to mount: that of the cache as a whole where the path lies in one, else that of the file."""
    parts = path.split("/")
    for mark in (".cache", ".config", ".triton", ".local"):
        if mark in parts:
            return "/".join(parts[: parts.index(mark) + 1])
    return path if "." not in parts[-1] else "/".join(parts[:-1]) or "/"


def _all_caches() -> Remedy:
    return Remedy(
        "Move all the caches at once: an emptyDir at /cache with HOME=/cache and XDG_CACHE_HOME=/cache, another at /tmp, and fsGroup for volumes."
        " Other caches follow the one that failed first.",
        None,
        _VERIFY,
        _CITES,
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_PERMISSION),
    helps=(
        *HELPS,
        *(signal.now for signal in _OTHERWISE),
        LOG_DOWNLOAD.now,
        ROOT_READ_ONLY.now,
        RUNS_AS.now,
        MOUNTS.now,
        START_BLOCKED.now,
        *failing_replicas.HELPS,
        *(signal.now for signal in failing_replicas.BREAKING),
    ),
    limits={**LIMITS, **failing_replicas.LIMITS},
    fires=fires,
    # What cannot be written is not fetched, compiled or loaded either.
    explains=(
        *QUEUEING,
        *FAILING,
        *named(
            "model_download_failure",
            "build_tools_missing",
            "library_missing",
            "unsupported_model",
            "engine_config_refused",
        ),
    ),
    remedies=remedies,
    pages=("systems/python-and-image-errors", "platform/container-images"),
    owner="ml platform",
)
