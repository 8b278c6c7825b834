"""Text -> tree. Never raises, whatever the text; what is wrong comes back as diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archlang.automaton import SyntaxFailure, Tables, Token, run
from archlang.definition_builder import Builder
from archlang.diagnostics import Diagnostic, Label
from archlang.lexer import lex
from archlang.nesting import too_deep
from archlang.source import Source, Span
from archlang.tables import load
from archlang.tree import Comment, Expr, File

__all__ = ["LARGEST_TEXT", "parse", "parse_value", "read"]

LARGEST_TEXT = 2**18
"""The longest file that is read, in characters."""


def parse(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """Read a file.

    Args:
        source: the text.

    Returns:
        the file with every definition that could be read, and all that is wrong with the rest.
    """
    refused = _refuse(source)
    if refused is not None:
        return File(source), (refused,)
    tables = load()
    tokens, comments = lex(source.text, tables)
    kept = tuple(_comment(source, token) for token in comments)
    if not tokens:
        return File(source, comments=kept), (_empty(source),)
    deep = too_deep(tokens, source)
    if deep is not None:
        return File(source, comments=kept), (deep,)
    builder = Builder(source, documentation_by_line(source, comments))
    try:
        file: File = read(tables, tokens, "file", builder)
    except SyntaxFailure:
        from archlang.recovery import recover

        return recover(source, tables, builder.documentation, kept)
    return file.replace(comments=kept), builder.diagnostics.all


def parse_value(source: Source) -> tuple[Expr | None, tuple[Diagnostic, ...]]:
    """Read one value, such as the right side of `-p layers=[3, 4, 6, 3]`.

    Args:
        source: the text.

    Returns:
        the value if it could be read, and what is wrong with it.
    """
    refused = _refuse(source)
    if refused is not None:
        return None, (refused,)
    tables = load()
    tokens, _ = lex(source.text, tables)
    deep = too_deep(tokens, source) if tokens else _empty(source)
    if deep is not None:
        return None, (deep,)
    builder = Builder(source, {})
    try:
        value: Expr = read(tables, tokens, "argument", builder).value
    except SyntaxFailure as failure:
        from archlang.recovery import explain_value

        return None, explain_value(source, tables, tokens, failure)
    if builder.diagnostics.failed:
        return None, builder.diagnostics.all
    return value, ()


def read(tables: Tables, tokens: Sequence[Token], start: str, builder: Builder) -> Any:
    """Run the automaton with a builder.

    Raises:
        SyntaxFailure: the tokens do not follow the grammar.
    """
    actions = [
        getattr(builder, rule.action) if rule.action not in ("", "*") else None
        for rule in tables.rules
    ]
    return run(tables, tokens, start, actions)


def documentation_by_line(source: Source, comments: Sequence[Token]) -> dict[int, str]:
    """The `##` texts, each under the number of the line below it."""
    found: dict[int, str] = {}
    for comment in comments:
        if not comment.text.startswith("##") or not _own_line(source, comment.start):
            continue
        line = source.position(comment.start).line
        text = comment.text.removeprefix("##").removeprefix(" ").rstrip()
        above = found.pop(line, None)
        found[line + 1] = text if above is None else f"{above}\n{text}"
    return found


def _own_line(source: Source, offset: int) -> bool:
    position = source.position(offset)
    return not source.lines[position.line - 1][: position.column - 1].strip()


def _comment(source: Source, token: Token) -> Comment:
    span = Span(source, token.start, token.end)
    return Comment(token.text, span, _own_line(source, token.start))


def _refuse(source: Source) -> Diagnostic | None:
    if len(source.text) <= LARGEST_TEXT:
        return None
    return Diagnostic(
        "file-too-large",
        f"the file has {len(source.text)} characters, and at most {LARGEST_TEXT} are read",
        (Label(Span(source, 0, 0)),),
        help='split it, and join the parts with `from "part.arch" import Name`',
    )


def _empty(source: Source) -> Diagnostic:
    return Diagnostic(
        "empty-file",
        "there is nothing here but space and comments",
        (Label(Span(source, 0, 0)),),
        help="write a chain: `INPUT(3, 32, 32) -> CONV(64) -> RELU -> GAP -> FC(10)`",
    )
