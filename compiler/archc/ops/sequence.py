"""Operators along an axis that only move elements about: SPLIT, REVERSE, REPEAT."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import COUNT, AxisNames, Sizes
from archc.dims import Dim, same
from archc.op import (
    MOST_STREAMS,
    Constant,
    Example,
    Expression,
    Family,
    Op,
    OpError,
    TorchForm,
    argument,
)
from archc.ops.axes import AxisName, find_axis, is_number, settled, torch_dim
from archc.ops.layouts import article, divisible
from archc.padding import Padded, handed_on
from archc.shapes import Axis, Shape, sequence
from archc.sight import UNKNOWN, Reach

AXIS = AxisNames(nothing=True)
Values = tuple[tuple[str, Constant], ...]


class AlongAxis(Op):
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


class Split(AlongAxis):
    """Parts along an axis, as a bundle: `a, b = x -> SPLIT(2)`.

    A number makes that many equal parts; a tuple gives their sizes, `SPLIT((3, 5))`. Costs nothing.
    """

    name: ClassVar[str] = "SPLIT"
    foreign: ClassVar[tuple[str, ...]] = ("Chunk", "chunk", "split", "Unstack")
    parts: Any = argument("how many equal parts, or a tuple of their sizes", Sizes())
    axis: AxisName | None = argument("the axis that is split", AXIS, None, shown="features")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(6, 5, 7) -> SPLIT(2) -> MUL", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> SPLIT((4, 9)) -> SELECT(1)", output="(11, 9)"),
    )

    def infer(self, *inputs: Shape) -> tuple[Shape, ...]:
        shape = inputs[0]
        position = self.place(shape, self.axis)
        size = shape.axes[position].size
        if isinstance(self.parts, int):
            if self.parts > MOST_STREAMS:
                message = f"SPLIT makes at most {MOST_STREAMS:,} parts, found {self.parts:,}"
                raise OpError(message, code="bundle-too-large")
            what = f"positions along {shape.axes[position].name}"
            divisible(size, self.parts, what, self.name, "parts")
            return (shape.with_sizes({position: size // self.parts}),) * self.parts
        unknown = f"whether the parts {self.parts} make up {size} is not known"
        if not settled(same(sum(self.parts), size), unknown):
            raise OpError(
                f"SPLIT{self.parts}: the parts make up {sum(self.parts)}, and the axis has {size}",
                code="argument-value",
            )
        return tuple([shape.with_sizes({position: part}) for part in self.parts])

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return True

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        dim = torch_dim(inputs[0], self.place(inputs[0], self.axis))
        method = "chunk" if isinstance(self.parts, int) else "split"
        values: Values = (("parts", self.parts), ("dim", dim))
        return Expression(f"{{0}}.{method}({{parts}}, dim={{dim}})", values)


class Reverse(AlongAxis):
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

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return {inputs[0].axes[self._position(inputs[0])].name: UNKNOWN}

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        position = self._position(inputs[0])
        lengths = inputs[0].axes[position].lengths
        if lengths is None or position > 0:
            return super().padded(inputs, outputs)
        return Padded(handed_on(self.name, (), inputs, outputs), (lengths,))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        lengths = inputs[0].axes[self._position(inputs[0])].lengths
        if lengths is not None:
            return Expression(f"reverse_real({{0}}, {lengths.written('{1}')})")
        dim = torch_dim(inputs[0], self._position(inputs[0]))
        return Expression("{0}.flip({dim})", (("dim", dim),))


class Repeat(AlongAxis):
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
                f"REPEAT makes a sequence, and {article(shape)} has steps already",
                code="argument-value",
                help=f"name the axis to repeat: `REPEAT({self.count}, axis=t)`",
            )
        if is_number(shape):
            raise OpError("REPEAT needs a stream, got a number", code="value-as-stream")
        if shape.vocabulary is not None:
            return shape.replace(axes=(Axis(self.count, "t", "steps"), *shape.axes))
        return sequence(self.count, shape)

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return self.axis is None

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        values: Values = (("count", self.count),)
        if self.axis is None:
            rest = ", -1" * inputs[0].rank
            return Expression(f"{{0}}.unsqueeze(1).expand(-1, {{count}}{rest})", values)
        dim = torch_dim(inputs[0], self.place(inputs[0], self.axis))
        return Expression("{0}.repeat_interleave({count}, dim={dim})", (*values, ("dim", dim)))
