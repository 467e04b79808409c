"""Code from the model's repository runs, or the container's isolation is given up.

## What it means
With --trust-remote-code the engine runs Python files that come with the model. A privileged container, host namespaces or
capabilities such as SYS_ADMIN take away what keeps such code in.

## Why it hurts
Whoever can change that repository runs code beside your data and GPUs, and with the second also on the node.

## What would rule it out
A model that the engine supports by itself, and a container without those rights.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.finding import Change, Remedy, Severity
from tools.vocabulary.configuration import MODEL, REVISION
from tools.vocabulary.security import PRIVILEGED, REMOTE_CODE

_COMMIT = 40


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire for either; code of a pinned commit is a smaller matter, both together are a larger one."""
    code, given_up = now.worst(REMOTE_CODE.now), now.worst(PRIVILEGED.now)
    revision = now.get(REVISION.now)
    if code.text and given_up.text:
        also = (now.get(MODEL.now), revision)
        return because(
            "{code_of} runs code of the model's repository ({code}), and {given_up}.",
            *also,
            code=code,
            given_up=given_up,
            severity="high",
        )
    if code.text:
        pinned = revision is not None and len(revision.text) == _COMMIT and revision.text.isalnum()
        severity: Severity | None = "low" if pinned else None
        return because(
            "{code_of} runs code of the model's repository ({code}).",
            now.get(MODEL.now),
            revision,
            code=code,
            severity=severity,
        )
    if given_up.text:
        return because("{given_up_of}: {given_up}.", given_up=given_up)
    return None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    code, given_up = now.get(REMOTE_CODE.now), now.get(PRIVILEGED.now)
    found = []
    if code is not None and code.text:
        found.append(
            Remedy(
                "Leave the flag out where the engine supports the model; else read the code once, mirror the repository, and pin both"
                " --revision and --code-revision to that commit.",
                None,
                "The engine starts without the flag, or with a commit of 40 digits.",
                ("playbooks/security", "production-readiness/storage-of-weights"),
            )
        )
    if given_up is not None and given_up.text:
        found.append(
            Remedy(
                "Take the right away: serving needs none of them. For shared memory mount an emptyDir of medium Memory at /dev/shm"
                " instead of hostIPC.",
                Change("securityContext.privileged", "true", "false") if "privileged" in given_up.text else None,
                "The pod starts under the baseline pod security level and serves.",
                ("playbooks/security", "platform/container-images"),
            )
        )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(REMOTE_CODE.now, PRIVILEGED.now),
    helps=(MODEL.now, REVISION.now),
    fires=fires,
    remedies=remedies,
    pages=("playbooks/security",),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        "trust[-_ ]remote[-_ ]code",
        r"\bprivileged\b",
        "host ?ipc",
        "(?:arbitrary|custom|foreign|remote) code",
        r"\b(?:own|their|his|her|unknown|somebody's|someone's) (?:python|code)\b.{0,60}\brun|\brun\w* .{0,40}\b(?:own|their|his|unknown) (?:python|code)",
        r"\b(?:execut\w*|runs?|running|loads?|imports?)\b[^.?!]{0,40}\b(?:python|code|scripts?)\b[^.?!]{0,60}\b(?:repo\w*|hub|hugging ?face|checkpoint|shipped|model'?s?)\b",
        r"\b(?:python|code|scripts?)\b[^.?!]{0,40}\b(?:shipped|from|out of|inside|in)\b[^.?!]{0,40}\b(?:repo\w*|the hub|hugging ?face|checkpoint|model repo\w*)\b",
        r"(?:publish|upload|author|own)\w* .{0,40}model.{0,100}(?:python|code)",
    ),
)
