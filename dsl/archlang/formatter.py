"""Tree and comments -> the canonical text, of which there is one for each choice of rows.

What is formatted reads as the same tree, formatting it again changes nothing, and no comment is
lost. A definition or a statement stands on one line where it fits. Else what a definition stands
for starts on the next line, and the author's rows are kept: the line ends that stand before an
arrow, an operator, `for`, `if` or `else`, or between the items of a list. A row that is too long is
filled, and so is what has no rows: a chain, a list or arguments on as few lines as they need, the
operands of a join, the clauses of a comprehension and the rows of a table each on a line. Blank
lines that the author left between definitions or statements stay, one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from archlang import tree
from archlang.definition_formatter import DefinitionFormatter
from archlang.documents import whole
from archlang.layout import render
from archlang.record import Record
from archlang.remarks import Remarks, blank_between
from archlang.source import Span

__all__ = ["WIDTH", "format_file"]

WIDTH = 100
"""How many columns a line has."""

_Top = tree.Definition | tree.Expr


class _Entry(Record):
    """A comment or a definition at the top level.

    Args:
        text: its lines.
        span: where it stands, with the comment behind it.
        node: what is defined; None for a comment.
        apart: whether a blank line separates it from its neighbours.
    """

    text: str
    span: Span
    node: _Top | None = None
    apart: bool = False

    @property
    def is_claim(self) -> bool:
        """Whether it belongs to the net above it."""
        return isinstance(self.node, tree.Expect | tree.Require | tree.Published)


def format_file(file: tree.File) -> str:
    """Write a file in the canonical form.

    Args:
        file: what was read without an error, or was made.

    Returns:
        the text, with a line end behind every line.
    """
    entries = _entries(file)
    blank = _blank_lines(entries)
    pieces = [("\n" if number in blank else "") + e.text + "\n" for number, e in enumerate(entries)]
    return "".join(pieces)


def _entries(file: tree.File) -> list[_Entry]:
    nodes: Sequence[_Top] = file.definitions if file.chain is None else (file.chain,)
    remarks = Remarks(_without_documentation(file, nodes))
    definitions = DefinitionFormatter(remarks)
    entries: list[_Entry] = []
    end = len(file.source.text) + 1
    for number, node in enumerate(nodes):
        lead = remarks.take(0, node.span.start)
        text = render(whole(definitions.definition(node)), WIDTH)
        lead += remarks.raised() + remarks.take(0, node.span.end)
        following = nodes[number + 1].span.start if number + 1 < len(nodes) else end
        trail = remarks.take_trailing(node.span.end, following)
        entries.extend(_Entry(comment.text.rstrip(), comment.span) for comment in lead)
        span = node.span
        if trail:
            text, span = f"{text}  {trail[0].text.rstrip()}", span.to(trail[0].span)
        documentation = _documentation_lines(node, file)
        apart = "\n" in text or bool(documentation)
        entries.append(_Entry("\n".join([*documentation, text]), span, node, apart))
    rest = remarks.take(0, end)
    return [*entries, *(_Entry(comment.text.rstrip(), comment.span) for comment in rest)]


def _blank_lines(entries: Sequence[_Entry]) -> set[int]:
    """The numbers of the entries that a blank line stands before."""
    blank: set[int] = set()
    since, apart = 0, False
    for number, entry in enumerate(entries):
        if number and blank_between(entries[number - 1].span, entry.span):
            blank.add(number)
        if entry.node is None:
            continue
        if number and not entry.is_claim and _reads_as_documentation(entries[number - 1]):
            # Directly above the definition it would be its documentation.
            blank.add(number)
        gaps = set(range(since, number + 1)) - {0}
        if entry.is_claim:
            blank -= gaps
        elif (apart or entry.apart) and since and not blank & gaps:
            blank.add(since)
        since = number + 1
        apart = entry.apart or (entry.is_claim and apart)
    return blank


def _without_documentation(file: tree.File, nodes: Sequence[_Top]) -> list[tree.Comment]:
    """The comments that are not printed as the documentation of a definition."""
    taken: set[int] = set()
    lines = {c.span.position.line: c for c in file.comments if c.own_line}
    for node in nodes:
        count = len(_documentation_lines(node, file))
        above = node.span.position.line
        taken.update(line for line in range(above - count, above) if line in lines)
    return [c for c in file.comments if not (c.own_line and c.span.position.line in taken)]


def _documentation_lines(node: _Top, file: tree.File) -> list[str]:
    text = file.documentation if file.chain is not None else getattr(node, "documentation", None)
    return [] if text is None else [f"## {line}".rstrip() for line in text.split("\n")]


def _reads_as_documentation(entry: _Entry) -> bool:
    return entry.node is None and entry.text.startswith("##")
