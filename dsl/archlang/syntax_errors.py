"""Syntax errors in English: what stands there, what was expected, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence

from archlang.automaton import END, Tables, Token, acceptable
from archlang.diagnostics import Diagnostic, Label
from archlang.record import Record
from archlang.source import Source, Span

__all__ = ["INFIX", "OPERAND_END", "OPERAND_START", "Site", "explain"]

INFIX = frozenset(
    {"ARROW", "POWER", "AT", "STAR", "REPEAT", "SLASH", "PERCENT", "PLUS", "MINUS", "BAR"}
    | {"COMPARE", "AND", "OR"}
)
OPERAND_START = frozenset({"NAME", "NUMBER", "STRING", "YES", "NO", "LSQB", "INDEX", "LBRACE"})
OPERAND_END = frozenset(
    {"NAME", "NUMBER", "STRING", "YES", "NO", "RPAR", "RSQB", "RBRACE", "QUOTE", "QMARK"}
)
_SIGNS = {
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "RSQB": "`]`",
    "INDEX": "`[`",
    "COMMA": "`,`",
    "EQUALS": "`=`",
    "COLON": "`:`",
    "DOTS": "`..`",
    "PERCENT": "`%`",
    END: "the end",
}
_MOST_EXPECTED = 4


class Site(Record):
    """The place of a syntax error, with what surrounds it.

    Args:
        source: the text.
        tokens: all its tokens.
        place: that of the guilty token; `stop` when the tokens ended too soon.
        start: the place of the first token of the definition or statement.
        stop: the place behind its last token.
        expected: the terminals that could stand there.
        keywords: the terminals that are words of the language.
        symbol: what is read: a file, a definition, a statement or an argument.
    """

    source: Source
    tokens: Sequence[Token]
    place: int
    start: int
    stop: int
    expected: frozenset[str]
    keywords: frozenset[str]
    symbol: str

    @classmethod
    def of(
        cls,
        source: Source,
        tables: Tables,
        tokens: Sequence[Token],
        piece: tuple[int, int, str],
        place: int,
    ) -> Site:
        """The site of an error in a piece of the tokens: its start, stop and start symbol."""
        words = frozenset(tables.keywords.values())
        terminals = (*dict(tables.terminals), *sorted(words), "INDEX", "REPEAT", END)
        start, stop, symbol = piece
        expected = acceptable(tables, tokens[start:place], symbol, terminals)
        return cls(source, tokens, place, start, stop, expected, words, symbol)

    @property
    def token(self) -> Token | None:
        """The guilty token; None when the tokens ended too soon."""
        return self.at(0)

    @property
    def before(self) -> Token | None:
        """The token before it."""
        return self.at(-1)

    def at(self, distance: int) -> Token | None:
        """A token near the guilty one, inside the piece."""
        place = self.place + distance
        return self.tokens[place] if self.start <= place < self.stop else None

    def kind(self, distance: int) -> str:
        """What the token at that distance is; the end's name outside of the piece."""
        token = self.at(distance)
        return END if token is None else token.type

    def span(self, distance: int = 0) -> Span:
        """Where the token at that distance stands; the end of the piece behind it."""
        token = self.at(distance)
        if token is not None:
            return Span(self.source, token.start, token.end)
        last = self.tokens[self.stop - 1].end if self.stop > self.start else 0
        return Span(self.source, last, last)

    def text(self, first: int, last: int) -> str:
        """The text from one token to another, by their distances."""
        return self.span(first).to(self.span(last)).text

    @property
    def opener(self) -> int | None:
        """The distance of the innermost bracket that is open here."""
        depth = 0
        for place in range(self.place - 1, self.start - 1, -1):
            text = self.tokens[place].text
            if text in (")", "]", "}"):
                depth += 1
            elif text in ("(", "[", "{"):
                if depth == 0:
                    return place - self.place
                depth -= 1
        return None

    @property
    def first_on_line(self) -> bool:
        """Whether nothing stands before the guilty token on its line."""
        start = self.span().start
        column = self.source.position(start).column
        return not self.source.text[start - column + 1 : start].strip()

    @property
    def in_call(self) -> bool:
        """Whether the innermost open bracket holds the arguments of a call."""
        opener = self.opener
        if opener is None or self.kind(opener) != "LPAR":
            return False
        return self.kind(opener - 1) in ("NAME", "RPAR", "RSQB")

    def say(self, code: str, message: str, help: str | None, distance: int = 0) -> Diagnostic:
        """A diagnostic about the token at that distance."""
        return Diagnostic(code, message, (Label(self.span(distance)),), help=help)


def explain(site: Site) -> Diagnostic:
    """Say in English why the tokens of a site cannot be read."""
    from archlang.mistakes import MISTAKES

    for mistake in MISTAKES:
        found = mistake(site)
        if found is not None:
            return found
    return _unexpected(site)


def _unexpected(site: Site) -> Diagnostic:
    token = site.token
    words = expected_words(site)
    if token is None:
        where = Label(site.span(-1), "the last thing that was read")
        message = f"this ends too soon: expected {words}"
        return Diagnostic("unexpected-end", message, (where,), help=None)
    labels = [Label(site.span())]
    opener = site.opener
    if opener is not None and site.span(opener).position.line != site.span().position.line:
        labels.append(Label(site.span(opener), "inside this"))
    message = f"`{token.text[:40]}` cannot stand here: expected {words}"
    return Diagnostic("unexpected-token", message, tuple(labels), help=None)


def expected_words(site: Site) -> str:
    """What could stand at a site, in words."""
    expected = site.expected
    words: list[str] = []
    if "NUMBER" in expected and "LBRACE" in expected:
        words.append("a value or step")
    elif "NAME" in expected:
        words.append("a name")
    elif "NUMBER" in expected:
        words.append("a number")
    if "STRING" in expected and "NUMBER" not in expected:
        words.append("a string in double quotes")
    if "PLUS" in expected:
        words.append("`->` or another operator" if "ARROW" in expected else "an operator")
    elif "ARROW" in expected:
        words.append("`->`")
    words.extend(
        text for kind, text in _SIGNS.items() if kind in expected and _counts(kind, expected)
    )
    keywords = site.keywords - {"YES", "NO", "NOT", "AND", "OR", "IF", "AS", "FOR"}
    words.extend(f"`{kind.lower()}`" for kind in sorted(expected & keywords))
    if len(words) > _MOST_EXPECTED:
        words = [*words[: _MOST_EXPECTED - 1], "something else"]
    *first, last = words or ["nothing more"]
    return f"{', '.join(first)} or {last}" if first else last


def _counts(kind: str, expected: frozenset[str]) -> bool:
    # Where any expression may start, its brackets need no mention; nor does a call behind a name.
    if kind in ("LPAR", "LBRACE") and "NUMBER" in expected:
        return False
    return not (kind in ("LPAR", "INDEX", "PERCENT") and "PLUS" in expected)
