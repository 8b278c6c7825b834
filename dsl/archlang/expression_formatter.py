"""Expressions as documents: where spaces stand, where lines break, where comments stay."""

from __future__ import annotations

from archlang import binding, tree
from archlang.documents import Doc, align, concat, group
from archlang.literals import quote
from archlang.row_formatter import RowFormatter
from archlang.source import Span
from archlang.tree import Expr

__all__ = ["ExpressionFormatter"]


class ExpressionFormatter(RowFormatter):
    """Writes expressions.

    In a value, products of names and numbers stand close (`CONV(4*k, 1)`); in stream arithmetic
    every operator has its spaces.
    """

    def expression(self, node: Expr, least: int = binding.ANY_LEVEL, *, value: bool = False) -> Doc:
        """Write an expression, in parentheses where it binds more loosely than the least level."""
        if binding.level(node) < least:
            return self.wrapped(node, value=value)
        match node:
            case tree.Number():
                return node.text or repr(node.value)
            case tree.Text():
                return quote(node.value)
            case tree.Boolean():
                return "yes" if node.value else "no"
            case tree.Name():
                return node.name
            case tree.Paren():
                return self.wrapped(node.value, value=value)
            case tree.Tuple():
                return self.bracketed(
                    "(", node.items, ",)" if len(node.items) == 1 else ")", node.span, value
                )
            case tree.Group():
                return self.group(node, value)
            case tree.Fork():
                return self.fork(node)
            case tree.Chain():
                return align(self.chain(node))
            case tree.Binary() | tree.Compare():
                return align(group(self.operation(node, value=value)))
            case tree.Conditional():
                return align(group(self.conditional(node, value)))
            case tree.When():
                return align(group(self.when(node)))
            case tree.Bundle():
                return align(self.listed(node.items, node.span, False))
            case _:
                return self.suffixed(node, value)

    def suffixed(self, node: Expr, value: bool) -> Doc:
        """Write an operand with what stands directly before or behind it."""
        match node:
            case tree.Attribute():
                return concat(self.postfix(node.value, value), f".{node.name}")
            case tree.Index():
                return concat(self.postfix(node.value, value), "[", self.subscript(node.index), "]")
            case tree.Call():
                arguments = self.arguments(
                    node.arguments, Span(node.span.source, node.function.span.end, node.span.end)
                )
                return concat(self.postfix(node.function, value), arguments)
            case tree.Transpose():
                return concat(self.postfix(node.value, value), "'")
            case tree.Optional():
                return concat(self.expression(node.value, binding.PRIMARY_LEVEL, value=value), "?")
            case tree.Repeat():
                return concat(self.group(node.body, value), "*", self.count(node.count))
            case tree.Named():
                return concat(self.step(node.value, value), f" as {node.name}")
            case tree.Claimed():
                shape = self.expression(node.shape, binding.POSTFIX_LEVEL, value=True)
                return concat(self.step(node.value, value), " :: ", shape)
            case tree.Unary():
                return self.unary(node, value)
            case tree.Range():
                return concat(self.condition(node.start), "..", self.condition(node.stop))
        raise TypeError(f"{type(node).__name__} is no expression")

    def unary(self, node: tree.Unary, value: bool) -> Doc:
        """Write `-e` or `not e`."""
        sign = "not " if node.operator == "not" else "-"
        return concat(sign, self.operand(node.operand, binding.level(node), None, value)())
