"""What each rule of the grammar makes: definitions and statements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from archlang import tree
from archlang.automaton import Token
from archlang.builder import ExpressionBuilder
from archlang.literals import unquote
from archlang.published import mistakes_in
from archlang.record import Record
from archlang.source import Source, Span

__all__ = ["Builder"]

_Parts = list[Any]


class _Named(Record):
    """The head `p3 =` of an output."""

    name: str


class _Within(Record):
    """The tail `within 1%` of a claim."""

    percentage: tree.Number


class _Training(Record):
    """The words `when training` of a claim."""


class Builder(ExpressionBuilder):
    """Makes every node of a file.

    Args:
        source: the text that is read.
        documentation: the `##` text that ends directly above a line, by the number of that line.
    """

    def __init__(self, source: Source, documentation: Mapping[int, str]) -> None:
        super().__init__(source)
        self.documentation = documentation

    def documented(self, start: int) -> str | None:
        """The documentation of what starts here."""
        if not self.documentation:
            return None
        position = self.source_text.position(start)
        before = self.source_text.lines[position.line - 1][: position.column - 1]
        return None if before.strip() else self.documentation.get(position.line)

    # --- files -----------------------------------------------------------------------------------

    def file(self, parts: _Parts, start: int, end: int) -> tree.File:
        """A list of definitions."""
        return tree.File(self.source_text, tuple(parts))

    def bare_chain(self, parts: _Parts, start: int, end: int) -> tree.File:
        """A net without a name."""
        return tree.File(self.source_text, chain=parts[0], documentation=self.documented(start))

    def import_names(self, parts: _Parts, start: int, end: int) -> tree.Import:
        """`from "blocks.arch" import SE, Bottleneck as B`."""
        path, *names = parts
        text = tree.Text(self.span(path.start, path.end), unquote(path.text))
        return tree.Import(self.span(start, end), text, tuple(names))

    def imported(self, parts: _Parts, start: int, end: int) -> tree.ImportedName:
        """`SE as Gate`."""
        name, *alias = parts
        other = self.word(alias[0]) if alias else None
        return tree.ImportedName(self.span(start, end), self.word(name), other)

    def default(self, parts: _Parts, start: int, end: int) -> tree.Default:
        """`default CONV(bias=no)`."""
        operator, *arguments = parts
        return tree.Default(self.span(start, end), operator, tuple(arguments))

    def dim(self, parts: _Parts, start: int, end: int) -> tree.DimDeclaration:
        """`dim T, H % 32 == 0`."""
        for part in parts:
            if not isinstance(part, tree.Name | tree.Compare):
                self.complain(
                    "dim-declaration",
                    f"`dim` declares names and comparisons, not `{part.span.text}`",
                    part.span.start,
                    part.span.end,
                    "write `dim T`, or what holds of it: `dim T % 32 == 0`",
                )
        kept = tuple(part for part in parts if isinstance(part, tree.Name | tree.Compare))
        return tree.DimDeclaration(self.span(start, end), kept)

    def constant(self, parts: _Parts, start: int, end: int) -> tree.Constant:
        """`growth = 32`."""
        name, value = parts
        return tree.Constant(self.span(start, end), self.word(name), value, self.documented(start))

    def let(self, parts: _Parts, start: int, end: int) -> tree.Let:
        """`let round8(v) = ...`."""
        name, *parameters, value = parts
        documentation = self.documented(start)
        word = self.word(name)
        return tree.Let(self.span(start, end), word, tuple(parameters), value, documentation)

    def block(self, parts: _Parts, start: int, end: int) -> tree.Block:
        """A block, cell or net."""
        kind, name, *parameters, body = parts
        return tree.Block(
            self.span(start, end),
            kind.text,
            self.word(name),
            parameters[0] if parameters else None,
            body,
            self.documented(start),
            self.span(name.start, name.end),
        )

    # --- parameters ------------------------------------------------------------------------------

    def parameters(self, parts: _Parts, start: int, end: int) -> tuple[tree.Parameter, ...]:
        """`(c, s=1)`."""
        return tuple(parts)

    def parameter(self, parts: _Parts, start: int, end: int) -> tree.Parameter:
        """`c`."""
        return tree.Parameter(self.span(start, end), self.word(parts[0]))

    def parameter_default(self, parts: _Parts, start: int, end: int) -> tree.Parameter:
        """`s=1`."""
        return tree.Parameter(self.span(start, end), self.word(parts[0]), default=parts[1])

    def parameter_domain(self, parts: _Parts, start: int, end: int) -> tree.Parameter:
        """`N in 1..3`."""
        return tree.Parameter(self.span(start, end), self.word(parts[0]), parts[1])

    def parameter_both(self, parts: _Parts, start: int, end: int) -> tree.Parameter:
        """`width in [32, 64] = 32`."""
        name, domain, default = parts
        return tree.Parameter(self.span(start, end), self.word(name), domain, default)

    # --- statements ------------------------------------------------------------------------------

    def body(self, parts: _Parts, start: int, end: int) -> tree.Body:
        """`{ statements }`."""
        statements: list[tree.Statement] = []
        for part in parts:
            if isinstance(part, tuple):
                statements.extend(part)
            else:
                statements.append(part)
        return tree.Body(self.span(start, end), tuple(statements))

    def assign(self, parts: _Parts, start: int, end: int) -> tree.Assign:
        """`a, b = ...`."""
        *targets, value = parts
        return tree.Assign(self.span(start, end), tuple(targets), value)

    def assign_when(self, parts: _Parts, start: int, end: int) -> tree.Assign:
        """`prev = a when training else b`."""
        *targets, then, otherwise = parts
        value = tree.When(then.span.to(otherwise.span), then, otherwise)
        return tree.Assign(self.span(start, end), tuple(targets), value)

    def bundle(self, parts: _Parts, start: int, end: int) -> tree.Expr:
        """`a, b`, or what stands alone."""
        if len(parts) == 1:
            return cast(tree.Expr, parts[0])
        return tree.Bundle(self.span(start, end), tuple(parts))

    def inputs(self, parts: _Parts, start: int, end: int) -> tree.In:
        """`in q, k, v`."""
        return tree.In(self.span(start, end), tuple(parts))

    def input(self, parts: _Parts, start: int, end: int) -> tree.Input:
        """`src = TOKENS(S, vocab)`."""
        name, *value = parts
        return tree.Input(self.span(start, end), self.word(name), value[0] if value else None)

    def out(self, parts: _Parts, start: int, end: int) -> tree.Out:
        """`out p3 = ..., p4 = ...`."""
        return tree.Out(self.span(start, end), tuple(parts))

    def named(self, parts: _Parts, start: int, end: int) -> _Named:
        """`p3 =`."""
        return _Named(self.word(parts[0]))

    def output(self, parts: _Parts, start: int, end: int) -> tree.Output:
        """An output at all times."""
        return self._output(parts, self.span(start, end), training=False)

    def output_training(self, parts: _Parts, start: int, end: int) -> tree.Output:
        """An output `when training`."""
        return self._output(parts, self.span(start, end), training=True)

    def output_when(self, parts: _Parts, start: int, end: int) -> tree.Output:
        """An output that is something else in training."""
        *head, then, otherwise = parts
        value = tree.When(then.span.to(otherwise.span), then, otherwise)
        return self._output([*head, value], self.span(start, end), training=False)

    def _output(self, parts: _Parts, span: Span, *, training: bool) -> tree.Output:
        *head, value = parts
        return tree.Output(span, value, head[0].name if head else None, training)

    def share(self, parts: _Parts, start: int, end: int) -> tree.Share:
        """`share table = EMBED(d)`."""
        return tree.Share(self.span(start, end), self.word(parts[0]), parts[1])

    def param(self, parts: _Parts, start: int, end: int) -> tuple[tree.Param, ...]:
        """`param pi, pf, po = (n)`: one statement for each name, with the same span."""
        *names, shape = parts
        span = self.span(start, end)
        return tuple(tree.Param(span, self.word(name), shape) for name in names)

    def param_init(self, parts: _Parts, start: int, end: int) -> tuple[tree.Param, ...]:
        """`param cls = (1, d) init normal(0.02)`."""
        *names, shape, initial = parts
        span = self.span(start, end)
        return tuple(tree.Param(span, self.word(name), shape, initial) for name in names)

    # --- claims ----------------------------------------------------------------------------------

    def expect(self, parts: _Parts, start: int, end: int) -> tree.Expect:
        """`expect macs when training <= 600M within 1%`."""
        within = next((part.percentage for part in parts if isinstance(part, _Within)), None)
        training = any(isinstance(part, _Training) for part in parts)
        relation = next(part for part in parts if isinstance(part, Token))
        subject = parts[0]
        value = parts[parts.index(relation) + 1]
        if relation.text in ("==", "!="):
            self.complain(
                "claim-relation",
                f"a claim says `=`, `<=`, `>=`, `<` or `>`, not `{relation.text}`",
                relation.start,
                relation.end,
                f"write `expect {subject.span.text} = {value.span.text}`",
            )
        sign = cast(Any, "=" if relation.text in ("==", "!=") else relation.text)
        return tree.Expect(self.span(start, end), subject, training, sign, value, within)

    def training(self, parts: _Parts, start: int, end: int) -> _Training:
        """`when training`."""
        return _Training()

    def within(self, parts: _Parts, start: int, end: int) -> _Within:
        """`within 1%`."""
        token = parts[0]
        return _Within(self.number([token], token.start, token.end))

    def require(self, parts: _Parts, start: int, end: int) -> tree.Require:
        """`require params <= 5M and macs <= 600M`."""
        return tree.Require(self.span(start, end), parts[0])

    # --- what others printed --------------------------------------------------------------------

    def published(self, parts: _Parts, start: int, end: int) -> tree.Published:
        """`published year = 2015, top1 = 76.1%`."""
        for message, help, fact in mistakes_in(parts):
            self.complain("published-fact", message, fact.span.start, fact.span.end, help)
        return tree.Published(self.span(start, end), tuple(parts))

    def fact(self, parts: _Parts, start: int, end: int) -> tree.Fact:
        """`year = 2015` or `source = "..."`."""
        name, token = parts[:2]
        make = self.number if token.type == "NUMBER" else self.text
        value = make([token], token.start, token.end)
        return tree.Fact(self.span(start, end), self.word(name), value)

    def percent_fact(self, parts: _Parts, start: int, end: int) -> tree.Fact:
        """`top1 = 76.1%`."""
        return self.fact(parts, start, end).replace(percent=True)
