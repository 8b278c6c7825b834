"""The stages of a net: what bars and charts show side by side."""

from __future__ import annotations

from math import prod

from archc.cost import Pricing, Totals
from archc.dims import Poly
from archc.graph import Program
from archc.tables.measure import Measure
from archc.tables.rows import Row
from archc.tables.walk import table_rows
from archlang.record import Record

__all__ = ["Stage", "aligned", "stages_of"]

MOST = 8  # stages that the author's own parts may be: the lectures' charts have eight
FEWEST = 5  # below, the parts say too little, and sizes of maps are stages
ROWS = 20_000


class Stage(Record):
    """A stage of a net.

    Args:
        label: what the chart calls it: conv1 to conv5, fc6 to fc8.
        parts: the paths of what is in it, the first and the last.
        figures: what it costs, for one input.
        head: whether it works on a vector, behind all maps and sequences.
    """

    label: str
    parts: tuple[str, str]
    figures: Totals
    head: bool


def stages_of(program: Program) -> tuple[Stage, ...]:
    """The stages of a net.

    A stage begins with what has multiply-adds, and what follows without them (pooling, activations,
    normalisation) belongs to it. The author's own parts are stages, opened as far as at most eight
    come of it; where that leaves fewer than five, a stage is all that works on maps of one size,
    unless they grow again behind the smallest.
    Their figures add up to those of the net.
    """
    pricing, measure = Pricing(), Measure()
    deepest = 1 + measure.fitting(program.region, ROWS)
    found: list[list[Row]] = []
    for depth in range(1, deepest + 1):
        groups = _grouped(_rows(program, pricing, depth))
        if found and len(groups) > MOST:
            break
        found = groups
    if not FEWEST <= len(found) <= MOST:
        rows = _rows(program, pricing, deepest)
        by_size = [] if _grows(rows) else _by_size(rows)
        found = by_size if min(len(found), MOST) < len(by_size) <= 2 * MOST else found
    return _labelled(found)


def aligned(nets: tuple[tuple[Stage, ...], ...]) -> tuple[tuple[Stage | None, ...], ...]:
    """The stages of several nets side by side: bodies from the first on, heads up to the last.

    Returns:
        For each place a stage of each net, or None where it has none; labels are those of the
        place.
    """
    bodies = [[stage for stage in net if not stage.head] for net in nets]
    heads = [[stage for stage in net if stage.head] for net in nets]
    most_body, most_head = max(map(len, bodies)), max(map(len, heads))
    rows = [[*b, *[None] * (most_body - len(b))] for b in bodies]
    ends = [[*[None] * (most_head - len(h)), *h] for h in heads]
    places = zip(*[row + end for row, end in zip(rows, ends, strict=True)], strict=True)
    return tuple([_relabelled(place, number) for number, place in enumerate(places, 1)])


def _relabelled(place: tuple[Stage | None, ...], number: int) -> tuple[Stage | None, ...]:
    words = [stage.label.rstrip("0123456789") for stage in place if stage is not None]
    label = f"{words[0]}{number}"
    return tuple([None if stage is None else stage.replace(label=label) for stage in place])


def _rows(program: Program, pricing: Pricing, depth: int) -> list[Row]:
    return [row for row in table_rows(program, pricing, depth) if row.kind != "heading"]


def _grouped(rows: list[Row]) -> list[list[Row]]:
    """Rows with multiply-adds, each with what follows it; what comes first joins the first."""
    groups: list[list[Row]] = []
    opened = False
    for row in rows:
        computes = row.figures.macs != 0
        if not groups or (computes and opened):
            groups.append([])
            opened = False
        groups[-1].append(row)
        opened = opened or computes
    return groups


def _by_size(rows: list[Row]) -> list[list[Row]]:
    """Rows that work on maps of one size; of what follows the last map, each row is a stage."""
    spaces = [_space(row) for row in rows]
    mapped = [number for number, space in enumerate(spaces) if space is not None]
    if not mapped:
        return _grouped(rows)
    end = mapped[-1] + 1
    groups: list[list[Row]] = [[]]
    smallest = None
    for row, space in zip(rows[:end], spaces[:end], strict=True):
        if row.figures.macs != 0 and space is not None:
            if smallest is not None and space < smallest:
                groups.append([])
            smallest = space if smallest is None else min(smallest, space)
        groups[-1].append(row)
    behind = _grouped(rows[end:])
    if behind and not any(row.figures.macs != 0 for row in behind[0]):
        groups[-1].extend(behind.pop(0))
    return [*groups, *behind]


def _grows(rows: list[Row]) -> bool:
    """Whether the last map is larger than the smallest, as in networks that draw."""
    spaces = [_space(row) for row in rows if row.figures.macs != 0]
    maps = [space for space in spaces if space is not None and space > 1]
    return maps != [] and maps[-1] > min(maps)


def _space(row: Row) -> int | None:
    """The number of places in a map that leaves, None where there is no map or its size is open."""
    if not row.outputs:
        return None
    sizes = [axis.size for axis in row.outputs[0].axes if axis.role == "space"]
    if not sizes or any(isinstance(size, Poly) for size in sizes):
        return None
    return prod([size for size in sizes if isinstance(size, int)])


def _labelled(groups: list[list[Row]]) -> tuple[Stage, ...]:
    vectors = [all(_is_vector(row) for row in _computing(group)) for group in groups]
    head = len(groups)
    while head > 0 and vectors[head - 1]:
        head -= 1
    word = (
        "conv" if any(row.inputs and _space(row) for group in groups for row in group) else "stage"
    )
    return tuple(
        [
            Stage(
                f"{'fc' if number >= head else word}{number + 1}",
                (group[0].path, group[-1].path),
                Totals.sum([row.figures for row in group]),
                number >= head,
            )
            for number, group in enumerate(groups)
        ]
    )


def _computing(group: list[Row]) -> list[Row]:
    return [row for row in group if row.figures.macs != 0] or group


def _is_vector(row: Row) -> bool:
    shapes = [*row.outputs, *row.inputs]
    return all(axis.role not in ("space", "steps") for shape in shapes for axis in shape.axes)
