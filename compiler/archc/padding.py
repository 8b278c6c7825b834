"""Padding: which operators may meet it, and what becomes of it.

Examples of different lengths are put into one batch by steps behind the shorter ones. An axis knows
that it holds such steps (`Axis.lengths`), and every operator says what it makes of that: one that
works step by step hands it on, one that knows how to leave the padding out reads the lengths, and
all others refuse it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from archc.dims import same
from archc.shapes import Lengths, Shape
from archlang.record import Record

__all__ = ["Meeting", "Padded", "feature_names", "handed_on"]


class Padded(Record):
    """What an operator makes of padding.

    Args:
        outputs: the shapes that leave, with the lengths of their axes.
        reads: the lengths that its PyTorch form takes, as further inputs behind its own.
    """

    outputs: tuple[Shape, ...]
    reads: tuple[Lengths, ...] = ()


class Meeting(Exception):
    """Padding that an operator can neither hand on nor leave out: one sentence, and a way out."""

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.help = message, help


def feature_names(shapes: Iterable[Shape]) -> set[str]:
    """The names of the axes of features."""
    return {axis.name for shape in shapes for axis in shape.axes if axis.role == "features"}


def handed_on(
    name: str,
    mixed: Collection[str],
    inputs: tuple[Shape, ...],
    outputs: tuple[Shape, ...],
    *,
    gone: Collection[str] = (),
) -> tuple[Shape, ...]:
    """The outputs with the padding of the inputs, of an operator that works step by step.

    Args:
        name: of the operator.
        mixed: the names of the axes whose positions it mixes.
        inputs: with their padding.
        outputs: without.
        gone: the names of axes that it takes away, the padding left out.

    Raises:
        Meeting: where a padded axis is mixed, is not found again, or is padded in two ways.
    """
    for shape in inputs:
        for position in shape.padded:
            axis = shape.axes[position]
            if axis.name in gone:
                continue
            if axis.name in mixed:
                raise Meeting(f"{name} would mix the steps of {shape} with their padding")
            outputs = tuple([_given(name, one, shape, position) for one in outputs])
    return outputs


def _given(name: str, output: Shape, shape: Shape, position: int) -> Shape:
    axis = shape.axes[position]
    place = output.find(axis.name)
    if place is None or same(output.axes[place].size, axis.size) is not True:
        raise Meeting(f"{name} does not keep the {axis.size} steps of {shape}, which are padded")
    before = output.axes[place].lengths
    if before is not None and before != axis.lengths:
        raise Meeting(f"{name} joins streams that are padded in two ways")
    return output.with_lengths({place: axis.lengths})
