"""Steps that are the positions of a grid: a window of a map, whose order is that of its rows."""

from __future__ import annotations

from math import prod
from typing import Any

from archc import dims
from archc.arguments import Sizes
from archc.dims import Dim
from archc.op import OpError
from archc.ops.axes import per_axis
from archc.ops.layouts import spell
from archc.shapes import Shape

__all__ = ["GRID", "NEIGHBOURS", "RELATIVE_BIAS", "grid_of", "positions", "shifts_of", "windows_of"]

GRID = Sizes(nothing=True)

# A grid of more positions is not looked for when another one is proposed.
_LARGEST = 10**6

RELATIVE_BIAS = '''def relative_bias(table: Tensor, grid: tuple[int, ...]) -> Tensor:
    """The bias (heads, T, T) of queries (rows) and keys (columns), by their distance.

    The table (N, heads) has a row for each distance from key to query along the axes of
    the grid: 2 * size - 1 of each.
    """
    axes = len(grid)
    bias = torch.unflatten(table, 0, [2 * size - 1 for size in grid])
    for axis, size in enumerate(grid):
        bias = bias.unfold(axis, size, 1)
    bias = bias.flip(tuple(range(-axes, 0)))  # (*grid, heads, *grid)
    return bias.flatten(axes + 1).flatten(0, axes - 1).transpose(0, 1)
'''

NEIGHBOURS = '''def neighbours(x: Tensor, grid: tuple[int, ...], shift: tuple[int, ...]) -> Tensor:
    """Which steps (*windows, ..., T, T) lay in one region before their map was rolled.

    x is (B, *windows, ..., T, C). The last window along an axis ends with the positions
    that were rolled round: another region.
    """
    axes = len(grid)
    windows = x.shape[1 : axes + 1]
    region = torch.zeros(*windows, *grid, dtype=torch.int64, device=x.device)
    for axis, (size, moved) in enumerate(zip(grid, shift, strict=True)):
        last = region.select(axis, -1).narrow(axis + axes - 1, size - moved, moved)
        last += 2**axis
    region = region.flatten(axes)
    for _ in range(x.dim() - axes - 3):
        region = region.unsqueeze(axes)
    return region.unsqueeze(-1) == region.unsqueeze(-2)
'''


def grid_of(operator: str, grid: Any, steps: Dim) -> tuple[int, ...]:
    """The sizes of the grid whose positions the steps are; one axis where none is given.

    Raises:
        OpError: where the sizes do not make up the steps, or those are not known.
    """
    sizes = (steps,) if grid is None else grid if isinstance(grid, tuple) else (grid,)
    if dims.same(prod(sizes), steps) is False:
        message = f"{operator}: a grid of {_by(sizes)} has {prod(sizes)} positions, got {steps}"
        raise OpError(f"{message} steps", help=_way_to_a_grid(steps))
    if dims.same(prod(sizes), steps) is None or not isinstance(steps, int):
        message = f"{operator} needs the sizes of the grid, and the steps are {steps}"
        raise OpError(message, code="undecided", help=f"give {steps} a size")
    return tuple([int(size) for size in sizes if isinstance(size, int)])


def _by(sizes: tuple[Dim, ...]) -> str:
    return " by ".join([str(size) for size in sizes])


def _way_to_a_grid(steps: Dim) -> str | None:
    if not isinstance(steps, int) or steps > _LARGEST:
        return None
    root = next(n for n in range(int(steps**0.5), 0, -1) if steps % n == 0)
    return f"`grid={spell((root, steps // root))}`" if root > 1 else f"`grid={steps}`"


def shifts_of(operator: str, shift: Any, grid: tuple[int, ...]) -> tuple[int, ...]:
    """How far back the map was rolled, for each axis of the grid.

    Raises:
        OpError: where a shift is as large as a window.
    """
    if isinstance(shift, tuple) and len(shift) != len(grid):
        message = f"{operator} has {len(shift)} shifts, and a grid of {_by(grid)}"
        help = f"one for each axis of `grid`: {_halves(grid)}"
        raise OpError(message, code="argument-value", help=help)
    shifts: tuple[int, ...] = per_axis(operator, "shift", shift, len(grid))
    if any(moved >= size for moved, size in zip(shifts, grid, strict=True)):
        message = f"{operator}: a shift of {_by(shifts)} leaves a window of {_by(grid)}"
        help = f"windows move by a half: {_halves(grid)}"
        raise OpError(message, code="argument-value", help=help)
    return shifts


def _halves(grid: tuple[int, ...]) -> str:
    return f"`shift={spell(tuple([size // 2 for size in grid]))}`"


def windows_of(operator: str, shape: Shape, grid: tuple[int, ...]) -> tuple[Dim, ...]:
    """How many windows there are along each axis of the grid: the first axes of the stream.

    Raises:
        OpError: where fewer axes stand in front of the steps.
    """
    if shape.rank - 2 >= len(grid):
        return shape.sizes[: len(grid)]
    axes = "an axis of windows" if len(grid) == 1 else f"{len(grid)} axes of windows"
    message = f"{operator} needs {axes} in front, since it is shifted, got {shape}"
    raise OpError(message, help=f"cut the map into windows{_way_to_windows(grid)}")


def _way_to_windows(grid: tuple[int, ...]) -> str:
    if len(grid) > 2:
        return ""
    pattern = "(m a) c -> m a c" if len(grid) == 1 else "c (m a) (n b) -> m n (a b) c"
    sizes = ", ".join([f"{name}={size}" for name, size in zip("ab", grid, strict=False)])
    return f': `RESHAPE("{pattern}", {sizes})`'


def positions(grid: tuple[int, ...]) -> int:
    """The number of distances between two positions of a grid."""
    return prod([2 * size - 1 for size in grid])
