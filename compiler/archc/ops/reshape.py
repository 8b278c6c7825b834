"""Operators that give the same elements another shape: FLATTEN, RESHAPE, TRANSPOSE."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.arguments import Target
from archc.dims import Dim, same
from archc.op import Constant, Example, Expression, Family, Op, OpError, TorchForm, argument
from archc.ops.axes import require_reals
from archc.ops.layouts import article, spell
from archc.ops.matrix import transposed, transposition, turned
from archc.ops.patterns import Pattern, parse_pattern, result_axes, sizes_of
from archc.ops.rearrange import rearrangement
from archc.padding import Meeting, Padded
from archc.shapes import Axis, Shape, feature_map, vector


class _Reshaping(Op):
    """Base of operators that cost nothing."""

    family: ClassVar[Family] = "shape"
    merges: ClassVar[bool] = True

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return 0


class Flatten(_Reshaping):
    """A map as a vector, row by row; of a sequence of maps each step, of a sequence all its steps.

    Carried axes in front stay. Costs nothing.
    """

    name: ClassVar[str] = "FLATTEN"
    foreign: ClassVar[tuple[str, ...]] = ("Flatten", "flatten", "View", "Ravel")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5, 7) -> FLATTEN", output="(105)"),
        Example("SEQUENCE(11, 3, 5, 7) -> FLATTEN", output="(11, 105)"),
        Example("SEQUENCE(11, 13) -> FLATTEN", output="(143)"),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        shape = inputs[0]
        kept = _kept(shape)
        size: Dim = 1
        for axis in shape.axes[kept:]:
            size = size * axis.size
        return Shape((*shape.axes[:kept], Axis(size, "c", "features")))

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return True

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return Expression(f"{{0}}.flatten({_kept(inputs[0]) + 1})")


def _kept(shape: Shape) -> int:
    """How many axes in front FLATTEN leaves as they are."""
    kept = 0
    while kept < shape.rank - 1 and shape.axes[kept].role == "carried":
        kept += 1
    is_sequence_of_maps = bool(shape.space) and shape.axes[kept].role == "steps"
    return kept + is_sequence_of_maps


class Reshape(_Reshaping):
    """The same elements in another shape: to sizes, or by a pattern in einops notation.

    `RESHAPE(512, 4, 4)`: one size makes a vector, two a signal, three an image, four a volume.

    `RESHAPE("c h w -> (h w) c")`: the left side names the axes of the input in order, whatever they
    were called before. Parentheses split an axis on the left and join axes on the right; 1 is an
    axis of one. A size that does not follow is given by name: `RESHAPE("t (h d) -> h t d", h=8)`.

    What the axes of the result mean follows from where the features went: to the axis made of
    nothing but parts of them (the last, if there are several), else to the last axis that holds
    such a part, else to the last axis. If that one comes last, the axis in front of it is the
    steps, and axes before are carried; if one to three axes follow it, they are space, and the
    result is a map. An axis that stands alone keeps the name that the pattern gives it; a joined
    one is called after its place.

    Costs nothing.
    """

    name: ClassVar[str] = "RESHAPE"
    foreign: ClassVar[tuple[str, ...]] = ("Rearrange", "rearrange", "View", "Permute", "Unflatten")
    extra: ClassVar[str | None] = "given"
    to: Any = argument("the sizes, or a pattern", Target(), rest=True)
    given: tuple[tuple[str, Dim], ...] = ()
    examples: ClassVar[tuple[Example, ...]] = (
        Example('INPUT(3, 5, 7) -> RESHAPE("c h w -> (h w) c")', output="(35, 3)"),
        Example('INPUT(3, 6, 35) -> RESHAPE("c (m a) w -> (m w) a c", a=2)', output="(105, 2, 3)"),
        Example("INPUT(105) -> RESHAPE(3, 5, 7)", output="(3, 5, 7)"),
        Example('SEQUENCE(11, 12) -> RESHAPE("t (h d) -> h t d", h=3)', output="(3, 11, 4)"),
    )

    def _items(self) -> tuple[Any, ...]:
        # By name, `to=` may hold one thing alone.
        return self.to if isinstance(self.to, tuple) else (self.to,)

    def _pattern(self) -> Pattern | None:
        """The pattern, or None where sizes are given."""
        items = self._items()
        if not any(isinstance(item, str) for item in items):
            return None
        if len(items) > 1:
            raise OpError("RESHAPE takes one pattern, or sizes, not both", code="argument-value")
        return parse_pattern(items[0])

    def infer(self, *inputs: Shape) -> Shape:
        shape, pattern = inputs[0], self._pattern()
        if pattern is not None:
            sizes = sizes_of(pattern, shape, dict(self.given))
            return Shape(result_axes(pattern, shape, sizes), shape.vocabulary)
        if self.given:
            raise OpError(
                f"{self.given[0][0]}={self.given[0][1]} needs a pattern",
                code="unknown-argument",
                help='RESHAPE("t (h d) -> h t d", h=8)',
            )
        return self._to_sizes(shape)

    def _to_sizes(self, shape: Shape) -> Shape:
        require_reals(self.name, shape)
        sizes = self._items()
        if len(sizes) > 4:
            raise OpError(
                f"RESHAPE to {len(sizes)} sizes has no meaning for its axes",
                code="argument-value",
                help='name them by a pattern: RESHAPE("c h w -> (h w) c")',
            )
        result = vector(sizes[0]) if len(sizes) == 1 else feature_map(*sizes)
        answer = same(result.elements, shape.elements)
        if answer:
            return result
        message = f"cannot reshape {article(shape)} to {spell(sizes)}"
        if answer is None:
            why = f"whether {shape.elements} elements are {result.elements} is not known"
            raise OpError(f"{message}: {why}", code="undecided")
        raise OpError(f"{message}: {shape.elements} elements are not {result.elements}")

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        pattern, found = self._pattern(), outputs[0]
        for position in inputs[0].padded:
            group = () if pattern is None else pattern.left[position]
            right = () if pattern is None else pattern.right
            places = [i for i, other in enumerate(right) if other == group]
            if len(group) != 1 or not places:
                raise Meeting(f"RESHAPE would mix the steps of {inputs[0]} with their padding")
            found = found.with_lengths({places[0]: inputs[0].axes[position].lengths})
        return Padded((found,))

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        # Axes that changed places are copied where they are joined.
        form = self.torch(inputs, outputs)
        assert isinstance(form, Expression)
        moved = max(form.template.find(".transpose("), form.template.find(".permute("))
        return moved < 0 or ".flatten(" not in form.template[moved:]

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        pattern = self._pattern()
        if pattern is not None:
            given = dict(self.given)
            return rearrangement(pattern, sizes_of(pattern, inputs[0], given), frozenset(given))
        sizes = self._items()
        if inputs[0].rank == 1:
            return Expression("torch.unflatten({0}, 1, {sizes})", (("sizes", sizes),))
        if len(sizes) == 1:
            return Expression("{0}.flatten(1)")
        names = [f"size{i}" for i in range(len(sizes))]
        values: tuple[tuple[str, Constant], ...] = tuple(zip(names, sizes, strict=True))
        return Expression(
            f"{{0}}.reshape(-1, {', '.join(f'{{{name}}}' for name in names)})", values
        )


class Transpose(_Reshaping):
    """Exchanges the two axes of a sequence: steps become features, and features steps.

    An FC behind it mixes the steps (the tokens of a mixer); a second TRANSPOSE turns it back. With
    carried axes in front (heads, windows) the last two axes change places. Costs nothing.
    """

    name: ClassVar[str] = "TRANSPOSE"
    foreign: ClassVar[tuple[str, ...]] = ("Permute", "transpose", "swapaxes")
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> TRANSPOSE", output="(13, 11)"),
        Example("SEQUENCE(11, 13) -> TRANSPOSE -> FC(5)", output="(13, 5)", params=60, macs=715),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals(self.name, *inputs)
        shape = inputs[0]
        if shape.rank < 2 or shape.space:
            raise OpError(
                f"TRANSPOSE needs a sequence, got {article(shape)}",
                code="needs-sequence",
                help='name the axes of a map: RESHAPE("c h w -> c w h")' if shape.space else None,
            )
        return transposed(shape)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return Padded((turned(inputs[0], outputs[0]),))

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return True

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return transposition(inputs[0])
