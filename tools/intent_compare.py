"""One declared value against what runs: the same, apart, or not to be seen. Spellings of one thing are one thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeGuard

from tools.catalogue.gpus import product
from tools.check import quantity_shown, shown
from tools.reading import Reading, Subject
from tools.signals import Ask, Per
from tools.snapshot import Snapshot

State = Literal["same", "apart", "unseen"]
Same = Callable[[str, Reading], bool | None]
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "half": "float16", "fp32": "float32", "float": "float32"}


@dataclass(frozen=True, slots=True)
class Compared:
    """A declared value (`said` with its unit) and what was read of it: `got` as shown, `raw` as it is written; `why` it cannot be told."""

    what: str
    wanted: str
    state: State
    got: str
    readings: tuple[Reading, ...]
    why: str = ""
    raw: str = ""
    said: str = ""


def compared(snapshot: Snapshot, workload: Subject, what: str, wanted: object, ask: Ask, same: Same) -> Compared:
    """What each replica (or the workload itself) says of a value, against the declared one. `same` says None where it cannot tell."""
    text = "on" if wanted is True else "off" if wanted is False else f"{wanted:g}" if isinstance(wanted, float) else str(wanted)  # fmt: skip
    keys = snapshot.topology.parts(workload, ask.signal.per)
    if ask.signal.per is Per.REPLICA:
        keys = tuple(key for key in keys if snapshot.topology.pods[key].phase not in {"Succeeded", "Failed"})
    readings = tuple(snapshot.read(ask, key) for key in keys)
    if not readings:
        return Compared(what, text, "unseen", "", (), "no pod of it is there")
    seen = [one for one in readings if one.blind is None]
    told = [(one, same(text, one)) for one in seen]
    apart = [one for one, agrees in told if agrees is False]
    if apart:
        said = quantity_shown(float(wanted), ask.unit) if _counts(wanted, ask) else text
        raw = apart[0].value
        written = f"{raw:g}" if isinstance(raw, float) and apart[0].unit != "bool" else _value(apart[0])
        return Compared(what, text, "apart", _said(apart), tuple(apart), raw=written, said=said)
    unsure = [one for one, agrees in told if agrees is None]
    if unsure:
        return Compared(what, text, "unseen", _said(unsure), (), f"{_said(unsure)} does not tell it")
    if len(seen) < len(readings):
        blind = next(one for one in readings if one.blind is not None)
        return Compared(what, text, "unseen", "", (), str(blind.blind))
    return Compared(what, text, "same", _said(seen), tuple(seen))


def _counts(wanted: object, ask: Ask) -> TypeGuard[int | float]:
    return isinstance(wanted, int | float) and not isinstance(wanted, bool) and ask.unit not in {"", "ratio"}


def _said(readings: Sequence[Reading]) -> str:
    values = dict.fromkeys(_value(one) for one in readings)
    return ", ".join(list(values)[:3]) + (f" and {len(values) - 3} more" if len(values) > 3 else "")


def _value(reading: Reading) -> str:
    if isinstance(reading.value, float) and reading.unit == "bool":
        return "on" if reading.value else "off"
    if isinstance(reading.value, float) and reading.unit == "ratio":
        return f"{reading.value:g}"
    return shown(reading)


def number(wanted: str, reading: Reading) -> bool | None:
    """The same number."""
    return reading.number == float(wanted) if isinstance(reading.value, int | float) else None


def switch(wanted: str, reading: Reading) -> bool | None:
    """The same position of a switch."""
    return bool(reading.value) == (wanted == "on") if isinstance(reading.value, int | float) else None


def text(wanted: str, reading: Reading) -> bool | None:
    """The same text, whatever its case."""
    return reading.text.lower() == wanted.lower() if reading.text else None


def dtype(wanted: str, reading: Reading) -> bool | None:
    """The same number format by any of its names; `auto` leaves it to the model."""
    said = reading.text.lower()
    if said in {"", "auto"}:
        return None if wanted.lower() != said else True
    return _DTYPES.get(said, said) == _DTYPES.get(wanted.lower(), wanted.lower())


def version(wanted: str, reading: Reading) -> bool | None:
    """Whether a version begins with the declared one, part by part."""
    said = reading.text.lstrip("v").split(".")
    parts = wanted.lstrip("v").split(".")
    return said[: len(parts)] == parts if reading.text else None


def model(*names: str) -> Same:
    """One of some names of a model. A path on a disk tells no model."""
    known = {name.lower() for name in names}

    def same(_wanted: str, reading: Reading) -> bool | None:
        said = reading.text.lower()
        if not said or said.startswith(("/", ".")):
            return None
        return said in known or said.removeprefix("hf://") in known

    return same


def engine(wanted: str, reading: Reading) -> bool | None:
    """The same engine; one behind a launcher (`ray_vllm`, `dynamo_vllm`) is that engine too."""
    said, name = reading.text.lower().replace("-", "_"), wanted.lower().replace("-", "_")
    return said == name or said.endswith(f"_{name}") if said else None


def gpu(wanted: str, reading: Reading) -> bool | None:
    """The same kind of GPU by any of its names. A kind that no catalogue knows is compared by its text."""
    want, have = product(wanted), product(reading.text) if reading.text else None
    if not reading.text:
        return None
    if want is not None and have is not None:
        words = wanted.lower().split()
        return want.id == have.id or have.title.lower().split()[: len(words)] == words
    return wanted.lower() in reading.text.lower().replace("-", " ") or reading.text.lower() == wanted.lower()
