"""Where Rackside keeps what it builds: the exported encoder, the index, the answers' database."""

from __future__ import annotations

import os
from pathlib import Path

PACKS = Path(__file__).parent / "packs"


def default_home() -> Path:
    """The folder named by RACKSIDE_HOME, else `.rackside` in the checkout, else `~/.rackside`.

    The folder need not exist yet: whoever writes into it makes it.
    """
    named = os.environ.get("RACKSIDE_HOME", "").strip()
    if named:
        return Path(named).expanduser().absolute()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        return checkout / ".rackside"
    return Path.home() / ".rackside"
