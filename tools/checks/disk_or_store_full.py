"""A disk or a store that the serving path writes to has no room left.

## What it means
Ray's object store and what it spills, etcd's database, a stream of NATS, or any volume that a container writes to: each has a limit of its own, which
is reached though the node's disk may have room. etcd then takes no writes at all until somebody makes room and lifts its alarm.

## Why it hurts
Whoever needs the store waits or fails with it: leases are not renewed, workers cannot register, objects cannot be made.

## What would rule it out
The node's own disk that is full (that is told of the node), or the shared memory of the pod. A download that ends for want of room is its symptom.
"""

import re

from tools.check import Applies, Because, Check, Limits, Now, On
from tools.ended_with import LIMITS, causes, ended_with, helps, needs
from tools.failed_starts import DECISIVE, failed_start, told
from tools.failing_replicas import told_while_ready
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.signals import LOG_SHM
from tools.vocabulary.cluster_parts import LOG_NO_ROOM, LOG_WRITE_FULL
from tools.vocabulary.startup import LOG_DOWNLOAD, START_BLOCKED

_OTHERWISE = (*DECISIVE, LOG_SHM)
_ETCD = re.compile(r"etcdserver|NOSPACE")
_RAY = re.compile(r"object store|Out-of-disk|OutOfDisk")
_PATH = re.compile(
    r"(?:write|open|mkdir|create|fsync|rename|truncate) (/\S{1,200}): no space|left on device: '(/[^'\s]{1,200})'"
)


_ENDED = ended_with(LOG_NO_ROOM, unless=_OTHERWISE)
# What could not be written may be survived: it ends a start in whose log nothing else names a cause but the download that it was of.
_START = failed_start(LOG_WRITE_FULL, unless=(*causes(LOG_NO_ROOM, LOG_WRITE_FULL, LOG_DOWNLOAD), LOG_SHM))


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ends or fails its requests over a store that is full, or a ready one cannot write what its callers send."""
    unless = (*_OTHERWISE, LOG_NO_ROOM)
    found = told_while_ready(now, limits["errors"], LOG_WRITE_FULL, unless) or _ENDED(now, limits)
    if found is not None or now.get(LOG_WRITE_FULL.now) is None:
        return found
    return _START(now, limits)


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Room first, then a limit that fits, by whose room it is."""
    line = told(now, LOG_NO_ROOM) or told(now, LOG_WRITE_FULL)
    if _ETCD.search(line):
        return (
            Remedy(
                "Make room in etcd: compact its history, defragment each member, and lift the alarm (etcdctl compact REVISION; etcdctl defrag; etcdctl"
                " alarm disarm).",
                None,
                "etcdctl endpoint status shows a database well below its quota, and etcdctl alarm list is empty.",
                ("systems/dynamo-and-nim",),
            ),
            Remedy(
                "Keep it from filling again: compact by itself, with a quota that the volume holds.",
                Change("--auto-compaction-mode, --auto-compaction-retention", "not set", "periodic, 1h"),
                "The size of the database stays level over a day.",
                ("systems/dynamo-and-nim",),
            ),
        )
    if _RAY.search(line):
        return (
            Remedy(
                "Give Ray's session directory (/tmp/ray) a volume of its own with room for what it spills, and find who keeps so many objects (ray memory).",
                Change("volumeMounts[/tmp/ray]", "the node's disk", "an emptyDir or a volume with a size"),
                "The disk stays below 95 %, above which Ray makes no more objects.",
                ("systems/ray-serve", "platform/model-weight-storage"),
            ),
        )
    path = _PATH.search(line)
    return (
        Remedy(
            f"See what fills the volume{f' ({path[1] or path[2]})' if path else ''} with df -h and du -x inside the container, and enlarge it or move what grows there.",
            None,
            "df shows more than 15 % free through a full load.",
            ("platform/model-weight-storage",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=needs(LOG_NO_ROOM),
    helps=helps(causes(LOG_NO_ROOM), LOG_SHM.now, START_BLOCKED.now, LOG_WRITE_FULL.now),
    limits=LIMITS,
    fires=fires,
    explains=(
        *QUEUEING,
        *FAILING,
        *named("model_download_failure", "build_tools_missing", "path_not_writable", "ray_environment_failed"),
    ),
    remedies=remedies,
    pages=("platform/model-weight-storage", "systems/dynamo-and-nim"),
    owner="platform",
)
