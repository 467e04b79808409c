"""Ray cannot make the environment that a job or a replica asks for.

## What it means
A runtime environment (packages to install, a working directory to fetch, variables, an image) is made on each node before the first worker starts
there. A package index that is not reached, a version that does not exist, an archive that is not found or a disk without room ends it.

## Why it hurts
No replica of the application starts on that node, and a redeployment repeats it.

## What would rule it out
An environment that was made, with code that fails inside it.
"""

import re

from tools.check import Applies, Check, Limits, Now, On
from tools.ended_with import LIMITS, ended_with, helps, needs
from tools.failed_starts import DECISIVE, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.vocabulary.cluster_parts import LOG_NO_ROOM, LOG_RUNTIME_ENV
from tools.vocabulary.volumes import LOG_UNREADABLE

_OTHERWISE = (*DECISIVE, LOG_NO_ROOM, LOG_UNREADABLE)
_ARCHIVE = re.compile(r"working_dir|py_modules|download|gcs://|s3://|https?://")
_VERIFY = "The dashboard's runtime_env log (runtime_env_setup-*.log) ends without an error, and the replica starts."


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """What is installed at run time belongs in the image."""
    line = told(now, LOG_RUNTIME_ENV)
    found = [
        Remedy(
            "Bake the packages into the image instead of installing them at each start, and keep in runtime_env only variables.",
            Change("runtime_env", "pip, uv or conda", "env_vars only, with an image that has the packages"),
            _VERIFY,
            ("systems/ray-serve", "platform/container-images"),
        )
    ]
    if _ARCHIVE.search(line):
        found.append(
            Remedy(
                "See that every node reaches the archive that is named, with credentials of its own: each node fetches it for itself.",
                None,
                _VERIFY,
                ("systems/ray-serve", "platform/secrets-and-hub-tokens"),
            )
        )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=needs(LOG_RUNTIME_ENV),
    helps=helps(_OTHERWISE),
    limits=LIMITS,
    fires=ended_with(LOG_RUNTIME_ENV, unless=_OTHERWISE),
    explains=(*QUEUEING, *FAILING, *named("library_missing", "model_download_failure", "ray_resources_missing")),
    remedies=remedies,
    pages=("systems/ray-serve", "platform/container-images"),
    owner="ml platform",
)
