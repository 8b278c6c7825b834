"""Where the names of a file can lie in the order of use of a net.

Everything below one name fills neighbouring places of the net, and what is alike is at the same
place. Which of the names below one name comes first is open, but that numbered ones (`conv1`,
`conv2`) come in the order of their numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from archc.matching.groups import Group, Key
from archc.matching.places import Place
from archc.matching.problems import WeightsError
from archc.matching.tree import Branch, ordinal

__all__ = ["MOST_ORDERS", "Aligner", "Order"]

# The children of a branch by the place at which each begins.
Order = list[tuple[Branch, int]]

#: How many ways are looked at.
MOST_ORDERS = 256
_MOST_STEPS = 2_000_000


@dataclass
class _Step:
    """Where a search stands: the children in `left` are to be placed from `at` on."""

    left: int
    at: int
    tried: int = 0
    child: Branch | None = None
    fruitful: bool = False


class Aligner:
    """Finds the orders of names that fit the places of a net.

    Args:
        places: those of the net that are to be filled, in the order of use.
        numbered: whether numbered names keep the order of their numbers.
    """

    def __init__(self, places: Sequence[Place], *, numbered: bool = True) -> None:
        self.places = places
        self._numbered = numbered
        self._keys = [place.group.key for place in places]
        # A window of places can hold a branch only where the sums of its kinds are equal.
        self._random = random.Random(0)
        self._marks: dict[Key, int] = {}
        self._sums = [0]
        for key in self._keys:
            self._sums.append(self._sums[-1] + self._mark(key))
        self._branch_sums: dict[Branch, int] = {}
        self._fits: dict[tuple[Branch, int], bool] = {}
        self._steps = 0

    def fits(self, branch: Branch, start: int) -> bool:
        """Whether all below a name can lie from a place on."""
        end = start + branch.size
        if end > len(self.places) or self._sum(branch) != self._sums[end] - self._sums[start]:
            return False
        if branch.group is not None:
            return branch.group.key == self._keys[start]
        known = self._fits.get((branch, start))
        if known is None:
            known = next(self._orders(branch, start), None) is not None
            self._fits[branch, start] = known
        return known

    def orders(self, branch: Branch, start: int) -> list[Order]:
        """The orders of the names below a name that fit, the order of the file first."""
        return list(islice(self._orders(branch, start), MOST_ORDERS))

    def _orders(self, branch: Branch, start: int) -> Iterator[Order]:
        children = branch.children
        waits = _waits(children) if self._numbered else [0] * len(children)
        steps = [_Step((1 << len(children)) - 1, start)]
        dead: set[int] = set()
        while steps:
            step = steps[-1]
            if step.left in dead or not self._advance(children, waits, steps):
                if not step.left:
                    yield [(one.child, one.at) for one in steps if one.child is not None]
                elif not step.fruitful:
                    dead.add(step.left)
                steps.pop()
                if steps and (step.fruitful or not step.left):
                    steps[-1].fruitful = True

    def _advance(
        self, children: Sequence[Branch], waits: Sequence[int], steps: list[_Step]
    ) -> bool:
        """Place the next child that can follow; whether there is one."""
        self._count()
        step = steps[-1]
        for number in range(step.tried, len(children)):
            child, left = children[number], step.left
            if left >> number & 1 and not waits[number] & left and self.fits(child, step.at):
                step.tried, step.child = number + 1, child
                steps.append(_Step(left & ~(1 << number), step.at + child.size))
                return True
        return False

    def _count(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise WeightsError(
                "there are too many ways in which these names could lie in the net; "
                "decide some with --match THEIRS=OURS"
            )

    def _mark(self, key: Key) -> int:
        return self._marks.setdefault(key, self._random.getrandbits(64))

    def _sum(self, branch: Branch) -> int:
        if branch not in self._branch_sums:
            group: Group | None = branch.group
            below = [self._sum(child) for child in branch.children]
            self._branch_sums[branch] = self._mark(group.key) if group else sum(below)
        return self._branch_sums[branch]


def _waits(children: Sequence[Branch]) -> list[int]:
    """For each child the one that has the number before its own, as a bit."""
    chains: dict[str, list[tuple[tuple[int, str], int]]] = {}
    for at, child in enumerate(children):
        numbered = ordinal(child.name)
        if numbered is not None:
            chains.setdefault(numbered[0], []).append((numbered[1], at))
    waits = [0] * len(children)
    for chain in chains.values():
        ordered = sorted(chain)
        for (_, before), (_, at) in pairwise(ordered):
            waits[at] = 1 << before
    return waits
