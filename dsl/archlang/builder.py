"""What each rule of the grammar makes: the nodes of expressions.

A method is called like its rule, with the rule's parts and the offsets of the text that they cover.
"""

from __future__ import annotations

from typing import Any, cast

from archlang import tree
from archlang.automaton import Token
from archlang.combining import combine
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.literals import read_name, read_number, unquote
from archlang.operators import As, Claim, IfElse, IfThen
from archlang.source import Source, Span

__all__ = ["ExpressionBuilder"]

_FOREIGN_NAMES = {"True": "yes", "False": "no", "None": "NONE", "true": "yes", "false": "no"}
_Parts = list[Any]


class ExpressionBuilder:
    """Makes the nodes of expressions, and collects what is wrong with their words.

    Args:
        source: the text that is read.
    """

    def __init__(self, source: Source) -> None:
        self.source_text = source
        self.diagnostics = Diagnostics()

    def span(self, start: int, end: int) -> Span:
        """A place in the text."""
        return Span(self.source_text, start, end)

    def complain(self, code: str, message: str, start: int, end: int, help: str | None) -> None:
        """Collect a diagnostic about one place."""
        label = Label(self.span(start, end))
        self.diagnostics.add(Diagnostic(code, message, (label,), help=help))

    def word(self, token: Token) -> str:
        """The name that a token is, composed; complains about what is no identifier."""
        name = read_name(token.text)
        if name is not None:
            return name
        self.complain(
            "invalid-name",
            f"`{token.text}` is not a name",
            token.start,
            token.end,
            "a name is letters, digits and `_`, and does not start with a digit",
        )
        return token.text

    # --- rows of operators -----------------------------------------------------------------------

    def stream(self, parts: _Parts, start: int, end: int) -> tree.Expr:
        """A row of operands, operators and suffixes."""
        return combine(parts, self.diagnostics)

    condition = sum = stream

    def argument_chain(self, parts: _Parts, start: int, end: int) -> tree.Expr:
        """`CONV(3) -> BN` as an argument."""
        head = parts[0]
        if isinstance(head, tree.Binary | tree.Compare | tree.Unary | tree.Conditional):
            self.complain(
                "stream-in-argument",
                "stream arithmetic stands in braces where it is an argument",
                start,
                end,
                f"write `{{ {self.span(start, end).text} }}`",
            )
        return combine(parts, self.diagnostics)

    def ternary(self, parts: _Parts, start: int, end: int) -> tree.Conditional:
        """`a if p else b` among values."""
        then, condition, otherwise = parts
        return tree.Conditional(self.span(start, end), then, condition, otherwise)

    def when(self, parts: _Parts, start: int, end: int) -> tree.When:
        """`a when training else b`."""
        then, otherwise = parts
        return tree.When(self.span(start, end), then, otherwise)

    def as_name(self, parts: _Parts, start: int, end: int) -> As:
        """`as stem`."""
        [token] = parts
        return As(self.word(token), self.span(token.start, token.end))

    def claim(self, parts: _Parts, start: int, end: int) -> Claim:
        """`:: (64, 112, 112)`."""
        return Claim(parts[0])

    def if_then(self, parts: _Parts, start: int, end: int) -> IfThen:
        """`if p`."""
        return IfThen(parts[0], self.span(start, end))

    def if_else(self, parts: _Parts, start: int, end: int) -> IfElse:
        """`if p else`."""
        return IfElse(parts[0], self.span(start, end))

    # --- operands --------------------------------------------------------------------------------

    def number(self, parts: _Parts, start: int, end: int) -> tree.Number:
        """`64`, `0.5`, `4.09B`."""
        text = parts[0].text
        value = read_number(text)
        if value is None:
            shown = text if len(text) <= 24 else f"{text[:20]}..."
            self.complain(
                "number-too-large",
                f"`{shown}` is out of range: a whole number stays below 2**63",
                start,
                end,
                None,
            )
        return tree.Number(self.span(start, end), 0 if value is None else value, text)

    def text(self, parts: _Parts, start: int, end: int) -> tree.Text:
        """`"max"`."""
        return tree.Text(self.span(start, end), unquote(parts[0].text))

    def boolean(self, parts: _Parts, start: int, end: int) -> tree.Boolean:
        """`yes` or `no`."""
        return tree.Boolean(self.span(start, end), parts[0].type == "YES")

    def name(self, parts: _Parts, start: int, end: int) -> tree.Name:
        """A name; what other languages call yes, no and NONE is told at once."""
        name = self.word(parts[0])
        if name in _FOREIGN_NAMES:
            here = _FOREIGN_NAMES[name]
            self.complain(
                "foreign-spelling", f"`{name}` is spelt `{here}`", start, end, f"write `{here}`"
            )
        return tree.Name(self.span(start, end), name)

    def paren(self, parts: _Parts, start: int, end: int) -> tree.Paren:
        """`(e)`."""
        return tree.Paren(self.span(start, end), parts[0])

    def tuple(self, parts: _Parts, start: int, end: int) -> tree.Tuple:
        """`(h, w)`."""
        return tree.Tuple(self.span(start, end), tuple(parts))

    def group(self, parts: _Parts, start: int, end: int) -> tree.Group:
        """`[ ... ]`."""
        items, clauses = _split_clauses(parts)
        return tree.Group(self.span(start, end), items, clauses)

    def fork(self, parts: _Parts, start: int, end: int) -> tree.Fork:
        """`{ ... }`."""
        items, clauses = _split_clauses(parts)
        return tree.Fork(self.span(start, end), items, clauses)

    def for_clause(self, parts: _Parts, start: int, end: int) -> tree.For:
        """`for pattern in iterable if condition`."""
        pattern, iterable, *rest = parts
        condition = rest[0] if rest else None
        return tree.For(self.span(start, end), pattern, iterable, condition)

    def pattern(self, parts: _Parts, start: int, end: int) -> tree.Pattern:
        """`i, (e, k)`."""
        if len(parts) == 1:
            return cast(tree.Pattern, parts[0])
        return tree.TuplePattern(self.span(start, end), tuple(parts))

    def optional(self, parts: _Parts, start: int, end: int) -> tree.Optional:
        """`MAXPOOL(2)?`."""
        return tree.Optional(self.span(start, end), parts[0])

    def repeat(self, parts: _Parts, start: int, end: int) -> tree.Repeat:
        """`[ ... ]*n`."""
        body, _, count = parts
        return tree.Repeat(self.span(start, end), body, count)

    def call(self, parts: _Parts, start: int, end: int) -> tree.Call:
        """`CONV(64, 7, stride=2)`."""
        function, *arguments = parts
        return tree.Call(self.span(start, end), function, tuple(arguments))

    def argument(self, parts: _Parts, start: int, end: int) -> tree.Argument:
        """An argument by position."""
        return tree.Argument(self.span(start, end), parts[0])

    def named_argument(self, parts: _Parts, start: int, end: int) -> tree.Argument:
        """An argument by name."""
        token, value = parts
        return tree.Argument(self.span(start, end), value, self.word(token))

    def range(self, parts: _Parts, start: int, end: int) -> tree.Range:
        """`1..3`."""
        first, last = parts
        return tree.Range(self.span(start, end), first, last)

    def index(self, parts: _Parts, start: int, end: int) -> tree.Index:
        """`g[1:]`."""
        value, _, subscript = parts
        return tree.Index(self.span(start, end), value, subscript)

    def slice(self, parts: _Parts, start: int, end: int) -> tree.Slice:
        """`a:b:c`."""
        places: list[tree.Expr | None] = [None]
        for part in parts:
            if not isinstance(part, Token):
                places[-1] = part
                continue
            places.extend([None] * len(part.text))
        first, stop, step = (*places, None)[:3]
        return tree.Slice(self.span(start, end), first, stop, step)

    def attribute(self, parts: _Parts, start: int, end: int) -> tree.Attribute:
        """`x.c`."""
        value, token = parts
        return tree.Attribute(self.span(start, end), value, self.word(token))

    def transpose(self, parts: _Parts, start: int, end: int) -> tree.Transpose:
        """`k'`."""
        return tree.Transpose(self.span(start, end), parts[0])


def _split_clauses(parts: _Parts) -> tuple[tuple[tree.Expr, ...], tuple[tree.For, ...]]:
    items = tuple(part for part in parts if not isinstance(part, tree.For))
    return items, tuple(part for part in parts if isinstance(part, tree.For))
