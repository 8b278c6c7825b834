"""Expressions as documents: where spaces stand, where lines break, where comments stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from archlang import binding, tree
from archlang.layout import LINE, SOFT, Doc, align, concat, fill, group, join, nest
from archlang.literals import quote
from archlang.operators import LEVELS
from archlang.remarks import Remarks, Slot, close, with_lead
from archlang.source import Span
from archlang.tree import Expr

__all__ = ["ExpressionFormatter"]

_TIGHT = frozenset({"*", "/"})
_SHORT = (tree.Number, tree.Name, tree.Attribute)


class ExpressionFormatter:
    """Writes expressions.

    In a value, products of names and numbers stand close (`CONV(4*k, 1)`); in stream arithmetic every
    operator has its spaces.

    Args:
        remarks: the comments that are still to be written.
    """

    def __init__(self, remarks: Remarks) -> None:
        self.remarks = remarks

    def expression(self, node: Expr, least: int = -9, *, value: bool = False) -> Doc:
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
                return concat(self.step(node.value, value), " :: ", self.postfix(node.shape, True))
            case tree.Unary():
                return self.unary(node, value)
            case tree.Range():
                return concat(self.condition(node.start), "..", self.condition(node.stop))
        raise TypeError(f"{type(node).__name__} is no expression")

    def wrapped(self, node: Expr, *, value: bool) -> Doc:
        """Write an expression in parentheses."""
        slots, rest = self.remarks.slots(
            [(node.span, lambda: self.expression(node, value=value))],
            node.span.start,
            node.span.end,
            opened=True,
        )
        return concat("(", align(concat(with_lead(slots[0]), close(slots, rest))), ")")

    def postfix(self, node: Expr, value: bool) -> Doc:
        """Write what a call, an index or a quote may follow."""
        return self.expression(node, binding.POSTFIX_LEVEL, value=value)

    def step(self, node: Expr, value: bool) -> Doc:
        """Write one step of a chain."""
        return self.expression(node, binding.STEP_LEVEL, value=value)

    def unary(self, node: tree.Unary, value: bool) -> Doc:
        """Write `-e` or `not e`."""
        sign = "not " if node.operator == "not" else "-"
        return concat(sign, self.expression(node.operand, binding.level(node), value=value))

    # --- lists -----------------------------------------------------------------------------------

    def parts(
        self, nodes: Sequence[Expr], write: Callable[[Expr], Doc]
    ) -> list[tuple[Span, Callable[[], Doc]]]:
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
        """Write expressions with commas between them, on as few lines as they need."""
        write = partial(self.expression, least=binding.OPERATION_LEVEL, value=value)
        parts = self.parts(nodes, write)
        slots, rest = self.remarks.slots(parts, span.start, span.end, opened=opened)
        return concat(fill(_commas(slots)), close(slots, rest))

    def arguments(self, arguments: Sequence[tree.Argument], span: Span) -> Doc:
        """Write the arguments of a call, with their parentheses."""
        if not arguments:
            return "()"
        parts = [(argument.span, partial(self.argument, argument)) for argument in arguments]
        end = max(span.end - 1, span.start)
        slots, rest = self.remarks.slots(parts, span.start, end, opened=True)
        return concat("(", align(concat(fill(_commas(slots)), close(slots, rest))), ")")

    def argument(self, argument: tree.Argument) -> Doc:
        """Write one argument."""
        value = self.argument_value(argument.value)
        return value if argument.name is None else concat(f"{argument.name}=", value)

    def argument_value(self, node: Expr) -> Doc:
        """Write a value: an argument, a default, a domain."""
        if not binding.fits_argument(node):
            return self.wrapped(node, value=True)
        return self.expression(node, value=True)

    def condition(self, node: Expr) -> Doc:
        """Write a value that has no `if` outside of brackets."""
        if (
            not binding.fits_argument(node)
            or binding.level(node) < binding.CONDITION_LEVEL
            or isinstance(node, tree.Chain | tree.Conditional)
        ):
            return self.wrapped(node, value=True)
        return self.expression(node, value=True)

    def subscript(self, node: Expr | tree.Slice) -> Doc:
        """Write what stands between the brackets of an index."""
        if not isinstance(node, tree.Slice):
            return self.close_sum(node) or self.argument_value(node)
        parts = [self.slice_part(part) for part in (node.start, node.stop)]
        if node.step is not None:
            parts.append(self.slice_part(node.step))
        return concat(*join(":", parts))

    def slice_part(self, node: Expr | None) -> Doc:
        """Write one bound of a slice."""
        if node is None:
            return ""
        return self.close_sum(node) or self.argument_value(node)

    def count(self, node: Expr) -> Doc:
        """Write the count of a repeat."""
        match node:
            case tree.Number() | tree.Name():
                return self.expression(node)
            case tree.Paren():
                close = self.close_sum(node.value)
                return concat("(", close, ")") if close else self.expression(node, value=True)
        return concat("(", self.expression(node, value=True), ")")

    def close_sum(self, node: Expr) -> Doc:
        """Write `t-1` without spaces; nothing for what is longer."""
        if isinstance(node, tree.Binary) and node.operator in ("+", "-"):
            if isinstance(node.left, _SHORT) and isinstance(node.right, _SHORT):
                left = self.expression(node.left)
                return concat(left, node.operator, self.expression(node.right))
        return ""

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
        inside = Span(node.span.source, node.span.start, max(node.span.end - 1, node.span.start))
        slots, rest = self.remarks.slots(
            self.parts(node.items, lambda item: self.expression(item, binding.OPERATION_LEVEL)),
            inside.start,
            inside.end,
            opened=True,
        )
        body = group(concat(*_commas(slots), close(slots, rest)))
        return concat("{ ", align(body), " }")

    def comprehension(self, node: tree.Group | tree.Fork, value: bool) -> Doc:
        """Write `item for pattern in iterable`."""
        [item] = node.items
        parts: list[tuple[Span, Callable[[], Doc]]] = [
            (item.span, lambda: self.expression(item, binding.OPERATION_LEVEL, value=value))
        ]
        parts.extend((clause.span, partial(self.clause, clause)) for clause in node.clauses)
        end = max(node.span.end - 1, node.span.start)
        slots, rest = self.remarks.slots(parts, node.span.start, end, opened=True)
        lines = join(LINE, [with_lead(slot) for slot in slots])
        return group(concat(*lines, close(slots, rest)))

    def clause(self, node: tree.For) -> Doc:
        """Write `for pattern in iterable if condition`."""
        head = concat("for ", _pattern(node.pattern), " in ", self.condition(node.iterable))
        if node.condition is None:
            return head
        return concat(head, " if ", self.condition(node.condition))

    # --- rows of operators -----------------------------------------------------------------------

    def chain(self, node: tree.Chain) -> Doc:
        """Write `a -> b -> c`, broken before arrows."""
        slots, _ = self.remarks.slots(
            self.parts(node.steps, lambda step: self.step(step, False)),
            node.span.start,
            node.span.end,
        )
        first, *others = slots
        return fill(join(LINE, [with_lead(first), *(with_lead(slot, "-> ") for slot in others)]))

    def operation(self, node: tree.Binary | tree.Compare, *, value: bool) -> Doc:
        """Write operands of one level, broken before every operator or before none."""
        operands, operators = _row(node)
        least = binding.level(node) + 1
        parts = [
            (operand.span, self.operand(operand, least, following, value))
            for operand, following in zip(operands, [*operators, None], strict=True)
        ]
        slots, _ = self.remarks.slots(parts, node.span.start, node.span.end)
        gap = SOFT if _is_close(node, value) else LINE
        docs = [with_lead(slots[0])]
        for operator, slot in zip(operators, slots[1:], strict=True):
            docs.append(gap)
            docs.append(with_lead(slot, operator if gap is SOFT else f"{operator} "))
        return concat(*docs)

    def operand(
        self, node: Expr, least: int, followed_by: str | None, value: bool
    ) -> Callable[[], Doc]:
        """What writes an operand of an operator."""
        if isinstance(node, tree.Chain) and binding.fits_operand(node, followed_by=followed_by):
            return lambda: align(nest(2, self.chain(node)))
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
        least = binding.STEP_LEVEL if in_step and not value else binding.CONDITION_LEVEL
        nested = isinstance(then, tree.Conditional)
        parts: list[tuple[Span, Callable[[], Doc]]] = [
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
        words = ("if ", "else ")
        docs = [with_lead(slots[0])]
        for word, slot in zip(words, slots[1:], strict=False):
            docs.extend((LINE, with_lead(slot, word)))
        return concat(*docs)

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
        return concat(with_lead(then), LINE, with_lead(otherwise, "when training else "))


def _commas(slots: Sequence[Slot]) -> list[Doc]:
    docs = [concat(with_lead(slot), ",") for slot in slots[:-1]]
    return join(LINE, [*docs, *(with_lead(slot) for slot in slots[-1:])])


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
    return _TIGHT.issuperset(operators) and all(isinstance(o, _SHORT) for o in operands)


def _pattern(pattern: tree.Pattern) -> str:
    if isinstance(pattern, tree.Name):
        return pattern.name
    items = [
        item.name if isinstance(item, tree.Name) else f"({_pattern(item)})"
        for item in pattern.items
    ]
    return ", ".join(items) + ("," if len(items) == 1 else "")
