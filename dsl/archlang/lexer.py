"""Text -> tokens and comments, by the terminals of the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from archlang.automaton import Tables, Token

__all__ = ["GROUP_OPEN", "UNKNOWN", "lex", "tell_brackets"]

UNKNOWN = "UNKNOWN"
GROUP_OPEN = "LSQB"
_BEFORE_INDEX = frozenset({"NAME", "RPAR", "RSQB", "RBRACE", "QUOTE", "STRING"})


def lex(
    text: str, tables: Tables, extra: tuple[tuple[str, str], ...] = ()
) -> tuple[list[Token], list[Token]]:
    """Cut a text into tokens.

    A character that starts no token becomes an UNKNOWN token, which no rule of the grammar takes.

    Args:
        text: what to read.
        tables: the grammar.
        extra: more terminals, tried before those of the grammar.

    Returns:
        the tokens, and the comments.
    """
    found: list[Token] = []
    comments: list[Token] = []
    keywords, ignored = tables.keywords, tables.ignored
    for match in _pattern(tables.terminals, extra).finditer(text):
        kind = match.lastgroup or UNKNOWN
        if kind in ignored:
            if kind == "COMMENT":
                comments.append(Token(kind, match[0], match.start(), match.end()))
            continue
        word = match[0]
        found.append(Token(keywords.get(word, kind), word, match.start(), match.end()))
    tell_brackets(found)
    return found, comments


@lru_cache(maxsize=2)
def _pattern(
    terminals: tuple[tuple[str, str], ...], extra: tuple[tuple[str, str], ...]
) -> re.Pattern[str]:
    every = (*extra, *terminals, (UNKNOWN, "(?s:.)"))
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in every))


def tell_brackets(tokens: Iterable[Token]) -> None:
    """Name the `[` that opens an index INDEX, and the `*` that repeats a group REPEAT."""
    before = ""
    opened: list[str] = []
    closed_group = False
    for token in tokens:
        kind = token.type
        if kind == "LSQB" and before in _BEFORE_INDEX:
            kind = token.type = "INDEX"
        elif kind == "STAR" and closed_group:
            kind = token.type = "REPEAT"
        closed_group = False
        if kind == "LSQB" or kind == "INDEX":
            opened.append(kind)
        elif kind == "RSQB":
            closed_group = bool(opened) and opened.pop() == "LSQB"
        before = kind
