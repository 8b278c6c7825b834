"""Operators that reduce axes to one value: MEAN, MAX, ARGMAX."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import AxisNames
from archc.dims import Dim
from archc.op import Constant, Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import AxisName, elements, find_axes, require_reals, torch_dims, without
from archc.ops.padded import of_real, padded_reduction, without_padding
from archc.padding import Padded
from archc.saves import NO_TENSORS, Saves
from archc.shapes import Shape
from archc.sight import EVERYTHING, Reach

AXIS = AxisNames(nothing=True)


class _Reduction(Op):
    """Base: axes are reduced away; where the features are, an axis of one feature stays."""

    family: ClassVar[Family] = "pooling"
    method: ClassVar[str] = ""
    axis: AxisName | tuple[AxisName, ...] | None = argument(
        "the axis or axes that are reduced", AXIS, None, shown="features"
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        shape = inputs[0]
        positions = find_axes(self.name, shape, self.axis)
        if shape.features not in positions:
            return without(shape, positions)
        dropped = tuple([i for i in positions if i != shape.features])
        return without(shape.with_sizes({shape.features: 1}), dropped)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return elements(inputs)

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        positions = find_axes(self.name, inputs[0], self.axis)
        return {inputs[0].axes[i].name: EVERYTHING for i in positions}

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return padded_reduction(self, find_axes(self.name, inputs[0], self.axis), inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        form = self._form(inputs)
        positions = find_axes(self.name, inputs[0], self.axis)
        return of_real(form, inputs[0], positions, outputs[0], mean=self.method == "mean")

    def _form(self, inputs: tuple[Shape, ...]) -> Expression:
        shape = inputs[0]
        positions = find_axes(self.name, shape, self.axis)
        values: tuple[tuple[str, Constant], ...] = (("dims", _written(positions)),)
        if shape.features not in positions:
            return Expression(f"{{0}}.{self.method}({{dims}})", values)
        call = f"{{0}}.{self.method}({{dims}}, keepdim=True)"
        dropped = tuple([i for i in positions if i != shape.features])
        if not dropped:
            return Expression(call, values)
        return Expression(f"{call}.squeeze({{dropped}})", (*values, ("dropped", _written(dropped))))


def _written(positions: tuple[int, ...]) -> int | tuple[int, ...]:
    dims = torch_dims(positions)
    return dims[0] if len(dims) == 1 else dims


class Mean(_Reduction):
    """The mean along an axis: of a sequence over t a step, of a map over (h, w) a vector.

    Over the features it leaves one feature: a map of one channel, or a number for each step.
    Cost: one operation for each element of the input.
    """

    name: ClassVar[str] = "MEAN"
    foreign: ClassVar[tuple[str, ...]] = ("Average", "ReduceMean", "mean")
    method: ClassVar[str] = "mean"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> MEAN(axis=t)", output="(13)"),
        Example("INPUT(3, 5, 7) -> MEAN(axis=(h, w))", output="(3)"),
        Example("INPUT(3, 5, 7) -> MEAN", output="(1, 5, 7)", text="over the channels"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return NO_TENSORS


class Max(_Reduction):
    """The maximum along an axis: of a sequence over t a step, of a map over (h, w) a vector.

    Over the features it leaves one feature: a map of one channel, or a number for each step.
    Cost: one operation for each element of the input.
    """

    name: ClassVar[str] = "MAX"
    foreign: ClassVar[tuple[str, ...]] = ("Maximum", "ReduceMax", "amax", "GlobalMax")
    method: ClassVar[str] = "amax"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> MAX(axis=t)", output="(13)"),
        Example("INPUT(3, 5, 7) -> MAX(axis=(h, w))", output="(3)"),
        Example("SEQUENCE(11, 13) -> MAX", output="(11, 1)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves((0,), (0,))


class ArgMax(Op):
    """The position of the greatest value along an axis: integers below the size of that axis.

    Of a sequence of scores it makes tokens: `FC(vocab) -> ARGMAX`. Cost: one operation for each
    element of the input.
    """

    name: ClassVar[str] = "ARGMAX"
    family: ClassVar[Family] = "pooling"
    differentiable: ClassVar[bool] = False
    foreign: ClassVar[tuple[str, ...]] = ("argmax", "Greedy")
    axis: AxisName | None = argument("the axis that is searched", AXIS, None, shown="features")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> ARGMAX", output="(11)"),
        Example("INPUT(3, 5, 7) -> ARGMAX(axis=c)", output="(5, 7)"),
    )

    def _position(self, shape: Shape) -> int:
        if isinstance(self.axis, tuple):
            raise OpError("ARGMAX searches along one axis", code="argument-value")
        return find_axes(self.name, shape, self.axis)[0]

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        position = self._position(inputs[0])
        return Shape(without(inputs[0], (position,)).axes, inputs[0].axes[position].size)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return elements(inputs)

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return {inputs[0].axes[self._position(inputs[0])].name: EVERYTHING}

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return padded_reduction(self, (self._position(inputs[0]),), inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        position = self._position(inputs[0])
        x = without_padding(inputs[0], position)
        return Expression(f"{x}.argmax({{dim}})", (("dim", position + 1),))
