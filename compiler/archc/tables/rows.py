"""The rows of a cost table, and the cells that the formats print."""

from __future__ import annotations

from typing import Any, Literal

from archc.cost import NOTHING, Totals
from archc.dims import Dim, Poly
from archc.graph import Node, Region
from archc.liveness import Demand
from archc.memory.amounts import EMPTY, Amount
from archc.shapes import Shape
from archc.sight import Sight
from archlang.record import Record, field
from archlang.source import Span

__all__ = [
    "TIMES", "Align", "Cell", "Column", "Grid", "Line", "Part", "Row", "RowKind", "figure",
    "plain_sizes", "shape_range", "shape_text",
]  # fmt: skip

RowKind = Literal["operator", "block", "heading"]
Align = Literal["left", "right"]

TIMES = " × "


class Part(Record):
    """What a row is about: a node of a region, or (None) the region itself, and what is wanted."""

    region: Region
    node: Node | None
    demand: Demand


class Row(Record):
    """One row: an operator, a block that is not opened, or the heading of an opened one.

    The figures are for all copies. Headings have none: those of the rows below them add up.

    Args:
        kind: what it is.
        path: in the state_dict, with `*` for the copies of a repeat and `1..3` for some of them.
        name: the end of the path, as far as headings do not say it.
        level: how deep it lies below headings.
        op: the operator, or the block.
        repeat: the number of copies that run.
        span: where the file says so.
        family: of the operator, or "block".
        inputs: the shapes that flow in.
        outputs: the shapes that leave.
        copies: for a repeat that is not opened, the shapes that leave each of its runs.
        details: kernel, stride, pad, groups, filters and so on.
        figures: what all copies cost.
        shared_with: the path of the module whose weights it uses, if they are another's.
        inactive: whether it does nothing outside training.
        saved: what all copies keep for the backward pass, where that is asked.
        seen: what its output sees of the net's inputs, where that is asked for.
        part: the region that it stands in and its node, or the region alone that it is, with the
            outputs of it that are wanted.
    """

    kind: RowKind
    path: str
    name: str
    level: int
    op: str
    repeat: Dim
    span: Span
    family: str = "block"
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()
    copies: tuple[Shape, ...] = ()
    details: tuple[tuple[str, Any], ...] = ()
    figures: Totals = NOTHING
    shared_with: str | None = None
    inactive: bool = False
    saved: Amount = EMPTY
    seen: Sight | None = field(default=None, compare=False)
    part: Part | None = field(default=None, compare=False)


Cell = str | Dim


class Column(Record):
    """A column: its title, the side on which its cells stand, and whether they are shapes."""

    title: str
    align: Align = "left"
    shapes: bool = False

    @property
    def figures(self) -> bool:
        """Whether its cells are figures, which say something else when they are cut."""
        return self.shapes or self.align == "right"


class Line(Record):
    """A line of a printed table; `family` gives the colour."""

    cells: tuple[Cell, ...]
    kind: RowKind | Literal["total"] = "operator"
    family: str = ""


class Grid(Record):
    """A table ready to be printed: what every format for people has in common.

    Args:
        title: above it.
        columns: the columns.
        lines: the lines, each with one cell for each column.
        notes: sentences below it.
    """

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def figure(value: Dim) -> str:
    """A figure for people: 25,557,032, or a formula."""
    return str(value) if isinstance(value, Poly) else f"{value:,}"


def plain_sizes(shape: Shape) -> list[int | str]:
    """A shape as data: numbers, and formulas as text."""
    return [str(size) if isinstance(size, Poly) else size for size in shape.sizes]


def shape_text(shape: Shape) -> str:
    """A shape for people: 64 × 56 × 56."""
    return TIMES.join([_factor(size) for size in shape.sizes])


def shape_range(shapes: tuple[Shape, ...]) -> str:
    """Several shapes as one: 64..256 × 56 × 56, from the least to the greatest of each size."""
    if len({shape.rank for shape in shapes}) != 1:
        return ", ".join(dict.fromkeys(shape_text(shape) for shape in shapes))
    return TIMES.join([_range(sizes) for sizes in zip(*[s.sizes for s in shapes], strict=True)])


def _range(sizes: tuple[Dim, ...]) -> str:
    different = list(dict.fromkeys(sizes))
    if len(different) == 1:
        return _factor(different[0])
    numbers = [size for size in different if isinstance(size, int)]
    if len(numbers) == len(different):
        return f"{min(numbers)}..{max(numbers)}"
    return f"{_factor(different[0])}..{_factor(different[-1])}"


def _factor(size: Dim) -> str:
    text = str(size)
    return f"({text})" if isinstance(size, Poly) and " " in text else text
