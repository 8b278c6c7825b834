"""The patterns of RESHAPE, in einops notation: `c (m a) w -> (m w) a c`.

A pattern names the axes of the input in order, in parentheses where one axis is split, and says how
the result is put together from them. `rearrange.py` finds the torch calls that do it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from archc.arguments import whole
from archc.dims import Dim, same
from archc.op import OpError
from archc.shapes import Axis, Role, Shape, space_names
from archlang.record import Record

__all__ = ["Pattern", "parse_pattern", "result_axes", "sizes_of"]

_TOKEN = re.compile(r"\s*(->|[()]|[^\W\d]\w*|1(?!\w))|\s*(\S+)")

Group = tuple[str, ...]


class Pattern(Record):
    """A pattern, read: for each axis the names that it is made of; none for an axis of one."""

    text: str
    left: tuple[Group, ...]
    right: tuple[Group, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the left side."""
        return tuple([name for group in self.left for name in group])


def parse_pattern(text: str) -> Pattern:
    """Read a pattern.

    Raises:
        OpError: "pattern" with what is wrong in it.
    """
    if text.count("->") != 1:
        raise _wrong(text, "it needs one ->", 'RESHAPE("c h w -> (h w) c")')
    before, after = text.split("->")
    pattern = Pattern(text, _side(text, before), _side(text, after))
    left, right = pattern.names, tuple([name for group in pattern.right for name in group])
    for names, where in ((left, "left"), (right, "right")):
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise _wrong(text, f"{doubled} stands twice on the {where}")
    if set(left) != set(right):
        lost = sorted(set(left) ^ set(right))[0]
        where = "left" if lost in left else "right"
        raise _wrong(text, f"{lost} stands on the {where} only")
    return pattern


def _side(text: str, side: str) -> tuple[Group, ...]:
    groups: list[Group] = []
    inside: list[str] | None = None
    for found in _TOKEN.finditer(side.rstrip()):
        token, strange = found.groups()
        if strange is not None:
            raise _wrong(text, f"{strange} is no name of an axis")
        if token == "(" and inside is None:
            inside = []
        elif token == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif token in "()":
            raise _wrong(text, "its parentheses do not match")
        elif inside is not None:
            inside.extend([] if token == "1" else [token])
        else:
            groups.append(() if token == "1" else (token,))
    if inside is not None:
        raise _wrong(text, "its parentheses do not match")
    if not groups:
        raise _wrong(text, "one side is empty")
    return tuple(groups)


def _wrong(text: str, why: str, help: str | None = None) -> OpError:
    return OpError(f'the pattern "{text}" cannot be read: {why}', code="pattern", help=help)


def sizes_of(pattern: Pattern, shape: Shape, given: Mapping[str, Dim]) -> dict[str, Dim]:
    """The size of every name, from the input's shape and the sizes that are given.

    Raises:
        OpError: "pattern" or "shape-mismatch" when they do not fit together.
    """
    if len(pattern.left) != shape.rank:
        count = "1 axis" if len(pattern.left) == 1 else f"{len(pattern.left)} axes"
        raise OpError(
            f'the pattern "{pattern.text}" names {count}, and {shape} has {shape.rank}',
            help="name every axis: " + " ".join([axis.name for axis in shape.axes]) + " -> ...",
        )
    for name, size in given.items():
        number = whole(size)
        if number is None or (isinstance(number, int) and number < 1):
            raise OpError(
                f"the size of {name} is a whole number of at least 1, not {size}",
                code="argument-value",
            )
        if name not in pattern.names:
            raise OpError(
                f'{name} does not stand in the pattern "{pattern.text}"', code="unknown-argument"
            )
    sizes: dict[str, Dim] = {}
    for group, axis in zip(pattern.left, shape.axes, strict=True):
        sizes.update(_split(pattern, group, axis, given))
    return sizes


def _split(pattern: Pattern, group: Group, axis: Axis, given: Mapping[str, Dim]) -> dict[str, Dim]:
    """The sizes of the names that one axis is made of."""
    known = {name: given[name] for name in group if name in given}
    unknown = [name for name in group if name not in given]
    if len(unknown) > 1:
        raise OpError(
            f"the sizes of {' and '.join(unknown)} do not follow from {axis.size}",
            code="pattern",
            help=f'give all but one: `RESHAPE("{pattern.text}", {unknown[0]}=2)`',
        )
    product: Dim = 1
    for size in known.values():
        product = product * size
    if unknown and same(axis.size % product, 0) is True:
        return {**known, unknown[0]: axis.size // product}
    if not unknown and same(product, axis.size) is True:
        return known
    raise _no_fit(group, axis, product, unknown)


def _no_fit(group: Group, axis: Axis, product: Dim, unknown: list[str]) -> OpError:
    if not group:
        return OpError(f"an axis of 1 stands in the pattern where the input has {axis.size}")
    written = f"({' '.join(group)})" if len(group) != 1 else group[0]
    if unknown:
        answer = same(axis.size % product, 0)
        message = f"{axis.size} does not divide by {product} in {written}"
    else:
        answer = same(product, axis.size)
        message = f"{written} has the size {product}, and the axis there {axis.size}"
    if answer is None:
        return OpError(f"whether {axis.size} splits into {written} is not known", code="undecided")
    return OpError(message)


def result_axes(pattern: Pattern, shape: Shape, sizes: Mapping[str, Dim]) -> tuple[Axis, ...]:
    """The axes of the result, with their roles.

    The features axis is the one that holds nothing but parts of the input's features, the last such
    one, else the one that holds some. If it comes last, what stands in front of it are the steps,
    and all before that is carried; if one to three axes follow it they are space, and it is a map.
    """
    totals = [_total(group, sizes) for group in pattern.right]
    features = _features(pattern, shape)
    count = len(pattern.right)
    behind = count - 1 - features
    roles: list[Role] = ["carried"] * count
    if shape.vocabulary is not None:
        roles[-1] = "steps"
    elif 1 <= behind <= 3:
        space: Role = "space"
        roles[features:] = ["features", *[space] * behind]
    else:
        roles = [*roles[:-2], "steps", "features"][-count:]
    names = _names(pattern.right, roles)
    named = zip(totals, names, roles, strict=True)
    return _distinct([Axis(total, name, role) for total, name, role in named])


def _distinct(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes, with a number behind a name that another of them has."""
    taken: dict[str, Axis] = {}
    for axis in axes:
        name, number = axis.name, 1
        while name in taken:
            number += 1
            name = f"{axis.name}{number}"
        taken[name] = axis.replace(name=name)
    return tuple(taken.values())


def _total(group: Group, sizes: Mapping[str, Dim]) -> Dim:
    product: Dim = 1
    for name in group:
        product = product * sizes[name]
    return product


def _names(groups: Sequence[Group], roles: Sequence[Role]) -> list[str]:
    """An axis that stands alone is called as the pattern calls it, another one by its role."""
    space = roles.count("space")
    usual = iter(space_names(space) if space else ())
    names: list[str] = []
    for group, role in zip(groups, roles, strict=True):
        place = next(usual) if role == "space" else {"features": "c", "steps": "t"}.get(role)
        alone = group[0] if len(group) == 1 else None
        names.append(alone or place or "_".join(group) or "one")
    return names


def _features(pattern: Pattern, shape: Shape) -> int:
    """The position of the features in the result; the last one where it stays unclear."""
    last = len(pattern.right) - 1
    if shape.features is None:
        return last
    parts = set(pattern.left[shape.features])
    pure = [i for i, group in enumerate(pattern.right) if group and set(group) <= parts]
    some = [i for i, group in enumerate(pattern.right) if set(group) & parts]
    return (pure or some or [last])[-1]
