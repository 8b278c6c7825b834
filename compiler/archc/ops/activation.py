"""Activations that are smooth or nearly so: SIGMOID and its kin.

The others are in `rectifiers.py` and `softmax.py`.

The cost of each counts every addition, multiplication, division, comparison, exponential, logarithm
and error function as one operation, on the usual form of its definition.
"""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import REAL, Real, Words
from archc.dims import Dim
from archc.op import Constant, Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import elements, require_reals
from archc.saves import Extra, Saves
from archc.shapes import Shape


class Activation(Op):
    """Base of functions of each element: the shape stays, the cost is so much an element."""

    family: ClassVar[Family] = "activation"
    function: ClassVar[str] = ""
    per_element: ClassVar[int] = 1

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        return inputs[0]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return self.per_element * elements(outputs)

    def options(self) -> tuple[tuple[str, Constant], ...]:
        """Keyword arguments of the function that differ from torch's defaults."""
        return ()

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        options = self.options()
        named = "".join(f", {name}={{{name}}}" for name, _ in options)
        return Expression(f"{self.function}({{0}}{named})", options)


class Gelu(Activation):
    """Gaussian error linear unit: x * (1 + erf(x / sqrt(2))) / 2. Five operations an element.

    approximate=tanh is the form that GPT-2 and BERT's first code use; it counts nine.
    """

    name: ClassVar[str] = "GELU"
    foreign: ClassVar[tuple[str, ...]] = ("gelu_new", "QuickGELU")
    function: ClassVar[str] = "F.gelu"
    approximate: str = argument("none, or tanh", Words(words=("none", "tanh")), "none")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> GELU", output="(11, 13)"),
        Example("INPUT(3, 5, 7) -> GELU(approximate=tanh)", output="(3, 5, 7)"),
    )

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (5 if self.approximate == "none" else 9) * elements(outputs)

    def options(self) -> tuple[tuple[str, Constant], ...]:
        return (("approximate", self.approximate),) if self.approximate != "none" else ()


class Silu(Activation):
    """Sigmoid linear unit: x * sigmoid(x). Five operations an element."""

    name: ClassVar[str] = "SILU"
    foreign: ClassVar[tuple[str, ...]] = ("SiLU",)
    function: ClassVar[str] = "F.silu"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SILU", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> SILU", output="(11, 13)"),
    )


class Swish(Activation):
    """SILU with a factor inside: x * sigmoid(beta * x). Five operations an element, or six."""

    name: ClassVar[str] = "SWISH"
    beta: float = argument("factor inside the sigmoid, not zero", REAL, 1.0)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SWISH", output="(3, 5, 7)"),
        Example("INPUT(13) -> SWISH(beta=1.5)", output="(13)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        if self.beta == 0:
            raise OpError(
                "SWISH(beta=0) is x / 2", code="argument-value", help="write `{ ID / 2 }`"
            )
        return super().infer(*inputs)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (5 if self.beta == 1 else 6) * elements(outputs)

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        scaled = Saves(extras=(Extra(inputs[0].elements),))
        return Saves(inputs=(0,)) if self.beta == 1 else scaled

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        if self.beta == 1:
            return Expression("F.silu({0})")
        # x * sigmoid(b * x) = silu(b * x) / b, which names its input once.
        values = (("beta", self.beta),)
        return Expression("F.silu({beta} * {0}) / {beta}", values, precedence="product")


class Mish(Activation):
    """x * tanh(softplus(x)), Misra 2019. Nine operations an element."""

    name: ClassVar[str] = "MISH"
    function: ClassVar[str] = "F.mish"
    per_element: ClassVar[int] = 9
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> MISH", output="(3, 5, 7)"),
        Example("INPUT(13) -> MISH", output="(13)"),
    )


class HardSwish(Activation):
    """SWISH with straight lines: x * relu6(x + 3) / 6. Five operations an element."""

    name: ClassVar[str] = "HARDSWISH"
    foreign: ClassVar[tuple[str, ...]] = ("HSWISH", "h_swish")
    function: ClassVar[str] = "F.hardswish"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> HARDSWISH", output="(3, 5, 7)"),
        Example("INPUT(13) -> HARDSWISH", output="(13)"),
    )


class HardSigmoid(Activation):
    """SIGMOID with straight lines: relu6(x + 3) / 6. Four operations an element."""

    name: ClassVar[str] = "HARDSIGMOID"
    foreign: ClassVar[tuple[str, ...]] = ("HSIGMOID", "h_sigmoid")
    function: ClassVar[str] = "F.hardsigmoid"
    per_element: ClassVar[int] = 4
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> HARDSIGMOID", output="(3, 5, 7)"),
        Example("INPUT(13) -> HARDSIGMOID", output="(13)"),
    )


class Sigmoid(Activation):
    """The logistic function 1 / (1 + exp(-x)). Four operations an element."""

    name: ClassVar[str] = "SIGMOID"
    foreign: ClassVar[tuple[str, ...]] = ("Logistic", "Sigm")
    function: ClassVar[str] = "torch.sigmoid"
    per_element: ClassVar[int] = 4
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SIGMOID", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> SIGMOID", output="(11, 13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(outputs=(0,))


class Tanh(Activation):
    """Hyperbolic tangent, as (1 - exp(-2x)) / (1 + exp(-2x)). Five operations an element."""

    name: ClassVar[str] = "TANH"
    function: ClassVar[str] = "torch.tanh"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> TANH", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> TANH", output="(11, 13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(outputs=(0,))


class Softplus(Activation):
    """A smooth RELU: log(1 + exp(beta * x)) / beta. Three operations an element, five with beta."""

    name: ClassVar[str] = "SOFTPLUS"
    function: ClassVar[str] = "F.softplus"
    beta: float = argument("sharpness, above zero", Real(least=1e-6), 1.0)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SOFTPLUS", output="(3, 5, 7)"),
        Example("INPUT(13) -> SOFTPLUS(beta=2)", output="(13)"),
    )

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (3 if self.beta == 1 else 5) * elements(outputs)

    def options(self) -> tuple[tuple[str, Constant], ...]:
        return (("beta", self.beta),) if self.beta != 1 else ()
