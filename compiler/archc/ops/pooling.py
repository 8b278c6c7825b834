"""Pooling over windows: POOL, MAXPOOL, AVGPOOL."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import FLAG, SIZES, Pad, Sizes
from archc.dims import Dim
from archc.op import Constant, Example, Family, Module, Op, OpError, TorchForm, argument
from archc.ops.layouts import Layout, layout, simplest, spell
from archc.ops.padded import held_part, real_part
from archc.ops.windows import Window, pad_call, padded_elements, window
from archc.padding import Meeting, Padded
from archc.saves import Extra, Saves
from archc.shapes import Shape
from archc.sight import Reach

__all__ = ["AveragePool", "MaxPool", "Pool"]

_PAD = Pad(words=("auto", "same"))
_STRIDE = Sizes(nothing=True)


def _placed(pool: MaxPool | AveragePool, stream: Shape) -> tuple[Layout, Window]:
    place = layout(stream, pool.name)
    found = window(
        place, pool.name, kernel=pool.kernel, stride=pool.stride, pad=pool.pad, ceil=pool.ceil
    )
    _check_pads(pool, found)
    return place, found


def _check_pads(pool: MaxPool | AveragePool, found: Window) -> None:
    for kernel, pads in zip(found.kernel, found.pads, strict=True):
        if 2 * max(pads) > kernel:
            message = (
                f"pad={spell(pool.pad)} of {pool.name} is more than half of its kernel {kernel}"
            )
            raise OpError(message, code="argument-value", help=f"`pad={kernel // 2}` is the most")
    if pool.ceil and not found.symmetric:
        message = f"ceil=yes of {pool.name} needs the same pad on both sides, got {spell(pool.pad)}"
        raise OpError(message, code="argument-value", help="leave `ceil` out: pad the end instead")


def _flops(pool: MaxPool | AveragePool, stream: Shape, output: Shape) -> Dim:
    _, found = _placed(pool, stream)
    return output.elements * found.elements


def _keywords(found: Window) -> tuple[tuple[str, Constant], ...]:
    stated: tuple[tuple[str, Constant, Constant], ...] = (
        ("stride", simplest(found.stride), simplest(found.kernel)),
        ("padding", simplest(found.before) if found.symmetric else 0, 0),
        ("ceil_mode", found.ceil, False),
    )
    return tuple([(name, value) for name, value, default in stated if value != default])


class MaxPool(Op):
    """Maximum over windows of space, channel by channel.

    It works where CONV does. A stride that is not given is the kernel. `pad=auto` is kernel // 2 at
    stride 1, so that the size stays, and nothing at a larger stride; padding never wins. `ceil=yes`
    rounds the size up, with torch's rule that the last window starts inside the input or the
    padding before it.

    Shape: each axis becomes (size + padding - kernel) // stride + 1, the channels stay.

    Cost: no parameters; flops are output elements * kernel elements, as the lectures count.
    """

    name: ClassVar[str] = "MAXPOOL"
    family: ClassVar[Family] = "pooling"
    foreign: ClassVar[tuple[str, ...]] = (
        "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
        "MaxPooling",
    )  # fmt: skip

    kernel: Any = argument("the size of the window", SIZES, 2)
    stride: Any = argument("the step between two windows", _STRIDE, None, shown="kernel")
    pad: Any = argument("what is added around the input", _PAD, "auto")
    ceil: bool = argument("whether the size is rounded up", FLAG, False)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 7, 11) -> MAXPOOL", "(3, 3, 5)"),
        Example("INPUT(3, 7, 10) -> MAXPOOL(3, 2, ceil=yes)", "(3, 3, 5)"),
        Example("INPUT(3, 7, 11) -> MAXPOOL(3, 1)", "(3, 7, 11)"),
        Example("INPUT(64, 112, 112) -> MAXPOOL(3, 2, pad=1)", "(64, 56, 56)"),
        Example("INPUT(3, 17) -> MAXPOOL(5, 3, pad=(2, 1))", "(3, 6)"),
        Example("INPUT(3, 5, 7, 11) -> MAXPOOL((1, 2, 3))", "(3, 5, 3, 3)"),
        Example("SEQUENCE(13, 4) -> MAXPOOL(3, 2)", "(6, 4)"),
        Example("SEQUENCE(5, 3, 7, 11) -> MAXPOOL(2, (2, 1), pad=(0, 1))", "(5, 3, 3, 12)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        place, found = _placed(self, inputs[0])
        return place.output(place.channels, found.output(place))

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return _flops(self, inputs[0], outputs[0])

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return _placed(self, inputs[0])[1].describe()

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        place, found = _placed(self, inputs[0])
        indices = Extra(outputs[0].elements, "index")
        if found.symmetric:
            return Saves(inputs=(0,), extras=(indices,))
        return Saves(extras=(Extra(padded_elements(place, found.pads)), indices))

    def scratch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        place, found = _placed(self, inputs[0])
        return 0 if found.symmetric else padded_elements(place, found.pads)

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        place, found = _placed(self, inputs[0])
        return found.reaches(place)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        place, found = _placed(self, inputs[0])
        return found.padded(self.name, place, inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place, found = _placed(self, inputs[0])
        stream = "{x}" if found.symmetric else pad_call(found.pads, value='float("-inf")')
        return Module(
            f"nn.MaxPool{place.rank}d",
            (simplest(found.kernel),),
            _keywords(found),
            call=place.folded("{module}(" + stream + ")", held_part(inputs[0], place.moved)),
            values=place.values,
        )


class Pool(MaxPool):
    """Maximum over windows of space: POOL is MAXPOOL, as the lectures write it.

    Shape: see MAXPOOL. Cost: see MAXPOOL.
    """

    name: ClassVar[str] = "POOL"
    foreign: ClassVar[tuple[str, ...]] = ("Pooling", "Subsampling")
    takes_defaults_of: ClassVar[str | None] = "MAXPOOL"
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 7, 11) -> POOL", "(3, 3, 5)"),
        Example("INPUT(3, 7, 11) -> POOL(3, 2)", "(3, 3, 5)"),
    )


class AveragePool(Op):
    """Mean over windows of space, channel by channel.

    Arguments and padding are those of MAXPOOL. With `count_pad=yes` the zeros of the padding count
    as elements of a window; with `count_pad=no` the mean is that of the input's elements alone.
    What `ceil=yes` adds at the end never counts.

    Shape: each axis becomes (size + padding - kernel) // stride + 1, the channels stay.

    Cost: no parameters; flops are output elements * kernel elements, as the lectures count.
    """

    name: ClassVar[str] = "AVGPOOL"
    family: ClassVar[Family] = "pooling"
    foreign: ClassVar[tuple[str, ...]] = (
        "AvgPool1d", "AvgPool2d", "AvgPool3d", "AveragePooling1D", "AveragePooling2D",
        "AveragePooling3D", "AveragePooling", "MeanPool",
    )  # fmt: skip

    kernel: Any = argument("the size of the window", SIZES, 2)
    stride: Any = argument("the step between two windows", _STRIDE, None, shown="kernel")
    pad: Any = argument("what is added around the input", _PAD, "auto")
    ceil: bool = argument("whether the size is rounded up", FLAG, False)
    count_pad: bool = argument("whether zeros of the padding count in the mean", FLAG, True)

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 7, 11) -> AVGPOOL(3, 2)", "(3, 3, 5)"),
        Example("INPUT(3, 7, 10) -> AVGPOOL(3, 2, pad=1, ceil=yes, count_pad=no)", "(3, 4, 6)"),
        Example("INPUT(3, 7, 11) -> AVGPOOL(3, 1)", "(3, 7, 11)"),
        Example("INPUT(3, 17) -> AVGPOOL(4)", "(3, 4)"),
        Example("INPUT(3, 5, 7, 11) -> AVGPOOL((1, 2, 3), 2)", "(3, 3, 3, 5)"),
        Example("SEQUENCE(13, 4) -> AVGPOOL(3, 2)", "(6, 4)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        place, found = _placed(self, inputs[0])
        if not self.count_pad and not found.symmetric:
            message = f"count_pad=no of {self.name} needs the same pad on both sides, "
            raise OpError(f"{message}got {spell(self.pad)}", code="argument-value")
        return place.output(place.channels, found.output(place))

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return _flops(self, inputs[0], outputs[0])

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return _placed(self, inputs[0])[1].describe()

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        place, found = _placed(self, inputs[0])
        if found.symmetric:
            return Saves(inputs=(0,))
        return Saves(extras=(Extra(padded_elements(place, found.pads)),))

    def scratch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        place, found = _placed(self, inputs[0])
        return 0 if found.symmetric else padded_elements(place, found.pads)

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        place, found = _placed(self, inputs[0])
        return found.reaches(place)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        place, found = _placed(self, inputs[0])
        mixed = set(place.moved) & set(inputs[0].padded) and any(map(sum, found.pads))
        if mixed and not self.count_pad:
            message = f"count_pad=no of {self.name} would count the padding of {inputs[0]}"
            raise Meeting(message, "leave out `count_pad=no`, or say `pad=0`")
        return found.padded(self.name, place, inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place, found = _placed(self, inputs[0])
        stream = "{x}" if found.symmetric else pad_call(found.pads)
        counting: tuple[tuple[str, Constant], ...] = (("count_include_pad", False),)
        return Module(
            f"nn.AvgPool{place.rank}d",
            (simplest(found.kernel),),
            _keywords(found) + (() if self.count_pad else counting),
            call=place.folded("{module}(" + stream + ")", real_part(inputs[0], place.moved)),
            values=place.values,
        )
