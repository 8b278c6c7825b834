"""Values: numbers, texts, lists, computed as Python computes them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from archlang import tree

__all__ = ["BUILTINS", "Scope", "arithmetic", "bindings_of", "compare"]

BUILTINS: dict[str, Any] = {
    "len": len, "range": lambda *a: list(range(*a)), "min": min, "max": max, "sum": sum,
    "enumerate": lambda *a: [list(pair) for pair in enumerate(*a)],
    "zip": lambda *a: [list(row) for row in zip(*a, strict=False)],
    "round": round, "floor": math.floor, "ceil": math.ceil, "sqrt": math.sqrt,
    "log2": math.log2, "int": int,
}  # fmt: skip


class Scope:
    """Names, those of the enclosing scope behind its own. `identity` is what ID means."""

    def __init__(self, outer: Scope | None = None, identity: Any = None) -> None:
        self.outer, self.names = outer, dict[str, Any]()
        self.identity = identity if identity is not None or outer is None else outer.identity

    def find(self, name: str) -> Any:
        """What a name means; KeyError where it means nothing."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        raise KeyError(name)

    def has(self, name: str) -> bool:
        """Whether a name means something."""
        try:
            self.find(name)
        except KeyError:
            return False
        return True


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """A binary operator on two values."""
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case "//":
            return left // right
        case "%":
            return left % right
        case "**":
            return left**right
        case "and":
            return left and right
        case "or":
            return left or right
    raise AssertionError(operator)


def compare(operator: str, left: Any, right: Any) -> bool:
    """A comparison of two values."""
    table = {
        "==": left == right, "!=": left != right,
    }  # fmt: skip
    if operator in table:
        return table[operator]
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[
        operator
    ]


def bindings_of(pattern: tree.Pattern, value: Any) -> Iterator[tuple[str, Any]]:
    """The names of a pattern with their values."""
    if isinstance(pattern, tree.Name):
        yield pattern.name, value
        return
    for item, part in zip(pattern.items, value, strict=True):
        yield from bindings_of(item, part)
