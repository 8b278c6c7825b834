"""Rows of operators as documents: chains, arithmetic, conditions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

from archlang import binding, tree
from archlang.bracket_formatter import SHORT, BracketFormatter, Part
from archlang.documents import SOFT, Doc, align, alternate, concat, fill, nest
from archlang.operators import LEVELS
from archlang.remarks import gaps, with_lead
from archlang.tree import Expr

__all__ = ["RowFormatter"]

_TIGHT = frozenset({"*", "/"})


class RowFormatter(BracketFormatter):
    """Writes operands and the operators between them."""

    def postfix(self, node: Expr, value: bool) -> Doc:
        """Write what a call, an index or a quote may follow."""
        if isinstance(node, tree.Number | tree.Boolean):
            return self.wrapped(node, value=value)
        return self.expression(node, binding.POSTFIX_LEVEL, value=value)

    def step(self, node: Expr, value: bool) -> Doc:
        """Write one step of a chain."""
        return self.expression(node, binding.STEP_LEVEL, value=value)

    def chain(self, node: tree.Chain) -> Doc:
        """Write `a -> b -> c` in the author's rows, filled where they are too long."""
        slots, _ = self.remarks.slots(
            self.parts(node.steps, lambda step: self.step(step, False)),
            node.span.start,
            node.span.end,
        )
        first, *others = slots
        docs = [with_lead(first), *(with_lead(slot, "-> ") for slot in others)]
        return fill(alternate(docs, gaps(slots, trails=True)))

    def branches(self, node: Expr) -> Doc:
        """Write the arithmetic between braces, so that its operators may stand below the brace."""
        assert isinstance(node, tree.Binary)
        return self.operation(node, value=False, hanging=True)

    def operation(
        self, node: tree.Binary | tree.Compare, *, value: bool, hanging: bool = False
    ) -> Doc:
        """Write operands of one level in the author's rows, or with a line for each or for all.

        Args:
            node: the operation.
            value: whether it is a value, not a stream.
            hanging: whether the operators stand left of the operands.
        """
        operands, operators = _row(node)
        least = binding.level(node) + 1
        parts = [
            (operand.span, self.operand(operand, least, following, value, 0 if hanging else 2))
            for operand, following in zip(operands, [*operators, None], strict=True)
        ]
        for place, (left, right) in enumerate(pairwise(operands)):
            if binding.ends_in_repeat(left) and isinstance(right, tree.Number):
                # `[A]*n - 1` is refused, since `[A]*(n-1)` would be meant.
                parts[place] = (left.span, partial(self.wrapped, left, value=value))
        slots, _ = self.remarks.slots(parts, node.span.start, node.span.end)
        is_close = _is_close(node, value)
        docs = [with_lead(slots[0])]
        for operator, slot in zip(operators, slots[1:], strict=True):
            docs.append(with_lead(slot, operator if is_close else f"{operator} "))
        if is_close:
            return concat(*alternate(docs, gaps(slots, SOFT)))
        return self.together(slots, docs)

    def operand(
        self, node: Expr, least: int, followed_by: str | None, value: bool, indent: int = 2
    ) -> Callable[[], Doc]:
        """What writes an operand of an operator."""
        if isinstance(node, tree.Chain) and binding.fits_operand(node, followed_by=followed_by):
            return lambda: align(nest(indent, self.chain(node)))
        is_sign = isinstance(node, tree.Unary) and node.operator == "-"
        if not binding.fits_operand(node, followed_by=followed_by):
            return lambda: self.wrapped(node, value=value)
        if is_sign and least > binding.level(node) and followed_by is None:
            return lambda: self.expression(node, value=value)
        return lambda: self.expression(node, least, value=value)

    def conditional(self, node: tree.Conditional, value: bool) -> Doc:
        """Write `a if p else b`, or `a if p`."""
        then, otherwise = node.then, node.otherwise
        in_step = binding.level(node) == binding.STEP_LEVEL or otherwise is None
        fits = value or in_step or binding.fits_then(then)
        is_step = otherwise is None or (in_step and not value)
        least = binding.STEP_LEVEL if is_step else binding.CONDITION_LEVEL
        nested = isinstance(then, tree.Conditional)
        parts: list[Part] = [
            (
                then.span,
                (lambda: self.expression(then, least, value=value))
                if fits and not nested
                else lambda: self.wrapped(then, value=value),
            ),
            (node.condition.span, lambda: self.condition(node.condition)),
        ]
        if otherwise is not None:
            parts.append((otherwise.span, lambda: self.otherwise(otherwise, in_step, value)))
        slots, _ = self.remarks.slots(parts, node.span.start, node.span.end)
        words = ("", "if ", "else ")
        docs = [with_lead(slot, word) for word, slot in zip(words, slots, strict=False)]
        return self.together(slots, docs, trails=True)

    def otherwise(self, node: Expr, in_step: bool, value: bool) -> Doc:
        """Write what stands behind `else`."""
        if isinstance(node, tree.Conditional) and (
            value or in_step or binding.fits_otherwise(node)
        ):
            return self.conditional(node, value)
        if value or in_step or binding.fits_otherwise(node):
            return self.expression(node, binding.CONDITION_LEVEL, value=value)
        return self.wrapped(node, value=value)

    def when(self, node: tree.When) -> Doc:
        """Write `a when training else b`."""
        parts = self.parts(
            (node.then, node.otherwise),
            lambda part: self.expression(part, -3 if isinstance(part, tree.Bundle) else -1),
        )
        slots, _ = self.remarks.slots(parts, node.span.start, node.span.end)
        then, otherwise = slots
        docs = [with_lead(then), with_lead(otherwise, "when training else ")]
        return self.together(slots, docs, trails=True)


def _row(node: tree.Binary | tree.Compare) -> tuple[list[Expr], list[str]]:
    """The operands and operators of one level, from left to right."""
    if isinstance(node, tree.Compare):
        return list(node.operands), list(node.operators)
    level, right_first = LEVELS[node.operator], node.operator == "**"
    operands: list[Expr] = []
    operators: list[str] = []
    rest: Expr = node
    while isinstance(rest, tree.Binary) and LEVELS[rest.operator] == level:
        operators.append(rest.operator)
        operands.append(rest.left if right_first else rest.right)
        rest = rest.right if right_first else rest.left
    operands.append(rest)
    if right_first:
        return operands, operators
    return operands[::-1], operators[::-1]


def _is_close(node: tree.Binary | tree.Compare, value: bool) -> bool:
    """Whether a product or power is written without spaces."""
    if isinstance(node, tree.Compare):
        return False
    if node.operator == "**":
        return True
    if not value:
        return False
    operands, operators = _row(node)
    return _TIGHT.issuperset(operators) and all(isinstance(o, SHORT) for o in operands)
