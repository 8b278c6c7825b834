"""Reading a file that has mistakes: every definition that is right, a word about each that is not.

The text is cut where a definition must start, and the parts are read one by one; a body that is
wrong is cut again where its statements start. So one mistake gives one message, and hides no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archlang import tree
from archlang.automaton import SyntaxFailure, Tables, Token
from archlang.brackets import CLOSING, MOST_DIAGNOSTICS, Brackets, match_brackets
from archlang.cutting import NAMED, Cutter, Piece
from archlang.definition_builder import Builder
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.foreign import lex_foreign
from archlang.nesting import DEFINITION_WORDS, too_deep
from archlang.parser import read
from archlang.source import Source
from archlang.syntax_errors import Site, explain

__all__ = ["explain_value", "recover"]


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


class _Recovery:
    def __init__(
        self, source: Source, tables: Tables, tokens: list[Token], builder: Builder
    ) -> None:
        self.source = source
        self.tables = tables
        self.tokens = tokens
        self.cutter = Cutter(source, tokens)
        self.builder = builder
        self.found = Diagnostics()
        self.definitions: list[tree.Definition] = []
        self.chain: tree.Expr | None = None
        self.documentation: str | None = None
        self.broken: list[str] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Collect a diagnostic, unless there are enough."""
        if not self.is_full:
            self.found.add(diagnostic)

    @property
    def is_full(self) -> bool:
        """Whether there are enough diagnostics."""
        return len(self.found.all) >= MOST_DIAGNOSTICS

    def file(self) -> None:
        """Read every part of the file."""
        deep = too_deep(self.tokens, self.source)
        if deep is not None:
            self.add(deep)
            return
        pieces = self.cutter.definitions()
        for number, piece in enumerate(pieces):
            if self.is_full:
                break
            if number == 0 and self.is_chain(piece):
                self.read_chain(piece, alone=len(pieces) == 1)
            else:
                self.read_definition(piece)
        self.found.extend(self.builder.diagnostics.all)

    def is_chain(self, piece: Piece) -> bool:
        """Whether the first piece is a bare chain."""
        kind = self.tokens[piece.start].type
        if kind in DEFINITION_WORDS or kind in ("EXPECT", "REQUIRE", "PUBLISHED"):
            return False
        following = self.tokens[piece.start + 1 : piece.start + 2]
        return not (kind == "NAME" and following and following[0].type == "EQUALS")

    def read_chain(self, piece: Piece, *, alone: bool) -> None:
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

    def read_definition(self, piece: Piece) -> None:
        """Read a definition; say what is wrong with it, and with its statements."""
        definition = self.read_piece(piece, "definition")
        if definition is not None:
            self.definitions.append(definition)
            return
        kind = self.tokens[piece.start].type
        place = piece.start + (kind in NAMED)
        if place < piece.stop and self.tokens[place].type == "NAME":
            self.broken.append(self.tokens[place].text)

    def read_piece(self, piece: Piece, start: str) -> Any:
        """Read a piece as a start symbol; None after saying what is wrong with it."""
        brackets = [
            d for place, d in piece.brackets.diagnostics if piece.start <= place < piece.stop
        ]
        for diagnostic in brackets:
            self.add(diagnostic)
        failure = self.attempt(piece.start, piece.stop, start, piece.brackets)
        if not isinstance(failure, SyntaxFailure):
            return failure
        statements = self.cutter.statements(piece) or []
        before = len(self.found.all)
        self.read_statements(piece, statements)
        in_head = bool(statements) and failure.index < statements[0][0]
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

    def read_statements(self, piece: Piece, statements: Sequence[tuple[int, int]]) -> None:
        """Read the statements of a body one by one, to say what is wrong with each."""
        brackets = piece.brackets
        wrong = brackets.lost | {place for place, _ in brackets.diagnostics}
        for first, last in statements:
            if self.is_full:
                break
            if first == last or any(first <= place < last for place in wrong):
                continue
            failure = self.attempt(first, last, "statement", brackets)
            if isinstance(failure, SyntaxFailure):
                self.explain(first, last, "statement", failure)

    def explain(self, start: int, stop: int, symbol: str, failure: SyntaxFailure) -> None:
        """Say what is wrong with a piece."""
        piece = (start, stop, symbol)
        self.add(explain(Site.of(self.source, self.tables, self.tokens, piece, failure.index)))
