"""Transposed convolution: DECONV."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from archc import dims
from archc.arguments import COUNT, FEATURES, FLAG, SIZES, Pad, Sizes
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.layouts import Layout, divisible, layout, simplest, spell
from archc.ops.windows import Pads, Window, by, pad_call, window
from archc.shapes import Shape
from archc.sight import Reach
from archlang.record import Record

__all__ = ["Deconv"]


class _Cut(Record):
    """What is cut off the full output (before, after each axis), and what torch adds at its end."""

    pads: Pads
    extra: tuple[int, ...]


class Deconv(Op):
    """Transposed convolution over the axes of space: makes a map larger by its stride.

    It works where CONV does. A stride that is not given is the kernel, so that windows neither
    overlap nor leave gaps.

    Shape: each axis becomes (size - 1) * stride + dilation * (kernel - 1) + 1 less the padding on
    both sides, the channels become `filters`. `pad=same` makes it exactly stride times as large:
    where an odd number must be cut off, one more is cut off before than after, as with torch's
    output_padding.

    Cost: multiply-adds are input elements * filters / groups * kernel elements; flops are twice
    that, and one more for each output element with a bias.
    """

    name: ClassVar[str] = "DECONV"
    family: ClassVar[Family] = "convolution"
    foreign: ClassVar[tuple[str, ...]] = (
        "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Conv1DTranspose",
        "Conv2DTranspose", "Conv3DTranspose", "ConvTranspose", "Deconvolution",
        "TransposedConv", "UpConv",
    )  # fmt: skip

    filters: Dim = argument("the number of output channels", FEATURES)
    kernel: Any = argument("the size of the kernel", SIZES, 3)
    stride: Any = argument(
        "how many times larger the output is", Sizes(nothing=True), None, shown="kernel"
    )
    pad: Any = argument("what is cut off the output", Pad(words=("same",)), "same")
    groups: Dim = argument("the number of groups that channels are split into", COUNT, 1)
    dilation: Any = argument("the distance between two elements of the kernel", SIZES, 1)
    bias: bool = argument("whether a learned number is added to each channel", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(64, 7, 11) -> DECONV(32, 2)", "(32, 14, 22)", 8224, 630784),
        Example("INPUT(5, 7, 11) -> DECONV(3, 4, 2, pad=1, bias=no)", "(3, 14, 22)", 240, 18480),
        Example("INPUT(100, 1, 1) -> DECONV(8, 4, 1, pad=0)", "(8, 4, 4)", 12808, 12800),
        Example("INPUT(6, 7) -> DECONV(4, 3, 2, groups=2)", "(4, 14)", 40, 252),
        Example("INPUT(2, 3, 5, 7) -> DECONV(3, (1, 2, 3), (1, 2, 3))", "(3, 3, 10, 21)", 39, 3780),
        Example("SEQUENCE(5, 4) -> DECONV(6, 5, 3)", "(15, 6)", 126, 600),
    )

    def _placed(self, stream: Shape) -> tuple[Layout, Window, _Cut]:
        place = layout(stream, self.name)
        pad = 0 if self.pad == "same" else self.pad
        found = window(
            place,
            self.name,
            kernel=self.kernel,
            stride=self.stride,
            pad=pad,
            dilation=self.dilation,
        )
        return place, found, _same(found) if self.pad == "same" else _given(found)

    def infer(self, *inputs: Shape) -> Shape:
        place, found, cut = self._placed(inputs[0])
        divisible(place.channels, self.groups, "input channels", self.name)
        divisible(self.filters, self.groups, "filters", self.name)
        sizes = _sizes(place, found, cut)
        if any(dims.less(size, 1) for size in sizes):
            full = by(_sizes(place, found, _given(found.replace(pads=((0, 0),) * place.rank))))
            message = f"pad={spell(self.pad)} of {self.name} leaves nothing of the {full} it makes"
            raise OpError(message, code="kernel-too-large", help="`pad=same`")
        return place.output(self.filters, sizes)

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        place, found, _ = self._placed(inputs[0])
        weight = {"weight": (place.channels, self.filters // self.groups, *found.kernel)}
        return {**weight, "bias": (self.filters,)} if self.bias else weight

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        _, found, _ = self._placed(inputs[0])
        return inputs[0].elements * (self.filters // self.groups) * found.elements

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        added = outputs[0].elements if self.bias else 0
        return 2 * self.macs(inputs, outputs) + added

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        _, found, cut = self._placed(inputs[0])
        shown = found.replace(pads=cut.pads).describe()
        return {
            **shown,
            "dilation": list(found.dilation),
            "groups": self.groups,
            "filters": self.filters,
        }

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        place, found, cut = self._placed(inputs[0])
        axes = zip(cut.pads, found.extents, found.stride, strict=True)
        reaches = [
            Reach(Fraction(b - extent + 1, step), Fraction(b, step), Fraction(1, step))
            for (b, _), extent, step in axes
        ]
        return dict(zip(place.names, reaches, strict=True))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place, found, cut = self._placed(inputs[0])
        uneven = any(before != after for before, after in cut.pads)
        before = tuple([side for side, _ in cut.pads])
        stated: tuple[tuple[str, Constant, Constant], ...] = (
            ("stride", simplest(found.stride), 1),
            ("padding", 0 if uneven else simplest(before), 0),
            ("output_padding", simplest(cut.extra), 0),
            ("groups", self.groups, 1),
            ("bias", self.bias, True),
            ("dilation", simplest(found.dilation), 1),
        )
        trimmed = tuple([(-before, -after) for before, after in cut.pads])
        call = pad_call(trimmed, "{module}({x})") if uneven else "{module}({x})"
        return Module(
            f"nn.ConvTranspose{place.rank}d",
            (place.channels, self.filters, simplest(found.kernel)),
            tuple([(name, value) for name, value, default in stated if value != default]),
            call=place.folded(call),
            values=place.values,
        )


def _given(found: Window) -> _Cut:
    return _Cut(found.pads, (0,) * len(found.kernel))


def _same(found: Window) -> _Cut:
    pads, extra = [], []
    axes = zip(found.extents, found.stride, found.dilation, strict=True)
    for surplus, most in [
        (extent - stride, max(stride, dilation)) for extent, stride, dilation in axes
    ]:
        added = max(-surplus, 0) if surplus < 0 else surplus % 2
        # torch's output_padding must be smaller than the stride or the dilation.
        added = added if added < most else 0
        cut = surplus + added
        pads.append((cut - cut // 2, cut // 2))
        extra.append(added)
    return _Cut(tuple(pads), tuple(extra))


def _sizes(place: Layout, found: Window, cut: _Cut) -> tuple[Dim, ...]:
    return tuple(
        [
            (size - 1) * found.stride[i] + found.extents[i] + cut.extra[i] - sum(cut.pads[i])
            for i, size in enumerate(place.sizes)
        ]
    )
