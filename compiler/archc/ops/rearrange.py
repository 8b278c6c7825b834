"""The torch calls that carry out a pattern: split, join, permute, and as few of them as will do."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from archc.dims import Dim
from archc.op import Constant, Expression
from archc.ops.patterns import Pattern

__all__ = ["rearrangement"]

Unit = tuple[str, ...]


class _Tensor:
    """The tensor on its way: the calls so far, their values, and the names that each axis holds."""

    def __init__(self, axes: list[Unit], given: frozenset[str]) -> None:
        self.given = given
        self.text = "{0}"
        self.values: list[tuple[str, Constant]] = []
        self.axes = axes

    def squeeze(self) -> None:
        """Drop the axes of one."""
        for i in reversed(range(len(self.axes))):
            if not self.axes[i]:
                self.text += f".squeeze({i + 1})"
                del self.axes[i]

    def split(self, position: int, parts: list[Unit], sizes: Mapping[str, Dim]) -> None:
        """Make several axes of one."""
        if len(parts) == 1:
            return
        name = f"sizes{len(self.values)}" if self.values else "sizes"
        self.values.append((name, _sizes(parts, sizes, self.given)))
        # As a method it has no types in torch.
        self.text = f"torch.unflatten({self.text}, {position + 1}, {{{name}}})"
        self.axes[position : position + 1] = parts

    def join(self, position: int, count: int) -> None:
        """Make one axis of several neighbours."""
        if count == 1:
            return
        end = position + count
        behind = "" if end == len(self.axes) else f", {end}"
        self.text += f".flatten({position + 1}{behind})"
        self.axes[position:end] = [
            tuple([name for axis in self.axes[position:end] for name in axis])
        ]

    def permute(self, target: list[Unit]) -> None:
        """Bring the axes into that order."""
        order = [self.axes.index(unit) for unit in target]
        moved = [i for i, source in enumerate(order) if source != i]
        if len(moved) == 2:
            self.text += f".transpose({moved[0] + 1}, {moved[1] + 1})"
        elif moved:
            self.text += f".permute(0, {', '.join(str(source + 1) for source in order)})"
        self.axes = target


def rearrangement(
    pattern: Pattern, sizes: Mapping[str, Dim], given: frozenset[str] = frozenset()
) -> Expression:
    """The expression that rearranges a tensor (B, left...) to (B, right...).

    Args:
        pattern: which axes there are, and where they go.
        sizes: the size of each name.
        given: the names whose size the author gave. A size that follows from one beside it is left
            for torch to find, so that the code shows what the author wrote.
    """
    units = _units(pattern)
    tensor = _Tensor(list(pattern.left), given)
    tensor.squeeze()
    for i in reversed(range(len(tensor.axes))):
        tensor.split(i, _parts(tensor.axes[i], units), sizes)
    for unit in reversed(units):
        _gather(tensor, unit)
    order = [name for group in pattern.right for name in group]
    tensor.permute(sorted(units, key=lambda unit: order.index(unit[0])))
    _form(tensor, pattern, units)
    return Expression(tensor.text, tuple(tensor.values))


def _units(pattern: Pattern) -> list[Unit]:
    """Runs of names that stay together: neighbours on the left, and in one axis on the right."""
    behind = {a: b for group in pattern.right for a, b in pairwise(group)}
    units: list[list[str]] = []
    for name in pattern.names:
        if units and behind.get(units[-1][-1]) == name:
            units[-1].append(name)
        else:
            units.append([name])
    return [tuple(unit) for unit in units]


def _parts(axis: Unit, units: list[Unit]) -> list[Unit]:
    """The names of an axis, cut where they go different ways."""
    own = [tuple([name for name in axis if name in unit]) for unit in units]
    return [part for part in own if part]


def _gather(tensor: _Tensor, unit: Unit) -> None:
    """Join a unit that lies over several axes of the input."""
    places = [i for i, axis in enumerate(tensor.axes) if axis[0] in unit]
    tensor.join(places[0], len(places))


def _form(tensor: _Tensor, pattern: Pattern, units: list[Unit]) -> None:
    """Join the units of every axis of the result, the last first, and put in the axes of one."""
    end = len(tensor.axes)
    for group in reversed(pattern.right):
        count = sum(unit[0] in group for unit in units)
        start = end - count
        if count:
            tensor.join(start, count)
        else:
            tensor.text += f".unsqueeze({start + 1})"
            tensor.axes.insert(start, ())
        end = start


def _sizes(parts: list[Unit], sizes: Mapping[str, Dim], given: frozenset[str]) -> Constant:
    """The sizes of the parts; a formula, or what is left by sizes given, is for torch to find."""
    products: list[Dim] = []
    for part in parts:
        product: Dim = 1
        for name in part:
            product = product * sizes[name]
        products.append(product)
    left = next((i for i, product in enumerate(products) if not isinstance(product, int)), None)
    following = [i for i, part in enumerate(parts) if not given.issuperset(part)]
    if left is None and len(following) == 1:
        left = following[0]
    return tuple([-1 if i == left else product for i, product in enumerate(products)])
