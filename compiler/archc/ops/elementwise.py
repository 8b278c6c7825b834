"""Functions of each element that are arithmetic rather than activations, and the learned scale."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import REAL
from archc.dims import Dim
from archc.op import Constant, Example, Expression, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.axes import elements, require_reals
from archc.saves import Saves
from archc.shapes import Shape

_SCALE = '''\
class Scale(nn.Module):
    """One learned factor for each feature; `trailing` axes stand behind the features."""

    def __init__(self, features: int, init: float = 1.0, trailing: int = 0) -> None:
        super().__init__()
        self.trailing = trailing
        self.weight = nn.Parameter(torch.full((features,), init))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight.reshape(-1, *[1] * self.trailing)
'''


class _Elementwise(Op):
    """Base: the shape stays, one operation an element."""

    family: ClassVar[Family] = "elementwise"
    function: ClassVar[str] = ""

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        return inputs[0]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return elements(outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression(self.function + "({0})")


class Exp(_Elementwise):
    """The exponential of each element. One operation an element."""

    name: ClassVar[str] = "EXP"
    foreign: ClassVar[tuple[str, ...]] = ("Exponential",)
    function: ClassVar[str] = "torch.exp"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> EXP", output="(13)"),
        Example("INPUT(3, 5, 7) -> EXP", output="(3, 5, 7)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(outputs=(0,))


class Log(_Elementwise):
    """The natural logarithm of each element. One operation an element."""

    name: ClassVar[str] = "LOG"
    function: ClassVar[str] = "torch.log"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> SIGMOID -> LOG", output="(13)"),
        Example("INPUT(3, 5, 7) -> EXP -> LOG", output="(3, 5, 7)"),
    )


class Abs(_Elementwise):
    """The absolute value of each element. One operation an element."""

    name: ClassVar[str] = "ABS"
    function: ClassVar[str] = "torch.abs"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> ABS", output="(13)"),
        Example("INPUT(3, 5, 7) -> ABS", output="(3, 5, 7)"),
    )


class Sqrt(_Elementwise):
    """The square root of each element. One operation an element."""

    name: ClassVar[str] = "SQRT"
    function: ClassVar[str] = "torch.sqrt"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> ABS -> SQRT", output="(13)"),
        Example("INPUT(3, 5, 7) -> SQUARE -> SQRT", output="(3, 5, 7)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(outputs=(0,))


class Square(_Elementwise):
    """The square of each element. One operation an element."""

    name: ClassVar[str] = "SQUARE"
    function: ClassVar[str] = "torch.square"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> SQUARE", output="(13)"),
        Example("INPUT(3, 5, 7) -> SQUARE", output="(3, 5, 7)"),
    )


class Scale(_Elementwise):
    """A learned factor for each feature, over all positions and steps. One operation an element.

    With a small start it is the layer scale of Touvron et al. 2021:
    `{ ID + FC(x.c) -> SCALE(1e-5) }`.
    """

    name: ClassVar[str] = "SCALE"
    foreign: ClassVar[tuple[str, ...]] = ("LayerScale", "layer_scale", "gamma")
    start: float = argument("the factors at the start", REAL, 1.0)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SCALE(0.1)", output="(3, 5, 7)", params=3),
        Example("SEQUENCE(11, 13) -> SCALE", output="(11, 13)", params=13),
    )

    def infer(self, *inputs: Shape) -> Shape:
        shape = super().infer(*inputs)
        if shape.features is None:
            raise OpError(
                f"SCALE has a factor for each feature, and {shape} has no axis of features",
                code="needs-features",
            )
        return shape

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        return {"weight": (_features(inputs[0]),)}

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(inputs=(0,))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        shape = inputs[0]
        keywords: tuple[tuple[str, Constant], ...] = ()
        if self.start != 1:
            keywords = (("init", float(self.start)),)
        trailing = shape.rank - 1 - (shape.features or 0)
        if trailing:
            keywords = (*keywords, ("trailing", trailing))
        helper = (("Scale", _SCALE),)
        return Module("Scale", (_features(shape),), keywords, helper=helper)


def _features(shape: Shape) -> Dim:
    return shape.axes[shape.features or 0].size
