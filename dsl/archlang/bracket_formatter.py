"""What stands in brackets as documents: lists, arguments, subscripts, comprehensions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

from archlang import binding, tree
from archlang.documents import (
    TAIL,
    Doc,
    align,
    alternate,
    concat,
    fill,
    group,
    is_forced,
    join,
    nest,
)
from archlang.remarks import Remarks, Slot, close, gaps, with_lead
from archlang.source import Span
from archlang.tree import Expr

__all__ = ["SHORT", "BracketFormatter", "Part"]

SHORT = (tree.Number, tree.Name, tree.Attribute)
"""What may stand close to an operator."""

Part = tuple[Span, Callable[[], Doc]]
"""Where a part of a list stands, and what writes it."""


class BracketFormatter(ABC):
    """Writes what stands in brackets.

    Args:
        remarks: the comments that are still to be written.
    """

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = remarks

    @abstractmethod
    def branches(self, node: Expr) -> Doc:
        """Write the arithmetic between braces, so that its operators may stand below the brace."""

    @abstractmethod
    def expression(self, node: Expr, least: int = binding.ANY_LEVEL, *, value: bool = False) -> Doc:
        """Write an expression, in parentheses where it binds more loosely than the least level."""

    def wrapped(self, node: Expr, *, value: bool) -> Doc:
        """Write an expression in parentheses."""
        value = value and binding.fits_argument(node)
        slots, rest = self.remarks.slots(
            [(node.span, lambda: self.expression(node, value=value))],
            node.span.start,
            node.span.end,
            opened=True,
        )
        return concat("(", align(concat(with_lead(slots[0]), close(slots, rest))), ")")

    def parts(self, nodes: Sequence[Expr], write: Callable[[Expr], Doc]) -> list[Part]:
        """Where each node stands, and what writes it."""
        return [(node.span, partial(write, node)) for node in nodes]

    def bracketed(
        self, opening: str, nodes: Sequence[Expr], closing: str, span: Span, value: bool
    ) -> Doc:
        """Write expressions with commas between them, in brackets."""
        if not nodes:
            return opening + closing
        inside = Span(span.source, span.start, max(span.end - 1, span.start))
        return concat(opening, align(self.listed(nodes, inside, value, opened=True)), closing)

    def listed(
        self, nodes: Sequence[Expr], span: Span, value: bool, *, opened: bool = False
    ) -> Doc:
        """Write expressions with commas between them, in the author's rows.

        Without any they fill as few lines as they need; a table, which is a list of lists or of
        tuples, has a line for each row instead.
        """
        write = partial(self.inner, value=value)
        parts = self.parts(nodes, write)
        slots, rest = self.remarks.slots(parts, span.start, span.end, opened=opened)
        if _is_table(nodes):
            return concat(group(self.together(slots, _commas(slots))), close(slots, rest))
        return concat(self.filled(slots), close(slots, rest))

    def filled(self, slots: Sequence[Slot]) -> Doc:
        """Parts with commas between them: the author's rows, on as few lines as they need."""
        return fill(alternate(_commas(slots), gaps(slots, trails=True)))

    def together(self, slots: Sequence[Slot], docs: Sequence[Doc], *, trails: bool = False) -> Doc:
        """Parts in the author's rows, or else with all of their breaks or none, as a group has it.

        Args:
            slots: the parts.
            docs: the same, with what stands before and behind them.
            trails: whether what the author wrote behind a part of several lines may stay there.
        """
        between = gaps(slots, trails=trails)
        has_rows = any(is_forced(gap) or gap is TAIL for gap in between)
        parts = alternate(docs, between)
        return fill(parts) if has_rows else concat(*parts)

    def arguments(self, arguments: Sequence[tree.Argument], span: Span) -> Doc:
        """Write the arguments of a call, with their parentheses."""
        if not arguments:
            return "()"
        parts = [(argument.span, partial(self.argument, argument)) for argument in arguments]
        end = max(span.end - 1, span.start)
        slots, rest = self.remarks.slots(parts, span.start, end, opened=True)
        return concat("(", align(concat(self.filled(slots), close(slots, rest))), ")")

    def argument(self, argument: tree.Argument) -> Doc:
        """Write one argument."""
        value = self.argument_value(argument.value)
        return value if argument.name is None else concat(f"{argument.name}=", value)

    def argument_value(self, node: Expr) -> Doc:
        """Write a value: an argument, a default, a domain."""
        if not binding.fits_argument(node):
            return self.wrapped(node, value=True)
        return self.expression(node, value=True)

    def inner(self, node: Expr, *, value: bool) -> Doc:
        """Write an expression between brackets, where streams may stand also among values."""
        value = value and binding.fits_argument(node)
        return self.expression(node, binding.OPERATION_LEVEL, value=value)

    def plain_value(self, node: Expr) -> Doc:
        """Write a value that is no chain."""
        if isinstance(node, tree.Chain):
            return self.wrapped(node, value=False)
        return self.argument_value(node)

    def condition(self, node: Expr) -> Doc:
        """Write a value that has no `if` outside of brackets."""
        if not binding.fits_condition(node):
            return self.wrapped(node, value=True)
        return self.expression(node, value=True)

    def subscript(self, node: Expr | tree.Slice) -> Doc:
        """Write what stands between the brackets of an index."""
        if not isinstance(node, tree.Slice):
            return self.slice_part(node)
        parts = [self.slice_part(part) for part in (node.start, node.stop)]
        if node.step is not None:
            parts.append(self.slice_part(node.step))
        return concat(*join(":", parts))

    def slice_part(self, node: Expr | None) -> Doc:
        """Write one bound of a slice."""
        if node is None:
            return ""
        return self.close_sum(node) or self.plain_value(node)

    def count(self, node: Expr) -> Doc:
        """Write the count of a repeat."""
        match node:
            case tree.Number() | tree.Name():
                return self.expression(node)
            case tree.Paren():
                close = self.close_sum(node.value)
                return concat("(", close, ")") if close else self.wrapped(node.value, value=True)
        return self.wrapped(node, value=True)

    def close_sum(self, node: Expr) -> Doc:
        """Write `t-1` without spaces; nothing for what is longer."""
        if not isinstance(node, tree.Binary) or node.operator not in ("+", "-"):
            return ""
        if not (isinstance(node.left, SHORT) and isinstance(node.right, SHORT)):
            return ""
        return concat(self.expression(node.left), node.operator, self.expression(node.right))

    # --- brackets --------------------------------------------------------------------------------

    def group(self, node: tree.Group, value: bool) -> Doc:
        """Write `[ ... ]`."""
        if node.clauses:
            return concat("[", align(self.comprehension(node, value)), "]")
        return self.bracketed("[", node.items, "]", node.span, value)

    def fork(self, node: tree.Fork) -> Doc:
        """Write `{ ... }`."""
        if node.clauses:
            return concat("{ ", align(self.comprehension(node, False)), " }")
        hanging = len(node.items) == 1 and isinstance(node.items[0], tree.Binary)
        slots, rest = self.remarks.slots(
            self.parts(node.items, self.branches if hanging else self.branch),
            node.span.start,
            max(node.span.end - 1, node.span.start),
            opened=True,
        )
        end = close(slots, rest)
        if hanging:
            # The operators stand below the brace, so that the branches stand below each other.
            lead = nest(2, with_lead(slots[0].replace(doc="")))
            return concat(align(concat("{ ", lead, group(slots[0].doc), nest(2, end))), " }")
        body = group(concat(self.together(slots, _commas(slots)), end))
        return concat("{ ", align(body), " }")

    def branch(self, node: Expr) -> Doc:
        """Write one of the streams that braces keep apart, or the only one."""
        return self.expression(node, binding.OPERATION_LEVEL)

    def comprehension(self, node: tree.Group | tree.Fork, value: bool) -> Doc:
        """Write `item for pattern in iterable`."""
        [item] = node.items
        parts: list[Part] = [(item.span, partial(self.inner, item, value=value))]
        parts.extend((clause.span, partial(self.clause, clause)) for clause in node.clauses)
        end = max(node.span.end - 1, node.span.start)
        slots, rest = self.remarks.slots(parts, node.span.start, end, opened=True)
        lines = self.together(slots, [with_lead(slot) for slot in slots])
        return group(concat(lines, close(slots, rest)))

    def clause(self, node: tree.For) -> Doc:
        """Write `for pattern in iterable if condition`."""
        head = concat("for ", _pattern(node.pattern), " in ", self.condition(node.iterable))
        if node.condition is None:
            return head
        return concat(head, " if ", self.condition(node.condition))


def _is_table(nodes: Sequence[Expr]) -> bool:
    rows = all(isinstance(node, (tree.Group, tree.Tuple)) and len(node.items) > 1 for node in nodes)
    return rows and len(nodes) > 1


def _commas(slots: Sequence[Slot]) -> list[Doc]:
    docs = [concat(with_lead(slot), ",") for slot in slots[:-1]]
    return [*docs, *(with_lead(slot) for slot in slots[-1:])]


def _pattern(pattern: tree.Pattern) -> str:
    if isinstance(pattern, tree.Name):
        return pattern.name
    items = [
        item.name if isinstance(item, tree.Name) else f"({_pattern(item)})"
        for item in pattern.items
    ]
    return ", ".join(items) + ("," if len(items) == 1 else "")
