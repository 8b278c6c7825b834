"""Cells: one step after the other, every equation in every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from archlang import tree
from interpreter.streams import Many, Stream
from interpreter.values import Scope

__all__ = ["Memory", "Widths", "step_of"]


def step_of(index: Any) -> int | None:
    """How many steps ago `[t]` or `[t-2]` is; None for another index."""
    if isinstance(index, tree.Name) and index.name == "t":
        return 0
    if not (isinstance(index, tree.Binary) and index.operator == "-"):
        return None
    behind = step_of(index.left) == 0 and isinstance(index.right, tree.Number)
    return int(index.right.value) if behind else None


class Memory:
    """What a cell has seen and made so far.

    Args:
        sequences: the sequences that run in time, by name.
        starts: what states are before the first step, where the text says so.
        width: the features of a state that starts at zero, by its name.
    """

    def __init__(
        self, sequences: dict[str, Stream], starts: dict[str, Stream], width: Callable[[str], int]
    ) -> None:
        self.sequences, self.starts, self.width = sequences, starts, width
        self.made: dict[str, list[Stream]] = {}
        self.late: set[str] = set()  # what an equation reads of the steps before
        self.now = 0

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return next(iter(self.sequences.values())).size("t")

    def remember(self, name: str, made: Stream) -> None:
        """The value of a state at the step at work."""
        states = self.made.setdefault(name, [])
        assert len(states) == self.now, f"{name} is computed twice in a step"
        states.append(made)

    def at(self, name: str, ago: int) -> Stream:
        """What a name was so many steps ago."""
        step = self.now - ago
        if ago:
            self.late.add(name)
        if name in self.sequences:
            return self._input(self.sequences[name], step)
        if step >= 0:
            return self.made[name][step]
        return self.starts[name] if name in self.starts else self._zeros(name)

    def _input(self, sequence: Stream, step: int) -> Stream:
        found = sequence.data[:, max(step, 0)]
        return Stream(found if step >= 0 else torch.zeros_like(found), sequence.axes[1:])

    def _zeros(self, name: str) -> Stream:
        example = self._input(next(iter(self.sequences.values())), 0)
        axes = ("c", *example.space)
        space = [example.size(axis) for axis in example.space]
        sizes = (example.data.shape[0], self.width(name), *space)
        return Stream(torch.zeros(sizes, dtype=torch.float64), axes)

    def final(self) -> dict[str, Stream]:
        """The states behind the last step."""
        return {name: states[-1] for name, states in self.made.items() if name in self.late}

    def stacked(self, outputs: list[Any]) -> Any:
        """The outputs of all steps as sequences."""
        if isinstance(outputs[0], Many):
            return Many([self.stacked(list(parts)) for parts in zip(*outputs, strict=True)])
        data = torch.stack([one.data for one in outputs], 1)
        return Stream(data, ("t", *outputs[0].axes))


class Widths:
    """How many features each equation of a cell makes, found from the text alone.

    Args:
        body: the statements of the cell.
        scope: where its parameters have values.
        value: what an expression is in a scope.
        known: the features of streams that are known before the first step, by name.
    """

    def __init__(
        self, body: tree.Body, scope: Scope, value: Callable[..., Any], known: dict[str, int]
    ) -> None:
        self.scope, self.value, self.known = scope, value, dict(known)
        self.equations = list(_equations(body))

    def of(self, name: str) -> int:
        """The features of a state; an assertion fails where the text does not say them."""
        for _ in self.equations:
            for targets, equation in self.equations:
                found = self._features(equation)
                if found is not None:
                    for target in targets:
                        self.known.setdefault(target, found // len(targets))
        assert name in self.known, f"how many features {name} has is not known"
        return self.known[name]

    def _features(self, expr: Any) -> int | None:
        match expr:
            case tree.Paren() | tree.Claimed() | tree.Named():
                return self._features(expr.value)
            case tree.Name():
                return self.known.get(expr.name)
            case tree.Index():
                return self._features(expr.value)
            case tree.Chain():
                return self._chain(expr)
            case tree.Group() | tree.Fork() if len(expr.items) == 1:
                return self._features(expr.items[0])
            case tree.Repeat():
                return self._features(expr.body.items[0])
            case tree.Binary():
                sides = self._features(expr.left), self._features(expr.right)
                if expr.operator != "|":
                    return sides[0] if sides[0] is not None else sides[1]
                return None if None in sides else sum(side for side in sides if side)
            case tree.When():
                return self._features(expr.then)
        return None

    def _chain(self, chain: tree.Chain) -> int | None:
        found: int | None = None
        for number, step in enumerate(chain.steps):
            if isinstance(step, tree.Call) and isinstance(step.function, tree.Name):
                found = self._called(step.function.name, step, found)
            elif number == 0 or isinstance(step, (tree.Group, tree.Repeat)):
                within = self._features(step)
                found = within if within is not None else found
        return found

    def _called(self, name: str, call: tree.Call, found: int | None) -> int | None:
        sized = ("FC", "CONV", "EMBED")
        if name in sized or not name.isupper():
            return int(self.value(call.arguments[0].value, self.scope))
        return found


def _equations(body: tree.Body) -> Any:
    for statement in body.statements:
        if isinstance(statement, tree.Assign):
            yield [_name(one) for one in statement.targets], statement.value
        if isinstance(statement, tree.Out):
            for output in statement.outputs:
                if output.name is not None:
                    yield [output.name], output.value


def _name(target: Any) -> str:
    return str(target.value.name if isinstance(target, tree.Index) else target.name)
