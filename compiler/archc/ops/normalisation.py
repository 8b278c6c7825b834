"""Normalisation over the batch, over space or over groups of channels: BN, IN, GN, LRN."""

from __future__ import annotations

from typing import ClassVar

from archc import dims
from archc.arguments import COUNT, FLAG, Real, Whole
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.layouts import Layout, article, divisible, layout
from archc.padding import Meeting, Padded
from archc.saves import Extra, Saves
from archc.shapes import Shape
from archc.sight import EVERYTHING, Reach

__all__ = [
    "EPS", "BatchNorm", "GroupNorm", "InstanceNorm", "LocalResponseNorm", "given",
    "scale_and_shift",
]  # fmt: skip

EPS = Real(least=0.0)
_MOMENTUM = Real(least=0.0, most=1.0)

_Stated = tuple[tuple[str, Constant, Constant], ...]


def given(stated: _Stated) -> tuple[tuple[str, Constant], ...]:
    """Keywords of a constructor: those of (name, value, torch's default) that differ from it."""
    return tuple([(name, value) for name, value, default in stated if value != default])


def scale_and_shift(channels: Dim, affine: bool) -> dict[str, tuple[Dim, ...]]:
    """The learned scale and shift of a normalisation, where it has them."""
    return {"weight": (channels,), "bias": (channels,)} if affine else {}


def _form(
    constructor: str, arguments: tuple[Constant, ...], stated: _Stated, place: Layout
) -> Module:
    call = place.folded("{module}({x})")
    return Module(constructor, arguments, given(stated), call=call, values=place.values)


class BatchNorm(Op):
    """Batch normalisation (Ioffe & Szegedy 2015): each channel over the batch and all of space.

    On a vector each feature over the batch, on a sequence of vectors over the batch and the steps;
    on a sequence of maps the steps join the batch. In training it uses the batch's mean and
    variance and keeps running ones (`momentum` is the weight of the new), which it uses otherwise.

    Shape: unchanged.

    Cost: a scale and a shift for each channel; buffers are their running mean and variance and one
    counter; flops are 2 for each element, since what else there is folds into the scale and the
    shift.
    """

    name: ClassVar[str] = "BN"
    family: ClassVar[Family] = "normalisation"
    foreign: ClassVar[tuple[str, ...]] = (
        "BatchNorm", "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "BatchNormalization",
        "BatchNormalisation", "SyncBatchNorm",
    )  # fmt: skip

    eps: float = argument("what is added to the variance", EPS, 1e-5)
    momentum: float = argument("the weight of the new batch in the running mean", _MOMENTUM, 0.1)
    affine: bool = argument("whether a learned scale and shift follow", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(5, 7, 11) -> BN", "(5, 7, 11)", 10),
        Example("INPUT(5) -> BN(eps=0.001, momentum=0.01)", "(5)", 10),
        Example("INPUT(5, 7) -> BN(affine=no)", "(5, 7)", 0),
        Example("INPUT(5, 2, 3, 7) -> BN", "(5, 2, 3, 7)", 10),
        Example("SEQUENCE(13, 4) -> BN", "(13, 4)", 8),
        Example("SEQUENCE(3, 5, 7, 11) -> BN", "(3, 5, 7, 11)", 10),
    )

    def infer(self, *inputs: Shape) -> Shape:
        layout(inputs[0], self.name, vectors=True)
        return inputs[0]

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        message = f"{self.name} would take padding into the mean of a batch, got {inputs[0]}"
        raise Meeting(message, "LN normalises each step by itself")

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        return scale_and_shift(layout(inputs[0], self.name, vectors=True).channels, self.affine)

    def buffers(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        channels = layout(inputs[0], self.name, vectors=True).channels
        return {"running_mean": (channels,), "running_var": (channels,), "num_batches_tracked": ()}

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 2 * inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        channels = layout(inputs[0], self.name, vectors=True).channels
        return Saves(inputs=(0,), extras=(Extra(2 * channels, "statistic", batched=False),))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name, vectors=True)
        stated: _Stated = (
            ("eps", self.eps, 1e-5),
            ("momentum", self.momentum, 0.1),
            ("affine", self.affine, True),
        )
        return _form(f"nn.BatchNorm{max(place.rank, 1)}d", (place.channels,), stated, place)


class InstanceNorm(Op):
    """Instance normalisation (Ulyanov et al. 2016): each channel of each example over space.

    On a sequence of vectors over the steps, on a sequence of maps in each step. Like torch's it has
    no learned scale and shift unless `affine=yes`, and keeps no running mean.

    Shape: unchanged.

    Cost: with `affine=yes` a scale and a shift for each channel; flops are 4 for each element
    (mean, variance, difference, division), one more with `affine=yes`.
    """

    name: ClassVar[str] = "IN"
    family: ClassVar[Family] = "normalisation"
    foreign: ClassVar[tuple[str, ...]] = (
        "InstanceNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d",
        "InstanceNormalization",
    )  # fmt: skip

    eps: float = argument("what is added to the variance", EPS, 1e-5)
    affine: bool = argument("whether a learned scale and shift follow", FLAG, False)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(5, 7, 11) -> IN", "(5, 7, 11)", 0),
        Example("INPUT(5, 7) -> IN(eps=0.001, affine=yes)", "(5, 7)", 10),
        Example("SEQUENCE(13, 4) -> IN(affine=yes)", "(13, 4)", 8),
    )

    def infer(self, *inputs: Shape) -> Shape:
        place = layout(inputs[0], self.name)
        if all(dims.same(size, 1) for size in place.sizes):
            message = f"{self.name} needs more than one position to normalise over, got {inputs[0]}"
            raise OpError(message, help="`LN` normalises over the channels")
        return inputs[0]

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        return scale_and_shift(layout(inputs[0], self.name).channels, self.affine)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (5 if self.affine else 4) * inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        place = layout(inputs[0], self.name)
        rows = place.channels
        for axis in range(place.leading * (not place.transposed)):
            rows = rows * place.shape.axes[axis].size
        # The scale is repeated for each example.
        scale = (Extra(rows),) if self.affine else ()
        return Saves(inputs=(0,), extras=(Extra(2 * rows, "statistic"), *scale))

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        moved = [axis for axis in inputs[0].axes if axis.role == "space"]
        return {axis.name: EVERYTHING for axis in moved or inputs[0].axes}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name)
        stated: _Stated = (("eps", self.eps, 1e-5), ("affine", self.affine, False))
        kind = f"nn.InstanceNorm{place.rank}d"
        return _form(kind, (place.channels,), stated, place)


class GroupNorm(Op):
    """Group normalisation (Wu & He 2018): groups of channels of each example, over all of space.

    On a sequence of vectors over the steps too, on a sequence of maps in each step. The number of
    groups is the paper's 32 unless it is given, and must divide the channels.

    Shape: unchanged.

    Cost: a scale and a shift for each channel; flops are 5 for each element (mean, variance,
    difference, division, scale and shift), 4 with `affine=no`.
    """

    name: ClassVar[str] = "GN"
    family: ClassVar[Family] = "normalisation"
    foreign: ClassVar[tuple[str, ...]] = ("GroupNorm", "GroupNormalization")

    groups: Dim = argument("the number of groups", COUNT, 32)
    eps: float = argument("what is added to the variance", EPS, 1e-5)
    affine: bool = argument("whether a learned scale and shift follow", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(64, 7, 11) -> GN", "(64, 7, 11)", 128),
        Example("INPUT(6, 7) -> GN(3, eps=0.001)", "(6, 7)", 12),
        Example("INPUT(6) -> GN(2, affine=no)", "(6)", 0),
        Example("SEQUENCE(13, 4) -> GN(2)", "(13, 4)", 8),
    )

    def infer(self, *inputs: Shape) -> Shape:
        divisible(
            layout(inputs[0], self.name, vectors=True).channels, self.groups, "channels", self.name
        )
        return inputs[0]

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        return scale_and_shift(layout(inputs[0], self.name, vectors=True).channels, self.affine)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (5 if self.affine else 4) * inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        place = layout(inputs[0], self.name, vectors=True)
        rows = self.groups
        for axis in range(place.leading * (not place.transposed)):
            rows = rows * place.shape.axes[axis].size
        return Saves(inputs=(0,), extras=(Extra(2 * rows, "statistic"),))

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        moved = [axis for axis in inputs[0].axes if axis.role == "space"]
        return {axis.name: EVERYTHING for axis in moved or inputs[0].axes}

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name, vectors=True)
        stated: _Stated = (("eps", self.eps, 1e-5), ("affine", self.affine, True))
        arguments = (self.groups, place.channels)
        return _form("nn.GroupNorm", arguments, stated, place)


class LocalResponseNorm(Op):
    """Local response normalisation (Krizhevsky et al. 2012): over neighbouring channels.

    Each element is divided by (k + alpha * m) ** beta, where m is the mean of the squares in `size`
    channels around it. The names are torch's; size, beta and k default to the paper's 5, 0.75 and
    2, alpha to 1e-4. As in torch alpha goes with the mean, where the paper's formula has the sum:
    to follow it to the letter, give alpha=5e-4.

    Shape: unchanged.

    Cost: no parameters; flops are size + 5 for each element (square, sum of `size`, times alpha,
    plus k, power, division).
    """

    name: ClassVar[str] = "LRN"
    family: ClassVar[Family] = "normalisation"
    foreign: ClassVar[tuple[str, ...]] = ("LocalResponseNorm", "LocalResponseNormalization")

    size: int = argument("the number of channels in a neighbourhood", Whole(least=1), 5)
    alpha: float = argument("the weight of the mean of the squares", Real(), 1e-4)
    beta: float = argument("the exponent", Real(), 0.75)
    k: float = argument("what is added to the weighted mean", Real(), 2.0)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(96, 55, 55) -> LRN", "(96, 55, 55)"),
        Example("INPUT(7, 11) -> LRN(3, alpha=0.001, beta=0.5, k=1)", "(7, 11)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        if not inputs[0].space:
            message = f"{self.name} needs a map, got {article(inputs[0])}"
            raise OpError(message, code="needs-map", help="`LN` normalises a vector")
        layout(inputs[0], self.name)
        return inputs[0]

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return (self.size + 5) * inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        # The squares with their padding, the base of the power, and the power.
        one = inputs[0].elements
        channels = layout(inputs[0], self.name).channels
        squares = one // channels * (channels + self.size - 1)
        return Saves(inputs=(0,), extras=(Extra(squares), Extra(one), Extra(one)))

    def scratch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 2 * inputs[0].elements  # squares and their means

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name)
        stated: _Stated = (
            ("alpha", self.alpha, 1e-4),
            ("beta", self.beta, 0.75),
            ("k", self.k, 1.0),
        )
        return _form("nn.LocalResponseNorm", (self.size,), stated, place)
