"""What an expression is where nothing flows in: numbers, texts, lists, blocks."""

from __future__ import annotations

from typing import Any

from archlang import tree
from interpreter.parts import Part
from interpreter.streams import Many, Stream
from interpreter.values import BUILTINS, Scope, arithmetic, compare

__all__ = ["Evaluation"]


class Evaluation:
    """Values of expressions; what flows is for others."""

    def stream(self, expr: tree.Expr, incoming: Any, scope: Scope) -> Any:
        """What an expression is where a stream flows in."""
        raise NotImplementedError

    def value(self, expr: tree.Expr, scope: Scope) -> Any:
        """What an expression is where nothing flows in."""
        match expr:
            case tree.Number() | tree.Text() | tree.Boolean():
                return expr.value
            case tree.Paren():
                return self.value(expr.value, scope)
            case tree.Name():
                if scope.has(expr.name):
                    return scope.find(expr.name)
                if expr.name == "none":
                    return None
                return Part(expr.name, scope) if expr.name.isupper() else expr.name
            case tree.Tuple():
                return tuple([self.value(item, scope) for item in expr.items])
            case tree.Attribute():
                return self._attribute(expr, scope)
            case tree.Index():
                return self._index(self.value(expr.value, scope), expr, scope)
            case tree.Call():
                return self._called(expr, scope)
            case tree.Group():
                if expr.clauses:
                    scopes = self._scopes(expr.clauses, scope)
                    return [self.value(expr.items[0], one) for one in scopes]
                return [self.value(item, scope) for item in expr.items]
            case tree.Unary():
                found = self.value(expr.operand, scope)
                return (not found) if expr.operator == "not" else -found
            case tree.Binary():
                left = self.value(expr.left, scope)
                return arithmetic(expr.operator, left, self.value(expr.right, scope))
            case tree.Compare():
                found = [self.value(operand, scope) for operand in expr.operands]
                pairs = zip(expr.operators, found, found[1:], strict=False)
                return all(compare(sign, left, right) for sign, left, right in pairs)
            case tree.Conditional():
                chosen = expr.then if self.value(expr.condition, scope) else expr.otherwise
                assert chosen is not None
                return self.value(chosen, scope)
        return Part(expr, scope)

    def _attribute(self, expr: tree.Attribute, scope: Scope) -> Any:
        name = expr.value.name if isinstance(expr.value, tree.Name) else ""
        known = scope.has(name) or name != "ID"
        found = self.value(expr.value, scope) if known else scope.identity
        if expr.name == "state":
            states = found.state
            return next(iter(states.values())) if len(states) == 1 else states
        if isinstance(found, dict):
            return found[expr.name]
        if expr.name == "shape":
            return tuple(found.data.shape[1:])
        return found.size(expr.name)

    def _called(self, expr: tree.Call, scope: Scope) -> Any:
        function = expr.function.name if isinstance(expr.function, tree.Name) else ""
        if function in BUILTINS and not scope.has(function):
            return BUILTINS[function](*[self.value(a.value, scope) for a in expr.arguments])
        found = self.value(expr.function, scope)
        if function == "UNEMBED":
            table = expr.arguments[0].value
            assert isinstance(table, tree.Name)
            return found.more([(None, table.name)])
        arguments = [(a.name, self._argument(a.value, scope)) for a in expr.arguments]
        if isinstance(found, Part):
            return found.more(arguments)
        return found(*[value for _, value in arguments])

    def _argument(self, expr: tree.Expr, scope: Scope) -> Any:
        head = expr.steps[0] if isinstance(expr, tree.Chain) else expr
        if isinstance(head, tree.Name) and scope.has(head.name) and head is not expr:
            found = scope.find(head.name)
            if isinstance(found, (Stream, Many)):
                return self.stream(expr, None, scope)
        if isinstance(expr, tree.Group) and not expr.clauses and len(expr.items) == 1:
            item = expr.items[0]
            if isinstance(item, (tree.Chain, tree.Named, tree.Repeat)):
                return Part(expr, scope)
        return self.value(expr, scope)
