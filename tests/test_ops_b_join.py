"""Joins against torch: what may be combined, what is refused, and in which words."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archc import dims
from archc.op import OpError
from archc.ops.concat import Concatenate
from archc.ops.join import Add, Divide, Multiply, Negate, Power, Subtract, When
from archc.ops.matrix import MatrixMultiply
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import Built, case_id, hold, refuse

IMAGE = feature_map(3, 5, 7)
WORDS = sequence(11, vector(13))
VIDEO = sequence(2, feature_map(3, 5, 7))
SCALAR = vector(1)


def carried(size: int, shape: Shape, name: str = "n") -> Shape:
    return Shape((Axis(size, name, "carried"), *shape.axes))


HEADS = carried(2, WORDS)

OPERATIONS = [
    (Add(), lambda a, b: a + b),
    (Subtract(), lambda a, b: a - b),
    (Multiply(), lambda a, b: a * b),
    (Divide(), lambda a, b: a / b),
]


@pytest.mark.parametrize(("op", "function"), OPERATIONS, ids=case_id)
@pytest.mark.parametrize("shape", [vector(13), IMAGE, WORDS, VIDEO, HEADS], ids=case_id)
def test_equal_shapes(op, function, shape):
    hold(op, shape, shape, output=shape.sizes, reference=lambda s, a, b: function(a, b))
    assert op.flops((shape, shape), (shape,)) == shape.elements
    assert op.infer(shape, shape) == shape


# The smaller operand, the larger one, and the view of the smaller that torch would broadcast.
REACHES = [
    (SCALAR, vector(13), (2, 1)),
    (SCALAR, IMAGE, (2, 1, 1, 1)),
    (SCALAR, WORDS, (2, 1, 1)),
    (SCALAR, VIDEO, (2, 1, 1, 1, 1)),
    (vector(3), IMAGE, (2, 3, 1, 1)),
    (vector(4), feature_map(4, 17), (2, 4, 1)),
    (vector(2), feature_map(2, 3, 5, 7), (2, 2, 1, 1, 1)),
    (vector(13), WORDS, (2, 1, 13)),
    (vector(3), VIDEO, (2, 1, 3, 1, 1)),
    (sequence(2, vector(3)), VIDEO, (2, 2, 3, 1, 1)),
    (IMAGE, VIDEO, (2, 1, 3, 5, 7)),
    (sequence(11, vector(1)), WORDS, (2, 11, 1)),
    (carried(2, vector(13)), HEADS, (2, 2, 1, 13)),
    (feature_map(2, 11, 13), HEADS, (2, 2, 11, 13)),
    (feature_map(2, 11, 13), carried(5, HEADS, "m"), (2, 1, 2, 11, 13)),
    (carried(4, vector(3)), carried(4, IMAGE), (2, 4, 3, 1, 1)),
]


@pytest.mark.parametrize(("small", "large", "view"), REACHES, ids=case_id)
def test_what_reaches_further(small, large, view):
    for first, second in [(small, large), (large, small)]:
        for op, function in OPERATIONS:
            swap = first is large

            def reference(s, a, b, function=function, swap=swap):
                lesser, greater = (b, a) if swap else (a, b)
                lesser = lesser.reshape(-1, *view[1:]).expand_as(greater)
                return function(greater, lesser) if swap else function(lesser, greater)

            hold(op, first, second, output=large.sizes, reference=reference)
            assert op.infer(first, second) == large
            assert op.flops((first, second), (large,)) == large.elements


REFUSED = [
    (IMAGE, feature_map(4, 5, 7), "project one of them: `CONV(3, 1)` or `CONV(4, 1)`"),
    (
        IMAGE,
        feature_map(1, 5, 7),
        "repeat the one channel: `REPEAT(3, axis=c)`; or project it: `CONV(3, 1)`",
    ),
    (
        feature_map(3, 10, 14),
        IMAGE,
        "bring them to one size: `UPSAMPLE(2)` on the smaller, or a stride of 2",
    ),
    (
        feature_map(3, 6, 7),
        IMAGE,
        "bring them to one size: `CROP((5, 7))`, or check `pad` and `stride`",
    ),
    (
        feature_map(3, 1, 1),
        IMAGE,
        "a map of one position is not spread over another, a vector is: `FLATTEN`, or `GAP`",
    ),
    (vector(4), IMAGE, "a vector joins a map channel by channel: `FC(3)` in its branch"),
    (vector(4), vector(5), "project one of them: `FC(4)` or `FC(5)`"),
    (vector(4), WORDS, "project the smaller one: `FC(13)`"),
    (sequence(11, vector(5)), WORDS, "project one of them: `FC(5)` or `FC(13)`"),
    (
        sequence(7, vector(13)),
        WORDS,
        "the steps must agree: `LAST` or `MEAN(axis=t)` brings one of them to a vector",
    ),
    (WORDS, IMAGE, "bring them to one kind: `FLATTEN`, `GAP`, or `RESHAPE`"),
    (sequence(3, vector(3)), VIDEO, "bring them to one kind: `FLATTEN`, `GAP`, or `RESHAPE`"),
    (WORDS, HEADS, 'join the axes in front first: `RESHAPE("n t c -> t (n c)")`'),
    (carried(3, vector(13)), HEADS, 'join the axes in front first: `RESHAPE("n t c -> t (n c)")`'),
]


@pytest.mark.parametrize(("left", "right", "help"), REFUSED, ids=case_id)
def test_nothing_else_is_broadcast(left, right, help):
    error = refuse(
        Add(), left, right, code="shape-mismatch", message=f"cannot add {left} and {right}"
    )
    assert error.help == help
    assert error.operands == (0, 1)
    message = f"cannot multiply {right} and {left}"
    refuse(Multiply(), right, left, code="shape-mismatch", message=message)


def test_the_message_of_the_residual_block():
    left, right = feature_map(128, 28, 28), feature_map(64, 56, 56)
    refuse(
        Add(),
        left,
        right,
        code="shape-mismatch",
        message="cannot add (128, 28, 28) and (64, 56, 56)",
        help="project the shortcut: `[CONV(c, 1, s) -> BN] if s != 1 or x.c != c`",
    )
    message = "cannot divide (128, 28, 28) by (64, 56, 56)"
    refuse(Divide(), left, right, code="shape-mismatch", message=message)
    message = "cannot subtract (128, 28, 28) and (64, 56, 56)"
    refuse(Subtract(), left, right, code="shape-mismatch", message=message)
    message = "cannot raise (128, 28, 28) to the power (64, 56, 56)"
    refuse(Power(), left, right, code="shape-mismatch", message=message)


def test_several_operands_name_the_two_that_disagree():
    shapes = (IMAGE, vector(3), feature_map(4, 5, 7))
    error = refuse(
        Add(), *shapes, code="shape-mismatch", message="cannot add (3, 5, 7) and (4, 5, 7)"
    )
    assert error.operands == (0, 2)


def test_several_operands():
    hold(Add(), IMAGE, IMAGE, IMAGE, reference=lambda s, a, b, c: a + b + c)
    hold(
        Multiply(),
        vector(3),
        IMAGE,
        SCALAR,
        reference=lambda s, a, b, c: a[:, :, None, None] * b * c[:, :, None, None],
    )
    assert Add().flops((IMAGE,) * 3, (IMAGE,)) == 2 * 105
    hold(Add(), IMAGE, reference=lambda s, x: x)


NUMBERS = [
    (Add(left=2), lambda x: 2 + x),
    (Add(right=-1.5), lambda x: x - 1.5),
    (Subtract(left=1), lambda x: 1 - x),
    (Subtract(right=3), lambda x: x - 3),
    (Multiply(left=-2), lambda x: -2 * x),
    (Multiply(right=0.5), lambda x: x / 2),
    (Divide(left=3), lambda x: 3 / x),
    (Divide(right=4), lambda x: x / 4),
    (Power(left=2), lambda x: 2**x),
    (Power(right=3), lambda x: x * x * x),
    (Multiply(2), lambda x: x * 2),
    (Subtract(1), lambda x: x - 1),
]


@pytest.mark.parametrize(("op", "function"), NUMBERS, ids=case_id)
def test_a_number_and_a_stream(op, function):
    for shape in (vector(13), IMAGE, WORDS):
        hold(op, shape, output=shape.sizes, reference=lambda s, x: function(x))
        assert op.flops((shape,), (shape,)) == shape.elements


def test_a_formula_as_a_number():
    T = dims.symbol("T")
    shape = sequence(T, vector(3))
    op = Divide(right=T + 1)
    hold(op, shape, bindings={"T": 5}, reference=lambda s, x: x / 6)
    assert op.torch((shape,), (shape,)).template == "{0} / ({right})"


def test_numbers_and_streams_do_not_mix():
    refuse(
        Add(right=2),
        IMAGE,
        IMAGE,
        code="argument-value",
        message="ADD takes one stream and one number, or streams alone; it has 2 and 1",
    )
    refuse(
        Subtract(),
        IMAGE,
        code="argument-value",
        message="SUB needs two operands, and one stream flows in",
        help="`{ a - b }`, or a number: `{ ID - 2 }`",
    )


def test_powers_negation_and_choice():
    positive = (torch.rand(3, 13) + 0.1, torch.randn(3, 13))
    hold(Power(), vector(13), vector(13), reference=lambda s, a, b: (b * a.log()).exp(),
         tensors=positive)  # fmt: skip
    hold(Negate(), IMAGE, reference=lambda s, x: 0 - x)
    hold(When(), IMAGE, IMAGE, train=True, reference=lambda s, a, b: a)
    hold(When(), IMAGE, IMAGE, reference=lambda s, a, b: b)
    refuse(
        When(),
        IMAGE,
        WORDS,
        code="shape-mismatch",
        message="cannot choose between (3, 5, 7) and (11, 13)",
    )
    refuse(
        When(),
        tokens(5, 7),
        tokens(5, 8),
        code="shape-mismatch",
        message="the tokens in training are below 7, the ones outside it below 8",
    )


def test_unknown_sizes_are_an_error_that_names_them():
    S, T = dims.symbol("S"), dims.symbol("T")
    refuse(
        Add(),
        sequence(T, vector(3)),
        sequence(S, vector(3)),
        code="undecided",
        message="cannot add (T, 3) and (S, 3): whether T equals S is not known",
        help="bind the dimensions (`-p S=... -p T=...`), or call what is equal by one name",
    )
    shape = sequence(T, vector(3))
    assert Add().infer(shape, vector(3)) == shape
    refuse(
        Add(),
        shape,
        vector(4),
        code="shape-mismatch",
        message="cannot add (T, 3) and (4)",
    )


def test_a_number_that_stands_for_a_stream():
    number = Shape(())
    for op, function in OPERATIONS:
        assert op.infer(number, IMAGE) == IMAGE
        x = torch.randn(2, *IMAGE.sizes)
        run = Built(op.torch((number, IMAGE), (IMAGE,)), {}, {})
        torch.testing.assert_close(run(3.0, x), function(3.0, x))
    refuse(
        MatrixMultiply(),
        WORDS,
        number,
        code="value-as-stream",
        message="a matrix product needs a stream, got a number",
    )
    refuse(
        Concatenate(),
        vector(3),
        number,
        code="shape-mismatch",
        message="cannot concatenate (3) and () along c",
    )


# --- properties ----------------------------------------------------------------------------------

sizes = st.sampled_from([1, 2, 3, 5])
shapes = st.one_of(
    st.builds(vector, sizes),
    st.builds(feature_map, sizes, sizes),
    st.builds(feature_map, sizes, sizes, sizes),
    st.builds(lambda t, c: sequence(t, vector(c)), sizes, sizes),
    st.builds(lambda t, c, h, w: sequence(t, feature_map(c, h, w)), sizes, sizes, sizes, sizes),
    st.builds(lambda n, t, c: carried(n, sequence(t, vector(c))), sizes, sizes, sizes),
)


@given(st.lists(shapes, min_size=2, max_size=3))
def test_a_join_that_is_allowed_runs_and_does_not_depend_on_the_order(operands):
    def outcome(given):
        try:
            return Add().infer(*given).sizes
        except OpError:
            return None

    found = outcome(operands)
    assert outcome(operands[::-1]) == found
    if found is not None:
        assert found in [shape.sizes for shape in operands]
        hold(Add(), *operands, output=found)


@given(shapes, st.integers(1, 4))
def test_joining_equal_shapes_gives_that_shape(shape, count):
    assert Add().infer(*[shape] * count) == shape
    assert Multiply().infer(*[shape] * count) == shape
