"""Pooling over the whole of space, or to a given size: GAP, GMP, ADAPTIVEPOOL."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import SIZES, Words
from archc.dims import Dim
from archc.op import Example, Expression, Family, Module, Op, TorchForm, argument
from archc.ops.layouts import layout, simplest
from archc.ops.padded import of_real, padded_reduction
from archc.ops.windows import per_axis
from archc.padding import Padded
from archc.saves import NO_TENSORS, Extra, Saves
from archc.shapes import Shape
from archc.sight import EVERYTHING, UNKNOWN, Reach

__all__ = ["AdaptivePool", "GlobalAveragePool", "GlobalMaxPool"]


def _without_space(stream: Shape, operator: str) -> Shape:
    place = layout(stream, operator)
    return Shape(tuple([axis for i, axis in enumerate(stream.axes) if i not in place.moved]))


def _dimensions(stream: Shape, operator: str) -> int | tuple[int, ...]:
    moved = tuple([i + 1 for i in layout(stream, operator).moved])
    return moved[0] if len(moved) == 1 else moved


def _whole_window(stream: Shape, operator: str) -> dict[str, Any]:
    sizes = layout(stream, operator).sizes
    if not all(isinstance(size, int) for size in sizes):
        return {}
    return {"kernel": list(sizes), "stride": [1] * len(sizes), "pad": [0] * len(sizes)}


class GlobalAveragePool(Op):
    """Mean over all of space: of a map a vector, of a video a sequence of vectors.

    Of a sequence of vectors it is the mean over the steps.

    Shape: the channels stay, the axes of space go; of a sequence of vectors the steps go.

    Cost: no parameters; flops are the elements of the input.
    """

    name: ClassVar[str] = "GAP"
    family: ClassVar[Family] = "pooling"
    foreign: ClassVar[tuple[str, ...]] = (
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
        "GlobalAvgPool2d", "GlobalAveragePool", "GlobalAvgPool",
    )  # fmt: skip

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(5, 7, 11) -> GAP", "(5)"),
        Example("INPUT(5, 7) -> GAP", "(5)"),
        Example("INPUT(5, 2, 3, 7) -> GAP", "(5)"),
        Example("SEQUENCE(13, 4) -> GAP", "(4)"),
        Example("SEQUENCE(3, 5, 7, 11) -> GAP", "(3, 5)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        return _without_space(inputs[0], self.name)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return inputs[0].elements

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return _whole_window(inputs[0], self.name)

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return NO_TENSORS

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return dict.fromkeys(layout(inputs[0], self.name).names, EVERYTHING)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return padded_reduction(self, layout(inputs[0], self.name).moved, inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        form = Expression("{0}.mean({dim})", (("dim", _dimensions(inputs[0], self.name)),))
        moved = layout(inputs[0], self.name).moved
        return of_real(form, inputs[0], moved, outputs[0], mean=True)


class GlobalMaxPool(Op):
    """Maximum over all of space: of a map a vector, of a video a sequence of vectors.

    Of a sequence of vectors it is the maximum over the steps.

    Shape: the channels stay, the axes of space go; of a sequence of vectors the steps go.

    Cost: no parameters; flops are the elements of the input.
    """

    name: ClassVar[str] = "GMP"
    family: ClassVar[Family] = "pooling"
    foreign: ClassVar[tuple[str, ...]] = (
        "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GlobalMaxPool2d",
        "GlobalMaxPool", "GlobalMaxPooling",
    )  # fmt: skip

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(5, 7, 11) -> GMP", "(5)"),
        Example("SEQUENCE(13, 4) -> GMP", "(4)"),
        Example("SEQUENCE(3, 5, 7, 11) -> GMP", "(3, 5)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        return _without_space(inputs[0], self.name)

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return inputs[0].elements

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        return _whole_window(inputs[0], self.name)

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves((0,), (0,))

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        return dict.fromkeys(layout(inputs[0], self.name).names, EVERYTHING)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return padded_reduction(self, layout(inputs[0], self.name).moved, inputs, outputs)

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        form = Expression("{0}.amax({dim})", (("dim", _dimensions(inputs[0], self.name)),))
        moved = layout(inputs[0], self.name).moved
        return of_real(form, inputs[0], moved, outputs[0], mean=False)


class AdaptivePool(Op):
    """Pooling to a given size, whatever the size of the input.

    Output position i of n takes the elements from floor(i * size / n) to ceil((i + 1) * size / n),
    as torch's adaptive pooling does.

    Shape: each axis becomes that of `size` (one number for all axes, or one for each).

    Cost: no parameters; flops are one for each element of the input.
    """

    name: ClassVar[str] = "ADAPTIVEPOOL"
    family: ClassVar[Family] = "pooling"
    foreign: ClassVar[tuple[str, ...]] = (
        "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d",
        "AdaptiveMaxPool2d", "AdaptiveMaxPool3d", "AdaptiveAveragePooling2D",
    )  # fmt: skip

    size: Any = argument("the size of the output", SIZES)
    mode: str = argument("the mean or the maximum", Words(words=("avg", "max")), "avg")

    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(5, 7, 11) -> ADAPTIVEPOOL(3)", "(5, 3, 3)"),
        Example("INPUT(5, 7, 11) -> ADAPTIVEPOOL((2, 5), mode=max)", "(5, 2, 5)"),
        Example("INPUT(5, 17) -> ADAPTIVEPOOL(4)", "(5, 4)"),
        Example("SEQUENCE(13, 4) -> ADAPTIVEPOOL(5)", "(5, 4)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        place = layout(inputs[0], self.name)
        return place.output(place.channels, per_axis(self.size, place, "size"))

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return inputs[0].elements

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        if self.mode == "max":
            return Saves(inputs=(0,), extras=(Extra(outputs[0].elements, "index"),))
        place = layout(outputs[0], self.name)
        # Torch takes the mean where one position is left.
        return NO_TENSORS if all(size == 1 for size in place.sizes) else Saves(inputs=(0,))

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        place = layout(inputs[0], self.name)
        sizes = zip(place.sizes, per_axis(self.size, place, "size"), strict=True)
        return dict(zip(place.names, [_of_equal_parts(*pair) for pair in sizes], strict=True))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        place = layout(inputs[0], self.name)
        kind = "Avg" if self.mode == "avg" else "Max"
        return Module(
            f"nn.Adaptive{kind}Pool{place.rank}d",
            (simplest(per_axis(self.size, place, "size")),),
            call=place.folded("{module}({x})"),
            values=place.values,
        )


def _of_equal_parts(before: Dim, after: int) -> Reach:
    if after == 1:
        return EVERYTHING
    if not isinstance(before, int) or before % after:
        return UNKNOWN  # neighbouring parts overlap, and not all alike
    return Reach(0, before // after - 1, before // after)
