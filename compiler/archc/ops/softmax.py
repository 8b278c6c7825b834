"""Activations along an axis: SOFTMAX, LOGSOFTMAX, GLU."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import AxisNames
from archc.dims import same
from archc.op import Example, Expression, OpError, TorchForm, argument
from archc.ops.activation import Activation
from archc.ops.axes import AxisName, find_axis, settled, torch_dim
from archc.ops.padded import without_padding
from archc.padding import Padded, handed_on
from archc.saves import Saves
from archc.shapes import Shape
from archc.sight import EVERYTHING, Reach

AXIS = AxisNames(nothing=True)


class _AlongAxis(Activation):
    """Base of activations along one axis."""

    per_element: ClassVar[int] = 5
    hides: ClassVar[bool] = True  # whether padding is left out by hiding it
    axis: AxisName | tuple[AxisName, ...] | None = argument(
        "the axis it runs along", AXIS, None, shown="features"
    )

    def position_of(self, shape: Shape) -> int:
        """The number of the axis that it runs along in a shape.

        Raises:
            OpError: where the shape has no such axis, or several are meant.
        """
        if isinstance(self.axis, tuple):
            raise OpError(
                f"{self.name} runs along one axis, and axis names {len(self.axis)}",
                code="argument-value",
                help='join the axes first: RESHAPE("c h w -> c (h w)")',
            )
        return find_axis(self.name, shape, self.axis)

    def infer(self, *inputs: Shape) -> Shape:
        shape = super().infer(*inputs)
        self.position_of(shape)
        return shape

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return {inputs[0].axes[self.position_of(inputs[0])].name: EVERYTHING}

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        lengths = inputs[0].axes[self.position_of(inputs[0])].lengths
        if lengths is None or not self.hides:
            return super().padded(inputs, outputs)
        return Padded(handed_on(self.name, (), inputs, outputs), (lengths,))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        position = self.position_of(inputs[0])
        dim = torch_dim(inputs[0], position)
        x = "{0}" if not self.hides else without_padding(inputs[0], position)
        return Expression(f"{self.function}({x}, dim={{dim}})", (("dim", dim),))


class Softmax(_AlongAxis):
    """exp(x) / sum(exp(x)) along an axis: positive, with sum one. Five operations an element.

    The axis is the features, and after a matrix product its last axis. The five operations are the
    maximum, the subtraction, the exponential, the sum and the division.
    """

    name: ClassVar[str] = "SOFTMAX"
    foreign: ClassVar[tuple[str, ...]] = ("Softmax2d", "softmax")
    function: ClassVar[str] = "F.softmax"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> SOFTMAX", output="(13)"),
        Example("INPUT(3, 5, 7) -> SOFTMAX", output="(3, 5, 7)", text="over the channels"),
        Example("SEQUENCE(11, 13) -> SOFTMAX(axis=t)", output="(11, 13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(outputs=(0,))


class LogSoftmax(_AlongAxis):
    """The logarithm of SOFTMAX, along the same axes. Five operations an element."""

    name: ClassVar[str] = "LOGSOFTMAX"
    foreign: ClassVar[tuple[str, ...]] = ("LogSoftmax", "log_softmax")
    function: ClassVar[str] = "F.log_softmax"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> LOGSOFTMAX", output="(13)"),
        Example("SEQUENCE(11, 13) -> LOGSOFTMAX(axis=0)", output="(11, 13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(outputs=(0,))


class Glu(_AlongAxis):
    """Gated linear unit: the first half times the sigmoid of the second; halves the features.

    Five operations an element of the output.
    """

    name: ClassVar[str] = "GLU"
    function: ClassVar[str] = "F.glu"
    hides: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(6, 5, 7) -> GLU", output="(3, 5, 7)"),
        Example("SEQUENCE(10, 13) -> GLU(axis=t)", output="(5, 13)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        shape = super().infer(*inputs)
        position = self.position_of(shape)
        size = shape.axes[position].size
        unknown = f"GLU needs an even number of features, and whether {size} is even is not known"
        if not settled(same(size % 2, 0), unknown):
            name = shape.axes[position].name
            raise OpError(
                f"GLU halves axis {name}, and its size {size} is odd", code="not-divisible"
            )
        return shape.with_sizes({position: size // 2})
