"""Every operator on every kind of stream: it runs as it says, or it says why not."""

from __future__ import annotations

import pytest

from archc.op import Op, OpError
from archc.ops.activation import Gelu, Sigmoid, Swish
from archc.ops.concat import Concatenate
from archc.ops.elementwise import Scale, Square
from archc.ops.join import Add, Divide, Multiply, Negate, Power, Subtract, When
from archc.ops.matrix import MatrixMultiply, Transposed
from archc.ops.moving import Roll, Shuffle
from archc.ops.rectifiers import Prelu, Relu
from archc.ops.reduction import ArgMax, Max, Mean
from archc.ops.regularisation import Dropout, DropPath, Noise
from archc.ops.reshape import Flatten, Reshape, Transpose
from archc.ops.selection import First, Last, Select
from archc.ops.sequence import Repeat, Reverse, Split
from archc.ops.softmax import Glu, LogSoftmax, Softmax
from archc.ops.spatial import Crop, Padding
from archc.ops.upsampling import Upsample
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import case_id, hold

NUMBER = Shape(())
SHAPES = [
    NUMBER,
    Shape((), 9),
    vector(1),
    vector(6),
    feature_map(6, 5),
    feature_map(6, 5, 7),
    feature_map(6, 5, 7, 3),
    sequence(4, vector(6)),
    sequence(1, vector(1)),
    sequence(4, feature_map(6, 5)),
    sequence(4, feature_map(6, 5, 7)),
    tokens(6, 9),
    Shape((Axis(2, "n", "carried"), *sequence(4, vector(6)).axes)),
    Shape((Axis(3, "m", "carried"), Axis(2, "n", "carried"), *sequence(4, vector(6)).axes)),
    Shape((Axis(2, "n", "carried"), *feature_map(6, 5, 7).axes)),
    Shape((Axis(2, "n", "carried"), *vector(6).axes)),
    Shape((Axis(2, "n", "carried"), *tokens(6, 9).axes), 9),
    Shape((Axis(5, "h", "space"), Axis(7, "w", "space")), 9),
    Shape((Axis(5, "a", "carried"), Axis(7, "b", "carried"))),
]
ONE = [
    Relu(),
    Sigmoid(),
    Gelu(),
    Swish(2.0),
    Prelu(),
    Prelu(shared=False),
    Softmax(),
    Softmax("t"),
    Softmax("w"),
    Softmax(0),
    LogSoftmax(-1),
    Glu(),
    Glu("t"),
    Square(),
    Scale(),
    Negate(),
    Dropout(),
    DropPath(),
    Noise(),
    Flatten(),
    Transpose(),
    Transposed(),
    Reshape((6,)),
    Reshape((3, 2)),
    Reshape(("a -> a 1",)),
    Reshape(("a b -> b a",)),
    Reshape(("a (b c) -> (a b) c",), (("c", 2),)),
    Reshape(("a b c -> (b c) a",)),
    Reshape(("a b c d -> c (a d) b",)),
    Upsample(),
    Upsample((2, 1)),
    Upsample(2, "linear"),
    Padding(1),
    Padding((1, 2)),
    Padding(1, mode="reflect"),
    Padding(1, axis="c"),
    Padding(2, axis=0),
    Crop(2),
    Crop((2, 3)),
    Crop(1, 1),
    Shuffle(2),
    Shuffle(3),
    Roll(1),
    Roll(-2, "t"),
    Roll(1, ("h", "w")),
    Select(0),
    Select(-1, "t"),
    Select(range(1, 2)),
    Select((0, 0)),
    Select(0, "h"),
    Last(),
    First(),
    Split(2),
    Split((1, 5)),
    Split(2, "t"),
    Reverse(),
    Reverse("c"),
    Repeat(3),
    Repeat(2, "c"),
    Repeat(2, 0),
    Mean(),
    Mean("t"),
    Mean(("h", "w")),
    Mean(("c", "t")),
    Max(),
    Max(-1),
    ArgMax(),
    ArgMax("t"),
    Add(2),
    Multiply(left=3),
    Subtract(left=1),
    Divide(2),
    Power(2),
    Add(),
    Concatenate(),
]
ARITHMETIC = ("ADD", "SUB", "MUL", "DIV", "POW", "WHEN")
TWO = [Add(), Multiply(), Concatenate(), Concatenate("t"), MatrixMultiply(), When()]


def holds_or_says_why(op: Op, *shapes: Shape) -> None:
    """Run it where it infers a shape; where it does not, read what it says."""
    try:
        op.infer(*shapes)
    except OpError as error:
        assert error.message[-1] not in ".!", error.message
        assert "None" not in error.message, error.message
        assert error.help is None or "None" not in error.help, error.help
        return
    if NUMBER in shapes:  # a number is no tensor: it only stands beside one
        assert op.name in ARITHMETIC
        return
    for train in (False, True):
        hold(op, *shapes, train=train, counted=False)


@pytest.mark.parametrize("op", ONE, ids=case_id)
def test_one_stream(op):
    for shape in SHAPES:
        holds_or_says_why(op, shape)


@pytest.mark.parametrize("op", TWO, ids=case_id)
def test_two_streams(op):
    for left in SHAPES:
        for right in SHAPES:
            holds_or_says_why(op, left, right)
