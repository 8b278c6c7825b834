"""POOL, MAXPOOL, AVGPOOL, GAP, GMP and ADAPTIVEPOOL against torch."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F

from archc import dims
from archc.ops.global_pooling import AdaptivePool, GlobalAveragePool, GlobalMaxPool
from archc.ops.pooling import AveragePool, MaxPool, Pool
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import case_id, hold, refuse

IMAGE = feature_map(3, 11, 13)
SIGNAL = feature_map(3, 17)
VOLUME = feature_map(2, 5, 7, 11)
FRAMES = sequence(3, feature_map(2, 7, 11))
WORDS = sequence(13, vector(4))

MAXIMUM = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
MEAN = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def pool(kinds, x, *arguments, **named):
    return kinds[x.dim() - 2](x, *arguments, **named)


CASES = [
    ({}, IMAGE, (3, 5, 6), (2,)),
    ({"kernel": 3}, IMAGE, (3, 3, 4), (3,)),
    ({"kernel": 3, "stride": 2}, IMAGE, (3, 5, 6), (3, 2)),
    ({"kernel": 3, "stride": 1}, IMAGE, (3, 11, 13), (3, 1, 1)),
    ({"kernel": 5, "stride": 1, "pad": "same"}, IMAGE, (3, 11, 13), (5, 1, 2)),
    ({"kernel": 3, "stride": 2, "pad": "same"}, IMAGE, (3, 6, 7), (3, 2, 1)),
    ({"kernel": 2, "pad": 1}, IMAGE, (3, 6, 7), (2, 2, 1)),
    (
        {"kernel": (2, 3), "stride": (1, 2), "pad": (0, 1)},
        IMAGE,
        (3, 10, 7),
        ((2, 3), (1, 2), (0, 1)),
    ),
    ({"kernel": (2, 1)}, IMAGE, (3, 5, 13), ((2, 1), (2, 1))),
    ({"kernel": 3, "stride": 2}, SIGNAL, (3, 8), (3, 2)),
    ({"kernel": (1, 2, 3)}, VOLUME, (2, 5, 3, 3), ((1, 2, 3),)),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "shape", "output", "expected"), CASES, ids=case_id)
@pytest.mark.parametrize("op", [MaxPool, Pool, AveragePool], ids=lambda op: op.name)
def test_pooling_on_maps(op, arguments, shape, output, expected):
    kinds = MEAN if op is AveragePool else MAXIMUM
    hold(op(**arguments), shape, output=output, reference=lambda _, x: pool(kinds, x, *expected))


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("count", [False, True])
def test_the_mean_counts_padding_or_not(ceil, count):
    op = AveragePool(3, 2, 1, ceil, count)
    named = {"ceil_mode": ceil, "count_include_pad": count}
    hold(op, feature_map(3, 10, 7), reference=lambda _, x: pool(MEAN, x, 3, 2, 1, **named))


@pytest.mark.parametrize("kernel", range(1, 6))
def test_sizes_are_torchs(kernel):
    for size, stride, pad, ceil in itertools.product(
        range(1, 12), range(1, 8), range(3), [False, True]
    ):
        if 2 * pad > kernel or kernel > size + 2 * pad:
            continue
        x = torch.randn(1, 1, size)
        expected = F.max_pool1d(x, kernel, stride, pad, ceil_mode=ceil).shape[-1]
        found = MaxPool(kernel, stride, pad, ceil).infer(feature_map(1, size))
        assert found.sizes == (1, expected), (size, kernel, stride, pad, ceil)


def test_a_symbolic_size_rounds_up_alike():
    size = dims.symbol("L")
    for kernel, stride, pad in [(2, 2, 0), (3, 2, 1), (2, 5, 1), (3, 4, 0), (5, 7, 2)]:
        op = MaxPool(kernel, stride, pad, True)
        formula = op.infer(feature_map(2, size)).sizes[1]
        for number in range(max(kernel - 2 * pad, 1), 20):
            expected = op.infer(feature_map(2, number)).sizes[1]
            assert dims.evaluate(formula, {"L": number}) == expected


def test_sides_of_their_own():
    def lowest(_, x):
        return F.max_pool1d(F.pad(x, (2, 1), value=float("-inf")), 5, 3)

    hold(MaxPool(5, 3, (2, 1)), SIGNAL, output=(3, 6), reference=lowest)
    hold(
        AveragePool(2, 1, ((0, 1), (1, 0))),
        IMAGE,
        output=(3, 11, 13),
        reference=lambda _, x: F.avg_pool2d(F.pad(x, (1, 0, 0, 1)), 2, 1),
    )


def test_padding_never_wins_a_maximum():
    built = hold(MaxPool(3, 2, (1, 0)), SIGNAL)
    assert (built(torch.full((1, 3, 17), -5.0)) == -5).all()


@pytest.mark.parametrize(("op", "kinds"), [(MaxPool, MAXIMUM), (AveragePool, MEAN)])
def test_pooling_on_sequences(op, kinds):
    def frames(_, x):
        return torch.stack([pool(kinds, frame, 2) for frame in x.unbind(1)], 1)

    hold(op(), FRAMES, output=(3, 2, 3, 5), reference=frames)
    hold(op(3, 2), WORDS, output=(6, 4), reference=lambda _, x: pool(kinds, x.mT, 3, 2).mT)


GLOBAL = [
    (IMAGE, (3,), (2, 3)),
    (SIGNAL, (3,), 2),
    (VOLUME, (2,), (2, 3, 4)),
    (FRAMES, (3, 2), (3, 4)),
    (WORDS, (4,), 1),
    (Shape((Axis(5, "m", "carried"), *WORDS.axes)), (5, 4), 2),
]


@pytest.mark.parametrize(("shape", "output", "axes"), GLOBAL, ids=case_id)
def test_global_pooling(shape, output, axes):
    hold(GlobalAveragePool(), shape, output=output, reference=lambda _, x: x.mean(axes))
    hold(GlobalMaxPool(), shape, output=output, reference=lambda _, x: x.amax(axes))


def test_global_pooling_makes_vectors():
    assert GlobalAveragePool().infer(IMAGE) == vector(3)
    assert GlobalMaxPool().infer(FRAMES) == sequence(3, vector(2))


def test_global_pooling_of_symbolic_sizes():
    h, w = dims.symbol("H"), dims.symbol("W")
    shape = feature_map(3, h, w)
    hold(GlobalAveragePool(), shape, bindings={"H": 5, "W": 7}, output=(3,))
    assert GlobalAveragePool().flops((shape,), (vector(3),)) == 3 * h * w
    assert GlobalAveragePool().describe(shape) == {}


@pytest.mark.parametrize(
    ("mode", "name"), [("avg", "adaptive_avg_pool"), ("max", "adaptive_max_pool")]
)
def test_adaptive_pooling(mode, name):
    def expected(size):
        return lambda _, x: getattr(F, f"{name}{x.dim() - 2}d")(x, size)

    hold(AdaptivePool(5, mode), IMAGE, output=(3, 5, 5), reference=expected(5))
    hold(AdaptivePool((2, 7), mode), IMAGE, output=(3, 2, 7), reference=expected((2, 7)))
    hold(AdaptivePool(4, mode), SIGNAL, output=(3, 4), reference=expected(4))
    hold(AdaptivePool((1, 2, 3), mode), VOLUME, output=(2, 1, 2, 3), reference=expected((1, 2, 3)))
    hold(AdaptivePool(2, mode), FRAMES, output=(3, 2, 2, 2))
    hold(AdaptivePool(5, mode), WORDS, output=(5, 4))


def test_costs():
    output = MaxPool(3, 2).infer(feature_map(64, 56, 56))
    assert MaxPool(3, 2).flops((feature_map(64, 56, 56),), (output,)) == 419_904
    assert AveragePool(3, 2).flops((IMAGE,), (feature_map(3, 5, 6),)) == 3 * 5 * 6 * 9
    assert GlobalMaxPool().flops((IMAGE,), (vector(3),)) == 3 * 11 * 13
    assert AdaptivePool(5).flops((IMAGE,), (feature_map(3, 5, 5),)) == 3 * 11 * 13


def test_what_tables_show():
    assert MaxPool(3, 2, 1).describe(IMAGE) == {"kernel": [3, 3], "stride": [2, 2], "pad": [1, 1]}
    assert GlobalAveragePool().describe(feature_map(1024, 7, 7)) == {
        "kernel": [7, 7],
        "stride": [1, 1],
        "pad": [0, 0],
    }


def test_generated_text_is_what_people_write():
    form = MaxPool(3, 2, 1).torch((IMAGE,), ())
    assert (form.constructor, form.arguments, form.call) == ("nn.MaxPool2d", (3,), "{module}({0})")
    assert form.keywords == (("stride", 2), ("padding", 1))
    assert MaxPool().torch((IMAGE,), ()).keywords == ()
    assert GlobalAveragePool().torch((IMAGE,), (vector(3),)).values == (("dim", (2, 3)),)


@pytest.mark.parametrize(
    "op", [MaxPool(), Pool(), AveragePool(), GlobalAveragePool(), GlobalMaxPool(), AdaptivePool(2)],
    ids=lambda op: op.name,
)  # fmt: skip
def test_vectors_and_tokens_are_refused(op):
    message = f"{op.name} needs a map or a sequence, got the vector (5)"
    refuse(op, vector(5), code="needs-map", message=message)
    message = f"{op.name} needs a map or a sequence, got the tokens (7)"
    refuse(op, tokens(7, 65), code="needs-map", message=message)


def test_bad_windows_are_refused():
    refuse(
        MaxPool(3, pad=2),
        IMAGE,
        code="argument-value",
        message="pad=2 of MAXPOOL is more than half of its kernel 3",
        help="`pad=1` is the most",
    )
    refuse(
        AveragePool(7),
        feature_map(3, 5, 9),
        code="kernel-too-large",
        message="a kernel of 7 by 7 does not fit on the image (3, 5, 9)",
        help="take a smaller kernel, or `pad=(1, 0)`",
    )
    refuse(
        MaxPool(2, 1),
        SIGNAL,
        code="even-kernel",
        message="an even kernel has no middle: MAXPOOL of 2 with stride 1 needs its pad in numbers",
        help="`pad=0` gives 16, `pad=1` gives 18",
    )
    refuse(
        MaxPool(2, 1, (0, 1), True),
        SIGNAL,
        code="argument-value",
        message="ceil=yes of MAXPOOL needs the same pad on both sides, got (0, 1)",
    )
    refuse(
        AveragePool(2, 1, (0, 1), count_pad=False),
        SIGNAL,
        code="argument-value",
        message="count_pad=no of AVGPOOL needs the same pad on both sides, got (0, 1)",
    )
    refuse(
        AdaptivePool((2, 3)),
        SIGNAL,
        code="argument-value",
        message="size=(2, 3) has 2 entries, but (3, 17) has 1 axis to move over: l",
    )
