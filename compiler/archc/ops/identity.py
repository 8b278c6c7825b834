"""The incoming stream, and nothing at all."""

from __future__ import annotations

from typing import ClassVar

from archc.op import Example, Expression, Family, Op, OpError, TorchForm
from archc.shapes import Shape


class Identity(Op):
    """The incoming stream, unchanged. Costs nothing."""

    name: ClassVar[str] = "ID"
    family: ClassVar[Family] = "shape"
    foreign: ClassVar[tuple[str, ...]] = ("Identity", "Skip", "Shortcut", "Residual")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> { ID | ID }", output="(6, 5, 7)"),
        Example("INPUT(13) -> ID", output="(13)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return True

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{0}")


class Nothing(Op):
    """A branch that takes no part in a sum, product, concatenation or bundle.

    It stands where a condition leaves a branch out: `A + ([BN] if c else NONE)`.
    """

    name: ClassVar[str] = "NONE"
    family: ClassVar[Family] = "shape"
    foreign: ClassVar[tuple[str, ...]] = ("ZERO", "Zero", "NULL", "None")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> { ID | NONE }", output="(3, 5, 7)"),
        Example("INPUT(13) -> { RELU + (TANH if 1 > 2 else NONE) }", output="(13)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        raise OpError(
            "NONE leaves nothing behind that could flow on",
            code="stream-missing",
            help="NONE stands in a sum, product, concatenation or bundle; the identity is ID",
        )
