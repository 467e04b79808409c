"""`python -m evals.hostile [--json]`: every hostile text through every surface; exit status 1 when anything got through."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

from evals.hostile import Payload, payloads
from evals.hostile.slack_places import PLACES
from evals.hostile.surfaces import SURFACES, Surface, shown

EVERY = {**SURFACES, **PLACES}


@dataclass(frozen=True, slots=True)
class Leak:
    """A text that got through a surface, and how."""

    group: str
    text: str
    surface: str
    why: str


def tried(one: Payload, surfaces: dict[str, Surface] = EVERY, everything: Callable[[str], str] = shown) -> list[Leak]:
    """How one text got through; a surface that fails on it counts as well."""
    found: list[Leak] = []
    for name, surface in surfaces.items():
        try:
            reasons = list(dict.fromkeys(surface(one.text)))
        except Exception as error:  # noqa: BLE001 - whatever a text breaks is what is looked for
            reasons = [f"{type(error).__name__}: {error}"[:200]]
        found += [Leak(one.group, one.text[:80], name, why) for why in reasons]
    if one.secret and one.secret in everything(one.text):
        found.append(Leak(one.group, one.text[:8], "any", "the secret is shown"))
    return found


def run(texts: Iterable[Payload]) -> tuple[int, list[Leak]]:
    """How many texts were tried, and what got through."""
    number, leaks = 0, []
    for one in texts:
        number += 1
        leaks += tried(one)
    return number, leaks


def main(arguments: Sequence[str]) -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m evals.hostile", description="Hostile texts through every surface.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    number, leaks = run(payloads())
    if chosen.json:
        print(json.dumps({"texts": number, "surfaces": list(EVERY), "through": [asdict(one) for one in leaks]}))
    else:
        for one in leaks:
            print(f"{one.surface}: {one.group}: {one.text!r}: {one.why}")
        print(f"{number} hostile texts through {len(EVERY)} surfaces: {len(leaks)} got through")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
