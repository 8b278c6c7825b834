"""Reading a file that has mistakes: every definition that is right, a word about each that is not.

The text is cut where a definition must start, and the parts are read one by one; a body that is wrong
is cut again where its statements start. So one mistake gives one message, and hides no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from archlang import tree
from archlang.automaton import SyntaxFailure, Tables, Token
from archlang.brackets import CLOSING, Brackets, match_brackets
from archlang.definition_builder import Builder
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.foreign import MOST_DIAGNOSTICS, lex_foreign
from archlang.nesting import DEFINITION_WORDS, too_deep
from archlang.parser import read
from archlang.record import Record
from archlang.source import Source
from archlang.syntax_errors import Site, explain

__all__ = ["explain_value", "recover"]

_STATEMENT_WORDS = frozenset({"IN", "OUT", "SHARE", "PARAM", "EXPECT", "REQUIRE"})
_BODIED = frozenset({"BLOCK", "CELL", "NET"})
_NAMED = frozenset({"BLOCK", "CELL", "NET", "LET"})
_LONGEST_TARGETS = 40
_OPERAND_ENDS = frozenset(
    {"NAME", "NUMBER", "STRING", "YES", "NO", "RPAR", "RSQB", "RBRACE", "QUOTE", "QMARK"}
    | {"TRAINING", "PERCENT"}
)


def recover(
    source: Source,
    tables: Tables,
    documentation: Mapping[int, str],
    comments: tuple[tree.Comment, ...],
) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    """Read what can be read of a file that does not parse.

    Args:
        source: the text.
        tables: the grammar.
        documentation: the `##` texts by the line below them.
        comments: the comments of the file.

    Returns:
        the file with the definitions that could be read, and all that is wrong, in its order.
    """
    tokens, spelling = lex_foreign(source, tables)
    recovery = _Recovery(source, tables, tokens, Builder(source, documentation))
    for diagnostic in spelling:
        recovery.add(diagnostic)
    if len(spelling) < MOST_DIAGNOSTICS:
        recovery.file()
    ordered = sorted(recovery.found.all, key=lambda d: d.span.start if d.span else 0)
    file = tree.File(
        source,
        tuple(recovery.definitions),
        recovery.chain,
        recovery.documentation,
        comments=comments,
        broken=tuple(recovery.broken),
    )
    return file, tuple(ordered[:MOST_DIAGNOSTICS])


def explain_value(
    source: Source, tables: Tables, tokens: Sequence[Token], failure: SyntaxFailure
) -> tuple[Diagnostic, ...]:
    """Say why a value could not be read."""
    repaired, spelling = lex_foreign(source, tables)
    if spelling:
        return tuple(spelling)
    brackets = match_brackets(repaired, 0, len(repaired), source)
    if brackets.diagnostics:
        return tuple(diagnostic for _, diagnostic in brackets.diagnostics)
    piece = (0, len(tokens), "argument")
    return (explain(Site.of(source, tables, tokens, piece, failure.index)),)


class _Piece(Record):
    """A stretch of tokens that should be one definition.

    Args:
        start: the place of its first token.
        stop: the place behind its last token.
        brackets: the brackets of the stretch that it was cut from.
    """

    start: int
    stop: int
    brackets: Brackets


class _Recovery:
    def __init__(
        self, source: Source, tables: Tables, tokens: list[Token], builder: Builder
    ) -> None:
        self.source = source
        self.tables = tables
        self.tokens = tokens
        self.builder = builder
        self.found = Diagnostics()
        self.definitions: list[tree.Definition] = []
        self.chain: tree.Expr | None = None
        self.documentation: str | None = None
        self.broken: list[str] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Collect a diagnostic, unless there are enough."""
        if len(self.found.all) < MOST_DIAGNOSTICS:
            self.found.add(diagnostic)

    # --- cutting ---------------------------------------------------------------------------------

    def file(self) -> None:
        """Read every part of the file."""
        deep = too_deep(self.tokens, self.source)
        if deep is not None:
            self.add(deep)
            return
        pieces = [piece for start, stop in self.stretches() for piece in self.pieces(start, stop)]
        for number, piece in enumerate(pieces):
            if number == 0 and self.is_chain(piece):
                self.read_chain(piece, alone=len(pieces) == 1)
            else:
                self.read_definition(piece)
        self.found.extend(self.builder.diagnostics.all)

    def stretches(self) -> list[tuple[int, int]]:
        """Cut where a word stands that only a definition starts with."""
        cuts = [i for i, token in enumerate(self.tokens) if token.type in DEFINITION_WORDS]
        places = sorted({0, *cuts, len(self.tokens)})
        return list(pairwise(places))

    def pieces(self, start: int, stop: int) -> list[_Piece]:
        """Cut a stretch before the claims and constants that follow its definition."""
        brackets = match_brackets(self.tokens, start, stop, self.source)
        cuts, depth = [start], 0
        for place in range(start, stop):
            if depth == 0 and place > start and self.starts_piece(place, start):
                cuts.append(place)
            depth += self.step(place, brackets)
        return [
            _Piece(first, last, brackets)
            for first, last in zip(cuts, [*cuts[1:], stop], strict=True)
        ]

    def step(self, place: int, brackets: Brackets) -> int:
        """How much deeper in brackets the next token stands."""
        if place in brackets.lost:
            return 0
        text = self.tokens[place].text
        return 1 if text in "([{" else -1 if text in ")]}" else 0

    def starts_piece(self, place: int, start: int) -> bool:
        """Whether a claim or a constant starts here."""
        if self.tokens[place].type in ("EXPECT", "REQUIRE"):
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
        return before.type not in ("COMMA", "EXPECT") and self.first_on_line(place)

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

    # --- reading ---------------------------------------------------------------------------------

    def is_chain(self, piece: _Piece) -> bool:
        """Whether the first piece is a bare chain."""
        kind = self.tokens[piece.start].type
        if kind in DEFINITION_WORDS or kind in ("EXPECT", "REQUIRE"):
            return False
        following = self.tokens[piece.start + 1 : piece.start + 2]
        return not (kind == "NAME" and following and following[0].type == "EQUALS")

    def read_chain(self, piece: _Piece, *, alone: bool) -> None:
        """Read a bare chain, which has to be the only thing in its file."""
        file = self.read_piece(piece, "file")
        if not isinstance(file, tree.File):
            return
        if alone:
            self.chain, self.documentation = file.chain, file.documentation
        if alone or file.chain is None:
            return
        self.add(
            Diagnostic(
                "chain-beside-definitions",
                "a bare chain is a whole file, and this one has definitions beside it",
                (Label(file.chain.span),),
                help="give it a name: `net Name = ...`",
            )
        )

    def read_definition(self, piece: _Piece) -> None:
        """Read a definition; say what is wrong with it, and with its statements."""
        definition = self.read_piece(piece, "definition")
        if definition is not None:
            self.definitions.append(definition)
            return
        kind = self.tokens[piece.start].type
        place = piece.start + (kind in _NAMED)
        if place < piece.stop and self.tokens[place].type == "NAME":
            self.broken.append(self.tokens[place].text)

    def read_piece(self, piece: _Piece, start: str) -> Any:
        """Read a piece as a start symbol; None after saying what is wrong with it."""
        brackets = [
            d for place, d in piece.brackets.diagnostics if piece.start <= place < piece.stop
        ]
        for diagnostic in brackets:
            self.add(diagnostic)
        failure = self.attempt(piece.start, piece.stop, start, piece.brackets)
        if not isinstance(failure, SyntaxFailure):
            return failure
        body = self.body(piece)
        if body is None:
            if not brackets:
                self.explain(piece.start, piece.stop, start, failure)
            return None
        before = len(self.found.all)
        self.read_statements(piece, *body)
        in_head = failure.index < body[0]
        if in_head or (not brackets and len(self.found.all) == before):
            self.explain(piece.start, piece.stop, start, failure)
        return None

    def attempt(self, start: int, stop: int, symbol: str, brackets: Brackets) -> Any:
        """Read tokens without the brackets that close nothing."""
        kept = [
            place
            for place in range(start, stop)
            if not (place in brackets.lost and self.tokens[place].text in CLOSING)
        ]
        tokens = [self.tokens[place] for place in kept]
        try:
            return read(self.tables, tokens, symbol, self.builder)
        except SyntaxFailure as failure:
            return SyntaxFailure((*kept, stop)[failure.index])

    def body(self, piece: _Piece) -> tuple[int, int] | None:
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

    def read_statements(self, piece: _Piece, start: int, stop: int) -> None:
        """Read the statements of a body one by one, to say what is wrong with each."""
        brackets, cuts, depth = piece.brackets, [start], 0
        wrong = brackets.lost | {place for place, _ in brackets.diagnostics}
        for place in range(start, stop):
            if depth == 0 and place > start and self.starts_statement(place):
                cuts.append(place)
            depth += self.step(place, brackets)
        for first, last in zip(cuts, [*cuts[1:], stop], strict=True):
            if first == last or any(first <= place < last for place in wrong):
                continue
            failure = self.attempt(first, last, "statement", brackets)
            if isinstance(failure, SyntaxFailure):
                self.explain(first, last, "statement", failure)

    def starts_statement(self, place: int) -> bool:
        """Whether a statement starts here."""
        kind = self.tokens[place].type
        return kind in _STATEMENT_WORDS or self.assigns(place)

    def explain(self, start: int, stop: int, symbol: str, failure: SyntaxFailure) -> None:
        """Say what is wrong with a piece."""
        piece = (start, stop, symbol)
        self.add(explain(Site.of(self.source, self.tables, self.tokens, piece, failure.index)))
