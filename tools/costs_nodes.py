"""What nodes cost: how many GPUs each has, of which kind and at which price, and how many devices it shares them out as."""

from __future__ import annotations

from dataclasses import dataclass

from tools.catalogue.gpus import product
from tools.catalogue.spelling import printable
from tools.prices import Price, PriceBook
from tools.reading import Reading, Subject
from tools.signals import NODE_GPUS, NODE_READY, Ask
from tools.snapshot import Snapshot
from tools.vocabulary.costs import NODE_CAPACITY, NODE_MACHINE, NODE_PRODUCT
from tools.vocabulary.gpu_software import NODE_CORDONED, NODE_DEVICES_GIVEN, NODE_GPUS_PROMISED

ASKS = frozenset(
    signal.now
    for signal in (
        NODE_GPUS,
        NODE_READY,
        NODE_PRODUCT,
        NODE_MACHINE,
        NODE_CAPACITY,
        NODE_CORDONED,
        NODE_DEVICES_GIVEN,
        NODE_GPUS_PROMISED,
    )
)


@dataclass(frozen=True, slots=True)
class NodeRate:
    """A node with GPUs. `devices` are what pods can request of it: its GPUs, or the shares or instances that they are cut into.

    `gpus` are whole GPUs, `price` that of one of them an hour, None where its kind or price is not known (`why` says which).
    """

    node: str
    gpus: float
    devices: float
    given: float
    kind: str
    price: Price | None
    why: str
    spot: bool
    ready: bool | None
    cordoned: bool
    readings: tuple[Reading, ...]

    @property
    def usd_per_device(self) -> float | None:
        """Dollars an hour of one device that a pod can request."""
        return None if self.price is None or not self.devices else self.price.usd_per_hour * self.gpus / self.devices

    @property
    def usd_per_hour(self) -> float | None:
        """Dollars an hour of all its GPUs."""
        return None if self.price is None else self.price.usd_per_hour * self.gpus

    @property
    def gpus_per_device(self) -> float:
        """Which share of a GPU a device is."""
        return self.gpus / self.devices if self.devices else 1.0


def rates(snapshot: Snapshot, book: PriceBook) -> dict[str, NodeRate]:
    """Every node that has GPUs, by name."""
    found = {name: rate for name in snapshot.topology.nodes if (rate := _rate(name, snapshot, book)).devices > 0}
    return dict(sorted(found.items()))


def _rate(name: str, snapshot: Snapshot, book: PriceBook) -> NodeRate:
    keys = snapshot.topology.gpus_of(Subject("node", "", name))
    seen = float(len({key.partition("/")[0] for key in keys}))
    capacity, given = _number(snapshot, NODE_GPUS.now, name), _number(snapshot, NODE_DEVICES_GIVEN.now, name)
    promised = _number(snapshot, NODE_GPUS_PROMISED.now, name)
    devices = max(given or 0.0, capacity or 0.0, promised or 0.0)
    if not devices:  # Kubernetes says nothing of it: the exporter's own devices are what is known
        devices = float(len(keys))
    gpus = promised or seen or devices
    label = snapshot.read(NODE_PRODUCT.now, name)
    models = [snapshot.topology.gpus[key].model for key in keys if snapshot.topology.gpus[key].model]
    said = label.text or (models[0] if models else "")
    machine = snapshot.read(NODE_MACHINE.now, name).text
    known = product(said) if said else None
    price = book.price(known.id, machine) if known else None
    why = ""
    if not said:
        why = "nothing tells which GPUs it has"
    elif known is None:
        why = f"no catalogue knows the GPU {printable(said)!r}"
    elif price is None:
        why = f"nobody gave a price for {known.title}; add one to `prices` of the settings"
    ready = _number(snapshot, NODE_READY.now, name)
    asked = (NODE_GPUS.now, NODE_DEVICES_GIVEN.now, NODE_GPUS_PROMISED.now)
    readings = (label, *(one for ask in asked if (one := snapshot.read(ask, name)).blind is None))
    return NodeRate(
        node=name,
        gpus=gpus,
        devices=devices,
        given=devices if given is None else given,
        kind=known.title if known else printable(said),
        price=price,
        why=why,
        spot=snapshot.read(NODE_CAPACITY.now, name).text == "spot",
        ready=None if ready is None else bool(ready),
        cordoned=bool(_number(snapshot, NODE_CORDONED.now, name)),
        readings=readings,
    )


def _number(snapshot: Snapshot, ask: Ask, key: str) -> float | None:
    value = snapshot.read(ask, key).value
    return float(value) if isinstance(value, int | float) else None
