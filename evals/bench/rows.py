"""What a measurement is: a row with its baseline and their ratio, and how much of it a run takes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from evals.bench import cases


class CannotMeasureError(RuntimeError):
    """Something that a measurement needs is missing; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a run takes: repetitions of each measurement (the median counts), and the fleets.

    `copies` is how often the demo's fleet of 32 GPUs is simulated side by side, over `history_s` seconds; `wide_gpus` are the sizes
    of synthetic fleets, in machines of 8, of which `wide_steps` scrapes of 30 s are stored. `large_libraries` are numbers of passages;
    `built_pack` is the one pack that is indexed anew, all of them when it is empty.
    """

    runs: int = 5
    copies: int = 2
    history_s: int = 3720
    wide_gpus: tuple[int, ...] = (1_024, 10_240)
    # Twelve minutes: the longest window that the checks of a healthy fleet look at is ten.
    wide_steps: int = 24
    large_libraries: tuple[int, ...] = (10_000, 100_000)
    built_pack: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A median beside its baseline's, both in `unit`, of `n` runs each. `detail` holds what else was seen."""

    what: str
    unit: str
    value: float
    baseline_is: str
    baseline: float
    budget: str
    n: int
    detail: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How many times its baseline it takes."""
        return self.value / self.baseline if self.baseline > 0 else float("inf")


def compared(
    what: str,
    unit: str,
    ours: list[float],
    raw: list[float],
    baseline_is: str,
    budget: str,
    detail: Mapping[str, float | str] | None = None,
) -> Row:
    """A row of two equally long lists of runs."""
    if len(ours) != len(raw) or not ours:
        raise ValueError(f"{what}: {len(ours)} runs beside {len(raw)} of the baseline cannot be compared")
    return Row(what, unit, median(ours), baseline_is, median(raw), budget, len(ours), detail or {})


Measure = Callable[[Size], Iterator[Row]]


def found() -> dict[str, Measure]:
    """Every measurement by its module's name."""
    names = sorted(module.name for module in pkgutil.iter_modules(cases.__path__))
    return {name: importlib.import_module(f"{cases.__name__}.{name}").measure for name in names}
