"""What operators along an axis share: finding it, dropping it, saying what is wrong with it."""

from __future__ import annotations

from typing import Any

from archc.dims import Dim, same
from archc.op import OpError
from archc.ops.layouts import article
from archc.shapes import Axis, Shape

__all__ = [
    "AxisName", "default_axis", "elements", "equal_sizes", "find_axes", "find_axis", "is_number",
    "listed",
    "per_axis", "require_reals", "settled", "torch_dim", "torch_dims", "without",
]  # fmt: skip

AxisName = str | int


def default_axis(shape: Shape) -> int:
    """The axis that operators work along when none is named: the features, else the last."""
    return shape.rank - 1 if shape.features is None else shape.features


def find_axis(operator: str, shape: Shape, axis: AxisName | None) -> int:
    """The position of the axis with that name or position; None means the default axis.

    Raises:
        OpError: "unknown-axis" when the shape has no such axis, or several.
    """
    if shape.rank == 0:
        raise OpError(f"{operator} needs an axis, and a single value flows in", code="unknown-axis")
    if axis is None:
        return default_axis(shape)
    if isinstance(axis, int):
        return _checked_position(operator, shape, axis)
    position = shape.locate(axis)
    if position is None:
        raise _unknown(operator, shape, axis)
    return position


def _checked_position(operator: str, shape: Shape, axis: int) -> int:
    if not -shape.rank <= axis < shape.rank:
        raise _unknown(operator, shape, axis)
    return axis % shape.rank


def _unknown(operator: str, shape: Shape, axis: AxisName) -> OpError:
    names = [one.name for one in shape.axes]
    if names.count(str(axis)) > 1:
        return OpError(
            f"{operator}: two axes of {shape} are called {axis}",
            code="unknown-axis",
            help=f"give the position: `{operator}(axis={names.index(str(axis))})`",
        )
    count = f"its axes are {listed(names)}" if len(names) > 1 else f"its one axis is {names[0]}"
    return OpError(
        f"{operator}: {shape} has no axis {axis}; {count}",
        code="unknown-axis",
        help=f"`{operator}(axis={names[default_axis(shape)]})`",
    )


def find_axes(
    operator: str, shape: Shape, axes: AxisName | tuple[AxisName, ...] | None
) -> tuple[int, ...]:
    """The positions of one axis or of several, in the order of the shape.

    Raises:
        OpError: "unknown-axis" for one that the shape does not have, or that is named twice.
    """
    if not isinstance(axes, tuple):
        return (find_axis(operator, shape, axes),)
    positions = [find_axis(operator, shape, axis) for axis in axes]
    if len(set(positions)) < len(positions):
        named = ", ".join(str(axis) for axis in axes)
        raise OpError(f"{operator}: axis=({named}) names one axis twice", code="unknown-axis")
    return tuple(sorted(positions))


def torch_dim(shape: Shape, position: int) -> int:
    """The dimension of the tensor, batch included: -1 for the last axis, as people write it."""
    return -1 if position == shape.rank - 1 else position + 1


def torch_dims(positions: tuple[int, ...]) -> tuple[int, ...]:
    """The dimensions of the tensor for several axes, batch included."""
    return tuple([position + 1 for position in positions])


def without(shape: Shape, positions: tuple[int, ...]) -> Shape:
    """The shape without those axes: a map without its space is a vector, a sequence without its
    steps is a step."""
    axes = [axis for i, axis in enumerate(shape.axes) if i not in positions]
    return shape.replace(axes=tuple(axes))


def require_reals(operator: str, *shapes: Shape, numbers: bool = False) -> None:
    """Refuse tokens, and a number that stands for a stream unless `numbers` allows it.

    Raises:
        OpError: "needs-reals" when integers flow in, "value-as-stream" when a number does.
    """
    for position, shape in enumerate(shapes):
        if is_number(shape) and not numbers:
            raise OpError(
                f"{operator} needs a stream, got a number",
                code="value-as-stream",
                help="a number stands in the arithmetic of streams: `{ ID + 1 }`",
                operands=(position,),
            )
        if shape.vocabulary is not None:
            raise OpError(
                f"{operator} needs real numbers, got {article(shape)}",
                code="needs-reals",
                help="turn the tokens into vectors first: EMBED(d), or ONEHOT",
                operands=(position,),
            )


def is_number(shape: Shape) -> bool:
    """Whether it is a number that stands for a stream, such as the 0 in `{ ID, 0 }`."""
    return shape.rank == 0 and shape.vocabulary is None


def settled(question: bool | None, unknown: str, help: str | None = None) -> bool:
    """The answer of a comparison of sizes, which must be known.

    Raises:
        OpError: "undecided", with the sentence `unknown`, when it is not.
    """
    if question is None:
        raise OpError(unknown, code="undecided", help=help)
    return question


def elements(shapes: tuple[Shape, ...]) -> Dim:
    """The elements of all the shapes together."""
    total: Dim = 0
    for shape in shapes:
        total = total + shape.elements
    return total


def listed(words: list[str]) -> str:
    """`a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " and " + words[-1]


def equal_sizes(left: tuple[Axis, ...], right: tuple[Axis, ...]) -> bool | None:
    """Whether the axes have the same sizes, one by one: yes, no, or None where that is unknown."""
    if len(left) != len(right):
        return False
    answers = [same(a.size, b.size) for a, b in zip(left, right, strict=True)]
    if False in answers:
        return False
    return None if None in answers else True


def per_axis(operator: str, argument_name: str, value: Any, rank: int) -> tuple[Any, ...]:
    """One value for each axis: a single one holds for all.

    Raises:
        OpError: "argument-value" when the tuple has another length.
    """
    if not isinstance(value, tuple):
        return (value,) * rank
    if len(value) != rank:
        axes = "1 axis" if rank == 1 else f"{rank} axes"
        raise OpError(
            f"{argument_name} of {operator} names {len(value)} axes, and the input has {axes}",
            code="argument-value",
        )
    return value
