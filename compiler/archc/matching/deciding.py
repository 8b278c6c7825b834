"""One way among those that fit, where something says which; a tie where nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from archc.matching.aligning import MOST_ORDERS, Aligner, Order
from archc.matching.groups import Group
from archc.matching.places import Place, parallel
from archc.matching.tree import Branch, ordinal
from archc.matching.words import evidence

__all__ = ["Decider", "Pair", "Reason", "Tie"]

#: Why a group lies where it does: it has the net's own name; nothing else has its shapes; nothing
#: else fits the tree of names and their numbers; numbers go with what uses what; a word in its
#: name; names that nest as the net's modules do; the order of the file; because the user says so.
Reason = Literal["name", "shape", "structure", "number", "word", "nesting", "order", "hand"]

_STRENGTH: tuple[Reason, ...] = ("structure", "number", "word", "nesting", "order")


class Pair(NamedTuple):
    """A group of a file, the place of the net that it fills, and why."""

    theirs: Group
    ours: Place
    reason: Reason


class Tie(NamedTuple):
    """A name that could lie at either of two places of the net."""

    theirs: str
    ours: tuple[str, str]


class Decider:
    """Walks down the names of a file and chooses.

    Args:
        aligner: finds what fits.
        ordered: whether the order of the file means the order of use.
    """

    def __init__(self, aligner: Aligner, *, ordered: bool) -> None:
        self._aligner = aligner
        self._ordered = ordered
        self._names = [place.group.name.split(".") for place in aligner.places]
        self.pairs: list[Pair] = []
        self.ties: list[Tie] = []

    def decide(self, branch: Branch, start: int, reason: Reason, path: str = "") -> None:
        """Pair all groups below a name, which begins at a place."""
        if branch.group is not None:
            self.pairs.append(Pair(branch.group, self._aligner.places[start], reason))
            return
        orders = self._aligner.orders(branch, start)
        chosen, reasons = self._chosen(orders, path)
        for child, at in chosen:
            below = max(reason, reasons[child], key=_STRENGTH.index)
            self.decide(child, at, below, f"{path}{child.name}.")

    def _chosen(self, orders: Sequence[Order], path: str) -> tuple[Order, dict[Branch, Reason]]:
        by_numbers = _least(orders, [self._unfollowed(order) for order in orders])
        by_words = _least(by_numbers, [self._strangeness(order) for order in by_numbers])
        left = by_words if self._ordered else self._nested(by_words)
        chosen = left[0]
        reasons: dict[Branch, Reason] = {child: "structure" for child, _ in chosen}
        reasons.update(dict.fromkeys(self._only_numbered(chosen), "number"))
        steps: list[tuple[Reason, Sequence[Order]]] = [
            ("number", orders), ("word", by_numbers), ("nesting", by_words), ("order", left)
        ]  # fmt: skip
        for reason, considered in steps:
            moved = [child for order in considered for child in _moved(chosen, order)]
            reasons.update(dict.fromkeys(moved, reason))
        for order in left[1:]:
            self._judge(chosen, order, path)
        if len(orders) >= MOST_ORDERS:  # what was not looked at could be better
            self._tie(chosen, orders[-1] if orders[-1] is not chosen else orders[0], path)
        return chosen, reasons

    def _nested(self, orders: Sequence[Order]) -> Sequence[Order]:
        """The one order that cuts no module of the net in two, if there is one."""
        whole = [order for order in orders if not self._cuts(order)]
        return whole if len(whole) == 1 else orders

    def _cuts(self, order: Order) -> int:
        """How many names begin inside a module that holds not all of them; lists may be cut."""
        names = self._names
        last, at = order[-1]
        shared = _common(names[order[0][1]], names[at + last.size - 1])
        cuts = 0
        for _, at in order[1:]:
            before, here = names[at - 1], names[at]
            depth = _common(before, here)
            listed = [name[depth : depth + 1] for name in (before, here)]
            cuts += depth > shared and not all(name and name[0].isdigit() for name in listed)
        return cuts

    def _judge(self, chosen: Order, other: Order, path: str) -> None:
        """The order of a file says which of two comes first, not which is on which branch."""
        there, places = dict(other), self._aligner.places
        moved = [(places[at], places[there[child]]) for child, at in chosen if there[child] != at]
        if not self._ordered or any(parallel(one, two) for one, two in moved):
            self._tie(chosen, other, path)

    def _tie(self, chosen: Order, other: Order, path: str) -> None:
        here, there, places = dict(chosen), dict(other), self._aligner.places
        for child in _moved(chosen, other):
            names = places[here[child]].group.name, places[there[child]].group.name
            tie = Tie(f"{path}{child.name}", names)
            self.ties += [] if tie in self.ties else [tie]

    def _unfollowed(self, order: Order) -> tuple[int]:
        """How often a number is put where it does not see what the number before it made."""
        places = self._aligner.places
        return (sum([parallel(places[one], places[two]) for (_, one), (_, two) in _next(order)]),)

    def _only_numbered(self, order: Order) -> list[Branch]:
        """What could change places with the next number, where neither uses the other."""
        places, fits, found = self._aligner.places, self._aligner.fits, list[Branch]()
        for (one, here), (two, there) in _next(order):
            alike = one.size == two.size and fits(one, there) and fits(two, here)
            if alike and parallel(places[here], places[there]):
                found += [one, two]
        return found

    def _strangeness(self, order: Order) -> tuple[int, ...]:
        places = self._aligner.places
        found = [evidence(child.name, places[at]) for child, at in order]
        # Where the order of the file counts, no word says what comes first.
        columns = list(zip(*found, strict=True))[: 2 if self._ordered else 3]
        return tuple([sum(column) for column in columns])


def _least(orders: Sequence[Order], scores: Sequence[tuple[int, ...]]) -> list[Order]:
    least = min(scores)
    return [order for order, score in zip(orders, scores, strict=True) if score == least]


def _next(order: Order) -> list[tuple[tuple[Branch, int], tuple[Branch, int]]]:
    """What is numbered, each with the next number."""
    chains: dict[str, list[tuple[tuple[int, str], tuple[Branch, int]]]] = {}
    for child, at in order:
        numbered = ordinal(child.name)
        if numbered is not None:
            chains.setdefault(numbered[0], []).append((numbered[1], (child, at)))
    ordered = [sorted(chain, key=lambda one: one[0]) for chain in chains.values()]
    return [(one, two) for chain in ordered for (_, one), (_, two) in pairwise(chain)]


def _moved(one: Order, other: Order) -> list[Branch]:
    """What begins elsewhere in another order."""
    there = dict(other)
    return [child for child, at in one if there[child] != at]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many levels two paths share."""
    pairs = zip(one, other, strict=False)
    return next((depth for depth, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
