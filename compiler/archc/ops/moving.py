"""Operators that move features or positions about: SHUFFLE, ROLL."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import COUNT, AxisNames, Offsets
from archc.dims import Dim
from archc.op import Constant, Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import AxisName, find_axes, per_axis, require_reals, torch_dim
from archc.ops.layouts import article, divisible
from archc.shapes import Shape
from archc.sight import UNKNOWN, Reach

Keywords = tuple[tuple[str, Constant], ...]


class Moving(Op):
    """Base of operators that only move elements about: they cost nothing."""

    family: ClassVar[Family] = "shape"

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 0


class Shuffle(Moving):
    """Mixes the channels of groups: the features, as groups by members, are transposed.

    Zhang et al. 2017 (ShuffleNet), after a grouped convolution. Costs nothing.
    """

    name: ClassVar[str] = "SHUFFLE"
    foreign: ClassVar[tuple[str, ...]] = ("ChannelShuffle", "channel_shuffle")
    groups: Dim = argument("the number of groups", COUNT)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(6, 5, 7) -> SHUFFLE(3)", output="(6, 5, 7)"),
        Example("SEQUENCE(11, 12) -> SHUFFLE(4)", output="(11, 12)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        shape = inputs[0]
        if shape.features is None:
            raise OpError(f"SHUFFLE needs channels, got {article(shape)}", code="needs-features")
        divisible(shape.axes[shape.features].size, self.groups, "channels", self.name)
        return shape

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        dim = (inputs[0].features or 0) + 1
        values: Keywords = (("groups", self.groups), ("dim", dim), ("next", dim + 1))
        apart = "torch.unflatten({0}, {dim}, ({groups}, -1))"
        call = f"{apart}.transpose({{dim}}, {{next}}).flatten({{dim}}, {{next}})"
        return Expression(call, values)


class Roll(Moving):
    """Moves all positions along an axis, round the end: `ROLL(-3, axis=(h, w))`.

    One shift holds for all axes that are named; a tuple gives one for each. Costs nothing.
    """

    name: ClassVar[str] = "ROLL"
    foreign: ClassVar[tuple[str, ...]] = ("roll", "CyclicShift")
    shift: Any = argument("how many positions forward, or back where negative", Offsets())
    axis: AxisName | tuple[AxisName, ...] | None = argument(
        "the axes it moves along", AxisNames(nothing=True), None, shown="features"
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> ROLL(-3, axis=(h, w))", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> ROLL(1, axis=t)", output="(11, 13)"),
        Example("INPUT(3, 5, 7) -> ROLL((1, 2), axis=(w, h))", output="(3, 5, 7)"),
    )

    def _moves(self, shape: Shape) -> list[tuple[int, int]]:
        """The positions of the axes with their shifts."""
        named = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        shifts = per_axis(self.name, "shift", self.shift, len(named))
        find_axes(self.name, shape, self.axis)
        positions = [find_axes(self.name, shape, axis)[0] for axis in named]
        return sorted(zip(positions, shifts, strict=True))

    def infer(self, *inputs: Shape) -> Shape:
        self._moves(inputs[0])
        return inputs[0]

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return {inputs[0].axes[position].name: UNKNOWN for position, _ in self._moves(inputs[0])}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        moves = self._moves(inputs[0])
        if len(moves) == 1:
            position, shift = moves[0]
            values: Keywords = (("shift", shift), ("dim", torch_dim(inputs[0], position)))
            return Expression("{0}.roll({shift}, {dim})", values)
        values = (
            ("shifts", tuple([shift for _, shift in moves])),
            ("dims", tuple([position + 1 for position, _ in moves])),
        )
        return Expression("{0}.roll({shifts}, {dims})", values)
