"""Normalisation over the features of one place: LN and RMSNORM."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import FLAG
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.layouts import article
from archc.ops.normalisation import EPS, given
from archc.saves import Extra, Saves
from archc.shapes import Shape

__all__ = ["LayerNorm", "RootMeanSquareNorm"]


def _features(stream: Shape, operator: str) -> int:
    if stream.vocabulary is None and stream.features is not None:
        return stream.features
    message = f"{operator} needs features to normalise over, got {article(stream)}"
    raise OpError(message, code="needs-features")


def _form(
    constructor: str, stream: Shape, keywords: tuple[tuple[str, Constant], ...], operator: str
) -> Module:
    position = _features(stream, operator)
    arguments = (stream.sizes[position],)
    if position == stream.rank - 1:
        return Module(constructor, arguments, keywords)
    axis = position + 1
    call = f"{{module}}({{0}}.movedim({axis}, -1)).movedim(-1, {axis})"
    return Module(constructor, arguments, keywords, call=call)


class LayerNorm(Op):
    """Layer normalisation (Ba et al. 2016): the features of each place, or the channels of a map.

    On a vector or a sequence it normalises over the features (of each step), on a map over the
    channels at each position, as ConvNeXt does.

    Shape: unchanged.

    Cost: a scale and a shift for each feature; flops are 5 for each element (mean, variance,
    difference, division, scale and shift), 4 with `affine=no`.
    """

    name: ClassVar[str] = "LN"
    family: ClassVar[Family] = "normalisation"
    foreign: ClassVar[tuple[str, ...]] = ("LayerNorm", "LayerNormalization", "LayerNorm2d")

    eps: float = argument("what is added to the variance", EPS, 1e-5)
    affine: bool = argument("whether a learned scale and shift follow", FLAG, True)
    bias: bool = argument("whether there is a shift beside the scale", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 4) -> LN", "(13, 4)", 8),
        Example("INPUT(5) -> LN(eps=0.001, bias=no)", "(5)", 5),
        Example("INPUT(5, 7, 11) -> LN", "(5, 7, 11)", 10),
        Example("INPUT(5, 7) -> LN(affine=no)", "(5, 7)", 0),
    )

    def infer(self, *inputs: Shape) -> Shape:
        _features(inputs[0], self.name)
        return inputs[0]

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        size = inputs[0].sizes[_features(inputs[0], self.name)]
        if not self.affine:
            return {}
        return {"weight": (size,), "bias": (size,)} if self.bias else {"weight": (size,)}

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (5 if self.affine else 4) * inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        rows = inputs[0].elements // inputs[0].sizes[_features(inputs[0], self.name)]
        return Saves(inputs=(0,), extras=(Extra(2 * rows, "statistic"),))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        keywords = given(
            (
                ("eps", self.eps, 1e-5),
                ("elementwise_affine", self.affine, True),
                ("bias", self.bias or not self.affine, True),
            )
        )
        return _form("nn.LayerNorm", inputs[0], keywords, self.name)


class RootMeanSquareNorm(Op):
    """Root mean square normalisation (Zhang & Sennrich 2019): LN without the mean.

    It works where LN does: each feature is divided by the root of the mean square, and there is no
    shift. Like torch's its eps is the machine epsilon of the stream's type unless it is given.

    Shape: unchanged.

    Cost: a scale for each feature; flops are 4 for each element (square, its mean, division,
    scale), 3 with `affine=no`.
    """

    name: ClassVar[str] = "RMSNORM"
    family: ClassVar[Family] = "normalisation"
    foreign: ClassVar[tuple[str, ...]] = ("RMSNormalization", "LlamaRMSNorm", "T5LayerNorm")

    eps: float | None = argument(
        "what is added to the mean square", EPS, None, shown="machine epsilon"
    )
    affine: bool = argument("whether a learned scale follows", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 4) -> RMSNORM", "(13, 4)", 4),
        Example("INPUT(5) -> RMSNORM(eps=0.001)", "(5)", 5),
        Example("INPUT(5, 7, 11) -> RMSNORM(affine=no)", "(5, 7, 11)", 0),
    )

    def infer(self, *inputs: Shape) -> Shape:
        _features(inputs[0], self.name)
        return inputs[0]

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        size = inputs[0].sizes[_features(inputs[0], self.name)]
        return {"weight": (size,)} if self.affine else {}

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (4 if self.affine else 3) * inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        rows = inputs[0].elements // inputs[0].sizes[_features(inputs[0], self.name)]
        return Saves(inputs=(0,), extras=(Extra(rows, "statistic"),))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        keywords = given((("eps", self.eps, None), ("elementwise_affine", self.affine, True)))
        return _form("nn.RMSNorm", inputs[0], keywords, self.name)
