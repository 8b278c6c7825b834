"""What a net starts with: INPUT, SEQUENCE, TOKENS.

Inside a chain that already has a stream (a net used as a block) they check that stream and let it
pass.
"""

from __future__ import annotations

from typing import ClassVar

from archc import dims
from archc.arguments import COUNT, FLAG
from archc.dims import Dim
from archc.op import Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.layouts import article
from archc.shapes import Shape, feature_map, sequence, tokens, vector

__all__ = ["Input", "Sequence", "Tokens"]

_LENGTHS = "whether each example says how many of its steps are real, the others being padding"


class Input(Op):
    """A vector (C), a signal (C, L), an image (C, H, W) or a volume (C, D, H, W).

    The number of sizes says which. The batch is never written.

    Shape: the sizes as given. Cost: none.
    """

    name: ClassVar[str] = "INPUT"
    family: ClassVar[Family] = "input"
    foreign: ClassVar[tuple[str, ...]] = ("InputLayer", "Placeholder", "Image")
    inputs: ClassVar[tuple[int, int | None]] = (0, 1)

    sizes: tuple[Dim, ...] = argument("the sizes, the batch left out", COUNT, rest=True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(784)", "(784)", text="a vector"),
        Example("INPUT(1, 16k)", "(1, 16000)", text="a signal"),
        Example("INPUT(3, 224, 224)", "(3, 224, 224)", text="an image"),
        Example("INPUT(1, 16, 64, 64)", "(1, 16, 64, 64)", text="a volume"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        return _checked(self, step_shape(self.name, self.sizes), inputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{0}")


class Sequence(Op):
    """A sequence of T steps, each a vector, a signal, an image or a volume.

    `SEQUENCE(T, 128)` has vectors as steps, `SEQUENCE(T, 3, 112, 112)` images: a video.

    With `lengths=yes` the examples of a batch are of different lengths: the module takes the
    number of real steps of each as well, and no step behind them has an influence on a real one.

    Shape: T in front of the sizes of a step. Cost: none.
    """

    name: ClassVar[str] = "SEQUENCE"
    family: ClassVar[Family] = "input"
    foreign: ClassVar[tuple[str, ...]] = ("Video", "TimeSeries")
    inputs: ClassVar[tuple[int, int | None]] = (0, 1)

    steps: Dim = argument("the number of steps", COUNT)
    sizes: tuple[Dim, ...] = argument("the sizes of one step", COUNT, rest=True)
    lengths: bool = argument(_LENGTHS, FLAG, False)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(13, 128)", "(13, 128)", text="13 steps of a vector"),
        Example("SEQUENCE(16, 3, 112, 112)", "(16, 3, 112, 112)", text="a video of 16 frames"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        return _checked(self, sequence(self.steps, step_shape(self.name, self.sizes)), inputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{0}")


class Tokens(Op):
    """A sequence of T whole numbers below a vocabulary's size.

    With `lengths=yes` the examples of a batch are of different lengths, as in SEQUENCE.

    Shape: (T). Cost: none.
    """

    name: ClassVar[str] = "TOKENS"
    family: ClassVar[Family] = "input"
    foreign: ClassVar[tuple[str, ...]] = ("Text", "Ids", "InputIds")
    inputs: ClassVar[tuple[int, int | None]] = (0, 1)

    steps: Dim = argument("the number of steps", COUNT)
    vocabulary: Dim = argument("how many values a token can take", COUNT)
    lengths: bool = argument(_LENGTHS, FLAG, False)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("TOKENS(13, 50257)", "(13)"),
        Example("TOKENS(128, 65)", "(128)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        return _checked(self, tokens(self.steps, self.vocabulary), inputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression("{0}")


def step_shape(operator: str, sizes: tuple[Dim, ...]) -> Shape:
    """The shape that one to four sizes mean.

    Raises:
        OpError: for none, or more than four.
    """
    if not sizes:
        message = f"{operator} needs its sizes"
        example = "INPUT(3, 224, 224)" if operator == "INPUT" else f"{operator}(16, 128)"
        raise OpError(message, code="missing-argument", help=f"`{example}`")
    if len(sizes) > 4:
        message = f"{operator} takes one to four sizes (channels and up to three of space), got "
        raise OpError(message + str(len(sizes)), code="argument-value")
    return vector(sizes[0]) if len(sizes) == 1 else feature_map(*sizes)


def _checked(op: Op, expected: Shape, inputs: tuple[Shape, ...]) -> Shape:
    if not inputs:
        return expected
    found = inputs[0]
    alike = [a.role for a in expected.axes] == [a.role for a in found.axes]
    if not alike or (expected.vocabulary is None) != (found.vocabulary is None):
        message = f"{op.name} expects {article(expected)}, got {article(found)}"
        raise OpError(message)
    pairs = list(zip(expected.sizes, found.sizes, strict=True))
    if expected.vocabulary is not None and found.vocabulary is not None:
        pairs.append((expected.vocabulary, found.vocabulary))
    answers = [dims.same(a, b) for a, b in pairs]
    if False in answers:
        raise OpError(f"{op.name} expects {_full(expected)}, got {_full(found)}")
    if None in answers:
        message = f"cannot tell whether {_full(found)} is {_full(expected)}, as {op.name} expects"
        raise OpError(message, code="undecided")
    return expected


def _full(shape: Shape) -> str:
    return str(shape) if shape.vocabulary is None else f"{shape} of tokens below {shape.vocabulary}"
