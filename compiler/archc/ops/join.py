"""Joins: several streams become one. The arithmetic of a file, `| + - * / **`, comes here.

Shapes must agree; `broadcast.py` says what reaches further. The cost of arithmetic is one operation
for each element of the result and each operation.
"""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import Number
from archc.dims import Dim, Poly, same
from archc.op import Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import elements, equal_sizes, require_reals
from archc.ops.broadcast import join, spread
from archc.saves import NO_TENSORS, Extra, Saves
from archc.shapes import Shape

NUMBER = Number(nothing=True)


class _Arithmetic(Op):
    """Base of arithmetic: streams alone, or one stream and a number to its left or right."""

    family: ClassVar[Family] = "join"
    inputs: ClassVar[tuple[int, int | None]] = (1, 2)
    verb: ClassVar[str] = ""
    sign: ClassVar[str] = ""
    precedence: ClassVar[str] = "sum"
    right: int | float | Poly | None = argument(
        "a number to the right of the one stream", NUMBER, None
    )
    left: int | float | Poly | None = argument(
        "a number to the left of the one stream", NUMBER, None
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs, numbers=True)
        numbers = (self.left is not None) + (self.right is not None)
        if numbers and len(inputs) + numbers != 2:
            raise OpError(
                f"{self.name} takes one stream and one number, or streams alone; "
                f"it has {len(inputs)} and {numbers}",
                code="argument-value",
            )
        if len(inputs) + numbers < 2 and self.inputs[1] is not None:
            raise OpError(
                f"{self.name} needs two operands, and one stream flows in",
                code="argument-value",
                help=f"`{{ a {self.sign} b }}`, or a number: `{{ ID {self.sign} 2 }}`",
            )
        return join(self.verb, inputs)[0]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        numbers = (self.left is not None) + (self.right is not None)
        return (len(inputs) + numbers - 1) * elements(outputs)

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return len(inputs) == 1 and self.left is None and self.right is None

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        if self.left is not None:
            template = f"{_written(self.left, 'left', self.sign)} {self.sign} {{0}}"
            return Expression(template, (("left", self.left),), self.precedence)
        if self.right is not None:
            template = f"{{0}} {self.sign} {_written(self.right, 'right')}"
            return Expression(template, (("right", self.right),), self.precedence)
        if len(inputs) == 1:
            return Expression("{0}")
        large, mappings = join(self.verb, inputs)
        pairs = zip(mappings, inputs, strict=True)
        operands = [f"{{{i}}}{spread(m, s, large)}" for i, (m, s) in enumerate(pairs)]
        return Expression(f" {self.sign} ".join(operands), precedence=self.precedence)


def _written(number: int | float | Poly, name: str, sign: str = "") -> str:
    # A formula as an operand, and a negative base of a power, need parentheses.
    bare = not isinstance(number, Poly) and (sign != "**" or number >= 0)
    return f"{{{name}}}" if bare else f"({{{name}}})"


class Add(_Arithmetic):
    """The sum of streams, `a + b`, or of a stream and a number.

    One operation an element for each sum.
    """

    name: ClassVar[str] = "ADD"
    foreign: ClassVar[tuple[str, ...]] = ("Sum", "Plus", "Eltwise", "Residual", "add")
    inputs: ClassVar[tuple[int, int | None]] = (1, None)
    verb: ClassVar[str] = "add"
    sign: ClassVar[str] = "+"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> { ID + CONV(3) }", output="(3, 5, 7)", params=84, macs=2835),
        Example("INPUT(3, 5, 7) -> { ID + GAP }", output="(3, 5, 7)", text="a vector over a map"),
        Example("INPUT(13) -> { ID, RELU, TANH } -> ADD", output="(13)"),
    )


class Subtract(_Arithmetic):
    """The difference of two streams, `a - b`, or of one and a number. One operation an element."""

    name: ClassVar[str] = "SUB"
    foreign: ClassVar[tuple[str, ...]] = ("Subtract", "Minus", "subtract")
    verb: ClassVar[str] = "subtract"
    sign: ClassVar[str] = "-"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> { ID - TANH }", output="(13)"),
        Example("INPUT(13) -> SIGMOID -> { 1 - ID }", output="(13)"),
    )


class Multiply(_Arithmetic):
    """The product, element by element, `a * b`: a gate. One operation an element and product."""

    name: ClassVar[str] = "MUL"
    foreign: ClassVar[tuple[str, ...]] = ("Multiply", "Mult", "Times", "multiply", "mul")
    inputs: ClassVar[tuple[int, int | None]] = (1, None)
    verb: ClassVar[str] = "multiply"
    sign: ClassVar[str] = "*"
    precedence: ClassVar[str] = "product"
    examples: ClassVar[tuple[Example, ...]] = (
        Example(
            "INPUT(3, 5, 7) -> { ID * [GAP -> FC(3) -> SIGMOID] }",
            output="(3, 5, 7)",
            params=12,
            macs=9,
        ),
        Example("SEQUENCE(11, 13) -> { ID * 0.5 }", output="(11, 13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        kept = tuple([i for i in range(len(inputs)) if any(learning[:i] + learning[i + 1 :])])
        # The products on the way to the last, of which each is a factor of the next.
        partial = tuple([Extra(outputs[0].elements) for _ in inputs[2:]])
        return Saves(inputs=kept, extras=partial)


class Divide(_Arithmetic):
    """The quotient of two streams, `a / b`, or of one and a number. One operation an element."""

    name: ClassVar[str] = "DIV"
    foreign: ClassVar[tuple[str, ...]] = ("Divide", "div")
    verb: ClassVar[str] = "divide"
    sign: ClassVar[str] = "/"
    precedence: ClassVar[str] = "product"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> { ID / EXP }", output="(13)"),
        Example("INPUT(3, 5, 7) -> { ID / 255 }", output="(3, 5, 7)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        if len(inputs) == 1:
            # A number divided by a stream is its reciprocal, which is kept, times the number.
            return NO_TENSORS if self.left is None else Saves(extras=(Extra(outputs[0].elements),))
        partial = tuple([Extra(outputs[0].elements) for _ in inputs[2:]])
        return Saves(inputs=(0, 1) if any(learning[1:]) else (1,), extras=partial)


class Power(_Arithmetic):
    """A power, element by element, `a ** 3`. One operation an element."""

    name: ClassVar[str] = "POW"
    foreign: ClassVar[tuple[str, ...]] = ("Power", "pow")
    verb: ClassVar[str] = "raise"
    sign: ClassVar[str] = "**"
    precedence: ClassVar[str] = "other"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> { ID ** 3 }", output="(13)"),
        Example("INPUT(13) -> { 2 ** ID }", output="(13)"),
    )

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        if len(inputs) == 1 and self.left is None:
            return Saves(inputs=(0,))
        if len(inputs) == 1:
            return Saves((0,), (0,))
        return Saves((0, 1), (0,))


class Negate(Op):
    """Unary minus. One operation an element."""

    name: ClassVar[str] = "NEG"
    family: ClassVar[Family] = "join"
    internal: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(13) -> { -ID }", output="(13)"),
        Example("INPUT(3, 5, 7) -> { -RELU }", output="(3, 5, 7)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals("unary minus", *inputs)
        return inputs[0]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return elements(outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("-{0}", precedence="product")


class When(Op):
    """`a when training else b`: the first stream in training, the second otherwise.

    Costs nothing.
    """

    name: ClassVar[str] = "WHEN"
    family: ClassVar[Family] = "join"
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)
    internal: ClassVar[bool] = True

    def infer(self, *inputs: Shape) -> Shape:
        training, otherwise = inputs
        first, second = training.vocabulary, otherwise.vocabulary
        if (first is None) != (second is None):
            raise OpError(
                f"the stream in training is {training.kind}, the one outside it {otherwise.kind}",
                code="needs-reals",
            )
        if first is not None and second is not None and same(first, second) is not True:
            raise OpError(
                f"the tokens in training are below {first}, the ones outside it below {second}"
            )
        if equal_sizes(training.axes, otherwise.axes) is not True:
            raise OpError(f"cannot choose between {training} and {otherwise}")
        return training

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return True

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{0} if self.training else {1}", precedence="other")
