"""An amount of memory before the batch and the type of the numbers are known."""

from __future__ import annotations

from collections.abc import Iterable

from archc.dims import Dim
from archc.saves import Extra
from archc.shapes import Shape
from archlang.record import Record

__all__ = ["EMPTY", "Amount", "of_extra", "of_shape"]

_INDEX_BYTES = 8  # int64
_STATISTIC_BYTES = 4  # float32, or wider where the activations are


class Amount(Record):
    """Numbers to be stored, by type.

    Args:
        reals: numbers of the type of the activations, for each example.
        statistics: means and deviations, kept in float32 at least, for each example.
        bytes: bytes of tokens, indices and masks, for each example.
        shared_reals: reals that all examples share.
        shared_statistics: statistics that all examples share.
        shared_bytes: bytes that all examples share.
    """

    reals: Dim = 0
    statistics: Dim = 0
    bytes: Dim = 0
    shared_reals: Dim = 0
    shared_statistics: Dim = 0
    shared_bytes: Dim = 0

    def __add__(self, other: Amount) -> Amount:
        if other is EMPTY:
            return self
        if self is EMPTY:
            return other
        return Amount(*[getattr(self, n) + getattr(other, n) for n in self._fields])

    def times(self, copies: Dim) -> Amount:
        """So many of it."""
        if isinstance(copies, int) and copies == 1:
            return self
        return Amount(*[getattr(self, n) * copies for n in self._fields])

    def in_bytes(self, batch: int, width: int) -> Dim:
        """The bytes.

        Args:
            batch: the number of examples.
            width: the bytes of one real.
        """
        wide = max(width, _STATISTIC_BYTES)
        each = self.reals * width + self.statistics * wide + self.bytes
        shared = self.shared_reals * width + self.shared_statistics * wide + self.shared_bytes
        return each * batch + shared

    @classmethod
    def sum(cls, parts: Iterable[Amount]) -> Amount:
        """All parts together."""
        total: Amount = EMPTY
        for part in parts:
            total = total + part
        return total


EMPTY = Amount()


def of_shape(shape: Shape) -> Amount:
    """The tensor of a stream; tokens are int64."""
    if shape.vocabulary is not None:
        return Amount(bytes=shape.elements * _INDEX_BYTES)
    return Amount(reals=shape.elements)


def of_extra(extra: Extra) -> Amount:
    """A tensor that is kept beside the streams."""
    shared = "" if extra.batched else "shared_"
    if extra.kind in ("real", "statistic"):
        return Amount(**{f"{shared}{extra.kind}s": extra.elements})
    width = _INDEX_BYTES if extra.kind == "index" else 1
    return Amount(**{f"{shared}bytes": extra.elements * width})
