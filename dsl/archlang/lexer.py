"""Text -> tokens and comments, by the terminals of the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from archlang.automaton import Tables, Token

__all__ = ["GROUP_OPEN", "UNKNOWN", "lex", "scan", "tell_brackets"]

UNKNOWN = "UNKNOWN"
GROUP_OPEN = "LSQB"
_BEFORE_INDEX = frozenset({"NAME", "RPAR", "RSQB", "RBRACE", "QUOTE", "STRING"})


def lex(text: str, tables: Tables) -> tuple[list[Token], list[Token]]:
    """Cut a text into tokens.

    What starts no token becomes an UNKNOWN token, which no rule of the grammar takes.

    Args:
        text: what to read.
        tables: the grammar.

    Returns:
        the tokens, and the comments.
    """
    found: list[Token] = []
    comments: list[Token] = []
    for token in scan(text, tables):
        (comments if token.type == "COMMENT" else found).append(token)
    tell_brackets(found)
    return found, comments


def scan(text: str, tables: Tables, extra: tuple[tuple[str, str], ...] = ()) -> Iterator[Token]:
    """Yield tokens and comments, brackets not yet told apart.

    Args:
        text: what to read.
        tables: the grammar.
        extra: more terminals, tried before those of the grammar.
    """
    keywords = tables.keywords
    skipped = tables.ignored - {"COMMENT"}
    for match in _pattern(tables.terminals, extra).finditer(text):
        kind = match.lastgroup or UNKNOWN
        if kind in skipped:
            continue
        word = match[0]
        yield Token(keywords.get(word, kind), word, match.start(), match.end())


@lru_cache(maxsize=2)
def _pattern(
    terminals: tuple[tuple[str, str], ...], extra: tuple[tuple[str, str], ...]
) -> re.Pattern[str]:
    # What is unknown is eaten in long pieces, or a long wrong number would be tried at each digit.
    unknown = r'[0-9]\w*|"[^\n]*|(?s:.)'
    every = (*extra, *terminals, (UNKNOWN, unknown))
    return re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in every))


def tell_brackets(tokens: Iterable[Token]) -> None:
    """Name the `[` that opens an index INDEX, and the `*` that repeats a group REPEAT."""
    before = ""
    opened: list[str] = []
    closed_group = False
    for token in tokens:
        text = token.text
        if text == "[":
            token.type = "INDEX" if before in _BEFORE_INDEX else GROUP_OPEN
            opened.append(token.type)
        elif text == "*":
            token.type = "REPEAT" if closed_group else "STAR"
        closed_group = text == "]" and bool(opened) and opened.pop() == GROUP_OPEN
        before = token.type
