"""Where definitions and statements start in a text that does not parse."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archlang.automaton import Token
from archlang.brackets import CLOSING, OPENING, Brackets, match_brackets
from archlang.nesting import DEFINITION_WORDS
from archlang.record import Record
from archlang.source import Source

__all__ = ["NAMED", "Cutter", "Piece"]

NAMED = frozenset({"BLOCK", "CELL", "NET", "LET"})
"""Words that a name follows."""

_STATEMENT_WORDS = frozenset({"IN", "OUT", "SHARE", "PARAM", "EXPECT", "REQUIRE", "PUBLISHED"})
_BODIED = frozenset({"BLOCK", "CELL", "NET"})
_LONGEST_TARGETS = 40
_OPERAND_ENDS = frozenset(
    {"NAME", "NUMBER", "STRING", "YES", "NO", "RPAR", "RSQB", "RBRACE", "QUOTE", "QMARK"}
    | {"TRAINING", "PERCENT"}
)


class Piece(Record):
    """A stretch of tokens that should be one definition.

    Args:
        start: the place of its first token.
        stop: the place behind its last token.
        brackets: the brackets of the stretch that it was cut from.
    """

    start: int
    stop: int
    brackets: Brackets


class Cutter:
    """Cuts the tokens of a text.

    Args:
        source: the text.
        tokens: all its tokens.
    """

    def __init__(self, source: Source, tokens: Sequence[Token]) -> None:
        self.source = source
        self.tokens = tokens

    def definitions(self) -> list[Piece]:
        """Cut a file into its definitions."""
        return [piece for start, stop in self.stretches() for piece in self.pieces(start, stop)]

    def statements(self, piece: Piece) -> list[tuple[int, int]] | None:
        """Cut the body of a definition into its statements; None when it has no body."""
        body = self.body(piece)
        if body is None:
            return None
        start, stop = body
        cuts, depth = [start], 0
        for place in range(start, stop):
            if depth == 0 and place > start and self.starts_statement(place):
                cuts.append(place)
            depth += self.step(place, piece.brackets)
        return list(pairwise([*cuts, stop]))

    def stretches(self) -> list[tuple[int, int]]:
        """Cut where a word stands that only a definition starts with."""
        cuts = [i for i, token in enumerate(self.tokens) if token.type in DEFINITION_WORDS]
        places = sorted({0, *cuts, len(self.tokens)})
        return list(pairwise(places))

    def pieces(self, start: int, stop: int) -> list[Piece]:
        """Cut a stretch before the claims and constants that follow its definition."""
        brackets = match_brackets(self.tokens, start, stop, self.source)
        cuts, depth = [start], 0
        body = self.body(Piece(start, stop, brackets))
        # What follows the brace of a body that is never closed are its statements.
        end = body[0] if body and body[0] - 1 in brackets.lost else stop
        for place in range(start, end):
            if depth == 0 and place > start and self.starts_piece(place, start):
                cuts.append(place)
            depth += self.step(place, brackets)
        return [Piece(first, last, brackets) for first, last in pairwise([*cuts, stop])]

    def step(self, place: int, brackets: Brackets) -> int:
        """How much deeper in brackets the next token stands."""
        if place in brackets.lost:
            return 0
        text = self.tokens[place].text
        return int(text in OPENING) - int(text in CLOSING)

    def starts_piece(self, place: int, start: int) -> bool:
        """Whether a claim or a constant starts here."""
        if self.tokens[place].type in ("EXPECT", "REQUIRE", "PUBLISHED"):
            return True
        head = self.tokens[start].type in DEFINITION_WORDS and place == start + 1
        return not head and self.assigns(place) and self.tokens[place + 1].type == "EQUALS"

    def assigns(self, place: int) -> bool:
        """Whether `name = ...`, `a, b = ...` or `h[t] = ...` starts here."""
        if self.tokens[place].type != "NAME" or not self.reaches_equals(place):
            return False
        before = self.tokens[place - 1]
        if before.type in _OPERAND_ENDS:
            return True
        return before.type not in ("COMMA", "EXPECT", "PUBLISHED") and self.first_on_line(place)

    def reaches_equals(self, place: int) -> bool:
        """Whether only targets stand between here and a `=`."""
        depth = 0
        before = ""
        for token in self.tokens[place : place + _LONGEST_TARGETS]:
            kind = token.type
            if depth == 0 and kind == "EQUALS":
                return True
            if depth == 0 and kind not in ("NAME", "COMMA", "INDEX", "RSQB"):
                return False
            if depth == 0 and kind == "NAME" and before not in ("", "COMMA"):
                return False
            depth += {"INDEX": 1, "RSQB": -1}.get(kind, 0)
            before = kind
        return False

    def first_on_line(self, place: int) -> bool:
        """Whether nothing stands before a token on its line."""
        start = self.tokens[place].start
        column = self.source.position(start).column
        return not self.source.text[start - column + 1 : start].strip()

    def body(self, piece: Piece) -> tuple[int, int] | None:
        """Where the statements of a body start and stop."""
        if self.tokens[piece.start].type not in _BODIED:
            return None
        depth = 0
        for place in range(piece.start, piece.stop):
            token = self.tokens[place]
            if token.type == "EQUALS" and depth == 0:
                return None
            if token.type == "LBRACE" and depth == 0:
                return place + 1, piece.brackets.partners.get(place, piece.stop)
            depth += self.step(place, piece.brackets)
        return None

    def starts_statement(self, place: int) -> bool:
        """Whether a statement starts here."""
        kind = self.tokens[place].type
        return kind in _STATEMENT_WORDS or self.assigns(place)
