"""Concatenation: streams side by side along an axis."""

from __future__ import annotations

from typing import ClassVar

from archc.arguments import AxisNames
from archc.dims import Dim
from archc.op import Constant, Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import AxisName, equal_sizes, find_axis, torch_dim
from archc.ops.broadcast import Mapping, fit, spread, undecided
from archc.ops.join_help import mismatch_help
from archc.padding import Meeting, Padded, handed_on
from archc.shapes import Shape
from archc.sight import UNKNOWN, Reach


class Concatenate(Op):
    """Streams side by side along an axis: `a | b` along the features, CONCAT(axis=t) in time.

    All other sizes agree. Along the features a vector is repeated over the space of a map and the
    steps of a sequence, as in other joins. Tokens can be joined in time. Costs nothing.
    """

    name: ClassVar[str] = "CONCAT"
    family: ClassVar[Family] = "join"
    foreign: ClassVar[tuple[str, ...]] = (
        "Concatenate",
        "Concat",
        "Cat",
        "cat",
        "DepthConcat",
        "Merge",
    )
    inputs: ClassVar[tuple[int, int | None]] = (1, None)
    axis: AxisName | None = argument(
        "the axis that grows", AxisNames(nothing=True), None, shown="features"
    )
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> { ID | RELU }", output="(6, 5, 7)"),
        Example("SEQUENCE(11, 13) -> { ID, REVERSE } -> CONCAT(axis=t)", output="(22, 13)"),
        Example("INPUT(3, 5, 7) -> { ID | GAP }", output="(6, 5, 7)", text="a vector over a map"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        return self._plan(inputs)[0]

    def _plan(self, shapes: tuple[Shape, ...]) -> tuple[Shape, int, tuple[Mapping, ...]]:
        """The result, the position of the axis that grows, and how each operand lies in it."""
        if isinstance(self.axis, tuple):
            raise OpError("CONCAT joins along one axis", code="argument-value")
        large = max(shapes, key=lambda shape: shape.rank)
        position = find_axis("CONCAT", large, self.axis)
        name = large.axes[position].name
        mappings = [self._place(shape, large, position) for shape in shapes]
        for i, mapping in enumerate(mappings):
            if not isinstance(mapping, tuple):
                raise _refusal(shapes, shapes.index(large), i, name, unknown=mapping is None)
        placed = tuple([mapping for mapping in mappings if isinstance(mapping, tuple)])
        grown: Dim = 0
        for mapping, shape in zip(placed, shapes, strict=True):
            grown = grown + shape.axes[mapping.index(position)].size
        return large.with_sizes({position: grown}), position, placed

    def _place(self, shape: Shape, large: Shape, position: int) -> Mapping | bool | None:
        if shape.vocabulary != large.vocabulary:
            raise OpError(
                f"cannot concatenate {_kind(large)} and {_kind(shape)}",
                code="needs-reals"
                if None in (shape.vocabulary, large.vocabulary)
                else "shape-mismatch",
            )
        if shape.rank == large.rank:
            axes = [tuple(s.axes[:position] + s.axes[position + 1 :]) for s in (shape, large)]
            answer = equal_sizes(axes[0], axes[1])
            return tuple(range(shape.rank)) if answer else answer
        if shape.rank == 0 or position != large.features:
            return False
        return fit(shape, large, features=False)

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return len(inputs) == 1

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        # Where the parts come to lie one behind the other, no one rule holds for all of it.
        shape, position, _ = self._plan(inputs)
        return {shape.axes[position].name: UNKNOWN} if position != shape.features else {}

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        shape, position, mappings = self._plan(tuple([one.whole() for one in inputs]))
        pairs = zip(inputs, mappings, strict=True)
        *before, last = [one.axes[mapping.index(position)] for one, mapping in pairs]
        if last.lengths is None or position == shape.features:
            return super().padded(inputs, outputs)
        counts = [axis.size for axis in before if axis.lengths is None]
        whole = [size for size in counts if isinstance(size, int)]
        if len(whole) < len(before):
            message = f"{self.name} would put padding in front of other steps"
            raise Meeting(message, "padded steps come last, behind a known number of others")
        kept = handed_on(self.name, (), inputs, outputs, gone=(last.name,))
        return Padded((kept[0].with_lengths({position: last.lengths.after(sum(whole), 1)}),))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        result, position, mappings = self._plan(inputs)
        dim: tuple[tuple[str, Constant], ...] = (("dim", torch_dim(result, position)),)
        if all(shape.rank == result.rank for shape in inputs):
            return Expression("torch.cat(({*}), dim={dim})" if len(inputs) > 1 else "{0}", dim)
        operands: list[str] = []
        sizes: dict[str, Constant] = {}
        for i, (mapping, shape) in enumerate(zip(mappings, inputs, strict=True)):
            operands.append(f"{{{i}}}" + _repeated(mapping, shape, result, sizes))
        return Expression(
            f"torch.cat(({', '.join(operands)}), dim={{dim}})", (*dim, *sizes.items())
        )


def _kind(shape: Shape) -> str:
    below = "" if shape.vocabulary is None else f" below {shape.vocabulary}"
    return f"the {shape.kind} {shape}{below}"


def _repeated(mapping: Mapping, shape: Shape, large: Shape, sizes: dict[str, Constant]) -> str:
    """The smaller operand over the axes that it lacks; `sizes` takes up the values named here."""
    if shape.rank == large.rank:
        return ""
    counts = ["-1"]
    for i, axis in enumerate(large.axes):
        name = f"size{i}"
        counts.append("-1" if i in mapping else f"{{{name}}}")
        if i not in mapping:
            sizes[name] = axis.size
    return f"{spread(mapping, shape, large)}.expand({', '.join(counts)})"


def _refusal(
    shapes: tuple[Shape, ...], largest: int, other: int, name: str, *, unknown: bool
) -> OpError:
    first, second = sorted((largest, other))
    left, right = shapes[first], shapes[second]
    message = f"cannot concatenate {left} and {right} along {name}"
    if unknown:
        return undecided(message, left, right, (first, second))
    # Features need not agree here, so the help leaves them out.
    help = None
    if left.rank == right.rank and name == "c":
        features = right.features
        same_features = {} if features is None else {features: left.axes[features].size}
        help = mismatch_help(left, right.with_sizes(same_features))
    return OpError(message, help=help, operands=(first, second))
