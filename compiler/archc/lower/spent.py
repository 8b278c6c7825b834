"""What a run has spent: bounds that hold for all the nets of a file together."""

from __future__ import annotations

from archc.lower.problem import Problem
from archlang.source import Span

__all__ = ["MOST_COPIES", "MOST_NODES", "MOST_STEPS", "Spent", "too_much_work"]

MOST_NODES = 15_000
MOST_COPIES = 50_000
# Evaluating an expression is a step; so are some items of a list that is made or walked over.
MOST_STEPS = 1_000_000
ITEMS_PER_STEP = 32


def too_much_work(span: Span) -> Problem:
    """The Problem of a file whose values take more than `MOST_STEPS` steps."""
    return Problem("too-much-work", "this file asks for too much work", span)


class Spent:
    """What a run has spent so far; bounds hold for all the nets of a file together."""

    __slots__ = ("calls", "compared", "copies", "nodes", "regions", "steps", "told")

    def __init__(self) -> None:
        self.steps = 0  # expressions evaluated
        self.calls = 0  # functions inside functions, now
        self.compared = 0  # words compared with an unknown one
        self.regions = 0
        self.nodes = 0
        self.copies = 0
        self.told = False  # that it is too much

    def node(self, span: Span) -> None:
        """One more operator, call or repeat of a region.

        Raises:
            Problem: too-many-nodes.
        """
        self.nodes += 1
        if self.nodes > MOST_NODES:
            message = f"this file has more than {MOST_NODES:,} different operators"
            help = "write equal ones as a repeat: `[...]*n`"
            raise Problem("too-many-nodes", message, span, help=help)

    def copy(self, span: Span) -> None:
        """One more copy of a repeat that had to be looked at, equal to others or not.

        Raises:
            Problem: too-many-nodes.
        """
        self.copies += 1
        if self.copies > MOST_COPIES:
            message = f"this file has more than {MOST_COPIES:,} copies made one by one"
            help = "write equal ones as a repeat: `[...]*n`"
            raise Problem("too-many-nodes", message, span, help=help)

    def items(self, count: int, span: Span) -> None:
        """Spend the steps for a list of some items: walking over them is quicker than evaluating.

        Raises:
            Problem: too-much-work.
        """
        self.steps += count // ITEMS_PER_STEP
        if self.steps > MOST_STEPS:
            raise too_much_work(span)
