"""Rectifiers: straight above zero, and something else below."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import FLAG, REAL
from archc.dims import Dim
from archc.op import Constant, Example, Module, OpError, TorchForm, argument
from archc.ops.activation import Activation
from archc.ops.axes import torch_dim
from archc.saves import Saves
from archc.shapes import Shape


class Relu(Activation):
    """Rectified linear unit: max(x, 0). One operation an element."""

    name: ClassVar[str] = "RELU"
    foreign: ClassVar[tuple[str, ...]] = ("ReLU", "Rectifier", "relu")
    function: ClassVar[str] = "F.relu"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> RELU", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> RELU", output="(11, 13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(outputs=(0,))


class Relu6(Activation):
    """Rectified linear unit cut off at six: min(max(x, 0), 6). Two operations an element."""

    name: ClassVar[str] = "RELU6"
    foreign: ClassVar[tuple[str, ...]] = ("ReLU6",)
    function: ClassVar[str] = "F.relu6"
    per_element: ClassVar[int] = 2
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> RELU6", output="(3, 5, 7)"),
        Example("INPUT(13) -> RELU6", output="(13)"),
    )


class LeakyRelu(Activation):
    """Leaky rectified linear unit: x above zero, slope * x below. Two operations an element."""

    name: ClassVar[str] = "LEAKYRELU"
    foreign: ClassVar[tuple[str, ...]] = ("LeakyReLU", "LReLU")
    function: ClassVar[str] = "F.leaky_relu"
    per_element: ClassVar[int] = 2
    slope: float = argument("factor below zero", REAL, 0.01)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> LEAKYRELU", output="(3, 5, 7)"),
        Example("INPUT(13) -> LEAKYRELU(0.2)", output="(13)"),
    )

    def options(self) -> tuple[tuple[str, Constant], ...]:
        return (("negative_slope", self.slope),) if self.slope != 0.01 else ()


class Prelu(Activation):
    """Leaky rectified linear unit whose slope is learned, He et al. 2015.

    One slope for all features as in torch, or with shared=no one for each feature as in the paper.
    Two operations an element.
    """

    name: ClassVar[str] = "PRELU"
    foreign: ClassVar[tuple[str, ...]] = ("PReLU", "ParametricReLU")
    per_element: ClassVar[int] = 2
    shared: bool = argument("one slope for all features; else one for each", FLAG, True)
    start: float = argument("the slope at the start", REAL, 0.25)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> PRELU", output="(3, 5, 7)", params=1),
        Example("INPUT(3, 5, 7) -> PRELU(shared=no)", output="(3, 5, 7)", params=3),
        Example("SEQUENCE(11, 13) -> PRELU(shared=no, start=0.1)", output="(11, 13)", params=13),
    )

    def infer(self, *inputs: Shape) -> Shape:
        shape = super().infer(*inputs)
        if not self.shared and shape.features is None:
            raise OpError(
                f"PRELU(shared=no): {shape} has no axis of features", code="needs-features"
            )
        return shape

    def _slopes(self, shape: Shape) -> Dim:
        return 1 if self.shared or shape.features is None else shape.axes[shape.features].size

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        return {"weight": (self._slopes(inputs[0]),)}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        shape = inputs[0]
        arguments: tuple[Constant, ...] = () if self.shared else (self._slopes(shape),)
        keywords = (("init", self.start),) if self.start != 0.25 else ()
        if self.shared or not shape.features:
            return Module("nn.PReLU", arguments, keywords)
        call = "{module}({0}.movedim({dim}, 1)).movedim(1, {dim})"
        values = (("dim", torch_dim(shape, shape.features)),)
        return Module("nn.PReLU", arguments, keywords, call, values)


class Elu(Activation):
    """Exponential linear unit: x above zero, alpha * (exp(x) - 1) below.

    Four operations an element.
    """

    name: ClassVar[str] = "ELU"
    function: ClassVar[str] = "F.elu"
    per_element: ClassVar[int] = 4
    alpha: float = argument("factor of the exponential", REAL, 1.0)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> ELU", output="(3, 5, 7)"),
        Example("INPUT(13) -> ELU(0.5)", output="(13)"),
    )

    def options(self) -> tuple[tuple[str, Constant], ...]:
        return (("alpha", self.alpha),) if self.alpha != 1 else ()


class Selu(Activation):
    """Scaled exponential linear unit, Klambauer et al. 2017. Five operations an element."""

    name: ClassVar[str] = "SELU"
    function: ClassVar[str] = "F.selu"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SELU", output="(3, 5, 7)"),
        Example("INPUT(13) -> SELU", output="(13)"),
    )
