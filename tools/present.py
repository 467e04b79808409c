"""`Now` over a snapshot: the readings of one subject's parts, and a memory of what could not be read.

A check that stays quiet although a part could not be seen has not seen that the part is well: it is blind.
"""

from __future__ import annotations

from dataclasses import replace

from tools.check import NothingToSee, Unseen
from tools.reading import Blind, Reading, Reason, Subject
from tools.signals import Ask, Per
from tools.snapshot import Snapshot


class Present:
    """The readings of one subject of a snapshot (see `tools.check.Now`)."""

    def __init__(self, snapshot: Snapshot, subject: Subject) -> None:
        """Look at one subject."""
        self._snapshot = snapshot
        self._subject = subject
        self.unseen: list[Reading] = []
        self.touched: dict[Ask, Reading] = {}

    @property
    def subject(self) -> Subject:
        """Who this is about."""
        return self._subject

    def each(self, ask: Ask) -> tuple[Reading, ...]:
        """The readable readings of the parts; raises `Unseen` when none can be read, `NothingToSee` without parts."""
        keys = self._parts(ask)
        if not keys:
            if ask.signal.per is Per.GPU:
                self._missing_gpus(ask, 0)
            if self.unseen:
                raise Unseen(self.unseen[-1])
            raise NothingToSee(str(ask))
        found: list[Reading] = []
        nothing: list[Reading] = []
        blind: list[Reading] = []
        # Where the one reason holds for all, one part stands for them.
        for key in keys[:1] if self._snapshot.void(ask) else keys:
            reading = self._snapshot.read(ask, key)
            if reading.blind is None:
                found.append(reading)
            elif reading.blind.reason is Reason.NOTHING_OBSERVED:
                nothing.append(reading)
            else:
                blind.append(reading)
        self.unseen.extend(blind)
        if ask.signal.per is Per.GPU:
            self._missing_gpus(ask, len(keys))
        if not found:
            if blind and not nothing and len({reading.blind for reading in blind}) == 1:
                # Not one part can be seen, all for one reason: it is the whole that is not seen.
                whole = blind[0].subject == self._subject
                raise Unseen(blind[0] if whole else replace(blind[0], subject=self._subject))
            if blind:
                raise Unseen(blind[0])
            raise NothingToSee(str(nothing[0].blind))
        self.touched.setdefault(ask, found[0])
        return tuple(found)

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
        joined = replace(found[0], subject=self._subject, value=value, name=f"{ask.said} (sum of {len(found)} {part})")
        self.touched[ask] = joined
        return joined

    def __getitem__(self, ask: Ask) -> Reading:
        """The parts joined as the signal says."""
        if ask.signal.join == "sum":
            return self.total(ask)
        return self.worst(ask) if ask.signal.join == "max" else self.least(ask)

    def get(self, ask: Ask) -> Reading | None:
        """The same where it can be read, else None; leaves no trace of blindness."""
        unseen = list(self.unseen)
        try:
            return self[ask]
        except (Unseen, NothingToSee):
            return None
        finally:
            self.unseen = unseen

    def of(self, part: Subject, ask: Ask) -> Reading | None:
        """The reading of one part."""
        for key in self._snapshot.topology.parts(part, ask.signal.per):
            reading = self._snapshot.seen(ask, key)
            if reading is not None:
                self.touched[ask] = reading
                return reading
        return None

    def blind(self, part: Subject, ask: Ask) -> Reading:
        """The reading of one part as it is, blind or not."""
        keys = self._snapshot.topology.parts(part, ask.signal.per)
        return self._snapshot.read(ask, keys[0] if keys else "")

    def _extreme(self, ask: Ask, highest: bool) -> Reading:
        found = self.each(ask)
        if all(isinstance(reading.value, str) for reading in found):
            chosen = next((reading for reading in found if reading.value), found[0])
        else:
            pick = max if highest else min
            chosen = pick(found, key=lambda reading: reading.number)
        self.touched[ask] = chosen
        return chosen

    def _parts(self, ask: Ask) -> tuple[str, ...]:
        topology = self._snapshot.topology
        keys = topology.parts(self._subject, ask.signal.per)
        if ask.signal.per is Per.REPLICA and ask.signal.evidence == "metric" and self._subject.kind != "pod":
            # A pod that is not up has no engine to measure: what keeps it down is told by facts.
            return tuple(key for key in keys if topology.pods[key].active)
        return keys

    def _missing_gpus(self, ask: Ask, seen: int) -> None:
        if self._subject.kind in {"gpu", "node"}:
            return
        topology = self._snapshot.topology
        wanted = sum(topology.pods[key].gpus for key in topology.pods_of(self._subject) if topology.pods[key].active)
        if wanted > seen:
            said = f"{wanted:.0f} GPUs are allocated, {seen} have metrics"
            unheld = topology.unheld_near(self._subject)
            if len(unheld) >= wanted - seen:
                said += f" that are known to be its own: nobody tells who holds {len(unheld)} GPUs of its nodes"
            why = Blind(Reason.NO_SERIES, said)
            self.unseen.append(replace(self._snapshot.read(ask, ""), subject=self._subject, blind=why, value=None))
