"""Which convention a table counts by, and which of its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archc.conventions.convention import CONVENTIONS, Convention, Count
from archc.conventions.kinds import WithKinds, kinds_of
from archc.conventions.spelling import WRITTEN, Written
from archc.op import Op
from archc.shapes import Shape
from archc.tally import Tally
from archlang.record import Record

__all__ = ["Counting", "counting_of"]


class Counting(Record):
    """A convention, and the figure that is asked for.

    Args:
        convention: what counts.
        count: multiply-adds, or operations.
        kinds: what is counted beside multiply-adds, where the convention is made of that.
        written: how the code is written that the convention reads.
    """

    convention: Convention
    count: Count
    kinds: tuple[str, ...] | None = None
    written: Written = "functions"

    @property
    def counter(self) -> Callable[[Op, tuple[Shape, ...], tuple[Shape, ...]], Tally]:
        """What counts one application of an operator."""
        return self.convention.counter(self.count, self.written)

    @property
    def title(self) -> str:
        """The name above its column."""
        return self.convention.name or "counted"


def counting_of(
    name: str | None,
    count: Count | None,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    written: Written = "functions",
) -> Counting | None:
    """The convention that a table is asked for; None for the exact figures alone.

    Args:
        name: of a convention.
        count: which figure; the usual one of the convention by default.
        include: kinds of operations that are counted beside multiply-adds.
        exclude: kinds that are left out of the operations.
        written: how the code is written that a tool reads.

    Raises:
        ValueError: for an unknown name, kind or way to write, a figure that the convention does not
            have, kinds together with a convention, and a way to write where no code is read.
    """
    if written not in WRITTEN:
        raise ValueError(f"code is written as {' or '.join(WRITTEN)}, not {written!r}")
    include, exclude = tuple(include), tuple(exclude)
    if name is not None:
        if include or exclude:
            raise ValueError(f"{name} says itself what is counted")
        return _named(name, count, written)
    if written != "functions":
        raise ValueError("how the code is written matters to tools: name one")
    if not include and not exclude:
        return None
    found = kinds_of(count or "macs", include, exclude)
    return Counting(WithKinds(found), count or "macs", found)


def _named(name: str, count: Count | None, written: Written) -> Counting:
    found = CONVENTIONS.get(name)
    if found is None:
        raise ValueError(f"unknown convention {name!r}, expected {', '.join(sorted(CONVENTIONS))}")
    if count is not None and count not in found.figures:
        raise ValueError(f"{name} has no {count}, only {' and '.join(found.figures)}")
    if written != "functions" and not found.reads_code:
        raise ValueError(f"{name} reads no code, however it is written")
    return Counting(found, count or found.figures[0], written=written)
