"""Definitions and statements as documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

from archlang import binding, tree
from archlang.bracket_formatter import Part
from archlang.documents import HARD, LINE, Doc, align, concat, group, join, nest, whole
from archlang.expression_formatter import ExpressionFormatter
from archlang.literals import quote
from archlang.remarks import blank_between, close, trailing, with_lead
from archlang.source import Span

__all__ = ["DefinitionFormatter"]

_INDENT = 2


class DefinitionFormatter(ExpressionFormatter):
    """Writes definitions, statements and what they are made of."""

    def definition(self, node: tree.Definition | tree.Expr) -> Doc:
        """Write what stands at the top level."""
        match node:
            case tree.Import():
                names = [self.part(name, partial(_imported, name)) for name in node.names]
                return self.row(f"from {quote(node.path.value)} import ", names, node.span)
            case tree.Default():
                return concat(
                    "default ", node.operator.name, self.arguments(node.arguments, node.span)
                )
            case tree.DimDeclaration():
                return self.row("dim ", self.parts(node.items, self.fact), node.span)
            case tree.Constant():
                value = binding.fits_argument(node.value)
                return self.defined(node.name, node.value, node.span, value=value)
            case tree.Let():
                parameters = ", ".join(parameter.name for parameter in node.parameters)
                head = f"let {node.name}({parameters})"
                # A value that is no value by itself stands in parentheses: they bind more tightly.
                fits = binding.fits_argument(node.value) and not isinstance(node.value, tree.Chain)
                least = binding.OPERATION_LEVEL if fits else binding.NEVER_LEVEL
                return self.defined(head, node.value, node.span, least, value=True)
            case tree.Block():
                return self.block(node)
            case tree.Expect() | tree.Require():
                return self.claim(node)
            case tree.Published():
                return self.published(node)
        return nest(_INDENT, self.spread(node))

    def fact(self, node: tree.Expr) -> Doc:
        """Write a name or a comparison of a `dim` declaration."""
        if isinstance(node, tree.Compare):
            operands = tuple(
                part if binding.fits_condition(part) else tree.Paren(part.span, part)
                for part in node.operands
            )
            node = node.replace(operands=operands)
        return self.condition(node)

    # --- blocks ----------------------------------------------------------------------------------

    def block(self, node: tree.Block) -> Doc:
        """Write a block, cell or net."""
        head: Doc = f"{node.kind} {node.name}"
        if node.parameters is not None:
            parts = [self.part(p, partial(self.parameter, p)) for p in node.parameters]
            last = node.parameters[-1].span.end if node.parameters else node.span.start
            slots, rest = self.remarks.slots(parts, node.span.start, last, opened=True)
            inside = concat(self.filled(slots), close(slots, rest))
            head = concat(head, "(", align(inside), ")") if parts else concat(head, "()")
        if isinstance(node.body, tree.Body):
            return concat(whole(concat(head, " {")), self.body(node.body))
        return self.defined(head, node.body, node.span, binding.WHEN_LEVEL)

    def parameter(self, node: tree.Parameter) -> Doc:
        """Write `c`, `s=1` or `N in 1..3 = 2`."""
        docs: list[Doc] = [node.name]
        if node.domain is not None:
            docs.extend((" in ", self.plain_value(node.domain)))
        if node.default is not None:
            docs.append("=" if node.domain is None else " = ")
            docs.append(self.argument_value(node.default))
        return concat(*docs)

    def defined(
        self,
        head: Doc,
        node: tree.Expr,
        span: Span,
        least: int = binding.OPERATION_LEVEL,
        *,
        value: bool = False,
    ) -> Doc:
        """Write `head = value`, the value on lines of its own where it is long."""
        start = node.span.start
        lead = self.remarks.take(span.start, start)
        write = partial(self.spread, node, least, value=value)
        slots, _ = self.remarks.slots([(node.span, write)], start, start, opened=True)
        doc = with_lead(slots[0].replace(lead=lead + slots[0].lead))
        return concat(whole(concat(head, " =")), nest(_INDENT, concat(LINE, doc)))

    def spread(
        self, node: tree.Expr, least: int = binding.OPERATION_LEVEL, *, value: bool = False
    ) -> Doc:
        """Write an expression whose further lines start where the lines around it do."""
        if binding.level(node) < least:
            return self.wrapped(node, value=value)
        match node:
            case tree.Chain():
                return self.chain(node)
            case tree.Binary() | tree.Compare():
                return group(self.operation(node, value=value))
            case tree.Conditional():
                return group(self.conditional(node, value))
            case tree.When():
                return group(self.when(node))
        return self.expression(node, value=value)

    # --- statements ------------------------------------------------------------------------------

    def body(self, node: tree.Body) -> Doc:
        """Write the statements of a body, each on a line of its own, and the closing brace."""
        runs = _runs(node.statements)
        parts = [(run[0].span, partial(self.statement, run)) for run in runs]
        start, end = node.span.start, max(node.span.end - 1, node.span.start)
        slots, rest = self.remarks.slots(parts, start, end, opened=True)
        lines: list[Doc] = []
        last: Span | None = None
        for (span, _), slot in zip(parts, slots, strict=True):
            for comment in slot.lead:
                lines.extend((_blank(last, comment.span), HARD, comment.text.rstrip()))
                last = comment.span
            lines.extend((_blank(last, span), HARD, whole(slot.doc), trailing(slot)))
            last = span
        for comment in rest:
            lines.extend((_blank(last, comment.span), HARD, comment.text.rstrip()))
            last = comment.span
        return concat(nest(_INDENT, concat(*lines)), HARD, "}")

    def statement(self, run: Sequence[tree.Statement]) -> Doc:
        """Write a statement; a run of params is one."""
        node = run[0]
        match node:
            case tree.Assign():
                targets = join(", ", [self.expression(target) for target in node.targets])
                return concat(*targets, " = ", nest(_INDENT, self.bundle(node.value)))
            case tree.In():
                return self.row(
                    "in ", [self.part(i, partial(self.input, i)) for i in node.inputs], node.span
                )
            case tree.Out():
                parts = [self.part(output, partial(self.output, output)) for output in node.outputs]
                return self.row("out ", parts, node.span)
            case tree.Share():
                return self.assigned(f"share {node.name}", node.value)
            case tree.Param():
                names = ", ".join(param.name for param in run if isinstance(param, tree.Param))
                doc = self.assigned(f"param {names}", node.shape)
                return (
                    doc if node.init is None else concat(doc, " init ", self.expression(node.init))
                )
            case tree.Expect() | tree.Require():
                return self.claim(node)
            case tree.Published():
                return self.published(node)

    def assigned(self, head: Doc, node: tree.Expr) -> Doc:
        """Write `head = value`, further lines indented."""
        return concat(head, " = ", nest(_INDENT, self.spread(node)))

    def bundle(self, node: tree.Expr) -> Doc:
        """Write what may stand on the right-hand side of an assignment."""
        if not isinstance(node, tree.Bundle):
            return self.spread(node, binding.WHEN_LEVEL)
        return self.listed(node.items, node.span, False)

    def input(self, node: tree.Input) -> Doc:
        """Write `src = TOKENS(S, vocab)`."""
        if node.value is None:
            return node.name
        return concat(f"{node.name} = ", nest(_INDENT, self.spread(node.value)))

    def output(self, node: tree.Output) -> Doc:
        """Write `p3 = ... when training`."""
        least = binding.OPERATION_LEVEL if node.training else binding.WHEN_LEVEL
        head = "" if node.name is None else f"{node.name} = "
        doc = self.spread(node.value, least)
        doc = nest(_INDENT, doc) if head else doc
        return concat(head, doc, " when training" if node.training else "")

    def claim(self, node: tree.Expect | tree.Require) -> Doc:
        """Write `expect macs = 4.09B within 1%` or `require params <= 5M`."""
        if isinstance(node, tree.Require):
            return concat("require ", self.condition(node.condition))
        training = " when training" if node.training else ""
        fits = binding.fits_condition(node.subject)
        least = binding.SUM_LEVEL if fits else binding.NEVER_LEVEL
        subject = self.expression(node.subject, least, value=True)
        docs = [
            concat("expect ", subject, f"{training} {node.relation} ", self.plain_value(node.value))
        ]
        if node.within is not None:
            docs.append(concat(" within ", self.expression(node.within), "%"))
        return nest(_INDENT, concat(*docs))

    def published(self, node: tree.Published) -> Doc:
        """Write `published year = 2015, top1 = 76.1%`."""
        parts = [self.part(fact, partial(self.quoted, fact)) for fact in node.facts]
        return self.row("published ", parts, node.span)

    def quoted(self, node: tree.Fact) -> Doc:
        """Write `top1 = 76.1%`."""
        value = self.expression(node.value)
        return concat(f"{node.name} = ", value, "%" if node.percent else "")

    def part(self, node: tree.Node, write: Callable[[], Doc]) -> Part:
        """A part of a row."""
        return node.span, write

    def row(self, head: str, parts: Sequence[Part], span: Span) -> Doc:
        """Write a word and parts with commas between them."""
        slots, rest = self.remarks.slots(parts, span.start, span.end)
        return concat(head, nest(_INDENT, concat(self.filled(slots), close(slots, rest))))


def _runs(statements: Sequence[tree.Statement]) -> list[tuple[tree.Statement, ...]]:
    """Statements, with the params that one statement declares together."""

    def key(item: tuple[int, tree.Statement]) -> object:
        number, node = item
        if isinstance(node, tree.Param):
            return (node.span, node.shape, node.init)
        return number

    return [tuple(node for _, node in run) for _, run in groupby(enumerate(statements), key)]


def _imported(name: tree.ImportedName) -> Doc:
    return name.name if name.alias is None else f"{name.name} as {name.alias}"


def _blank(last: Span | None, following: Span) -> Doc:
    """An empty line where the author left one."""
    return HARD if last is not None and blank_between(last, following) else ""
