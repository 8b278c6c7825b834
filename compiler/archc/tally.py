"""What was counted, and for which reason: sums that remember their parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from archc.dims import Dim
from archlang.record import Record

__all__ = ["EMPTY", "Part", "Reason", "Tally"]


class Reason(Record):
    """Why a figure is what it is.

    Args:
        operator: the name of the operator that it concerns.
        why: how it is counted, a phrase without a full stop.
        undecided: whether the answer depends on how the code is written, not on the network.
    """

    operator: str
    why: str
    undecided: bool = False


class Part(Record):
    """A figure, and how much it has more than the exact one (less, where it is negative)."""

    counted: Dim = 0
    difference: Dim = 0

    def __add__(self, other: Part) -> Part:
        return Part(self.counted + other.counted, self.difference + other.difference)

    def times(self, copies: Dim) -> Part:
        """That of so many copies."""
        return Part(self.counted * copies, self.difference * copies)


class Tally:
    """Figures by their reasons, in the order in which they came up. Added, never changed."""

    __slots__ = ("parts",)

    def __init__(self, parts: Mapping[Reason, Part] | Iterable[tuple[Reason, Part]] = ()) -> None:
        self.parts: Mapping[Reason, Part] = dict(parts)

    @property
    def counted(self) -> Dim:
        """The figure as a whole."""
        total: Dim = 0
        for part in self.parts.values():
            total = total + part.counted
        return total

    def __add__(self, other: Tally) -> Tally:
        if not other.parts or not self.parts:
            return self if not other.parts else other
        parts = dict(self.parts)
        for reason, part in other.parts.items():
            parts[reason] = parts[reason] + part if reason in parts else part
        return Tally(parts)

    def __mul__(self, copies: Dim) -> Tally:
        return Tally({reason: part.times(copies) for reason, part in self.parts.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(tuple(self.parts))

    def __repr__(self) -> str:
        return f"Tally({self.parts!r})"


EMPTY = Tally()
