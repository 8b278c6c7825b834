"""How an operator that moves over space lies on a stream.

On a map it moves over the axes of space; axes in front of the channels (the steps of a video,
windows, heads) are folded into the batch. On a sequence of vectors it moves along the steps, so the
tensor is transposed for torch, which wants the channels in front.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from archc import dims
from archc.dims import Dim
from archc.op import Constant, OpError
from archc.shapes import Shape
from archlang.record import Record

__all__ = ["Layout", "article", "divisible", "layout", "simplest", "spell"]


class Layout(Record):
    """Where the axes are that an operator over space needs.

    Args:
        shape: the stream's shape.
        features: the position of the channels.
        moved: the positions of the axes that it moves over: one to three, none on a vector.
        leading: how many axes in front are folded into the batch.
        transposed: whether the channels come last (a sequence of vectors).
    """

    shape: Shape
    features: int
    moved: tuple[int, ...]
    leading: int
    transposed: bool

    @property
    def rank(self) -> int:
        """The number of axes that it moves over."""
        return len(self.moved)

    @property
    def channels(self) -> Dim:
        """The number of channels."""
        return self.shape.axes[self.features].size

    @property
    def sizes(self) -> tuple[Dim, ...]:
        """The sizes of the axes that it moves over."""
        return tuple([self.shape.axes[i].size for i in self.moved])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the axes that it moves over."""
        return tuple([self.shape.axes[i].name for i in self.moved])

    def output(self, channels: Dim, sizes: Sequence[Dim]) -> Shape:
        """The shape with other channels and sizes."""
        changes = dict(zip(self.moved, sizes, strict=True))
        return self.shape.with_sizes({**changes, self.features: channels})

    def folded(self, call: str, stream: str = "{0}") -> str:
        """The expression that makes `call` work: `{x}` in it is what torch's module takes."""
        swap = ".transpose(-2, -1)" if self.leading else ".transpose(1, 2)"
        inner = stream + swap if self.transposed else stream
        if self.leading:
            inner += f".flatten(0, {self.leading})"
        outer = call.replace("{x}", inner)
        if self.leading:
            outer = f"torch.unflatten({outer}, 0, (-1, {', '.join(self._placeholders)}))"
        return outer + swap if self.transposed else outer

    @property
    def values(self) -> tuple[tuple[str, Constant], ...]:
        """The sizes of the leading axes, by the names that `folded` gives them."""
        sizes = self.shape.sizes[: self.leading]
        return tuple([(n.strip("{}"), s) for n, s in zip(self._placeholders, sizes, strict=True)])

    @property
    def _placeholders(self) -> list[str]:
        axes = self.shape.axes[: self.leading]
        return ["{steps}" if a.role == "steps" else f"{{axis{i}}}" for i, a in enumerate(axes)]


def layout(shape: Shape, operator: str, *, vectors: bool = False) -> Layout:
    """Find the layout of an operator over space on a stream.

    Args:
        shape: the stream's shape.
        operator: the operator's name, for messages.
        vectors: whether a vector will do, which has no axis to move over: it gives rank 0.

    Raises:
        OpError: when the stream has neither axes of space nor steps.
    """
    features, space = shape.features, shape.space
    if features is None:
        raise _needs_map(shape, operator)
    if space:
        _check_space(shape, operator, features)
        return Layout(shape, features, space, features, False)
    if vectors and shape.steps is None and features == shape.rank - 1:
        return Layout(shape, features, (), features, False)
    if shape.steps is None or shape.steps != features - 1:
        raise _needs_map(shape, operator, _as_an_image(shape, operator))
    return Layout(shape, features, (shape.steps,), shape.steps, True)


def _needs_map(shape: Shape, operator: str, help: str | None = None) -> OpError:
    message = f"{operator} needs a map or a sequence, got {article(shape)}"
    return OpError(message, code="needs-map", help=help)


def _as_an_image(shape: Shape, operator: str) -> str | None:
    if shape.rank > 1:
        return None
    size = shape.sizes[0]
    sizes: tuple[Dim, ...] = (size, 1, 1)
    for channels in (3, 1):
        side = isqrt(size // channels) if isinstance(size, int) else 0
        if side > 1 and channels * side * side == size:
            sizes = (channels, side, side)
    return f"give it axes of space: `RESHAPE{spell(sizes)} -> {operator}`"


def _check_space(shape: Shape, operator: str, features: int) -> None:
    space = shape.space
    ordered = space == tuple(range(features + 1, shape.rank))
    if not ordered or len(space) > 3:
        message = f"{operator} needs channels followed by one to three axes of space, got {shape}"
        raise OpError(message, code="needs-map")


def article(shape: Shape) -> str:
    """What messages call a stream: `the vector (784)`, `the sequence of images (7, 3, 5, 5)`."""
    return f"the {shape.kind} {shape}" if shape.axes else f"a single {shape.kind.rstrip('s')}"


def divisible(count: Dim, groups: Dim, what: str, operator: str, argument: str = "groups") -> None:
    """Check that a number of channels divides into equal groups, which `argument` gives.

    Raises:
        OpError: when it does not, or when that can not be known.
    """
    even = True if count == groups else dims.same(count % groups, 0)
    if even:
        return
    if even is None:
        message = (
            f"cannot tell whether the {count} {what} of {operator} divide into {groups} groups"
        )
        help = f"declare it: `dim {count} % {groups} == 0`"
        raise OpError(message, code="undecided", help=help)
    message = f"the {count} {what} of {operator} do not divide into {groups} equal groups"
    raise OpError(message, code="not-divisible", help=_nearest(count, groups, argument))


def _nearest(count: Dim, groups: Dim, argument: str) -> str | None:
    if not isinstance(count, int) or not isinstance(groups, int):
        return None
    divisors = [n for n in range(min(groups, count), 0, -1) if count % n == 0]
    return f"`{argument}={divisors[0]}` divides {count}" if divisors else None


def simplest(values: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all agree, as people write square kernels, else the tuple."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def spell(values: object) -> str:
    """A number or a tuple as the language writes it: `3`, `(3, 1)`, `((0, 1), 2)`."""
    if not isinstance(values, tuple):
        return str(values)
    items = [spell(item) for item in values]
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
