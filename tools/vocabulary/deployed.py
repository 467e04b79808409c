"""What a pod's serving container is, whole: its resolved settings and written flags, image, resources and probes as texts."""

from __future__ import annotations

from tools.signals import Per, Signal, fact


def _pod(name: str, meaning: str) -> Signal:
    return fact(name, "", Per.REPLICA, meaning, evidence="config")


# JSON: setting to [value, origin].
RESOLVED = _pod("deployed.settings", "Settings as the engine resolves them")
# JSON: flag to value; what may be a secret is left out.
FLAGS = _pod("deployed.flags", "Flags as written")
IMAGE = _pod("deployed.image", "Image as written")
DIGEST = _pod("deployed.digest", "Digest that runs")
RESOURCES = _pod("deployed.resources", "Requests and limits")
PROBES = _pod("deployed.probes", "Probes")
ENVIRONMENT = _pod("deployed.environment", "Names of variables that are set")
SERVED_NAME = _pod("deployed.served_name", "Name under which the model is served")
