"""Products of matrices, and the transposition that goes with them."""

from __future__ import annotations

from typing import ClassVar

from archc.dims import Dim, same
from archc.op import Example, Expression, Family, Op, OpError, TorchForm
from archc.ops.axes import equal_sizes, require_reals
from archc.ops.broadcast import undecided
from archc.ops.padded import without_padding
from archc.padding import Meeting, Padded
from archc.saves import Saves
from archc.shapes import Axis, Lengths, Shape
from archc.sight import EVERYTHING, Reach

# These follow the role of an axis, as `x.c` is the features; names that a pattern gave move along.
_BY_ROLE = ("c", "h", "w", "d", "l", "t")


class MatrixMultiply(Op):
    """The matrix product `a @ b`: (n, k) and (k, m) give (n, m), over the last two axes.

    Axes in front (heads, windows) agree, or one of the two lacks them. A vector (k) is one row (1,
    k), and a row that stood for a vector on the left is a vector again in the result; its transpose
    is a column (k, 1). The rows of the result keep the name of the rows of `a` and are steps, its
    columns are features, and axes in front are carried.

    Cost: multiply-adds are the axes in front * n * k * m.
    """

    name: ClassVar[str] = "MATMUL"
    family: ClassVar[Family] = "join"
    foreign: ClassVar[tuple[str, ...]] = ("Matmul", "MatMul", "bmm", "Dot", "Gemm", "einsum")
    inputs: ClassVar[tuple[int, int | None]] = (2, 2)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> { ID @ ID' }", output="(11, 11)", macs=1573),
        Example(
            "SEQUENCE(11, 13) -> { (FC(1) -> SOFTMAX(axis=t))' @ ID }",
            output="(1, 13)",
            params=14,
            macs=286,
            text="a weighted mean of the steps",
        ),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals("a matrix product", *inputs)
        left, right = inputs
        rows, columns = _matrix(left), _matrix(right)
        inner = same(rows[-1].size, columns[-2].size)
        front = _in_front(rows[:-2], columns[:-2])
        if inner and isinstance(front, tuple):
            return _product(front, rows[-2], columns[-1], vector=left.rank == 1)
        message = f"cannot multiply the matrices {left} and {right}"
        if inner is not False and front is not False:
            raise undecided(message, Shape(rows[-1:]), Shape(columns[-2:-1]), (0, 1))
        raise OpError(message, help=_advice(left, right, inner is True))

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        return outputs[0].elements * inputs[0].axes[-1].size

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        return Saves(inputs=tuple([i for i in (0, 1) if learning[1 - i]]))

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        axes = [axis for shape in inputs for axis in shape.axes]
        return {axis.name: EVERYTHING for axis in axes if axis.role in ("space", "steps")}

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        left, right = inputs
        shape = outputs[0]
        differ = f"{left} and {right} are padded in two ways"
        inner = [left.axes[-1].lengths, _matrix(right)[-2].lengths]
        reads = list(dict.fromkeys([one for one in inner if one is not None]))
        if len(reads) > 1:
            raise Meeting(differ, _OWN_LENGTHS)
        kept: dict[int, Lengths | None] = {}
        for axes, own in ((left.axes[:-1], -2), (_matrix(right)[:-2], -3)):
            for i, axis in enumerate(reversed(axes)):
                place = shape.rank + own - i
                lengths = axis.lengths
                if lengths is not None and kept.setdefault(place, lengths) != lengths:
                    raise Meeting(differ, _OWN_LENGTHS)
        if right.rank > 1 and right.axes[-1].lengths is not None:
            kept[shape.rank - 1] = right.axes[-1].lengths
        return Padded((shape.with_lengths(kept),), tuple(reads))

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        left, right = inputs[:2]
        most = max(left.rank, right.rank, 2)
        first = without_padding(left, left.rank - 1, "{0}", "{2}", value="0.0")
        second = without_padding(right, max(right.rank - 2, 0), "{1}", "{2}", value="0.0")
        if right.rank == 1:
            second = "{1}"
        operands = first + _raised(left, most), second + _raised(right, most)
        product = " @ ".join(operands)
        if left.rank > 1:
            return Expression(product, precedence="product")
        return Expression(f"({product}).squeeze(-2)")


_OWN_LENGTHS = "streams of one input have the same lengths"


def _matrix(shape: Shape) -> tuple[Axis, ...]:
    return (Axis(1, "t", "steps"), *shape.axes) if shape.rank == 1 else shape.axes


def _in_front(left: tuple[Axis, ...], right: tuple[Axis, ...]) -> tuple[Axis, ...] | bool | None:
    """The axes in front of the product; False or None where they do not agree or may not."""
    long, short = (left, right) if len(left) >= len(right) else (right, left)
    agree = equal_sizes(long[len(long) - len(short) :], short)
    return long if agree else agree


def _product(front: tuple[Axis, ...], row: Axis, column: Axis, *, vector: bool) -> Shape:
    carried = tuple([axis.replace(role="carried") for axis in front])
    if vector:
        return Shape((*carried, Axis(column.size, _name(column, "c", carried), "features")))
    return _rows_and_columns(carried, row, column)


def _rows_and_columns(carried: tuple[Axis, ...], row: Axis, column: Axis) -> Shape:
    rows = Axis(row.size, _name(row, "t", carried), "steps")
    columns = Axis(column.size, _name(column, "c", (*carried, rows)), "features")
    return Shape((*carried, rows, columns))


def _name(axis: Axis, usual: str, taken: tuple[Axis, ...]) -> str:
    given = axis.name not in _BY_ROLE and all(axis.name != other.name for other in taken)
    return axis.name if given else usual


def _raised(shape: Shape, rank: int) -> str:
    """What gives a tensor the axes that it lacks, in front of those that it has."""
    missing = rank - shape.rank
    if missing == 0:
        return ""
    return ".unsqueeze(1)" if missing == 1 else f"[:, {', '.join(['None'] * missing)}]"


def _advice(left: Shape, right: Shape, inner: bool) -> str:
    if inner:
        return "axes in front of the matrices must agree: bring them there with RESHAPE"
    if same(left.sizes[-1], right.sizes[-1]) is True:
        return "transpose the second: `a @ b'`"
    if left.rank > 1 and same(left.sizes[-2], _matrix(right)[-2].size) is True:
        return "transpose the first: `a' @ b`"
    return f"project one of them: `FC({_matrix(right)[-2].size})` on the first"


class Transposed(Op):
    """The last two axes change places: `k'`. A vector (k), one row, becomes a column (k, 1).

    Costs nothing. The last axis of the result is its features, the one in front of it its steps;
    the two axes of an image stay its height and width.
    """

    name: ClassVar[str] = "TRANSPOSED"
    family: ClassVar[Family] = "join"
    internal: ClassVar[bool] = True
    examples: ClassVar[tuple[Example, ...]] = (
        Example("SEQUENCE(11, 13) -> { ID' @ ID }", output="(13, 13)", macs=1859),
        Example("INPUT(13) -> { ID' @ ID }", output="(13, 13)", macs=169),
    )

    def infer(self, *inputs: Shape) -> Shape:
        require_reals("a transposition", *inputs)
        return transposed(inputs[0])

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        return Padded((turned(inputs[0], outputs[0]),))

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        return True

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        return transposition(inputs[0])


def transposed(shape: Shape) -> Shape:
    """The shape with its last two axes exchanged."""
    if shape.rank == 1:
        return Shape((shape.axes[0].replace(name="t", role="steps"), Axis(1, "c", "features")))
    *front, above, below = shape.axes
    if above.role == below.role == "space":
        return shape.with_sizes({shape.rank - 2: below.size, shape.rank - 1: above.size})
    carried = tuple([a.replace(role="carried") if a.role == "features" else a for a in front])
    return _rows_and_columns(carried, below, above)


def turned(shape: Shape, result: Shape) -> Shape:
    """The result of a transposition with the padding of the shape that was transposed."""
    if shape.rank == 1:
        return result.with_lengths({0: shape.axes[0].lengths})
    *front, above, below = [axis.lengths for axis in shape.axes]
    return result.with_lengths(dict(enumerate([*front, below, above])))


def transposition(shape: Shape) -> Expression:
    """The torch form of `transposed`."""
    if shape.rank == 1:
        return Expression("{0}.unsqueeze(-1)")
    return Expression("{0}.transpose(1, 2)" if shape.rank == 2 else "{0}.transpose(-2, -1)")
