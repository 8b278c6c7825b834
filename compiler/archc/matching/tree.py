"""The names of a file as a tree: what stands below one name stays together in the net."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from archc.matching.groups import Group

__all__ = ["Branch", "ordinal", "sort_naturally", "transposed", "tree_of"]

# `conv1`, `layer_2`, `inception3a`, `0`: what comes before the number, the number, a letter.
_NUMBERED = re.compile(r"(.*?)(\d+)([a-z]?)", re.DOTALL)
_DIGITS = re.compile(r"(\d+)")


@dataclass(eq=False)
class Branch:
    """A name with what stands below it; a leaf has a group.

    Args:
        name: the part of the path between two dots.
        group: of a leaf.
        children: of any other.
    """

    name: str
    group: Group | None = None
    children: list[Branch] = field(default_factory=list)

    @cached_property
    def size(self) -> int:
        """How many groups there are."""
        return 1 if self.group is not None else sum([child.size for child in self.children])

    def groups(self) -> Iterator[Group]:
        """All groups, in the order of the names."""
        if self.group is not None:
            yield self.group
        for child in self.children:
            yield from child.groups()


def tree_of(groups: Iterable[Group]) -> Branch:
    """The tree of the groups' names; children stand in the order in which they come."""
    return _grown("", [(group.name.split("."), group) for group in groups])


def _grown(name: str, paths: Sequence[tuple[list[str], Group]]) -> Branch:
    below: dict[str, list[tuple[list[str], Group]]] = {}
    for path, group in paths:
        below.setdefault(path[0], []).append((path[1:], group))
    children = []
    for first, rest in below.items():
        own = [Branch(first, group) for path, group in rest if not path]
        deeper = [(path, group) for path, group in rest if path]
        # A module that has weights of its own and modules with weights stands as both.
        children += own + ([_grown(first, deeper)] if deeper else [])
    return children[0] if len(children) == 1 and not name else Branch(name, None, children)


def ordinal(name: str) -> tuple[str, tuple[int, str]] | None:
    """What a numbered name is one of, and which: `conv2` is ("conv", 2); None without a number."""
    found = _NUMBERED.fullmatch(name)
    return (found[1], (int(found[2][:18]), found[3])) if found else None


def sort_naturally(branch: Branch) -> Branch:
    """The same tree with the children of each name sorted as people do: 2 before 10."""
    children = sorted([sort_naturally(child) for child in branch.children], key=_natural)
    return Branch(branch.name, branch.group, children)


def _natural(branch: Branch) -> list[tuple[int, int, str]]:
    parts = _DIGITS.split(branch.name)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def transposed(branch: Branch) -> Branch:
    """The same tree where lists side by side (`convs.0`, `norms.0`, `convs.1`) go step by step."""
    children = [transposed(child) for child in branch.children]
    lists: dict[tuple[str, ...], list[Branch]] = {}
    for child in children:
        names = tuple([below.name for below in child.children])
        if len(names) > 1 and all(name.isdigit() for name in names):
            lists.setdefault(names, []).append(child)
    beside = {names: found for names, found in lists.items() if len(found) > 1}
    kept = [child for child in children if not any(child in found for found in beside.values())]
    for names, found in beside.items():
        kept += [_step(name, found, at) for at, name in enumerate(names)]
    return Branch(branch.name, branch.group, kept)


def _step(name: str, lists: Sequence[Branch], at: int) -> Branch:
    below = [Branch(one.name, one.children[at].group, one.children[at].children) for one in lists]
    return Branch(name, None, below)
