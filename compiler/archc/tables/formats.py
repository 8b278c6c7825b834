"""Tables as text for other programs: CSV, Markdown, LaTeX, HTML.

Names come from files that anybody may have written, so each format escapes what it would read as
its own: formulas in spreadsheets, markup, commands. Control characters are spelt out in all.
"""

from __future__ import annotations

import re

from archc.dims import Poly, to_latex
from archc.tables.rows import Cell, Grid, Line, figure
from archlang.display import escape

__all__ = ["csv_text", "html_text", "latex_text", "markdown_text"]

_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~$&])")
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "×": r"$\times$", "…": r"\ldots{}", "†": r"\dag{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}",
}  # fmt: skip


def csv_text(rows: list[list[object]]) -> str:
    """Rows as CSV; text that a spreadsheet would run as a formula begins with a quote."""
    import csv
    import io

    into = io.StringIO()
    csv.writer(into, lineterminator="\n").writerows(
        [[_csv_cell(cell) for cell in row] for row in rows]
    )
    return into.getvalue()


def markdown_text(grid: Grid) -> str:
    """A grid as a Markdown table, the title above and the notes below it."""
    head = _markdown_row([_markdown(column.title) for column in grid.columns])
    rule = _markdown_row(["---:" if c.align == "right" else "---" for c in grid.columns])
    lines = [_markdown_row([_markdown_cell(c, line) for c in line.cells]) for line in grid.lines]
    notes = [f"- {_markdown(note)}" for note in grid.notes]
    return "\n".join([_markdown(grid.title), "", head, rule, *lines, "", *notes]) + "\n"


def latex_text(grid: Grid) -> str:
    """A grid as a LaTeX tabular, which needs no package."""
    spec = "".join(["r" if column.align == "right" else "l" for column in grid.columns])
    head = " & ".join([_latex(column.title) for column in grid.columns]) + r" \\"
    lines = [_latex_line(line) for line in grid.lines]
    notes = [f"% {escape(note)}" for note in grid.notes]
    return "\n".join(
        [
            f"% {escape(grid.title)}", rf"\begin{{tabular}}{{{spec}}}", r"\hline", head,
            r"\hline", *lines, r"\hline", r"\end{tabular}", *notes,
        ]
    ) + "\n"  # fmt: skip


def html_text(grid: Grid) -> str:
    """A grid as an HTML table with its own small style, as notebooks show it."""
    from html import escape as quote

    def row(tag: str, line: Line) -> str:
        cells = [
            f'<{tag} style="text-align: {column.align}">{quote(_text(cell))}</{tag}>'
            for column, cell in zip(grid.columns, line.cells, strict=True)
        ]
        weight = ' style="font-weight: bold"' if line.kind in ("heading", "total") else ""
        return f"<tr{weight}>{''.join(cells)}</tr>"

    head = row("th", Line(tuple([column.title for column in grid.columns])))
    body = "\n".join([row("td", line) for line in grid.lines])
    notes = "".join([f"<li>{quote(escape(note))}</li>" for note in grid.notes])
    return (
        f'<table class="arch-stats">\n<caption>{quote(escape(grid.title))}</caption>\n'
        f"<thead>\n{head}\n</thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
        f"<ul>{notes}</ul>\n"
    )


def _text(cell: Cell) -> str:
    return escape(cell if isinstance(cell, str) else figure(cell))


def _csv_cell(cell: object) -> object:
    if isinstance(cell, Poly):
        cell = str(cell)
    if not isinstance(cell, str):
        return "" if cell is None else cell
    guard = "'" if _FORMULA.match(cell) else ""
    return guard + escape(cell)


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", escape(text))


def _markdown_cell(cell: Cell, line: Line) -> str:
    text = _markdown(_text(cell))
    return f"**{text}**" if text and line.kind in ("heading", "total") else text


def _markdown_row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex(text: str) -> str:
    return "".join([_LATEX.get(character, character) for character in escape(text)])


def _latex_line(line: Line) -> str:
    cells = [f"${to_latex(c)}$" if isinstance(c, Poly) else _latex(_text(c)) for c in line.cells]
    rule = "\\hline\n" if line.kind == "total" else ""
    return rule + " & ".join(cells) + r" \\"
