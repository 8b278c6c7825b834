"""What a position of a stream sees of the net's inputs, axis by axis.

A field is an interval of input positions, relative to where the position stands: position p sees
`p*jump + low` to `p*jump + high`. Windows widen it, branches that join span both. The arithmetic is
that of Araujo et al. 2019, Computing receptive fields of convolutional neural networks, with the
two ends kept apart, so that paddings on one side are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor, inf

from archlang.record import Record

__all__ = ["EVERYTHING", "UNKNOWN", "Field", "Number", "Reach", "Sight", "joined"]

Number = Fraction | int | float  # a float is infinite


class Reach(Record):
    """How an operator looks along an axis: position o of what leaves sees the positions
    `o*step + low` to `o*step + high` of what flows in.

    Args:
        low: the first position.
        high: the last one.
        step: how far the view moves from one position to the next; below 1 where maps grow.
        known: whether that describes it.
    """

    low: Number = 0
    high: Number = 0
    step: Fraction | int = 1
    known: bool = True


EVERYTHING = Reach(-inf, inf)
UNKNOWN = Reach(known=False)


class Field(Record):
    """What positions see along one axis of an input.

    Args:
        low: the first position that is seen, relative to the own one; over all branches.
        high: the last one.
        least: the length that the branch which sees least sees, less 1.
        jump: how far apart neighbours stand in the input; None where positions are no longer told
            apart along this axis.
        merged: "features" where positions have become features, which FC mixes, "positions" where
            they share an axis with others.
        known: whether it is known at all.
    """

    low: Number = 0
    high: Number = 0
    least: Number = 0
    jump: Fraction | int | None = 1
    merged: str = ""
    known: bool = True

    @property
    def smallest(self) -> int | float:
        """The positions that are seen through the branch which sees least; infinite for all."""
        return _count(self.least)

    @property
    def largest(self) -> int | float:
        """The positions that are seen over all branches; infinite for all."""
        return _count(self.high - self.low)

    def through(self, reach: Reach) -> Field:
        """The field behind an operator."""
        if reach.high == inf:
            return self.replace(low=-inf, high=inf, least=inf, known=True)
        if not reach.known or not self.known:
            return self.replace(known=False)
        if self.jump is None:
            return self if reach == Reach() else self.replace(known=False)
        wider = (reach.high - reach.low) * self.jump
        return self.replace(
            low=self.low + reach.low * self.jump,
            high=self.high + reach.high * self.jump,
            least=self.least + wider,
            jump=simplest(self.jump * reach.step),
        )

    def moved(self, low: Number, high: Number, least: Number, scale: Fraction | int) -> Field:
        """The field as seen from elsewhere: stretched, then moved by so much at each end."""
        return self.replace(
            low=self.low * scale + low,
            high=self.high * scale + high,
            least=self.least * scale + least,
            jump=None if self.jump is None else simplest(self.jump * scale),
        )


class Sight(Record):
    """What a stream sees.

    Args:
        fields: by the name of the input's axis.
        shallow: layers with weights on the shortest way from an input.
        deep: on the longest way.
    """

    fields: Mapping[str, Field]
    shallow: int = 0
    deep: int = 0


def joined(sights: tuple[Sight, ...]) -> Sight:
    """What a stream sees that is made of several; those that see no input take no part."""
    if len(sights) == 1:
        return sights[0]
    names = dict.fromkeys([name for sight in sights for name in sight.fields])
    fields = {
        name: _together([sight.fields[name] for sight in sights if name in sight.fields])
        for name in names
    }
    seeing = [sight for sight in sights if sight.fields] or list(sights)
    return Sight(fields, min(s.shallow for s in seeing), max(s.deep for s in sights))


def _together(fields: list[Field]) -> Field:
    jumps = dict.fromkeys([field.jump for field in fields if field.jump is not None])
    everything = all(field.largest == inf for field in fields)
    known = all(field.known for field in fields)
    return Field(
        low=min(field.low for field in fields),
        high=max(field.high for field in fields),
        least=min(field.least for field in fields),
        jump=next(iter(jumps)) if len(jumps) == 1 else None,
        merged=next((field.merged for field in fields if field.merged), ""),
        known=everything or (known and len(jumps) < 2),
    )


def simplest(value: Fraction | int) -> Fraction | int:
    """A whole number as an int."""
    return int(value) if value.denominator == 1 else value


def _count(length: Number) -> int | float:
    return inf if length == inf else floor(length) + 1
