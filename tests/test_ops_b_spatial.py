"""UPSAMPLE, PAD, CROP, SHUFFLE and ROLL against torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from archc import dims
from archc.ops.moving import Roll, Shuffle
from archc.ops.spatial import Crop, Padding
from archc.ops.upsampling import Upsample
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import hold, refuse

SIGNAL = feature_map(4, 17)
IMAGE = feature_map(3, 5, 7)
VOLUME = feature_map(2, 3, 5, 7)
WORDS = sequence(11, vector(13))
VIDEO = sequence(2, feature_map(3, 5, 7))
T = dims.symbol("T")


def nearest(x, dim, factor):
    return torch.stack([p for p in x.unbind(dim) for _ in range(factor)], dim)


def test_nearest_neighbours():
    hold(Upsample(), IMAGE, output=(3, 10, 14),
         reference=lambda s, x: nearest(nearest(x, 2, 2), 3, 2))  # fmt: skip
    hold(Upsample((2, 3)), IMAGE, output=(3, 10, 21),
         reference=lambda s, x: nearest(nearest(x, 2, 2), 3, 3))  # fmt: skip
    hold(Upsample(3), SIGNAL, output=(4, 51), reference=lambda s, x: nearest(x, 2, 3))
    hold(Upsample(3), WORDS, output=(33, 13), reference=lambda s, x: nearest(x, 1, 3))
    hold(Upsample((2, 1, 3)), VOLUME, output=(2, 6, 5, 21),
         reference=lambda s, x: nearest(nearest(x, 2, 2), 4, 3))  # fmt: skip
    hold(Upsample(2), VIDEO, output=(2, 3, 10, 14),
         reference=lambda s, x: nearest(nearest(x, 3, 2), 4, 2))  # fmt: skip
    assert Upsample().flops((IMAGE,), (Upsample().infer(IMAGE),)) == 0
    assert Upsample().infer(WORDS) == sequence(22, vector(13))


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("mode", ["linear", "bilinear", "trilinear"])
def test_interpolation(mode, corners):
    # The axes are independent, so an image is interpolated one axis after the other.
    def along(x, dim, factor):
        moved = x.movedim(dim, -1)
        flat = moved.reshape(x.shape[0], -1, x.shape[dim])
        grown = F.interpolate(flat, scale_factor=factor, mode="linear", align_corners=corners)
        return grown.reshape(*moved.shape[:-1], -1).movedim(-1, dim)

    op = Upsample(2, mode, corners)
    hold(op, SIGNAL, output=(4, 34), reference=lambda s, x: along(x, 2, 2))
    hold(op, IMAGE, output=(3, 10, 14), reference=lambda s, x: along(along(x, 2, 2), 3, 2))
    hold(op, VIDEO, reference=lambda s, x: along(along(x, 3, 2), 4, 2))
    hold(op, VOLUME, reference=lambda s, x: along(along(along(x, 2, 2), 3, 2), 4, 2))
    hold(op, WORDS, output=(22, 13), reference=lambda s, x: along(x, 1, 2))
    for shape, per_element in [(SIGNAL, 3), (IMAGE, 7), (VOLUME, 15)]:
        out = op.infer(shape)
        assert op.flops((shape,), (out,)) == per_element * out.elements


def test_cubic_interpolation():
    hold(Upsample(2, "bicubic"), IMAGE, output=(3, 10, 14),
         reference=lambda s, x: F.interpolate(x, (10, 14), mode="bicubic"))  # fmt: skip
    refuse(
        Upsample(2, "bicubic"),
        SIGNAL,
        code="argument-value",
        message="mode=bicubic is for images, got the signal (4, 17)",
    )


def test_upsampling_symbolic_sizes():
    H, W = dims.symbol("H"), dims.symbol("W")
    assert Upsample((2, 3)).infer(feature_map(3, H, W)).sizes == (3, 2 * H, 3 * W)
    hold(Upsample(2), sequence(T, IMAGE), bindings={"T": 2})


def test_upsampling_refuses():
    refuse(
        Upsample(),
        vector(13),
        code="needs-map",
        message="UPSAMPLE needs a map or a sequence, got the vector (13)",
    )
    refuse(
        Upsample((2, 2, 2)),
        IMAGE,
        code="argument-value",
        message="scale of UPSAMPLE names 3 axes, and the input has 2 axes",
    )
    refuse(
        Upsample(2, "nearest", True),
        IMAGE,
        code="argument-value",
        message="corners=yes needs a mode that interpolates, and mode is nearest",
    )
    refuse(
        Upsample(),
        tokens(5, 9),
        code="needs-reals",
        message="UPSAMPLE needs real numbers, got the tokens (5)",
    )


def framed(x, sides, value=0.0):
    """Padding by definition: a larger tensor with the input written into its middle."""
    sizes = [n + a + b for n, (a, b) in zip(x.shape, sides, strict=True)]
    result = torch.full(sizes, value)
    middle = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, sides, strict=True))
    result[middle] = x
    return result


NO = (0, 0)


def test_padding_with_a_value():
    hold(Padding(1), IMAGE, output=(3, 7, 9),
         reference=lambda s, x: framed(x, [NO, NO, (1, 1), (1, 1)]))  # fmt: skip
    hold(Padding((1, 2)), IMAGE, output=(3, 7, 11),
         reference=lambda s, x: framed(x, [NO, NO, (1, 1), (2, 2)]))  # fmt: skip
    hold(Padding(((0, 1), (2, 3)), value=-1.5), IMAGE, output=(3, 6, 12),
         reference=lambda s, x: framed(x, [NO, NO, (0, 1), (2, 3)], -1.5))  # fmt: skip
    hold(Padding(((2, 0),), value=1), WORDS, output=(13, 13),
         reference=lambda s, x: framed(x, [NO, (2, 0), NO], 1.0))  # fmt: skip
    hold(Padding((1, 2)), VIDEO, output=(2, 3, 7, 11),
         reference=lambda s, x: framed(x, [NO, NO, NO, (1, 1), (2, 2)]))  # fmt: skip
    hold(Padding((1, 0, 2)), VOLUME, output=(2, 5, 5, 11))


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_with_what_the_map_holds(mode):
    def index(n, before, after):
        at = range(-before, n + after)
        if mode == "replicate":
            return [min(max(i, 0), n - 1) for i in at]
        if mode == "circular":
            return [i % n for i in at]
        return [abs(i) if i < n else 2 * (n - 1) - i for i in at]

    hold(Padding((1, (2, 3)), mode=mode), IMAGE, output=(3, 7, 12),
         reference=lambda s, x: x[:, :, index(5, 1, 1)][..., index(7, 2, 3)])  # fmt: skip
    hold(Padding(2, mode=mode), WORDS, reference=lambda s, x: x[:, index(11, 2, 2)])
    hold(Padding(1, mode=mode), VIDEO,
         reference=lambda s, x: x[:, :, :, index(5, 1, 1)][..., index(7, 1, 1)])  # fmt: skip
    hold(Padding(1, mode=mode), sequence(T, IMAGE), bindings={"T": 2})


def test_padding_other_axes():
    hold(Padding(((0, 2),), axis="c"), IMAGE, output=(5, 5, 7),
         reference=lambda s, x: framed(x, [NO, (0, 2), NO, NO]))  # fmt: skip
    hold(Padding(((0, 2), (1, 0)), axis=("w", "c"), value=3), IMAGE, output=(4, 5, 9),
         reference=lambda s, x: framed(x, [NO, (1, 0), NO, (0, 2)], 3.0))  # fmt: skip
    hold(Padding((1, 3), axis=("t", "c")), WORDS, output=(13, 19),
         reference=lambda s, x: framed(x, [NO, (1, 1), (3, 3)]))  # fmt: skip
    hold(Padding(2, axis="c"), vector(13), output=(17,))
    refuse(
        Padding(1, mode="reflect", axis="c"),
        IMAGE,
        code="argument-value",
        message="mode=reflect pads the axes of space; axis goes with zeros or a value",
    )
    refuse(
        Padding((1, 2, 3), axis=("h", "w")),
        IMAGE,
        code="argument-value",
        message="sizes of PAD names 3 axes, and the input has 2 axes",
    )


def test_padding_refuses():
    refuse(
        Padding(5, mode="reflect"),
        IMAGE,
        code="argument-value",
        message="a reflect pad of 5 does not fit a size of 5",
    )
    refuse(
        Padding((6, 0), mode="circular"),
        IMAGE,
        code="argument-value",
        message="a circular pad of 6 does not fit a size of 5",
    )
    assert Padding((5, 0), mode="circular").infer(IMAGE).sizes == (3, 15, 7)
    refuse(
        Padding(1, value=2, mode="reflect"),
        IMAGE,
        code="argument-value",
        message="value=2 has no effect with mode=reflect",
    )
    refuse(
        Padding(1, mode="reflect"),
        feature_map(3, dims.symbol("L")),
        code="undecided",
        message="whether a reflect pad of 1 fits a size of L is not known",
        help="declare it: `dim L >= 2`",
    )


def test_cropping():
    hold(Crop((2, 4)), IMAGE, output=(3, 2, 4), reference=lambda s, x: x[:, :, 1:3, 1:5])
    hold(Crop(3), IMAGE, output=(3, 3, 3), reference=lambda s, x: x[:, :, 1:4, 2:5])
    hold(Crop(3, 0), IMAGE, output=(3, 3, 3), reference=lambda s, x: x[:, :, :3, :3])
    hold(Crop(3, (1, 4)), IMAGE, reference=lambda s, x: x[:, :, 1:4, 4:])
    hold(Crop(4), WORDS, output=(4, 13), reference=lambda s, x: x[:, 3:7])
    hold(Crop((2, 4)), VIDEO, output=(2, 3, 2, 4), reference=lambda s, x: x[..., 1:3, 1:5])
    even = dims.symbol("E", minimum=4)
    hold(Crop(3), feature_map(2, even), output=(2, 3), bindings={"E": 8},
         reference=lambda s, x: x[:, :, 2:5])  # fmt: skip
    refuse(
        Crop(6),
        IMAGE,
        code="argument-value",
        message="cannot crop (3, 5, 7) to 6: the axis has 5 positions",
    )
    refuse(
        Crop(3, 3),
        IMAGE,
        code="argument-value",
        message="cannot crop (3, 5, 7) to 3 at 3: the axis has 5 positions",
    )
    refuse(
        Crop(3),
        feature_map(2, dims.symbol("L")),
        code="undecided",
        message="whether 3 positions lie within L is not known",
    )


def test_shuffling_channels():
    def mixed(dim, groups):
        def reference(s, x):
            channels = x.unbind(dim)
            size = len(channels) // groups
            order = [g * size + i for i in range(size) for g in range(groups)]
            return torch.stack([channels[i] for i in order], dim)

        return reference

    hold(Shuffle(3), feature_map(6, 5, 7), reference=mixed(1, 3))
    hold(Shuffle(2), feature_map(6, 5, 7), reference=mixed(1, 2))
    hold(Shuffle(4), sequence(11, vector(12)), reference=mixed(2, 4))
    hold(Shuffle(3), sequence(2, feature_map(6, 5, 7)), reference=mixed(2, 3))
    hold(Shuffle(2), vector(6), reference=mixed(1, 2))
    refuse(
        Shuffle(4),
        feature_map(6, 5, 7),
        code="not-divisible",
        message="the 6 channels of SHUFFLE do not divide into 4 equal groups",
    )


def test_rolling():
    def moved(x, dim, shift):
        parts = x.unbind(dim)
        return torch.stack([parts[(i - shift) % len(parts)] for i in range(len(parts))], dim)

    hold(Roll(-3, ("h", "w")), IMAGE, reference=lambda s, x: moved(moved(x, 2, -3), 3, -3))
    hold(Roll((1, 2), ("w", "h")), IMAGE, reference=lambda s, x: moved(moved(x, 3, 1), 2, 2))
    hold(Roll(2, "t"), WORDS, reference=lambda s, x: moved(x, 1, 2))
    hold(Roll(1), WORDS, reference=lambda s, x: moved(x, 2, 1))
    hold(Roll(1, "t"), tokens(11, 9), reference=lambda s, x: moved(x, 1, 1))
    windows = Shape((Axis(3, "n", "carried"), *WORDS.axes))
    hold(Roll(1, "n"), windows, reference=lambda s, x: moved(x, 1, 1))
    refuse(
        Roll((1, 2), "h"),
        IMAGE,
        code="argument-value",
        message="shift of ROLL names 2 axes, and the input has 1 axis",
    )
    refuse(
        Roll(1, ("h", "h")),
        IMAGE,
        code="unknown-axis",
        message="ROLL: axis=(h, h) names one axis twice",
    )
