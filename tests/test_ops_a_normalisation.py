"""BN, IN, GN, LRN, LN and RMSNORM against torch."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from archc import dims
from archc.ops.layer_normalisation import LayerNorm, RootMeanSquareNorm
from archc.ops.normalisation import BatchNorm, GroupNorm, InstanceNorm, LocalResponseNorm
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import hold, refuse

VECTOR = vector(6)
SIGNAL = feature_map(6, 7)
IMAGE = feature_map(6, 5, 7)
VOLUME = feature_map(6, 2, 3, 5)
WORDS = sequence(7, vector(6))
FRAMES = sequence(3, feature_map(6, 5, 7))
HEADS = Shape((Axis(3, "m", "carried"), Axis(6, "c", "features")))
EVERYWHERE = [VECTOR, SIGNAL, IMAGE, VOLUME, WORDS, FRAMES, HEADS]
CHANNELS = {VECTOR: 1, SIGNAL: 1, IMAGE: 1, VOLUME: 1, WORDS: 2, FRAMES: 2, HEADS: 2}


def along(values, x, axis):
    """A value for each channel, laid along that axis."""
    return values.view([-1 if i == axis else 1 for i in range(x.dim())])


def normalised(x, axes, eps):
    mean = x.mean(axes, keepdim=True)
    return (x - mean) / (x.var(axes, unbiased=False, keepdim=True) + eps).sqrt()


def scaled(state, x, axis):
    if "weight" not in state:
        return x
    shift = along(state["bias"], x, axis) if "bias" in state else 0
    return x * along(state["weight"], x, axis) + shift


@pytest.mark.parametrize("shape", EVERYWHERE, ids=lambda s: s.kind)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("train", [True, False])
def test_batch_normalisation(shape, affine, train):
    axis = CHANNELS[shape]

    def expected(state, x):
        others = [i for i in range(x.dim()) if i != axis]
        if train:
            return scaled(state, normalised(x, others, 0.01), axis)
        mean, variance = along(state["running_mean"], x, axis), along(state["running_var"], x, axis)
        return scaled(state, (x - mean) / (variance + 0.01).sqrt(), axis)

    op = BatchNorm(eps=0.01, affine=affine)
    hold(op, shape, output=shape.sizes, reference=expected, train=train, tolerance=1e-4)


def test_momentum_is_the_weight_of_the_new_batch():
    built = hold(BatchNorm(momentum=0.3), IMAGE)
    x, before = torch.randn(4, 6, 5, 7), built.own_state()["running_mean"]
    built.train()(x)
    mean = 0.7 * before + 0.3 * x.mean((0, 2, 3))
    torch.testing.assert_close(built.own_state()["running_mean"], mean)


def test_figures_of_batch_normalisation():
    op = BatchNorm()
    assert op.parameters(IMAGE) == {"weight": (6,), "bias": (6,)}
    assert op.buffers(IMAGE)["num_batches_tracked"] == ()
    assert op.flops((IMAGE,), (IMAGE,)) == 2 * 6 * 5 * 7
    assert op.macs((IMAGE,), (IMAGE,)) == 0
    c, h = dims.symbol("C"), dims.symbol("H")
    assert op.parameters(feature_map(c, h)) == {"weight": (c,), "bias": (c,)}
    assert op.flops((feature_map(c, h),), ()) == 2 * c * h


SPACE = {SIGNAL: (2,), IMAGE: (2, 3), VOLUME: (2, 3, 4), WORDS: (1,), FRAMES: (3, 4)}


@pytest.mark.parametrize("shape", SPACE, ids=lambda s: s.kind)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("train", [True, False])
def test_instance_normalisation(shape, affine, train):
    def expected(state, x):
        return scaled(state, normalised(x, SPACE[shape], 0.01), CHANNELS[shape])

    op = InstanceNorm(eps=0.01, affine=affine)
    hold(op, shape, output=shape.sizes, reference=expected, train=train, tolerance=1e-4)


def test_instance_normalisation_needs_space():
    assert InstanceNorm().parameters(IMAGE) == {}
    message = "IN needs a map or a sequence, got the vector (6)"
    refuse(InstanceNorm(), VECTOR, code="needs-map", message=message)
    message = "IN needs more than one position to normalise over, got (6, 1, 1)"
    refuse(InstanceNorm(), feature_map(6, 1, 1), code="shape-mismatch", message=message)


@pytest.mark.parametrize("shape", EVERYWHERE, ids=lambda s: s.kind)
@pytest.mark.parametrize("affine", [True, False])
def test_group_normalisation(shape, affine):
    axis = CHANNELS[shape]

    def expected(state, x):
        grouped = x.unflatten(axis, (3, 2))
        inside = [axis + 1, *SPACE_OF[shape]]
        return scaled(state, normalised(grouped, inside, 0.01).flatten(axis, axis + 1), axis)

    op = GroupNorm(3, 0.01, affine)
    hold(op, shape, output=shape.sizes, reference=expected, tolerance=1e-4)


# The axes of space, once the channels are split in two.
SPACE_OF = {
    VECTOR: [], SIGNAL: [3], IMAGE: [3, 4], VOLUME: [3, 4, 5], WORDS: [1], FRAMES: [4, 5],
    HEADS: [],
}  # fmt: skip


def test_groups_must_divide_the_channels():
    refuse(
        GroupNorm(),
        feature_map(48, 5, 7),
        code="not-divisible",
        message="the 48 channels of GN do not divide into 32 equal groups",
        help="`groups=24` divides 48",
    )
    assert GroupNorm().infer(feature_map(64, 5)) == feature_map(64, 5)


@pytest.mark.parametrize("shape", [SIGNAL, IMAGE, VOLUME, FRAMES], ids=lambda s: s.kind)
def test_local_response_normalisation(shape):
    axis = CHANNELS[shape]

    def expected(_, x):
        squares = x.movedim(axis, -1).square()
        padded = F.pad(squares, (1, 1))
        mean = (padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]) / 3
        return x / (2 + 0.5 * mean.movedim(-1, axis)) ** 0.6

    op = LocalResponseNorm(3, alpha=0.5, beta=0.6)
    hold(op, shape, output=shape.sizes, reference=expected)


def test_local_response_normalisation_defaults_to_the_paper():
    form = LocalResponseNorm().torch((IMAGE,), (IMAGE,))
    assert (form.constructor, form.arguments) == ("nn.LocalResponseNorm", (5,))
    assert form.keywords == (("k", 2.0),)
    assert LocalResponseNorm().flops((IMAGE,), (IMAGE,)) == 10 * 6 * 5 * 7
    hold(LocalResponseNorm(k=1), IMAGE, reference=lambda _, x: F.local_response_norm(x, 5))
    message = "LRN needs a map, got the sequence (7, 6)"
    refuse(LocalResponseNorm(), WORDS, code="needs-map", message=message)


@pytest.mark.parametrize("shape", EVERYWHERE, ids=lambda s: s.kind)
@pytest.mark.parametrize(("affine", "bias"), [(True, True), (True, False), (False, True)])
def test_layer_normalisation(shape, affine, bias):
    axis = CHANNELS[shape]

    def expected(state, x):
        return scaled(state, normalised(x, [axis], 0.01), axis)

    op = LayerNorm(0.01, affine, bias)
    hold(op, shape, output=shape.sizes, reference=expected, tolerance=1e-4)


@pytest.mark.parametrize("shape", EVERYWHERE, ids=lambda s: s.kind)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("eps", [None, 0.01])
def test_root_mean_square_normalisation(shape, affine, eps):
    axis = CHANNELS[shape]

    def expected(state, x):
        added = torch.finfo(x.dtype).eps if eps is None else eps
        return scaled(state, x / (x.square().mean(axis, keepdim=True) + added).sqrt(), axis)

    op = RootMeanSquareNorm(eps, affine)
    hold(op, shape, output=shape.sizes, reference=expected, tolerance=1e-4)


def test_flops_count_the_scale():
    assert LayerNorm().flops((WORDS,), (WORDS,)) == 5 * 7 * 6
    assert LayerNorm(affine=False).flops((WORDS,), (WORDS,)) == 4 * 7 * 6
    assert RootMeanSquareNorm().flops((WORDS,), (WORDS,)) == 4 * 7 * 6
    assert GroupNorm(3).flops((IMAGE,), (IMAGE,)) == 5 * 6 * 5 * 7
    assert InstanceNorm().flops((IMAGE,), (IMAGE,)) == 4 * 6 * 5 * 7


def test_generated_text_is_what_people_write():
    assert BatchNorm().torch((IMAGE,), ()).keywords == ()
    assert LayerNorm().torch((WORDS,), ()).call == "{module}({0})"
    assert LayerNorm().torch((IMAGE,), ()).call == "{module}({0}.movedim(1, -1)).movedim(-1, 1)"
    assert BatchNorm().torch((WORDS,), ()).call == "{module}({0}.transpose(1, 2)).transpose(1, 2)"


@pytest.mark.parametrize("op", [LayerNorm(), RootMeanSquareNorm()], ids=lambda op: op.name)
def test_tokens_have_no_features(op):
    message = f"{op.name} needs features to normalise over, got the tokens (7)"
    refuse(op, tokens(7, 65), code="needs-features", message=message)


def test_batch_normalisation_needs_channels():
    message = "BN needs a map or a sequence, got the tokens (7)"
    refuse(BatchNorm(), tokens(7, 65), code="needs-map", message=message)
