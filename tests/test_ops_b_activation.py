"""Activations, functions of each element, and what acts in training only, against torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from archc import dims
from archc.ops.activation import (
    Gelu,
    HardSigmoid,
    HardSwish,
    Mish,
    Sigmoid,
    Silu,
    Softplus,
    Swish,
    Tanh,
)
from archc.ops.elementwise import Abs, Exp, Log, Scale, Sqrt, Square
from archc.ops.identity import Identity, Nothing
from archc.ops.rectifiers import Elu, LeakyRelu, Prelu, Relu, Relu6, Selu
from archc.ops.regularisation import Dropout, DropPath, Noise
from archc.ops.softmax import Glu, LogSoftmax, Softmax
from archc.shapes import feature_map, sequence, tokens, vector
from op_harness import case_id, hold, refuse

VECTOR = vector(13)
IMAGE = feature_map(3, 5, 7)
WORDS = sequence(11, vector(6))
VIDEO = sequence(2, feature_map(3, 5, 7))
KINDS = [VECTOR, feature_map(4, 17), IMAGE, feature_map(2, 3, 5, 7), WORDS, VIDEO]

# The reference is the definition, written out.
POINTWISE = [
    (Relu(), lambda x: torch.where(x > 0, x, 0.0), 1),
    (Relu6(), lambda x: x.clamp(0, 6), 2),
    (LeakyRelu(), lambda x: torch.where(x > 0, x, 0.01 * x), 2),
    (LeakyRelu(0.2), lambda x: torch.where(x > 0, x, 0.2 * x), 2),
    (Elu(), lambda x: torch.where(x > 0, x, x.exp() - 1), 4),
    (Elu(0.5), lambda x: torch.where(x > 0, x, 0.5 * (x.exp() - 1)), 4),
    (
        Selu(),
        lambda x: 1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * (x.exp() - 1)),
        5,
    ),
    (Gelu(), lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2, 5),
    (
        Gelu("tanh"),
        lambda x: x / 2 * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))),
        9,
    ),
    (Silu(), lambda x: x / (1 + (-x).exp()), 5),
    (Swish(), lambda x: x / (1 + (-x).exp()), 5),
    (Swish(1.5), lambda x: x / (1 + (-1.5 * x).exp()), 6),
    (Swish(-0.5), lambda x: x / (1 + (0.5 * x).exp()), 6),
    (Mish(), lambda x: x * torch.tanh(torch.log(1 + x.exp())), 9),
    (HardSwish(), lambda x: x * (x + 3).clamp(0, 6) / 6, 5),
    (HardSigmoid(), lambda x: (x + 3).clamp(0, 6) / 6, 4),
    (Sigmoid(), lambda x: 1 / (1 + (-x).exp()), 4),
    (Tanh(), lambda x: (1 - (-2 * x).exp()) / (1 + (-2 * x).exp()), 5),
    (Softplus(), lambda x: torch.log(1 + x.exp()), 3),
    (Softplus(2.0), lambda x: torch.log(1 + (2 * x).exp()) / 2, 5),
    (Exp(), lambda x: torch.e**x, 1),
    (Abs(), lambda x: torch.where(x < 0, -x, x), 1),
    (Square(), lambda x: x * x, 1),
    (Identity(), lambda x: x, 0),
]


@pytest.mark.parametrize(("op", "reference", "operations"), POINTWISE, ids=case_id)
@pytest.mark.parametrize("train", [False, True])
def test_functions_of_each_element(op, reference, operations, train):
    for shape in KINDS:
        hold(op, shape, output=shape.sizes, reference=lambda state, x: reference(x), train=train)
        assert op.infer(shape) == shape
        assert op.flops((shape,), (shape,)) == operations * shape.elements


@pytest.mark.parametrize("op", [Log(), Sqrt()], ids=case_id)
def test_functions_of_positive_elements(op):
    function = {"LOG": torch.log, "SQRT": lambda x: x**0.5}[op.name]
    positive = torch.rand(3, *IMAGE.sizes) + 0.1
    hold(op, IMAGE, reference=lambda state, x: function(x), tensors=(positive,))
    assert op.flops((IMAGE,), (IMAGE,)) == 105


def test_learned_slopes():
    def one(state, x):
        return torch.where(x > 0, x, state["weight"] * x)

    for shape in KINDS:
        hold(Prelu(), shape, reference=one)
    assert Prelu().parameters(IMAGE) == {"weight": (1,)}

    def each(dim):
        def reference(state, x):
            sizes = [1] * x.dim()
            sizes[dim] = -1
            return torch.where(x > 0, x, state["weight"].reshape(sizes) * x)

        return reference

    for shape, dim in [(VECTOR, 1), (IMAGE, 1), (WORDS, 2), (VIDEO, 2)]:
        hold(Prelu(shared=False), shape, reference=each(dim))
    assert Prelu(shared=False).parameters(WORDS) == {"weight": (6,)}
    started = hold(Prelu(shared=False, start=0.1), IMAGE).form
    assert started.keywords == (("init", 0.1),)


def test_softmax_runs_over_the_features_unless_told():
    for shape, axis, dim in [
        (VECTOR, None, 1),
        (IMAGE, None, 1),
        (WORDS, None, 2),
        (VIDEO, None, 2),
        (WORDS, "t", 1),
        (IMAGE, "w", 3),
        (IMAGE, -2, 2),
        (WORDS, 0, 1),
        (IMAGE, "c", 1),
    ]:

        def reference(state, x, dim=dim):
            return x.exp() / x.exp().sum(dim, keepdim=True)

        hold(Softmax(axis), shape, reference=reference)
        hold(LogSoftmax(axis), shape, reference=lambda s, x, r=reference: r(s, x).log())
        assert Softmax(axis).flops((shape,), (shape,)) == 5 * shape.elements


def test_gated_linear_unit():
    def gate(dim):
        def reference(state, x):
            half = x.shape[dim] // 2
            first, second = x.narrow(dim, 0, half), x.narrow(dim, half, half)
            return first / (1 + (-second).exp())

        return reference

    hold(Glu(), WORDS, output=(11, 3), reference=gate(2))
    hold(Glu("t"), sequence(10, vector(7)), output=(5, 7), reference=gate(1))
    hold(Glu(), feature_map(4, 5, 7), output=(2, 5, 7), reference=gate(1))
    assert Glu().flops((WORDS,), (Glu().infer(WORDS),)) == 5 * 33
    refuse(Glu(), VECTOR, code="not-divisible", message="GLU halves axis c, and its size 13 is odd")
    T = dims.symbol("T")
    refuse(
        Glu("t"),
        sequence(T, vector(3)),
        code="undecided",
        message="GLU needs an even number of features, and whether T is even is not known",
    )
    assert Glu("t").infer(sequence(2 * T, vector(3))).sizes == (T, 3)


def test_learned_scale():
    hold(Scale(), VECTOR, reference=lambda s, x: x * s["weight"])
    hold(Scale(), WORDS, reference=lambda s, x: x * s["weight"])
    hold(Scale(), IMAGE, reference=lambda s, x: x * s["weight"][None, :, None, None])
    hold(Scale(), VIDEO, reference=lambda s, x: x * s["weight"][None, None, :, None, None])
    fresh = Scale(1e-5).torch((IMAGE,), (IMAGE,))
    assert fresh.keywords == (("init", 1e-5), ("trailing", 2))
    assert Scale().parameters(WORDS) == {"weight": (6,)}


def test_dropout_drops_in_training_only():
    def kept(state, x):
        return x

    for op in (Dropout(), Dropout(0.1), DropPath(), DropPath(0.3), DropPath(0.0)):
        hold(op, IMAGE, reference=kept)
        assert op.flops((IMAGE,), (IMAGE,)) == 0
    torch.manual_seed(0)
    x = torch.ones(1000, 3, 2, 2)
    dropped = hold(Dropout(0.25), feature_map(3, 2, 2), train=True)(x)
    assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)


def test_stochastic_depth_drops_whole_samples():
    torch.manual_seed(0)
    built = hold(DropPath(0.25), IMAGE, train=True)
    result = built(torch.ones(2000, *IMAGE.sizes)).flatten(1)
    assert torch.equal(result.amin(1), result.amax(1))
    assert (result[:, 0] == 0).float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert result.max().item() == pytest.approx(1 / 0.75)
    assert not hold(DropPath(1.0), IMAGE, train=True)(torch.ones(3, *IMAGE.sizes)).any()


def test_noise_is_normal_in_training_and_zero_outside():
    hold(Noise(), IMAGE, reference=lambda s, x: torch.zeros_like(x))
    torch.manual_seed(0)
    drawn = hold(Noise(), VECTOR, train=True)(torch.full((2000, 13), 9.0))
    assert drawn.mean().item() == pytest.approx(0, abs=0.03)
    assert drawn.std().item() == pytest.approx(1, abs=0.03)


def test_what_is_refused():
    words = tokens(11, 100)
    refuse(
        Relu(),
        words,
        code="needs-reals",
        message="RELU needs real numbers, got the tokens (11)",
        help="turn the tokens into vectors first: EMBED(d), or ONEHOT",
    )
    refuse(
        Softmax("f"),
        IMAGE,
        code="unknown-axis",
        message="SOFTMAX: (3, 5, 7) has no axis f; its axes are c, h and w",
        help="`SOFTMAX(axis=c)`",
    )
    refuse(
        Softmax(3),
        IMAGE,
        code="unknown-axis",
        message="SOFTMAX: (3, 5, 7) has no axis 3; its axes are c, h and w",
    )
    refuse(
        Softmax("t"),
        VECTOR,
        code="unknown-axis",
        message="SOFTMAX: (13) has no axis t; its one axis is c",
    )
    refuse(
        Softmax(("h", "w")),
        IMAGE,
        code="argument-value",
        message="SOFTMAX runs along one axis, and axis names 2",
    )
    refuse(Swish(0.0), IMAGE, code="argument-value", message="SWISH(beta=0) is x / 2")
    refuse(
        Nothing(),
        IMAGE,
        code="stream-missing",
        message="NONE leaves nothing behind that could flow on",
    )


def test_symbolic_sizes_stay():
    T = dims.symbol("T")
    shape = sequence(T, vector(6))
    assert Relu().infer(shape) == shape
    assert Relu().flops((shape,), (shape,)) == 6 * T
    hold(Softmax("t"), shape, bindings={"T": 5}, reference=lambda s, x: F.softmax(x, 1))
