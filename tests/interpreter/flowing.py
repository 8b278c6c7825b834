"""What an expression is where a stream flows in."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from torch import Tensor

from archlang import tree
from interpreter.cells import Memory, step_of
from interpreter.evaluation import Evaluation
from interpreter.parts import NONE, Part, Shared
from interpreter.streams import Many, Stream, join, matmul, merge
from interpreter.values import Scope, arithmetic, bindings_of
from interpreter.weights import Weights

__all__ = ["Flowing"]

JOINS: dict[str, Callable[[Any, Any], Tensor]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "**": operator.pow,
}  # fmt: skip


class Flowing(Evaluation):
    """Lets streams flow through expressions."""

    weights: Weights
    training: bool
    memory: Memory | None = None
    tables: dict[str, Any]  # the layer behind a name, for UNEMBED

    def call(self, part: Any, incoming: Any) -> Any:
        """Let a stream flow into a part."""
        raise NotImplementedError

    def _operator(self, name: str, given: tuple[Any, ...], incoming: Any) -> Any:
        raise NotImplementedError

    def stream(self, expr: tree.Expr, incoming: Any, scope: Scope) -> Any:
        """What an expression is where a stream flows in."""
        match expr:
            case tree.Number():
                return expr.value
            case tree.Paren():
                return self.stream(expr.value, incoming, scope)
            case tree.Name():
                return self._name(expr, incoming, scope)
            case tree.Call():
                return self._call(expr, incoming, scope)
            case tree.Chain():
                made = self.stream(expr.steps[0], incoming, scope)
                for step in expr.steps[1:]:
                    # Behind an arrow ID is the operator that hands on what flows.
                    handed = isinstance(step, tree.Name) and step.name == "ID"
                    made = made if handed else self.stream(step, made, scope)
                return made
            case tree.Group():
                return self._group(expr, incoming, scope)
            case tree.Repeat():
                return self._repeat(expr, incoming, scope)
            case tree.Fork():
                return self._fork(expr, incoming, scope)
            case tree.Bundle():
                return Many([self.stream(item, incoming, scope) for item in expr.items])
            case tree.Binary():
                left = self.stream(expr.left, incoming, scope)
                return _joined(expr.operator, left, self.stream(expr.right, incoming, scope))
            case tree.Unary():
                made = self.stream(expr.operand, incoming, scope)
                return made.with_data(-made.data) if isinstance(made, Stream) else -made
            case tree.Transpose():
                made = self.stream(expr.value, incoming, scope)
                axes = (*made.axes[:-2], made.axes[-1], made.axes[-2])
                return Stream(made.data.transpose(-1, -2), axes)
            case tree.Conditional():
                return self._conditional(expr, incoming, scope)
            case tree.When():
                chosen = expr.then if self.training else expr.otherwise
                return self.stream(chosen, incoming, scope)
            case tree.Named():
                made = self.stream(expr.value, incoming, scope)
                scope.names[expr.name] = made
                self.tables[expr.name] = self.weights.last
                return made
            case tree.Claimed():
                return self.stream(expr.value, incoming, scope)
            case tree.Optional():
                return self.stream(expr.value, incoming, scope)
            case tree.Index():
                ago = step_of(expr.index)
                if ago is not None and self.memory is not None:
                    assert isinstance(expr.value, tree.Name)
                    return self.memory.at(expr.value.name, ago)
                return self._index(self.stream(expr.value, incoming, scope), expr, scope)
        return self.value(expr, scope)

    def _name(self, expr: tree.Name, incoming: Any, scope: Scope) -> Any:
        if scope.has(expr.name):
            found = scope.find(expr.name)
            return self.call(found, incoming) if isinstance(found, (Part, Shared)) else found
        if expr.name == "ID":
            return scope.identity
        if expr.name == "NONE":
            return NONE
        return self._operator(expr.name, (), incoming)

    def _call(self, expr: tree.Call, incoming: Any, scope: Scope) -> Any:
        found = self.value(expr, scope)
        return self.call(found, incoming) if isinstance(found, (Part, Shared)) else found

    def _group(self, group: tree.Group, incoming: Any, scope: Scope) -> Any:
        if not group.clauses:
            return self._copies(group.items[0], incoming, [scope], scope, keep=False)
        return self._copies(group.items[0], incoming, self._scopes(group.clauses, scope), scope)

    def _repeat(self, repeat: tree.Repeat, incoming: Any, scope: Scope) -> Any:
        count = self.value(repeat.count, scope)
        return self._copies(repeat.body.items[0], incoming, [scope] * count, scope)

    def _copies(
        self, item: tree.Expr, incoming: Any, scopes: list[Scope], outer: Scope, keep: bool = True
    ) -> Any:
        named: dict[str, Many] = {}
        for one in scopes:
            inside = Scope(one, incoming)
            incoming = self.stream(item, incoming, inside)
            for name, made in inside.names.items():
                if keep:
                    named.setdefault(name, Many()).append(made)
                else:
                    outer.names[name] = made
        outer.names.update(named)
        return incoming

    def _scopes(self, clauses: tuple[tree.For, ...], scope: Scope) -> list[Scope]:
        scopes = [scope]
        for clause in clauses:
            wider = []
            for outer in scopes:
                for value in self.value(clause.iterable, outer):
                    inner = Scope(outer)
                    inner.names.update(bindings_of(clause.pattern, value))
                    if clause.condition is None or self.value(clause.condition, inner):
                        wider.append(inner)
            scopes = wider
        return scopes

    def _fork(self, fork: tree.Fork, incoming: Any, scope: Scope) -> Any:
        if fork.clauses:
            scopes = self._scopes(fork.clauses, scope)
            made = [self.stream(fork.items[0], incoming, Scope(one, incoming)) for one in scopes]
            return Many(made)
        inside = Scope(scope, incoming)
        made = [self.stream(item, incoming, inside) for item in fork.items]
        scope.names.update(inside.names)
        kept = [one for one in made if one is not NONE]
        return kept[0] if len(fork.items) == 1 else Many(kept)

    def _conditional(self, expr: tree.Conditional, incoming: Any, scope: Scope) -> Any:
        if self.value(expr.condition, scope):
            return self.stream(expr.then, incoming, scope)
        if expr.otherwise is None:
            return incoming
        return self.stream(expr.otherwise, incoming, scope)

    def _index(self, found: Any, expr: tree.Index, scope: Scope) -> Any:
        if isinstance(expr.index, tree.Slice):
            ends = (expr.index.start, expr.index.stop, expr.index.step)
            made = found[slice(*[None if e is None else self.value(e, scope) for e in ends])]
            return Many(made) if isinstance(found, Many) else made
        return found[self.value(expr.index, scope)]


def _joined(sign: str, left: Any, right: Any) -> Any:
    if left is NONE:
        return right
    if right is NONE:
        return left
    if not isinstance(left, Stream) and not isinstance(right, Stream):
        return arithmetic(sign, left, right)
    if sign == "@":
        return matmul(left, right)
    if sign == "|":
        return merge([left, right], "c")
    return join(left, right, JOINS[sign])
