"""The arithmetic of windows that move over space: kernels, strides, paddings, dilations."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from archc import dims
from archc.dims import Dim
from archc.op import OpError
from archc.ops.layouts import Layout, article, simplest, spell
from archc.padding import Meeting, Padded, feature_names, handed_on
from archc.shapes import Shape
from archc.sight import Reach
from archlang.record import Record

__all__ = ["Pads", "Window", "by", "pad_call", "padded_elements", "pairs", "per_axis", "window"]

Pads = tuple[tuple[int, int], ...]


class Window(Record):
    """A kernel that moves over the axes of space; every field has one entry for each axis.

    Args:
        kernel: the sizes of the kernel.
        stride: the steps between positions.
        pads: how much is added (before, after).
        dilation: the distances between the kernel's elements.
        ceil: whether a last window may reach past the padding.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: Pads
    dilation: tuple[int, ...]
    ceil: bool = False

    @property
    def elements(self) -> int:
        """The number of elements of the kernel."""
        return prod(self.kernel)

    @property
    def extents(self) -> tuple[int, ...]:
        """How far the kernel reaches, dilation included."""
        return tuple([d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)])

    @property
    def symmetric(self) -> bool:
        """Whether both sides of every axis are padded alike."""
        return all(before == after for before, after in self.pads)

    @property
    def before(self) -> tuple[int, ...]:
        """The padding before each axis, which is that after it where `symmetric`."""
        return tuple([before for before, _ in self.pads])

    def output(self, place: Layout) -> tuple[Dim, ...]:
        """The sizes of the output.

        Raises:
            OpError: when the kernel is larger than the padded map.
        """
        padded = [n + sum(pads) for n, pads in zip(place.sizes, self.pads, strict=True)]
        too_large = [dims.less(n, k) is True for n, k in zip(padded, self.extents, strict=True)]
        if any(too_large):
            raise self._too_large(place, padded)
        return tuple([self._positions(i, place.sizes[i]) for i in range(place.rank)])

    def _positions(self, axis: int, size: Dim) -> Dim:
        before, after = self.pads[axis]
        stride, extent = self.stride[axis], self.extents[axis]
        padded = size + before + after
        if not self.ceil:
            return (padded - extent) // stride + 1
        # The last window must start inside the input or the padding before it. Which of the two
        # bounds is the lower one does not depend on the size of the input.
        if stride > extent - after:
            return (size + before - 1) // stride + 1
        return (padded - extent + stride - 1) // stride + 1

    def _too_large(self, place: Layout, padded: Sequence[Dim]) -> OpError:
        reach = "" if self.extents == self.kernel else f", which reaches {by(self.extents)},"
        size = f", {by(padded)} with its padding" if any(map(sum, self.pads)) else ""
        kernel = f"a kernel of {by(self.kernel)}{reach}"
        message = f"{kernel} does not fit on {article(place.shape)}{size}"
        help = f"take a smaller kernel, or `pad={spell(self._pad_that_fits(padded))}`"
        return OpError(message, code="kernel-too-large", help=help)

    def _pad_that_fits(self, padded: Sequence[Dim]) -> int | tuple[int, ...]:
        needed = []
        for size, before, extent in zip(padded, self.before, self.extents, strict=True):
            short = extent - size if isinstance(size, int) else 0
            needed.append(before + max(0, (short + 1) // 2))
        return simplest(needed)

    def reaches(self, place: Layout) -> dict[str, Reach]:
        """How far it looks along each axis that it moves over."""
        axes = zip(self.before, self.extents, self.stride, strict=True)
        reaches = [Reach(-before, extent - 1 - before, step) for before, extent, step in axes]
        return dict(zip(place.names, reaches, strict=True))

    def padded(
        self, name: str, place: Layout, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]
    ) -> Padded:
        """What a window makes of padding: along the steps as many positions are real as without
        the padding there would be.

        Raises:
            Meeting: where `ceil` lets a last window reach into the padding.
        """
        moved = [i for i in place.moved if inputs[0].axes[i].lengths is not None]
        mixed = feature_names(inputs)
        if not moved:
            return Padded(handed_on(name, mixed, inputs, outputs))
        lengths = inputs[0].axes[moved[0]].lengths
        assert lengths is not None
        if len(moved) > 1:
            raise Meeting(f"{name} moves over two padded axes of {inputs[0]}")
        if self.ceil:
            message = f"the last window of {name} would lie half in the padding of {inputs[0]}"
            raise Meeting(message, "leave out `ceil=yes`")
        kept = handed_on(name, mixed, inputs, outputs, gone=[inputs[0].axes[moved[0]].name])
        number = place.moved.index(moved[0])
        step = self.stride[number]
        added = sum(self.pads[number]) - self.extents[number] + step
        kept = tuple([one.with_lengths({moved[0]: lengths.after(added, step)}) for one in kept])
        return Padded(kept, (lengths,))

    def describe(self) -> dict[str, Any]:
        """What tables show: a list for each, a pad that differs between the sides as a pair."""
        pads = [b if b == a else [b, a] for b, a in self.pads]
        return {"kernel": list(self.kernel), "stride": list(self.stride), "pad": pads}


def window(
    place: Layout,
    operator: str,
    *,
    kernel: Any,
    stride: Any,
    pad: Any,
    dilation: Any = 1,
    ceil: bool = False,
) -> Window:
    """Resolve the arguments of a window on a stream.

    Args:
        place: where the operator moves.
        operator: its name, for messages.
        kernel: a number, or one for each axis; likewise stride (None: the kernel) and dilation.
        pad: "same", "causal", "auto" (same at stride 1, else 0), a number, one for each axis, or
            (before, after) for each.
        dilation: see `kernel`.
        ceil: see `Window`.

    Raises:
        OpError: when a tuple does not fit the axes, or a word gives no padding here.
    """
    kernels = per_axis(kernel, place, "kernel")
    strides = kernels if stride is None else per_axis(stride, place, "stride")
    dilations = per_axis(dilation, place, "dilation")
    bare = Window(kernels, strides, ((0, 0),) * place.rank, dilations, ceil)
    return bare.replace(pads=_pads(pad, bare, place, operator))


def per_axis(value: Any, place: Layout, name: str) -> tuple[int, ...]:
    """A number for each axis.

    Raises:
        OpError: when a tuple has another length.
    """
    if not isinstance(value, tuple):
        return (value,) * place.rank
    if len(value) != place.rank:
        raise _wrong_length(value, place, name)
    return value


def _wrong_length(value: tuple[Any, ...], place: Layout, name: str) -> OpError:
    names = ", ".join(place.shape.axes[i].name for i in place.moved)
    entries = "1 entry" if len(value) == 1 else f"{len(value)} entries"
    axes = "1 axis" if place.rank == 1 else f"{place.rank} axes"
    message = (
        f"{name}={spell(value)} has {entries}, but {place.shape} has {axes} to move over: {names}"
    )
    return OpError(message, code="argument-value")


def pairs(pad: Any, place: Layout) -> Pads:
    """A padding given in numbers as (before, after) for each axis.

    On a single axis two numbers are its two sides.

    Raises:
        OpError: when a tuple does not fit the axes.
    """
    if not isinstance(pad, tuple):
        return ((pad, pad),) * place.rank
    flat = not any(isinstance(side, tuple) for side in pad)
    if place.rank == 1 and len(pad) == 2 and flat:
        return ((pad[0], pad[1]),)
    if len(pad) != place.rank:
        raise _wrong_length(pad, place, "pad")
    return tuple([side if isinstance(side, tuple) else (side, side) for side in pad])


def _pads(pad: Any, bare: Window, place: Layout, operator: str) -> Pads:
    if pad == "causal":
        return _causal(bare, place, operator)
    if pad not in ("same", "auto"):
        return pairs(pad, place)
    low, high = [], []
    for kernel, stride, extent in zip(bare.kernel, bare.stride, bare.extents, strict=True):
        unpadded = stride >= kernel if pad == "same" else stride > 1
        low.append(0 if unpadded else (extent - 1) // 2)
        high.append(0 if unpadded else (extent - 1) // 2 + (kernel + 1) % 2)
    if low != high:
        raise _even_kernel(bare, place, operator, (low, high))
    return tuple([(number, number) for number in low])


def _causal(bare: Window, place: Layout, operator: str) -> Pads:
    if place.rank == 1:
        return ((bare.extents[0] - 1, 0),)
    message = f"pad=causal needs a single axis of time, and {place.shape} has {place.rank} of space"
    help = f"give both sides of each axis: `pad=({', '.join(['(2, 0)'] * place.rank)})`"
    raise OpError(message, code="argument-value", help=help)


def _even_kernel(
    bare: Window, place: Layout, operator: str, choices: tuple[list[int], list[int]]
) -> OpError:
    what = f"{operator} of {by(bare.kernel)} with stride {spell(simplest(bare.stride))}"
    message = f"an even kernel has no middle: {what} needs its pad in numbers"
    offers = []
    for choice in choices:
        number = simplest(choice)
        sizes = bare.replace(pads=pairs(number, place)).output(place)
        offers.append(f"`pad={spell(number)}` gives {by(sizes)}")
    return OpError(message, code="even-kernel", help=", ".join(offers))


def by(sizes: Sequence[Dim]) -> str:
    """Sizes as people say them: `7`, `7 by 11`."""
    return " by ".join([str(size) for size in sizes])


def pad_call(pads: Pads, stream: str = "{x}", value: str | None = None) -> str:
    """The call of `F.pad` that adds (before, after) to each axis, the last axis first."""
    numbers = ", ".join(f"{before}, {after}" for before, after in reversed(pads))
    filling = "" if value is None else f", value={value}"
    return f"F.pad({stream}, ({numbers}){filling})"


def padded_elements(place: Layout, pads: Pads) -> Dim:
    """The elements of a stream with its padding, which stands in memory of its own."""
    total = place.channels
    for axis in range(place.leading):
        total = total * place.shape.axes[axis].size
    for size, sides in zip(place.sizes, pads, strict=True):
        total = total * (size + sum(sides))
    return total
