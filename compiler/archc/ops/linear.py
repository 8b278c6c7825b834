"""Linear layers: FC and BILINEAR."""

from __future__ import annotations

from typing import Any, ClassVar

from archc import dims
from archc.arguments import FEATURES, FLAG
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.layouts import article
from archc.shapes import Shape

__all__ = ["Bilinear", "FullyConnected", "features_of"]


class FullyConnected(Op):
    """Fully connected layer: every output feature is a weighted sum of all input features.

    It works on a vector, on each step of a sequence, and on whatever else has its features last; a
    map is flattened first (FLATTEN) or averaged (GAP).

    Shape: the features become `units`, other axes stay.

    Cost: multiply-adds are output elements * input features; flops are twice that, and one more for
    each output element with a bias.
    """

    name: ClassVar[str] = "FC"
    family: ClassVar[Family] = "linear"
    foreign: ClassVar[tuple[str, ...]] = (
        "Linear", "Dense", "FullyConnected", "InnerProduct", "Affine", "LazyLinear", "MLP",
    )  # fmt: skip

    units: Dim = argument("the number of output features", FEATURES)
    bias: bool = argument("whether a learned number is added to each feature", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(9216) -> FC(4096)", "(4096)", 37752832, 37748736),
        Example("INPUT(5) -> FC(7, bias=no)", "(7)", 35, 35),
        Example("SEQUENCE(13, 5) -> FC(7)", "(13, 7)", 42, 455),
    )

    def infer(self, *inputs: Shape) -> Shape:
        position = features_of(inputs[0], self.name, f"FC({self.units})")
        return inputs[0].with_sizes({position: self.units})

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        weight = (self.units, inputs[0].sizes[-1])
        return {"weight": weight, "bias": (self.units,)} if self.bias else {"weight": weight}

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return outputs[0].elements * inputs[0].sizes[-1]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 2 * self.macs(inputs, outputs) + (outputs[0].elements if self.bias else 0)

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return {"filters": self.units}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        keywords: tuple[tuple[str, Constant], ...] = () if self.bias else (("bias", False),)
        return Module("nn.Linear", (inputs[0].sizes[-1], self.units), keywords)


class Bilinear(Op):
    """Bilinear layer of two streams: output feature k is a' * W[k] * b, plus a bias.

    It takes a bundle of two, vectors or the steps of two sequences of equal length.

    Shape: that of the first stream with `units` features.

    Cost: for each output element the multiply-adds of a' * W[k] and of the product with b, which is
    features of a * features of b + features of b; flops are twice that, and one more with a bias.
    """

    name: ClassVar[str] = "BILINEAR"
    family: ClassVar[Family] = "linear"
    foreign: ClassVar[tuple[str, ...]] = ("BilinearLayer",)
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)

    units: Dim = argument("the number of output features", FEATURES)
    bias: bool = argument("whether a learned number is added to each feature", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(5) -> { FC(3), FC(7) } -> BILINEAR(2)", "(2)", 104, 106),
        Example("SEQUENCE(13, 5) -> { FC(3), ID } -> BILINEAR(2, bias=no)", "(13, 2)", 48, 715),
    )

    def infer(self, *inputs: Shape) -> Shape:
        first, second = inputs
        position = features_of(first, self.name, f"BILINEAR({self.units})")
        features_of(second, self.name, f"BILINEAR({self.units})")
        fronts = (first.sizes[:position], second.sizes[:-1])
        pairs = list(zip(*fronts, strict=False))
        if len(fronts[0]) != len(fronts[1]) or any(dims.same(a, b) is not True for a, b in pairs):
            message = f"{self.name} needs streams that agree but for their features, got "
            raise OpError(f"{message}{first} and {second}")
        return first.with_sizes({position: self.units})

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        weight = (self.units, inputs[0].sizes[-1], inputs[1].sizes[-1])
        return {"weight": weight, "bias": (self.units,)} if self.bias else {"weight": weight}

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        first, second = inputs[0].sizes[-1], inputs[1].sizes[-1]
        return outputs[0].elements * (first * second + second)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 2 * self.macs(inputs, outputs) + (outputs[0].elements if self.bias else 0)

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return {"filters": self.units}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        keywords: tuple[tuple[str, Constant], ...] = () if self.bias else (("bias", False),)
        sizes = (inputs[0].sizes[-1], inputs[1].sizes[-1], self.units)
        return Module("nn.Bilinear", sizes, keywords, call="{module}({0}, {1})")


def features_of(shape: Shape, operator: str, call: str) -> int:
    """The position of the features, which must be the last axis.

    Args:
        shape: what flows in.
        operator: the operator's name.
        call: the operator as it would be written, for the help.

    Raises:
        OpError: for tokens, for a map, and where the features are not last.
    """
    if shape.vocabulary is not None:
        message = f"{operator} needs features, got {article(shape)}"
        raise OpError(message, code="needs-features", help=f"`EMBED(64) -> {call}`")
    if shape.space:
        message = f"{operator} needs a vector or a sequence of vectors, got {article(shape)}"
        raise OpError(
            message, code="needs-flatten", help=f"`FLATTEN -> {call}`, or `GAP -> {call}`"
        )
    if shape.features != shape.rank - 1:
        message = f"{operator} needs its features on the last axis, got {shape}"
        raise OpError(message, help="say what it is: `:: SEQUENCE(T, C)`")
    return shape.rank - 1
