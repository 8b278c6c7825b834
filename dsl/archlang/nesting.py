"""A bound on how deep a tree can get, checked on the tokens before there is a tree.

Passes over trees are recursive, so that the depth of what they get must be bounded. A tree is as deep as
its brackets and, between two brackets, as the operators that nest in one another; a chain, however long,
is flat.
"""

from __future__ import annotations

from collections.abc import Sequence

from archlang.automaton import Token
from archlang.diagnostics import Diagnostic, Label
from archlang.source import Source, Span

__all__ = ["DEEPEST", "too_deep"]

DEEPEST = 200
"""How deep expressions may nest: a bracket counts 2, an operator 1."""

_OPENING = frozenset({"LPAR", "LSQB", "INDEX", "LBRACE"})
_CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})
_DEEPENING = frozenset(
    {"POWER", "AT", "STAR", "SLASH", "PERCENT", "PLUS", "MINUS", "BAR", "COMPARE", "AND", "OR", "NOT"}
    | {"IF", "AS", "DOUBLE_COLON", "QMARK", "QUOTE", "DOT", "REPEAT", *_OPENING}
)
_RESTARTING = frozenset(
    {"COMMA", "EQUALS", "FOR", "BLOCK", "CELL", "NET", "LET", "DIM", "DEFAULT", "FROM"}
    | {"IN", "OUT", "SHARE", "PARAM", "EXPECT", "REQUIRE"}
)


def too_deep(tokens: Sequence[Token], source: Source) -> Diagnostic | None:
    """Say where expressions nest too deeply, if they do."""
    levels = [0]
    depth = 0
    for token in tokens:
        kind = token.type
        if kind in _DEEPENING:
            levels[-1] += 1
            depth += 1
        if kind in _OPENING:
            levels.append(1)
            depth += 1
        elif (kind in _CLOSING and len(levels) > 1):
            depth -= levels.pop()
        elif kind in _RESTARTING:
            depth -= levels[-1]
            levels[-1] = 0
        if depth > DEEPEST:
            return _diagnostic(Span(source, token.start, token.end))
    return None


def _diagnostic(span: Span) -> Diagnostic:
    return Diagnostic(
        "nested-too-deeply",
        f"expressions nest more than {DEEPEST} deep here, counting a bracket as 2 and an operator as 1",
        (Label(span),),
        help="give the inner part a name: `block Inner = ...`",
    )
