"""A bound on how deep a tree can get, checked on the tokens before there is a tree.

Passes over trees are recursive, so that the depth of what they get must be bounded. A tree is as
deep as its brackets and, between two brackets, as the operators that nest in one another; a chain,
however long, is flat.
"""

from __future__ import annotations

from collections.abc import Sequence

from archlang.automaton import Token
from archlang.diagnostics import Diagnostic, Label
from archlang.source import Source, Span

__all__ = ["DEEPEST", "DEFINITION_WORDS", "too_deep"]

DEEPEST = 128
"""How deep expressions may nest: a bracket counts 2, an operator 1."""

DEFINITION_WORDS = frozenset({"FROM", "DEFAULT", "DIM", "LET", "BLOCK", "CELL", "NET"})
"""Words that only a definition starts with; a bracket that is open before one was never closed."""

_OPENING = frozenset({"LPAR", "LSQB", "INDEX", "LBRACE"})
_CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})
_OPERATORS = frozenset(
    {
        "POWER",
        "AT",
        "STAR",
        "SLASH",
        "PERCENT",
        "PLUS",
        "MINUS",
        "BAR",
        "COMPARE",
        "AND",
        "OR",
        "NOT",
    }
    | {"ELSE"}
)
_SUFFIXES = frozenset({"IF", "AS", "DOUBLE_COLON", "QMARK", "QUOTE", "DOT", "REPEAT", *_OPENING})
_RESTARTING = frozenset(
    {"COMMA", "EQUALS", "FOR", "IN", "OUT", "SHARE", "PARAM", "EXPECT", "REQUIRE", "PUBLISHED"}
)


def too_deep(tokens: Sequence[Token], source: Source) -> Diagnostic | None:
    """Say where expressions nest too deeply, if they do."""
    outer: list[int] = []
    operators = suffixes = depth = 0
    for token in tokens:
        kind = token.type
        if kind in _SUFFIXES:
            suffixes += 1
        elif kind in _OPERATORS:
            operators, suffixes = operators + 1, 0
        elif kind == "ARROW":
            suffixes = 0
        elif kind in _RESTARTING:
            operators = suffixes = 0
        elif kind in DEFINITION_WORDS:
            outer, depth, operators, suffixes = [], 0, 0, 0
        if kind in _OPENING:
            outer.extend((operators, suffixes))
            depth += operators + suffixes + 1
            operators = suffixes = 0
        elif kind in _CLOSING and outer:
            suffixes, operators = outer.pop(), outer.pop()
            depth -= operators + suffixes + 1
        if depth + operators + suffixes > DEEPEST:
            return _diagnostic(Span(source, token.start, token.end))
    return None


def _diagnostic(span: Span) -> Diagnostic:
    return Diagnostic(
        "nested-too-deeply",
        f"expressions nest more than {DEEPEST} deep here: a bracket counts 2, an operator 1",
        (Label(span),),
        help="give the inner part a name: `block Inner = ...`",
    )
