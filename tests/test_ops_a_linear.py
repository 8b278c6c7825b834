"""INPUT, SEQUENCE, TOKENS, FC and BILINEAR."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from archc import dims
from archc.op import OpError
from archc.ops.inputs import Input, Sequence, Tokens
from archc.ops.linear import Bilinear, FullyConnected
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import case_id, hold, refuse

VECTOR = vector(5)
WORDS = sequence(13, vector(5))
HEADS = Shape((Axis(3, "m", "carried"), *WORDS.axes))


def linear(state, x):
    return F.linear(x, state["weight"], state.get("bias"))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("shape", [VECTOR, WORDS, HEADS], ids=case_id)
def test_a_fully_connected_layer_works_on_the_last_axis(shape, bias, train):
    built = hold(
        FullyConnected(7, bias),
        shape,
        output=(*shape.sizes[:-1], 7),
        train=train,
        reference=linear,
    )
    assert (built.module.bias is not None) == bias


def test_figures_of_a_fully_connected_layer():
    op, bare = FullyConnected(7), FullyConnected(7, False)
    output = op.infer(WORDS)
    assert op.macs((WORDS,), (output,)) == 13 * 5 * 7
    assert op.flops((WORDS,), (output,)) == 2 * 13 * 5 * 7 + 13 * 7
    assert bare.flops((WORDS,), (output,)) == 2 * 13 * 5 * 7
    assert op.describe(WORDS) == {"filters": 7}
    form = op.torch((WORDS,), (output,))
    assert (form.constructor, form.arguments, form.keywords) == ("nn.Linear", (5, 7), ())


def test_a_fully_connected_layer_of_symbolic_sizes():
    c, t = dims.symbol("C"), dims.symbol("T")
    shape = sequence(t, vector(c))
    op = FullyConnected(4 * c)
    assert op.infer(shape).sizes == (t, 4 * c)
    assert op.parameters(shape) == {"weight": (4 * c, c), "bias": (4 * c,)}
    assert op.macs((shape,), (op.infer(shape),)) == 4 * c**2 * t


def test_a_map_asks_for_flatten():
    refuse(
        FullyConnected(10),
        feature_map(64, 5, 7),
        code="needs-flatten",
        message="FC needs a vector or a sequence of vectors, got the image (64, 5, 7)",
        help="`FLATTEN -> FC(10)`, or `GAP -> FC(10)`",
    )
    refuse(
        FullyConnected(10),
        sequence(3, feature_map(64, 5, 7)),
        code="needs-flatten",
        message="FC needs a vector or a sequence of vectors, got the sequence of images "
        "(3, 64, 5, 7)",
    )


def test_tokens_ask_for_features():
    refuse(
        FullyConnected(10),
        tokens(7, 65),
        code="needs-features",
        message="FC needs features, got the tokens (7)",
        help="`EMBED(64) -> FC(10)`",
    )
    last = Shape((Axis(5, "c", "features"), Axis(7, "m", "carried")))
    message = "FC needs its features on the last axis, got (5, 7)"
    refuse(FullyConnected(10), last, code="shape-mismatch", message=message)


@pytest.mark.parametrize("bias", [True, False])
def test_a_bilinear_layer(bias):
    def expected(state, a, b):
        product = torch.einsum("...i,kij,...j->...k", a, state["weight"], b)
        return product + state["bias"] if bias else product

    op = Bilinear(2, bias)
    hold(op, vector(3), VECTOR, output=(2,), reference=expected, counted=False)
    hold(op, sequence(7, vector(3)), sequence(7, VECTOR), reference=expected, counted=False)


def test_figures_of_a_bilinear_layer():
    op, inputs = Bilinear(16), (vector(32), vector(32))
    output = op.infer(*inputs)
    assert op.macs(inputs, (output,)) == 16_896
    assert op.flops(inputs, (output,)) == 2 * 16_896 + 16
    steps = (sequence(7, vector(3)), sequence(7, vector(5)))
    assert op.macs(steps, (op.infer(*steps),)) == 7 * 16 * (3 * 5 + 5)


def test_a_bilinear_layer_needs_streams_that_agree():
    refuse(
        Bilinear(2),
        sequence(7, vector(3)),
        sequence(5, vector(3)),
        code="shape-mismatch",
        message="BILINEAR needs streams that agree but for their features, got (7, 3) and (5, 3)",
    )
    refuse(
        Bilinear(2),
        sequence(7, vector(3)),
        vector(3),
        code="shape-mismatch",
        message="BILINEAR needs streams that agree but for their features, got (7, 3) and (3)",
    )


INPUTS = [
    (Input((784,)), vector(784), "vector"),
    (Input((1, 16000)), feature_map(1, 16000), "signal"),
    (Input((3, 5, 7)), feature_map(3, 5, 7), "image"),
    (Input((1, 2, 5, 7)), feature_map(1, 2, 5, 7), "volume"),
    (Sequence(13, (128,)), sequence(13, vector(128)), "sequence"),
    (Sequence(13, (3, 5, 7)), sequence(13, feature_map(3, 5, 7)), "sequence of images"),
    (Tokens(13, 65), tokens(13, 65), "tokens"),
]


@pytest.mark.parametrize(("op", "shape", "kind"), INPUTS, ids=case_id)
def test_what_an_input_is(op, shape, kind):
    assert op.infer() == shape
    assert op.infer().kind == kind
    assert op.infer(shape) == shape
    hold(op, shape, reference=lambda _, x: x)


def test_inputs_of_symbolic_sizes():
    t, c = dims.symbol("T"), dims.symbol("C")
    assert Sequence(t, (c,)).infer(sequence(t, vector(c))) == sequence(t, vector(c))
    refuse(
        Input((c, 5, 7)),
        feature_map(3, 5, 7),
        code="undecided",
        message="cannot tell whether (3, 5, 7) is (C, 5, 7), as INPUT expects",
    )


def test_an_input_checks_the_stream_of_a_net_used_as_a_block():
    refuse(
        Input((3, 32, 32)),
        feature_map(3, 64, 64),
        code="shape-mismatch",
        message="INPUT expects (3, 32, 32), got (3, 64, 64)",
    )
    refuse(
        Input((784,)),
        feature_map(1, 28, 28),
        code="shape-mismatch",
        message="INPUT expects the vector (784), got the image (1, 28, 28)",
    )
    refuse(
        Tokens(13, 65),
        tokens(13, 60),
        code="shape-mismatch",
        message="TOKENS expects (13) of tokens below 65, got (13) of tokens below 60",
    )


def test_inputs_need_one_to_four_sizes():
    with pytest.raises(OpError, match="INPUT needs its sizes") as none:
        Input(()).infer()
    assert (none.value.code, none.value.help) == ("missing-argument", "`INPUT(3, 224, 224)`")
    with pytest.raises(OpError, match=r"takes one to four sizes .* got 5") as many:
        Input((1, 2, 3, 4, 5)).infer()
    assert many.value.code == "argument-value"
    with pytest.raises(OpError, match="SEQUENCE needs its sizes"):
        Sequence(13, ()).infer()
