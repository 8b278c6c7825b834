"""CONV, DWCONV and DECONV against torch."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from archc import dims
from archc.ops.convolution import Conv, DepthwiseConv
from archc.ops.deconvolution import Deconv
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import case_id, hold, refuse

IMAGE = feature_map(6, 11, 13)
SIGNAL = feature_map(4, 17)
VOLUME = feature_map(2, 5, 7, 11)
FRAMES = sequence(3, feature_map(4, 7, 11))
WORDS = sequence(13, vector(4))


def convolve(state, x, **arguments):
    call = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[x.dim() - 2]
    return call(x, state["weight"], state.get("bias"), **arguments)


def deconvolve(state, x, **arguments):
    call = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[x.dim() - 2]
    return call(x, state["weight"], state.get("bias"), **arguments)


CONVOLUTIONS = [
    (Conv(5), IMAGE, (5, 11, 13), {"padding": 1}),
    (Conv(5, bias=False), IMAGE, (5, 11, 13), {"padding": 1}),
    (Conv(5, 5, 2), IMAGE, (5, 6, 7), {"padding": 2, "stride": 2}),
    (Conv(5, (3, 1), (1, 2)), IMAGE, (5, 11, 7), {"padding": (1, 0), "stride": (1, 2)}),
    (Conv(5, 3, 2, 0), IMAGE, (5, 5, 6), {"stride": 2}),
    (Conv(5, 3, pad=(2, 0)), IMAGE, (5, 13, 11), {"padding": (2, 0)}),
    (Conv(4, 3, groups=2), IMAGE, (4, 11, 13), {"padding": 1, "groups": 2}),
    (Conv(12, 3, groups=6), IMAGE, (12, 11, 13), {"padding": 1, "groups": 6}),
    (Conv(5, 3, dilation=2), IMAGE, (5, 11, 13), {"padding": 2, "dilation": 2}),
    (Conv(5, 3, dilation=(2, 3)), IMAGE, (5, 11, 13), {"padding": (2, 3), "dilation": (2, 3)}),
    (Conv(5, 4, 4), IMAGE, (5, 2, 3), {"stride": 4}),
    (Conv(5, 3, 5), IMAGE, (5, 2, 3), {"stride": 5}),
    (Conv(5, 3), SIGNAL, (5, 17), {"padding": 1}),
    (Conv(6, 5, 2, groups=2), SIGNAL, (6, 9), {"padding": 2, "stride": 2, "groups": 2}),
    (
        Conv(3, (1, 3, 5), (1, 2, 3)),
        VOLUME,
        (3, 5, 4, 4),
        {"padding": (0, 1, 2), "stride": (1, 2, 3)},
    ),
]


@pytest.mark.parametrize(("op", "shape", "output", "arguments"), CONVOLUTIONS, ids=case_id)
@pytest.mark.parametrize("train", [False, True])
def test_convolution_on_maps(op, shape, output, arguments, train):
    hold(op, shape, output=output, train=train, reference=lambda s, x: convolve(s, x, **arguments))


PADDED = [
    (Conv(5, 2, pad="causal", dilation=3), SIGNAL, (5, 17), (3, 0), {"dilation": 3}),
    (Conv(5, 3, 2, pad="causal"), SIGNAL, (5, 9), (2, 0), {"stride": 2}),
    (Conv(5, 2, pad=(0, 1)), SIGNAL, (5, 17), (0, 1), {}),
    (Conv(5, 2, pad=((0, 1),)), SIGNAL, (5, 17), (0, 1), {}),
    (Conv(5, 2, pad=((0, 1), (2, 0))), IMAGE, (5, 11, 14), (2, 0, 0, 1), {}),
    (Conv(5, 3, pad=((0, 1), 2)), IMAGE, (5, 10, 15), (2, 2, 0, 1), {}),
]


@pytest.mark.parametrize(("op", "shape", "output", "sides", "arguments"), PADDED, ids=case_id)
def test_padding_that_differs_between_the_sides(op, shape, output, sides, arguments):
    built = hold(
        op, shape, output=output, reference=lambda s, x: convolve(s, F.pad(x, sides), **arguments)
    )
    assert built.module.padding == (0,) * (shape.rank - 1)


def test_a_causal_convolution_never_sees_the_future():
    built = hold(Conv(5, 3, pad="causal", dilation=2), SIGNAL)
    x = torch.randn(1, 4, 17)
    changed = x.clone()
    changed[..., 9:] += 1
    assert torch.equal(built(x)[..., :9], built(changed)[..., :9])
    assert not torch.equal(built(x)[..., 9], built(changed)[..., 9])


def test_sequences_of_maps_work_on_each_step():
    def each_frame(state, x):
        return torch.stack(
            [convolve(state, frame, padding=1, stride=2) for frame in x.unbind(1)], 1
        )

    hold(Conv(5, 3, 2), FRAMES, output=(3, 5, 4, 6), reference=each_frame)


def test_sequences_of_vectors_move_along_the_steps():
    def along(state, x):
        return convolve(state, x.permute(0, 2, 1), padding=2, stride=3).permute(0, 2, 1)

    hold(Conv(5, 5, 3, pad=2), WORDS, output=(5, 5), reference=along)


@pytest.mark.parametrize("bias", [True, False])
def test_a_kernel_of_one_takes_a_vector(bias):
    def expected(state, x):
        return F.linear(x, state["weight"], state.get("bias"))

    op, heads = Conv(7, 1, bias=bias), Shape((Axis(3, "m", "carried"), *vector(5).axes))
    hold(op, vector(5), output=(7,), reference=expected)
    hold(op, heads, output=(3, 7), reference=expected)
    assert op.describe(vector(5)) == {"filters": 7}
    message = "CONV needs a map or a sequence, got the vector (6)"
    for other in (Conv(4, 1, 2), Conv(4, 1, groups=2), Conv(4, 3)):
        refuse(other, vector(6), code="needs-map", message=message)


def test_axes_in_front_are_carried_like_the_batch():
    carried = Shape((Axis(2, "m", "carried"), *WORDS.axes))
    windows = Shape((Axis(2, "m", "carried"), Axis(3, "n", "carried"), *feature_map(4, 5, 7).axes))

    def along(state, x):
        return torch.stack([convolve(state, y.mT, padding=1).mT for y in x.unbind(1)], 1)

    def inside(state, x):
        rows = [torch.stack([convolve(state, z) for z in y.unbind(1)], 1) for y in x.unbind(1)]
        return torch.stack(rows, 1)

    hold(Conv(5, 3), carried, output=(2, 13, 5), reference=along)
    hold(Conv(5, 3, pad=0), windows, output=(2, 3, 5, 3, 5), reference=inside)


DEPTHWISE = [
    (DepthwiseConv(), IMAGE, (6, 11, 13), {"padding": 1, "groups": 6}),
    (DepthwiseConv(5, 2, bias=False), IMAGE, (6, 6, 7), {"padding": 2, "stride": 2, "groups": 6}),
    (DepthwiseConv(3, multiplier=2), IMAGE, (12, 11, 13), {"padding": 1, "groups": 6}),
    (DepthwiseConv(3, 2, pad=0), SIGNAL, (4, 8), {"stride": 2, "groups": 4}),
    (
        DepthwiseConv(3, dilation=2),
        VOLUME,
        (2, 5, 7, 11),
        {"padding": 2, "dilation": 2, "groups": 2},
    ),
]


@pytest.mark.parametrize(("op", "shape", "output", "arguments"), DEPTHWISE, ids=case_id)
def test_depthwise_convolution(op, shape, output, arguments):
    hold(op, shape, output=output, reference=lambda s, x: convolve(s, x, **arguments))


def test_depthwise_convolution_on_sequences():
    hold(DepthwiseConv(3), FRAMES, output=(3, 4, 7, 11))
    hold(DepthwiseConv(3, pad="causal"), WORDS, output=(13, 4))


DECONVOLUTIONS = [
    (Deconv(5), IMAGE, (5, 33, 39), {"stride": 3}),
    (Deconv(5, 2), IMAGE, (5, 22, 26), {"stride": 2}),
    (Deconv(5, 4, 2), IMAGE, (5, 22, 26), {"stride": 2, "padding": 1}),
    (Deconv(5, 3, 2), IMAGE, (5, 22, 26), {"stride": 2, "padding": 1, "output_padding": 1}),
    (Deconv(5, 2, 3), IMAGE, (5, 33, 39), {"stride": 3, "output_padding": 1}),
    (Deconv(5, 3, 1), IMAGE, (5, 11, 13), {"padding": 1}),
    (Deconv(5, 3, 2, pad=1), IMAGE, (5, 21, 25), {"stride": 2, "padding": 1}),
    (Deconv(5, 4, 2, pad=(1, 0), bias=False), IMAGE, (5, 22, 28), {"stride": 2, "padding": (1, 0)}),
    (Deconv(4, 4, 2, groups=2), IMAGE, (4, 22, 26), {"stride": 2, "padding": 1, "groups": 2}),
    (
        Deconv(5, 3, 2, dilation=2),
        IMAGE,
        (5, 22, 26),
        {"stride": 2, "padding": 2, "output_padding": 1, "dilation": 2},
    ),
    (Deconv(5, 5, 2), SIGNAL, (5, 34), {"stride": 2, "padding": 2, "output_padding": 1}),
    (
        Deconv(3, (1, 2, 3), (1, 2, 2)),
        VOLUME,
        (3, 5, 14, 22),
        {"stride": (1, 2, 2), "padding": (0, 0, 1), "output_padding": (0, 0, 1)},
    ),
]


@pytest.mark.parametrize(("op", "shape", "output", "arguments"), DECONVOLUTIONS, ids=case_id)
def test_transposed_convolution(op, shape, output, arguments):
    hold(op, shape, output=output, reference=lambda s, x: deconvolve(s, x, **arguments))


def test_an_odd_number_is_cut_off_where_torch_has_no_padding_for_it():
    def cut(state, x):
        return deconvolve(state, x)[:, :, 2:-1, 2:-1]

    hold(Deconv(5, 4, 1), IMAGE, output=(5, 11, 13), reference=cut)


def test_transposed_convolution_with_sides_of_their_own():
    def cut(state, x):
        return deconvolve(state, x, stride=2)[:, :, 1:, :-1]

    hold(Deconv(5, 2, pad=((1, 0), (0, 1))), IMAGE, output=(5, 21, 25), reference=cut)


def test_transposed_convolution_on_sequences():
    def along(state, x):
        return deconvolve(state, x.mT, stride=2, padding=1).mT

    def each_frame(state, x):
        return torch.stack([deconvolve(state, f, stride=2) for f in x.unbind(1)], 1)

    hold(Deconv(5, 4, 2), WORDS, output=(26, 5), reference=along)
    hold(Deconv(5, 2), FRAMES, output=(3, 5, 14, 22), reference=each_frame)


@pytest.mark.parametrize("kernel", range(1, 7))
@pytest.mark.parametrize("stride", range(1, 5))
@pytest.mark.parametrize("dilation", range(1, 4))
def test_same_makes_a_transposed_convolution_exactly_stride_times_as_large(
    kernel, stride, dilation
):
    op = Deconv(2, kernel, stride, dilation=dilation)
    hold(op, feature_map(3, 7), output=(2, 7 * stride))


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2, 3, 7])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1, (2, 0)])
def test_sizes_are_torchs(kernel, stride, dilation, pad):
    if dilation * (kernel - 1) + 1 > 11:
        return
    hold(Conv(2, kernel, stride, pad, dilation=dilation), feature_map(3, 11), counted=False)


def test_symbolic_sizes_stay_symbolic():
    c, h, w = dims.symbol("C"), dims.symbol("H"), dims.symbol("W")
    shape = feature_map(c, h, w)
    op = Conv(c, 3, bias=False)
    assert op.infer(shape) == shape
    assert math.prod(op.parameters(shape)["weight"]) == 9 * c**2
    assert op.macs((shape,), (shape,)) == 9 * c**2 * h * w
    assert Deconv(8, 4, 2).infer(shape).sizes == (8, 2 * h, 2 * w)
    assert DepthwiseConv().parameters(shape) == {"weight": (c, 1, 3, 3), "bias": (c,)}


def test_symbolic_steps_run():
    steps = dims.symbol("T")
    hold(
        Conv(5, 3), sequence(steps, feature_map(4, 7, 11)), bindings={"T": 3}, output=(3, 5, 7, 11)
    )
    hold(Conv(5, 3), sequence(steps, vector(4)), bindings={"T": 13}, output=(13, 5))


def test_flops_count_biases():
    op, bare = Conv(5, 3), Conv(5, 3, bias=False)
    output = op.infer(IMAGE)
    assert bare.flops((IMAGE,), (output,)) == 2 * op.macs((IMAGE,), (output,))
    assert op.flops((IMAGE,), (output,)) == 2 * op.macs((IMAGE,), (output,)) + 5 * 11 * 13
    up = Deconv(5, 2)
    larger = up.infer(IMAGE)
    assert up.flops((IMAGE,), (larger,)) == 2 * up.macs((IMAGE,), (larger,)) + 5 * 22 * 26


def test_what_tables_show():
    shown = Conv(64, 11, 4, pad=2).describe(feature_map(3, 227, 227))
    assert shown == {
        "kernel": [11, 11], "stride": [4, 4], "pad": [2, 2], "dilation": [1, 1],
        "groups": 1, "filters": 64,
    }  # fmt: skip
    assert Conv(5, 2, pad="causal").describe(SIGNAL)["pad"] == [[1, 0]]
    assert DepthwiseConv(multiplier=2).describe(IMAGE)["filters"] == 12
    assert DepthwiseConv().describe(IMAGE)["groups"] == 6
    assert Deconv(5, 4, 2).describe(IMAGE)["pad"] == [1, 1]


def test_generated_text_is_what_people_write():
    form = Conv(64, 7, 2, bias=False).torch((feature_map(3, 224, 224),), ())
    assert (form.constructor, form.arguments) == ("nn.Conv2d", (3, 64, 7))
    assert form.keywords == (("stride", 2), ("padding", 3), ("bias", False))
    assert form.call == "{module}({0})"
    frames = Conv(8, 1).torch((FRAMES,), ())
    assert frames.call == "torch.unflatten({module}({0}.flatten(0, 1)), 0, (-1, {steps}))"
    causal = Conv(8, 3, pad="causal").torch((WORDS,), ())
    assert causal.call == "{module}(F.pad({0}.transpose(1, 2), (2, 0))).transpose(1, 2)"


@pytest.mark.parametrize("op", [Conv(5), DepthwiseConv(), Deconv(5)], ids=lambda op: op.name)
def test_vectors_and_tokens_are_refused(op):
    refuse(
        op,
        vector(784),
        code="needs-map",
        message=f"{op.name} needs a map or a sequence, got the vector (784)",
        help=f"give it axes of space: `RESHAPE(1, 28, 28) -> {op.name}`",
    )
    for size, image in [(3072, "3, 32, 32"), (100, "1, 10, 10"), (7, "7, 1, 1"), (1, "1, 1, 1")]:
        message = f"{op.name} needs a map or a sequence, got the vector ({size})"
        help = f"give it axes of space: `RESHAPE({image}) -> {op.name}`"
        refuse(op, vector(size), code="needs-map", message=message, help=help)
    message = f"{op.name} needs a map or a sequence, got the tokens (7)"
    refuse(op, tokens(7, 65), code="needs-map", message=message)


def test_kernels_larger_than_the_map_are_refused():
    refuse(
        Conv(5, 7, pad=0),
        feature_map(64, 5, 6),
        code="kernel-too-large",
        message="a kernel of 7 by 7 does not fit on the image (64, 5, 6)",
        help="take a smaller kernel, or `pad=1`",
    )
    refuse(
        DepthwiseConv((3, 5), pad=1, dilation=4),
        feature_map(64, 11, 6),
        code="kernel-too-large",
        message="a kernel of 3 by 5, which reaches 9 by 17, does not fit on the image (64, 11, 6), "
        "13 by 8 with its padding",
        help="take a smaller kernel, or `pad=(1, 6)`",
    )


def test_an_unknown_size_may_be_large_enough():
    size = dims.symbol("L")
    assert Conv(5, 7, pad=0).infer(feature_map(3, size)).sizes == (5, size - 6)


def test_even_kernels_ask_for_a_pad():
    refuse(
        Conv(5, 4, 2),
        feature_map(3, 64, 64),
        code="even-kernel",
        message="an even kernel has no middle: CONV of 4 by 4 with stride 2 needs its pad in "
        "numbers",
        help="`pad=1` gives 32 by 32, `pad=2` gives 33 by 33",
    )
    refuse(
        Conv(5, (2, 3)),
        feature_map(3, 11, 13),
        code="even-kernel",
        message="an even kernel has no middle: CONV of 2 by 3 with stride 1 needs its pad in "
        "numbers",
        help="`pad=(0, 1)` gives 10 by 13, `pad=1` gives 12 by 13",
    )


def test_tuples_must_fit_the_axes():
    refuse(
        Conv(5, (3, 5)),
        SIGNAL,
        code="argument-value",
        message="kernel=(3, 5) has 2 entries, but (4, 17) has 1 axis to move over: l",
    )
    refuse(
        Conv(5, 3, (2,)),
        IMAGE,
        code="argument-value",
        message="stride=(2,) has 1 entry, but (6, 11, 13) has 2 axes to move over: h, w",
    )
    refuse(
        Conv(5, 3, pad=(1, 1, 1)),
        IMAGE,
        code="argument-value",
        message="pad=(1, 1, 1) has 3 entries, but (6, 11, 13) has 2 axes to move over: h, w",
    )
    refuse(
        Conv(5, 3, pad="causal"),
        IMAGE,
        code="argument-value",
        message="pad=causal needs a single axis of time, and (6, 11, 13) has 2 of space",
    )


def test_groups_must_divide_the_channels():
    refuse(
        Conv(8, groups=4),
        IMAGE,
        code="not-divisible",
        message="the 6 input channels of CONV do not divide into 4 equal groups",
        help="`groups=3` divides 6",
    )
    refuse(
        Deconv(8, groups=3),
        IMAGE,
        code="not-divisible",
        message="the 8 filters of DECONV do not divide into 3 equal groups",
        help="`groups=2` divides 8",
    )
    c = dims.symbol("C")
    refuse(
        Conv(8, groups=4),
        feature_map(c, 7),
        code="undecided",
        message="cannot tell whether the C input channels of CONV divide into 4 groups",
        help="declare it: `dim C % 4 == 0`",
    )
    even = dims.symbol("C", divisor=4)
    assert Conv(8, groups=4).parameters(feature_map(even, 7))["weight"] == (8, even // 4, 3)


def test_a_transposed_convolution_must_leave_something():
    refuse(
        Deconv(5, 3, 1, pad=3),
        feature_map(2, 3, 4),
        code="kernel-too-large",
        message="pad=3 of DECONV leaves nothing of the 5 by 6 it makes",
    )
