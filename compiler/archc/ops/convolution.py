"""Convolutions: CONV and its depthwise form DWCONV."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import COUNT, FEATURES, FLAG, PAD, SIZES
from archc.continuation import Continuation, NotInSteps, by_itself
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, TorchForm, argument
from archc.ops.layouts import Layout, divisible, layout, simplest
from archc.ops.linear import FullyConnected
from archc.ops.padded import real_part
from archc.ops.windows import Window, pad_call, padded_elements, window
from archc.padding import Padded
from archc.saves import Extra, Saves
from archc.shapes import Shape
from archc.sight import Reach

__all__ = ["Conv", "DepthwiseConv"]


_NEXT_CONVOLVED = '''def next_convolved(
    convolution: nn.Conv1d, x: Tensor, kept: Tensor | None
) -> tuple[Tensor, Tensor]:
    """A causal convolution of the next steps (B, K, C); keeps those that it still sees."""
    past = (convolution.kernel_size[0] - 1) * convolution.dilation[0]
    x = x.transpose(1, 2)
    before = x.new_zeros(*x.shape[:2], past) if kept is None else kept
    x = torch.cat((before, x), dim=-1)
    return convolution(x).transpose(1, 2), x[..., x.shape[-1] - past :]
'''


class Conv(Op):
    """Convolution over the axes of space, one CONV for signals, images and volumes.

    On a sequence of vectors it moves along the steps; on a sequence of maps it works on each step.
    On a vector, as GAP leaves it, `CONV(n, 1)` is `FC(n)`.

    Shape: each axis becomes (size + padding - dilation * (kernel - 1) - 1) // stride + 1, the
    channels become `filters`. `pad=same` adds dilation * (kernel - 1) // 2 on both sides, and
    nothing where the stride is at least the kernel (patches); an even kernel with a smaller stride
    needs a pad in numbers. `pad=causal` adds dilation * (kernel - 1) before a single axis. A pad in
    numbers is one for all axes, one for each, or (before, after) for each; on a single axis two
    numbers are its two sides.

    Cost: multiply-adds are output elements * channels / groups * kernel elements; flops are twice
    that, and one more for each output element with a bias.
    """

    name: ClassVar[str] = "CONV"
    family: ClassVar[Family] = "convolution"
    foreign: ClassVar[tuple[str, ...]] = (
        "Conv1d", "Conv2d", "Conv3d", "Conv1D", "Conv2D", "Conv3D", "Convolution", "Convolution1D",
        "Convolution2D", "Convolution3D", "ConvLayer",
    )  # fmt: skip

    filters: Dim = argument("the number of output channels", FEATURES)
    kernel: Any = argument("the size of the kernel", SIZES, 3)
    stride: Any = argument("the step between two positions of the kernel", SIZES, 1)
    pad: Any = argument("what is added around the input", PAD, "same")
    groups: Dim = argument("the number of groups that channels are split into", COUNT, 1)
    dilation: Any = argument("the distance between two elements of the kernel", SIZES, 1)
    bias: bool = argument("whether a learned number is added to each channel", FLAG, True)
    called: str = "CONV"  # what messages call it: DWCONV is made of a CONV

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 227, 227) -> CONV(64, 11, 4, pad=2)", "(64, 56, 56)", 23296, 72855552),
        Example("INPUT(3, 11, 13) -> CONV(5, (3, 1), stride=2)", "(5, 6, 7)", 50, 1890),
        Example("INPUT(6, 7, 11) -> CONV(4, 3, groups=2, bias=no)", "(4, 7, 11)", 108, 8316),
        Example("INPUT(2, 17) -> CONV(5, 2, dilation=3, pad=causal)", "(5, 17)", 25, 340),
        Example("INPUT(2, 5, 7, 11) -> CONV(3, 3, (1, 2, 3))", "(3, 5, 4, 3)", 165, 9720),
        Example("SEQUENCE(13, 4) -> CONV(6, 5, pad=0)", "(9, 6)", 126, 1080),
        Example("SEQUENCE(5, 3, 7, 11) -> CONV(2, 1)", "(5, 2, 7, 11)", 8, 2310),
        Example("INPUT(5, 7, 11) -> GAP -> CONV(3, 1)", "(3)", 18, 15),
        Example("INPUT(3, 8, 10) -> CONV(4, 2, pad=((0, 1), (1, 0)))", "(4, 8, 10)", 52, 3840),
    )

    def _placed(self, stream: Shape) -> tuple[Layout, Window]:
        pointwise = self.kernel == self.stride == self.groups == 1
        place = layout(stream, self.called, vectors=pointwise)
        found = window(
            place,
            self.called,
            kernel=self.kernel,
            stride=self.stride,
            pad=self.pad,
            dilation=self.dilation,
        )
        return place, found

    def infer(self, *inputs: Shape) -> Shape:
        place, found = self._placed(inputs[0])
        divisible(place.channels, self.groups, "input channels", self.called)
        divisible(self.filters, self.groups, "filters", self.called)
        return place.output(self.filters, found.output(place))

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        place, found = self._placed(inputs[0])
        weight = {"weight": (self.filters, place.channels // self.groups, *found.kernel)}
        return {**weight, "bias": (self.filters,)} if self.bias else weight

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        place, found = self._placed(inputs[0])
        return outputs[0].elements * (place.channels // self.groups) * found.elements

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        added = outputs[0].elements if self.bias else 0
        return 2 * self.macs(inputs, outputs) + added

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        place, found = self._placed(inputs[0])
        if place.rank == 0:
            return {"filters": self.filters}
        shown = {**found.describe(), "dilation": list(found.dilation)}
        return {**shown, "groups": self.groups, "filters": self.filters}

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        place, found = self._placed(inputs[0])
        if place.rank == 0 or found.symmetric:
            return Saves(inputs=(0,))
        return Saves(extras=(Extra(padded_elements(place, found.pads)),))

    def scratch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        place, found = self._placed(inputs[0])
        whole = place.rank == 0 or found.symmetric
        return 0 if whole else padded_elements(place, found.pads)

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        place, found = self._placed(inputs[0])
        return found.reaches(place)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        place, found = self._placed(inputs[0])
        return found.padded(self.name, place, inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place, found = self._placed(inputs[0])
        if place.rank == 0:
            return FullyConnected(self.filters, self.bias).torch(inputs, outputs)
        uneven = not found.symmetric
        stated: tuple[tuple[str, Constant, Constant], ...] = (
            ("stride", simplest(found.stride), 1),
            ("padding", 0 if uneven else simplest(found.before), 0),
            ("dilation", simplest(found.dilation), 1),
            ("groups", self.groups, 1),
            ("bias", self.bias, True),
        )
        stream = pad_call(found.pads) if uneven else "{x}"
        return Module(
            f"nn.Conv{place.rank}d",
            (place.channels, self.filters, simplest(found.kernel)),
            tuple([(name, value) for name, value, default in stated if value != default]),
            call=place.folded("{module}(" + stream + ")", real_part(inputs[0], place.moved)),
            values=place.values,
        )

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        place, found = self._placed(inputs[0])
        if place.moved != (0,) or inputs[0].rank != 2 or inputs[0].steps != 0:
            by_itself(self, inputs, outputs, running)
            return None
        looks_back = found.pads == ((found.extents[0] - 1, 0),)
        if not looks_back or found.stride != (1,):
            raise NotInSteps("looks at later steps; pad=causal keeps it from that")
        call = "next_convolved({module}, {0}, {kept})"
        return Continuation(call, (("next_convolved", _NEXT_CONVOLVED),))


class DepthwiseConv(Op):
    """Depthwise convolution: each channel is convolved with kernels of its own.

    It is a CONV with as many groups as channels, and `default CONV(...)` lines hold for it too.

    Shape: that of `CONV(multiplier * x.c, groups=x.c)`: padding and sizes as there, the channels
    become multiplier times as many.

    Cost: multiply-adds are output elements * kernel elements; flops are twice that, and one more
    for each output element with a bias.
    """

    name: ClassVar[str] = "DWCONV"
    family: ClassVar[Family] = "convolution"
    foreign: ClassVar[tuple[str, ...]] = (
        "DepthwiseConv", "DepthwiseConv1D", "DepthwiseConv2D", "DepthwiseConv2d", "Depthwise",
        "DepthwiseConvolution",
    )  # fmt: skip
    takes_defaults_of: ClassVar[str | None] = "CONV"

    kernel: Any = argument("the size of the kernel", SIZES, 3)
    stride: Any = argument("the step between two positions of the kernel", SIZES, 1)
    pad: Any = argument("what is added around the input", PAD, "same")
    multiplier: Dim = argument("the number of output channels for each input channel", COUNT, 1)
    bias: bool = argument("whether a learned number is added to each channel", FLAG, True)
    dilation: Any = argument("the distance between two elements of the kernel", SIZES, 1)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(5, 7, 11) -> DWCONV", "(5, 7, 11)", 50, 3465),
        Example("INPUT(5, 7, 11) -> DWCONV(5, 2, multiplier=3, bias=no)", "(15, 4, 6)", 375, 9000),
        Example("SEQUENCE(11, 6) -> DWCONV(3, pad=causal, dilation=2)", "(11, 6)", 24, 198),
        Example(
            "INPUT(3, 5, 7, 9) -> DWCONV((1, 3, 3), pad=(0, 1, 2))", "(3, 5, 7, 11)", 30, 10395
        ),
    )

    def _as_conv(self, stream: Shape) -> Conv:
        channels = layout(stream, self.name).channels
        return Conv(
            filters=channels * self.multiplier,
            kernel=self.kernel,
            stride=self.stride,
            pad=self.pad,
            groups=channels,
            dilation=self.dilation,
            bias=self.bias,
            called=self.name,
        )

    def infer(self, *inputs: Shape) -> Shape:
        return self._as_conv(inputs[0]).infer(*inputs)

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        return self._as_conv(inputs[0]).parameters(*inputs)

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return self._as_conv(inputs[0]).macs(inputs, outputs)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return self._as_conv(inputs[0]).flops(inputs, outputs)

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return self._as_conv(inputs[0]).describe(*inputs)

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return self._as_conv(inputs[0]).saves(inputs, outputs, learning)

    def scratch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return self._as_conv(inputs[0]).scratch(inputs, outputs)

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return self._as_conv(inputs[0]).reaches(*inputs)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return self._as_conv(inputs[0]).padded(inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return self._as_conv(inputs[0]).torch(inputs, outputs)

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        return self._as_conv(inputs[0]).continued(inputs, outputs, running)
