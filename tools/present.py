"""`Now` over a snapshot: the readings of one subject's parts, and a memory of what could not be read.

A check that stays quiet although a part could not be seen has not seen that the part is well: it is blind.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tools.check import NothingToSee, Unseen
from tools.reading import Blind, Reading, Reason, Subject
from tools.signals import Ask, Per
from tools.snapshot import Snapshot


@dataclass(eq=False)
class Told:
    """What the parts of a subject tell of one ask; of whom it is `unseen`, and the `reason` why it is not told at all: a blind reading, or a text."""

    found: tuple[Reading, ...]
    unseen: tuple[Reading, ...]
    reason: Reading | str

    @cached_property
    def highest(self) -> Reading:
        """The highest reading, of texts the first that says something."""
        return self._text or max(self.found, key=lambda reading: reading.number)

    @cached_property
    def lowest(self) -> Reading:
        """The lowest reading, of texts the first that says something."""
        return self._text or min(self.found, key=lambda reading: reading.number)

    @property
    def _text(self) -> Reading | None:
        if all(isinstance(reading.value, str) for reading in self.found):
            return next((reading for reading in self.found if reading.value), self.found[0])
        return None


class Present:
    """The readings of one subject of a snapshot (see `tools.check.Now`)."""

    def __init__(self, snapshot: Snapshot, subject: Subject) -> None:
        """Look at one subject."""
        self._snapshot = snapshot
        self._subject = subject
        self._told = snapshot.told(subject)
        self._void, self._empty = snapshot.void, snapshot.empty
        self.unseen: list[Reading] = []
        self.touched: dict[Ask, Reading] = {}
        # Whether nothing was looked at so far that tells one GPU from another: then all that follows holds for any of them.
        self.of_any_gpu = subject.kind == "gpu"

    @property
    def subject(self) -> Subject:
        """Who this is about."""
        self.of_any_gpu = False
        return self._subject

    def each(self, ask: Ask) -> tuple[Reading, ...]:
        """The readable readings of the parts; raises `Unseen` when none can be read, `NothingToSee` without parts."""
        return self._look(ask).found

    def _look(self, ask: Ask) -> Told:
        told = self._told.get(ask)
        if told is None:
            told = self._told[ask] = self._tell(ask)
        self.of_any_gpu = self.of_any_gpu and ask.signal.per is Per.GPU and self._void[ask]
        self.unseen.extend(told.unseen)
        if not told.found:
            if isinstance(told.reason, Reading):
                raise Unseen(told.reason)
            if not told.reason and self.unseen:
                raise Unseen(self.unseen[-1])
            raise NothingToSee(told.reason or str(ask))
        self.touched.setdefault(ask, told.found[0])
        return told

    def worst(self, ask: Ask) -> Reading:
        """The highest reading among the parts."""
        return self._extreme(ask, highest=True)

    def least(self, ask: Ask) -> Reading:
        """The lowest reading among the parts."""
        return self._extreme(ask, highest=False)

    def total(self, ask: Ask) -> Reading:
        """The sum over the parts; of one part, that part's reading."""
        found = self.each(ask)
        if len(found) == 1:
            return found[0]
        part = "GPUs" if ask.signal.per is Per.GPU else "replicas"
        value = sum(reading.number for reading in found)
        joined = found[0]._replace(subject=self._subject, value=value, name=f"{ask.said} (sum of {len(found)} {part})")
        self.touched[ask] = joined
        return joined

    def __getitem__(self, ask: Ask) -> Reading:
        """The parts joined as the signal says."""
        if ask.signal.join == "sum":
            return self.total(ask)
        return self.worst(ask) if ask.signal.join == "max" else self.least(ask)

    def get(self, ask: Ask) -> Reading | None:
        """The same where it can be read, else None; leaves no trace of blindness."""
        if self._empty[ask]:
            return None
        unseen = list(self.unseen)
        try:
            return self[ask]
        except (Unseen, NothingToSee):
            return None
        finally:
            self.unseen = unseen

    def of(self, part: Subject, ask: Ask) -> Reading | None:
        """The reading of one part."""
        if self._empty[ask]:
            return None
        self.of_any_gpu = False
        reading = self._snapshot.seen(part, ask)
        if reading is not None:
            self.touched[ask] = reading
        return reading

    def held(self, part: Subject, ask: Ask) -> tuple[Reading, ...]:
        """The readings of the GPUs that a replica holds; none where nobody tells which those are, or one of them cannot be read."""
        self.of_any_gpu = False
        found = tuple(self._snapshot.read(ask, key) for key in self._snapshot.topology.gpus_of(part))
        return () if any(one.blind is not None for one in found) else found

    def blind(self, part: Subject, ask: Ask) -> Reading:
        """The reading of one part as it is, blind or not."""
        self.of_any_gpu = False
        keys = self._snapshot.topology.parts(part, ask.signal.per)
        return self._snapshot.read(ask, keys[0] if keys else "")

    def _tell(self, ask: Ask) -> Told:
        keys = self._parts(ask)
        if not keys:
            return Told((), self._missing_gpus(ask, 0), "")
        missing = self._missing_gpus(ask, len(keys))
        # Where the one reason holds for all, one part stands for them.
        told = [self._snapshot.read(ask, key) for key in (keys[:1] if self._void[ask] else keys)]
        found = tuple([reading for reading in told if reading.blind is None])
        if len(found) == len(told):
            return Told(found, missing, "")
        nothing = [reading for reading in told if reading.blind and reading.blind.reason is Reason.NOTHING_OBSERVED]
        blind = [reading for reading in told if reading.blind and reading.blind.reason is not Reason.NOTHING_OBSERVED]
        reason: Reading | str = ""
        if not found and blind:
            # Not one part can be seen, all for one reason: it is the whole that is not seen.
            whole = not nothing and len({reading.blind for reading in blind}) == 1 and blind[0].subject != self._subject
            reason = blind[0]._replace(subject=self._subject) if whole else blind[0]
        elif not found:
            reason = str(nothing[0].blind)
        return Told(found, (*blind, *missing), reason)

    def _extreme(self, ask: Ask, highest: bool) -> Reading:
        told = self._look(ask)
        chosen = self.touched[ask] = told.highest if highest else told.lowest
        return chosen

    def _parts(self, ask: Ask) -> tuple[str, ...]:
        topology = self._snapshot.topology
        keys = topology.parts(self._subject, ask.signal.per)
        if ask.signal.per is Per.REPLICA and ask.signal.evidence == "metric" and self._subject.kind != "pod":
            # A pod that is not up has no engine to measure: what keeps it down is told by facts.
            return tuple(key for key in keys if topology.pods[key].active)
        return keys

    def _missing_gpus(self, ask: Ask, seen: int) -> tuple[Reading, ...]:
        if ask.signal.per is not Per.GPU or self._subject.kind in {"gpu", "node"}:
            return ()
        topology = self._snapshot.topology
        wanted = sum(topology.pods[key].gpus for key in topology.pods_of(self._subject) if topology.pods[key].active)
        if wanted <= seen:
            return ()
        said = f"{wanted:.0f} GPUs are allocated, {seen} have metrics"
        unheld = topology.unheld_near(self._subject)
        if len(unheld) >= wanted - seen:
            said += f" that are known to be its own: nobody tells who holds {len(unheld)} GPUs of its nodes"
        why = Blind(Reason.NO_SERIES, said)
        return (self._snapshot.read(ask, "")._replace(subject=self._subject, blind=why, value=None),)
