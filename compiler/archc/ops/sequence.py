"""Operators that take parts along an axis: SELECT, LAST, FIRST, SPLIT, REVERSE, REPEAT."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import COUNT, AxisNames, Selection, Sizes
from archc.dims import Dim, same
from archc.op import Constant, Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import AxisName, find_axis, settled, torch_dim, without
from archc.ops.layouts import article, divisible
from archc.shapes import Axis, Shape, sequence

AXIS = AxisNames(nothing=True)
Values = tuple[tuple[str, Constant], ...]


class _Taking(Op):
    """Base of operators along one axis that only move elements about: they cost nothing."""

    family: ClassVar[Family] = "shape"

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 0

    def place(self, shape: Shape, axis: Any) -> int:
        """The position of the one axis that the operator works along."""
        if isinstance(axis, tuple):
            raise OpError(f"{self.name} works along one axis", code="argument-value")
        return find_axis(self.name, shape, axis)

    def steps(self, shape: Shape) -> int:
        """The position of the axis of steps."""
        if shape.steps is None:
            raise OpError(
                f"{self.name} needs a sequence, got {article(shape)}",
                code="needs-sequence",
                help="of a map, `SELECT(0, axis=w)` takes one position",
            )
        return shape.steps


def index(position: int, inside: str) -> str:
    """The subscript that reaches one axis: `[:, :, 3]`."""
    return "[" + ":, " * (position + 1) + inside + "]"


class Select(_Taking):
    """A part of a stream along an axis, or one of the streams of a bundle: `SELECT(1)`.

    `SELECT(0..m, axis=c)` keeps the positions from 0 up to m, m left out; a tuple keeps the
    positions that it names; negative positions count from the end. One position alone drops its
    axis, so `SELECT(3, axis=t)` is a step; along the features it leaves an axis of one feature.
    Costs nothing.
    """

    name: ClassVar[str] = "SELECT"
    foreign: ClassVar[tuple[str, ...]] = ("Slice", "Gather", "Index", "Narrow")
    which: Any = argument("a position, a range, or a tuple of positions", Selection())
    axis: AxisName | None = argument("the axis it selects along", AXIS, None, shown="features")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(6, 5, 7) -> SELECT(0..2, axis=c)", output="(2, 5, 7)"),
        Example("SEQUENCE(11, 13) -> SELECT(-2, axis=t)", output="(13)"),
        Example("INPUT(13) -> SELECT((0, 5, -1))", output="(3)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        position = self.place(shape, self.axis)
        size = shape.axes[position].size
        if isinstance(self.which, range):
            start, stop = self._bounds(size)
            return shape.with_sizes({position: stop - start})
        if isinstance(self.which, tuple):
            for one in self.which:
                self._check(one, size)
            return shape.with_sizes({position: len(self.which)})
        self._check(self.which, size)
        if position == shape.features:
            return shape.with_sizes({position: 1})
        return without(shape, (position,))

    def _check(self, which: int, size: Dim) -> None:
        # A symbolic size is checked where it is bound: the module refuses a position outside.
        if isinstance(size, int) and not -size <= which < size:
            raise OpError(
                f"SELECT({which}) is outside an axis of {size}",
                code="index-range",
                help=f"positions go from 0 to {size - 1}, or from -{size} to -1 from the end",
            )

    def _bounds(self, size: Dim) -> tuple[Dim, Dim]:
        start: Dim = self.which.start + (size if self.which.start < 0 else 0)
        stop: Dim = self.which.stop + (size if self.which.stop < 0 else 0)
        whole = not isinstance(size, int) or not isinstance(stop, int) or stop <= size
        sized = stop - start
        if (
            not whole
            or (isinstance(sized, int) and sized < 1)
            or (isinstance(start, int) and start < 0)
        ):
            raise OpError(
                f"SELECT({self.which.start}..{self.which.stop}) is empty or outside an axis of {size}",
                code="index-range",
                help=f"the whole axis is `0..{size}`",
            )
        return start, stop

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        position = self.place(inputs[0], self.axis)
        if isinstance(self.which, range):
            start, stop = self._bounds(inputs[0].axes[position].size)
            return _part(inputs[0], position, start, stop)
        if isinstance(self.which, tuple):
            return Expression("{0}" + index(position, "{which}"), (("which", self.which),))
        if position != inputs[0].features:
            return Expression("{0}" + index(position, "{which}"), (("which", self.which),))
        if self.which == -1:
            return Expression("{0}" + index(position, "-1:"))
        return _part(inputs[0], position, self.which, self.which + 1)


def _part(shape: Shape, position: int, start: Dim, stop: Dim) -> Expression:
    values: Values = (("start", start), ("stop", stop))
    return Expression("{0}" + index(position, "{start}:{stop}"), values)


class Last(_Taking):
    """The last step of a sequence: many to one. Costs nothing."""

    name: ClassVar[str] = "LAST"
    foreign: ClassVar[tuple[str, ...]] = ("LastStep", "return_sequences")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> LAST", output="(13)"),
        Example("SEQUENCE(11, 3, 5, 7) -> LAST", output="(3, 5, 7)"),
    )
    at: ClassVar[str] = "-1"

    def infer(self, *inputs: Shape) -> Shape:
        return without(inputs[0], (self.steps(inputs[0]),))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{0}" + index(self.steps(inputs[0]), self.at))


class First(Last):
    """The first step of a sequence, such as a class token. Costs nothing."""

    name: ClassVar[str] = "FIRST"
    foreign: ClassVar[tuple[str, ...]] = ("FirstStep", "ClsToken")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> FIRST", output="(13)"),
        Example("SEQUENCE(11, 3, 5, 7) -> FIRST", output="(3, 5, 7)"),
    )
    at: ClassVar[str] = "0"


class Split(_Taking):
    """Parts along an axis, as a bundle: `a, b = x -> SPLIT(2)`.

    A number makes that many equal parts; a tuple gives their sizes, `SPLIT((3, 5))`. Costs nothing.
    """

    name: ClassVar[str] = "SPLIT"
    foreign: ClassVar[tuple[str, ...]] = ("Chunk", "chunk", "split", "Unstack")
    parts: Any = argument("how many equal parts, or a tuple of their sizes", Sizes())
    axis: AxisName | None = argument("the axis that is split", AXIS, None, shown="features")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(6, 5, 7) -> SPLIT(2) -> { ID[0] * ID[1] }", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> SPLIT((4, 9)) -> SELECT(1)", output="(11, 9)"),
    )

    def infer(self, *inputs: Shape) -> tuple[Shape, ...]:
        shape = inputs[0]
        position = self.place(shape, self.axis)
        size = shape.axes[position].size
        if isinstance(self.parts, int):
            divisible(size, self.parts, f"positions along {shape.axes[position].name}", self.name)
            return (shape.with_sizes({position: size // self.parts}),) * self.parts
        unknown = f"whether the parts {self.parts} make up {size} is not known"
        if not settled(same(sum(self.parts), size), unknown):
            raise OpError(
                f"SPLIT{self.parts}: the parts make up {sum(self.parts)}, and the axis has {size}",
                code="argument-value",
            )
        return tuple([shape.with_sizes({position: part}) for part in self.parts])

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        dim = torch_dim(inputs[0], self.place(inputs[0], self.axis))
        method = "chunk" if isinstance(self.parts, int) else "split"
        values: Values = (("parts", self.parts), ("dim", dim))
        return Expression(f"{{0}}.{method}({{parts}}, dim={{dim}})", values)


class Reverse(_Taking):
    """Turns an axis round, that of the steps unless another is named. Costs nothing."""

    name: ClassVar[str] = "REVERSE"
    foreign: ClassVar[tuple[str, ...]] = ("Flip", "flip", "Backwards")
    axis: AxisName | None = argument("the axis that is turned round", AXIS, None, shown="steps")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> REVERSE", output="(11, 13)"),
        Example("INPUT(3, 5, 7) -> REVERSE(axis=w)", output="(3, 5, 7)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        self._position(inputs[0])
        return inputs[0]

    def _position(self, shape: Shape) -> int:
        return self.steps(shape) if self.axis is None else self.place(shape, self.axis)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        dim = torch_dim(inputs[0], self._position(inputs[0]))
        return Expression("{0}.flip({dim})", (("dim", dim),))


class Repeat(_Taking):
    """A vector or map as a sequence of n equal steps; with an axis, each of its positions n times.

    `REPEAT(T)` starts the form one to many; `REPEAT(4, axis=0)` gives each head four times in a
    row. Costs nothing.
    """

    name: ClassVar[str] = "REPEAT"
    foreign: ClassVar[tuple[str, ...]] = ("RepeatVector", "repeat_interleave", "Tile", "Expand")
    count: Dim = argument("how many times", COUNT)
    axis: AxisName | None = argument(
        "the axis whose positions are repeated", AXIS, None, shown="a new axis of steps"
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> REPEAT(11)", output="(11, 13)"),
        Example("INPUT(3, 5, 7) -> REPEAT(2, axis=c)", output="(6, 5, 7)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if self.axis is not None:
            position = self.place(shape, self.axis)
            return shape.with_sizes({position: shape.axes[position].size * self.count})
        if shape.steps is not None or any(axis.role == "carried" for axis in shape.axes):
            raise OpError(
                f"REPEAT makes a sequence of equal steps, and {article(shape)} has steps already",
                code="argument-value",
                help=f"name the axis to repeat: `REPEAT({self.count}, axis=t)`",
            )
        if shape.vocabulary is not None:
            return shape.replace(axes=(Axis(self.count, "t", "steps"), *shape.axes))
        return sequence(self.count, shape)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        values: Values = (("count", self.count),)
        if self.axis is None:
            rest = ", -1" * inputs[0].rank
            return Expression(f"{{0}}.unsqueeze(1).expand(-1, {{count}}{rest})", values)
        dim = torch_dim(inputs[0], self.place(inputs[0], self.axis))
        return Expression("{0}.repeat_interleave({count}, dim={dim})", (*values, ("dim", dim)))
