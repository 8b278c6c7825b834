"""Parts of a stream: SELECT, LAST, FIRST."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import Selection
from archc.dims import Dim
from archc.op import Example, Expression, OpError, TorchForm, argument
from archc.ops.axes import AxisName, without
from archc.ops.sequence import AXIS, AlongAxis, Values
from archc.padding import Meeting, Padded, handed_on
from archc.saves import NO_TENSORS, Extra, Saves
from archc.shapes import Shape


def index(position: int, inside: str) -> str:
    """The subscript that reaches one axis: `[:, :, 3]`."""
    return "[" + ":, " * (position + 1) + inside + "]"


class Select(AlongAxis):
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

    @property
    def _range(self) -> str:
        return f"{self.which.start}..{self.which.stop}"

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
                f"SELECT({self._range}) is empty or outside an axis of {size}",
                code="index-range",
                help=f"the whole axis is `0..{size}`",
            )
        return start, stop

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        axis = inputs[0].axes[self.place(inputs[0], self.axis)]
        if axis.lengths is None:
            return super().padded(inputs, outputs)
        if self.which == 0 and isinstance(self.which, int):
            return Padded(handed_on(self.name, (), inputs, outputs, gone=(axis.name,)))
        message = f"SELECT takes steps of {inputs[0]} by their place, and they may be padding"
        raise Meeting(message, "`FIRST` is the first step, `LAST` the last that is no padding")

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return not isinstance(self.which, tuple)

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        listed = self.which if isinstance(self.which, tuple) else ()
        return Saves(extras=(Extra(len(listed), "index", batched=False),)) if listed else NO_TENSORS

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


_IN_FRONT = "take the last step before RESHAPE puts other axes in front"


class Last(AlongAxis):
    """The last step of a sequence: many to one. Costs nothing."""

    name: ClassVar[str] = "LAST"
    foreign: ClassVar[tuple[str, ...]] = ("LastStep", "return_sequences")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> LAST", output="(13)"),
        Example("SEQUENCE(11, 3, 5, 7) -> LAST", output="(3, 5, 7)"),
    )
    at: ClassVar[str] = "-1"

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        position = self.steps(inputs[0])
        axis = inputs[0].axes[position]
        kept = handed_on(self.name, (), inputs, outputs, gone=(axis.name,))
        if axis.lengths is None or self.at == "0":
            return Padded(kept)
        if position > 0:
            raise Meeting(f"{self.name} needs padded steps in front, got {inputs[0]}", _IN_FRONT)
        return Padded(kept, (axis.lengths,))

    def infer(self, *inputs: Shape) -> Shape:
        return without(inputs[0], (self.steps(inputs[0]),))

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        lengths = inputs[0].axes[self.steps(inputs[0])].lengths
        return lengths is None or self.at == "0"

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        lengths = inputs[0].axes[self.steps(inputs[0])].lengths
        if lengths is not None and self.at != "0":
            return Expression(f"last_real({{0}}, {lengths.written('{1}')})")
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
