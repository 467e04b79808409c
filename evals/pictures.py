"""The README's pictures, taken of the playground: `python -m evals.pictures --out docs/pictures`.

A question, an alert's triage and App Home, all answered by the real Rackside over the demo's fleet; trimmed to what they show.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from PIL import Image, ImageChops
from rich.console import Console

from evals.fleet.prometheus import CannotRunError
from evals.playground import Playground, over_the_demo
from evals.playground_web import ALERTS
from evals.slack_page import picture

QUESTION = "@Rackside why is llama-70b-chat slow since this morning?"
PATIENCE_S = 180.0
_MARGIN, _TALL = 16, 3000
State = dict[str, Any]


def take(here: Playground, out: Path) -> list[Path]:
    """Ask, let an alert fire, open App Home, and take a picture of each; raises CannotRunError when one never comes."""
    _post(here, "alert", {})
    _post(here, "say", {"channel": "C1", "text": QUESTION})
    _until(here, lambda state: _answered(state, "C1") and _answered(state, ALERTS), "the answers with their pictures")
    _post(here, "home", {})
    _until(here, lambda state: "As of" in ((state["home"] or {}).get("html") or ""), "App Home")
    out.mkdir(parents=True, exist_ok=True)
    shown = {"slack-answer": "channel=C1", "slack-alert": f"channel={ALERTS}", "slack-home": "tab=home"}
    return [trimmed(f"{here.url}?{query}&still=1&bare=1", out / f"{name}.png") for name, query in shown.items()]


def _answered(state: State, channel: str) -> bool:
    return any("<img" in one["html"] for one in state["messages"][channel])


def trimmed(url: str, target: Path) -> Path:
    """A picture of a page without the empty rest below; raises CannotRunError when Chromium takes none."""
    if not picture(url, target, height=_TALL):
        raise CannotRunError("no picture was taken; is Chromium installed?")
    with Image.open(target) as whole:
        plain = whole.convert("RGB")
    ground = Image.new("RGB", plain.size, plain.getpixel((plain.width - 1, plain.height - 1)))
    box = ImageChops.difference(plain, ground).getbbox()
    bottom = min(plain.height, (box[3] if box else plain.height) + _MARGIN)
    plain.crop((0, 0, plain.width, bottom)).save(target, optimize=True)
    return target


def _post(here: Playground, act: str, what: dict[str, Any]) -> None:
    request = Request(f"{here.url}api/{act}", json.dumps(what).encode(), {"content-type": "application/json"})  # noqa: S310 - our own page
    with urlopen(request, timeout=PATIENCE_S) as response:  # noqa: S310
        response.read()


def _until(here: Playground, condition: Callable[[State], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        with urlopen(f"{here.url}api/state", timeout=PATIENCE_S) as response:  # noqa: S310
            if condition(json.load(response)):
                return
        if time.monotonic() > end:
            raise CannotRunError(f"{what} never came")
        time.sleep(0.5)


def main(arguments: Sequence[str]) -> int:
    """Take all; 2 when something that it needs is missing."""
    parser = argparse.ArgumentParser(prog="python -m evals.pictures", description="The README's pictures.")
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    try:
        with contextlib.ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rackside-pictures-")))
            for made in take(over_the_demo(stack, home, Console(stderr=True)), chosen.out):
                print(made)
    except CannotRunError as problem:
        print(f"pictures: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
