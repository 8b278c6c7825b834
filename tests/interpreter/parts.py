"""What stands for something that a stream can flow into."""

from __future__ import annotations

from typing import Any

from interpreter.values import Scope
from interpreter.weights import Weights

__all__ = ["NONE", "Part", "Shared"]


class Nothing:
    """NONE: takes no part in a join."""


NONE = Nothing()


class Part:
    """Something that a stream can flow into: an operator, a block or a chain, with arguments."""

    def __init__(self, what: Any, scope: Scope, given: tuple[Any, ...] = ()) -> None:
        self.what, self.scope, self.given = what, scope, given

    def more(self, arguments: Any) -> Part:
        """With further arguments."""
        return Part(self.what, self.scope, (*self.given, *arguments))


class Shared:
    """A module that `share` names: it takes its weights when it is named, once."""

    def __init__(self, part: Part, weights: Weights) -> None:
        self.part, self.weights, self.first = part, weights, list(weights.layers)
