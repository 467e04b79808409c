"""What a container may write and as whom, which ports it shares, what it sees of the driver: for starts that fail for one of those."""

from __future__ import annotations

from tools.signals import Per, Signal, fact


def _pod(name: str, meaning: str) -> Signal:
    return fact(f"pod.{name}", "", Per.REPLICA, meaning, evidence="config")


ROOT_READ_ONLY = _pod("root_read_only", "Container with a read-only root file system")
RUNS_AS = _pod("runs_as", "User and groups of the container")
MOUNTS = _pod("mounts", "Paths that are mounted")
PORTS_SHARED = _pod("ports_shared", "Ports that two containers of the pod use")
DRIVER_SETTINGS = _pod("driver_settings", "What decides on the driver's libraries in the container")

READ_ONLY = " (read-only)"


def mounted(mounts: str, path: str) -> tuple[str, bool] | None:
    """The innermost mount that holds a path, and whether it is read-only; None where the path lies in the image."""
    found: tuple[str, bool] | None = None
    for told in mounts.split(", "):
        mount, read_only = told.removesuffix(READ_ONLY), told.endswith(READ_ONLY)
        inside = path == mount or path.startswith(mount.rstrip("/") + "/")
        if mount and inside and (found is None or len(mount) > len(found[0])):
            found = mount, read_only
    return found
