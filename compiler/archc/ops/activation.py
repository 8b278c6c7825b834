"""Activations: functions of each element, and the ones along an axis (SOFTMAX, LOGSOFTMAX, GLU).

The cost of each counts every addition, multiplication, division, comparison, exponential, logarithm
and error function as one operation, on the usual form of its definition.
"""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import FLAG, REAL, AxisNames, Real, Words
from archc.dims import Dim, same
from archc.op import Constant, Example, Expression, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.axes import AxisName, elements, find_axis, require_reals, settled, torch_dim
from archc.shapes import Shape

AXIS = AxisNames(nothing=True)


class _Activation(Op):
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


class Relu(_Activation):
    """Rectified linear unit: max(x, 0). One operation an element."""

    name: ClassVar[str] = "RELU"
    foreign: ClassVar[tuple[str, ...]] = ("ReLU", "Rectifier", "relu")
    function: ClassVar[str] = "F.relu"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> RELU", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> RELU", output="(11, 13)"),
    )


class Relu6(_Activation):
    """Rectified linear unit cut off at six: min(max(x, 0), 6). Two operations an element."""

    name: ClassVar[str] = "RELU6"
    foreign: ClassVar[tuple[str, ...]] = ("ReLU6",)
    function: ClassVar[str] = "F.relu6"
    per_element: ClassVar[int] = 2
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> RELU6", output="(3, 5, 7)"),
        Example("INPUT(13) -> RELU6", output="(13)"),
    )


class LeakyRelu(_Activation):
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


class Prelu(_Activation):
    """Leaky rectified linear unit whose slope is learned, He et al. 2015.

    Two operations an element. One slope for all features as in torch, or with shared=no one for each feature as in the paper.
    """

    name: ClassVar[str] = "PRELU"
    foreign: ClassVar[tuple[str, ...]] = ("PReLU", "ParametricReLU")
    per_element: ClassVar[int] = 2
    shared: bool = argument("one slope for all features; else one for each", FLAG, True)
    init: float = argument("the slope at the start", REAL, 0.25)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> PRELU", output="(3, 5, 7)", params=1),
        Example("INPUT(3, 5, 7) -> PRELU(shared=no)", output="(3, 5, 7)", params=3),
        Example("SEQUENCE(11, 13) -> PRELU(shared=no, init=0.1)", output="(11, 13)", params=13),
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
        keywords = (("init", self.init),) if self.init != 0.25 else ()
        if self.shared or not shape.features:
            return Module("nn.PReLU", arguments, keywords)
        call = "{module}({0}.movedim({dim}, 1)).movedim(1, {dim})"
        values = (("dim", torch_dim(shape, shape.features)),)
        return Module("nn.PReLU", arguments, keywords, call, values)


class Elu(_Activation):
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


class Selu(_Activation):
    """Scaled exponential linear unit, Klambauer et al. 2017. Five operations an element."""

    name: ClassVar[str] = "SELU"
    function: ClassVar[str] = "F.selu"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SELU", output="(3, 5, 7)"),
        Example("INPUT(13) -> SELU", output="(13)"),
    )


class Gelu(_Activation):
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


class Silu(_Activation):
    """Sigmoid linear unit: x * sigmoid(x). Five operations an element."""

    name: ClassVar[str] = "SILU"
    foreign: ClassVar[tuple[str, ...]] = ("SiLU",)
    function: ClassVar[str] = "F.silu"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SILU", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> SILU", output="(11, 13)"),
    )


class Swish(_Activation):
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

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        if self.beta == 1:
            return Expression("F.silu({0})")
        # x * sigmoid(b * x) = silu(b * x) / b, which names its input once.
        values = (("beta", self.beta),)
        return Expression("F.silu({beta} * {0}) / {beta}", values, precedence="product")


class Mish(_Activation):
    """x * tanh(softplus(x)), Misra 2019. Nine operations an element."""

    name: ClassVar[str] = "MISH"
    function: ClassVar[str] = "F.mish"
    per_element: ClassVar[int] = 9
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> MISH", output="(3, 5, 7)"),
        Example("INPUT(13) -> MISH", output="(13)"),
    )


class HardSwish(_Activation):
    """SWISH with straight lines: x * relu6(x + 3) / 6. Five operations an element."""

    name: ClassVar[str] = "HARDSWISH"
    foreign: ClassVar[tuple[str, ...]] = ("HSWISH", "h_swish")
    function: ClassVar[str] = "F.hardswish"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> HARDSWISH", output="(3, 5, 7)"),
        Example("INPUT(13) -> HARDSWISH", output="(13)"),
    )


class HardSigmoid(_Activation):
    """SIGMOID with straight lines: relu6(x + 3) / 6. Four operations an element."""

    name: ClassVar[str] = "HARDSIGMOID"
    foreign: ClassVar[tuple[str, ...]] = ("HSIGMOID", "h_sigmoid")
    function: ClassVar[str] = "F.hardsigmoid"
    per_element: ClassVar[int] = 4
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> HARDSIGMOID", output="(3, 5, 7)"),
        Example("INPUT(13) -> HARDSIGMOID", output="(13)"),
    )


class Sigmoid(_Activation):
    """The logistic function 1 / (1 + exp(-x)). Four operations an element."""

    name: ClassVar[str] = "SIGMOID"
    foreign: ClassVar[tuple[str, ...]] = ("Logistic", "Sigm")
    function: ClassVar[str] = "torch.sigmoid"
    per_element: ClassVar[int] = 4
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> SIGMOID", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> SIGMOID", output="(11, 13)"),
    )


class Tanh(_Activation):
    """Hyperbolic tangent, as (1 - exp(-2x)) / (1 + exp(-2x)). Five operations an element."""

    name: ClassVar[str] = "TANH"
    function: ClassVar[str] = "torch.tanh"
    per_element: ClassVar[int] = 5
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> TANH", output="(3, 5, 7)"),
        Example("SEQUENCE(11, 13) -> TANH", output="(11, 13)"),
    )


class Softplus(_Activation):
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


class _AlongAxis(_Activation):
    """Base of activations along one axis."""

    per_element: ClassVar[int] = 5
    axis: AxisName | tuple[AxisName, ...] | None = argument(
        "the axis it runs along", AXIS, None, shown="features"
    )

    def _axis(self, shape: Shape) -> int:
        if isinstance(self.axis, tuple):
            raise OpError(
                f"{self.name} runs along one axis, and axis names {len(self.axis)}",
                code="argument-value",
                help='join the axes first: RESHAPE("c h w -> c (h w)")',
            )
        return find_axis(self.name, shape, self.axis)

    def infer(self, *inputs: Shape) -> Shape:
        shape = super().infer(*inputs)
        self._axis(shape)
        return shape

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        dim = torch_dim(inputs[0], self._axis(inputs[0]))
        return Expression(self.function + "({0}, dim={dim})", (("dim", dim),))


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


class LogSoftmax(_AlongAxis):
    """The logarithm of SOFTMAX, along the same axes. Five operations an element."""

    name: ClassVar[str] = "LOGSOFTMAX"
    foreign: ClassVar[tuple[str, ...]] = ("LogSoftmax", "log_softmax")
    function: ClassVar[str] = "F.log_softmax"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> LOGSOFTMAX", output="(13)"),
        Example("SEQUENCE(11, 13) -> LOGSOFTMAX(axis=0)", output="(11, 13)"),
    )


class Glu(_AlongAxis):
    """Gated linear unit: the first half times the sigmoid of the second; halves the features.

    Five operations an element of the output.
    """

    name: ClassVar[str] = "GLU"
    function: ClassVar[str] = "F.glu"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(6, 5, 7) -> GLU", output="(3, 5, 7)"),
        Example("SEQUENCE(10, 13) -> GLU(axis=t)", output="(5, 13)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        shape = super().infer(*inputs)
        position = self._axis(shape)
        size = shape.axes[position].size
        unknown = f"GLU needs an even number of features, and whether {size} is even is not known"
        if not settled(same(size % 2, 0), unknown):
            name = shape.axes[position].name
            raise OpError(
                f"GLU halves axis {name}, and its size {size} is odd", code="not-divisible"
            )
        return shape.with_sizes({position: size // 2})
