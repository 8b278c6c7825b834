"""Networks side by side: totals and ratios, stages as bars, charts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from archc.comparison.measures import Compared, compared
from archc.comparison.problems import ComparisonError
from archc.cost import bytes_of
from archc.graph import Program
from archc.tables.rows import Grid
from archc.tables.stages import aligned
from archc.tables.view import Count

__all__ = ["CHARTS", "Chart", "Comparison", "ComparisonError", "Relative", "compare"]

Chart = Literal["stages", "totals", "bubble"]
Relative = Literal["first", "smallest"]

CHARTS: tuple[Chart, ...] = get_args(Chart)
WIDTH = 80


def compare(
    programs: Sequence[Program],
    *,
    names: Sequence[str] | None = None,
    batch: int = 1,
    dtype: str = "float32",
    count: Count = "macs",
    relative: Relative = "first",
) -> Comparison:
    """Put nets side by side.

    Args:
        programs: the nets.
        names: what to call them, instead of their own names.
        batch: how many examples the operations and the memory of activations are for.
        dtype: the type of activations.
        count: "macs", or "flops" for arithmetic operations of every kind.
        relative: what ratios are to: the first net, or in each column the smallest figure.

    Raises:
        ValueError: for fewer than one net, an unknown dtype, count or relative, a batch below 1.
    """
    bytes_of(dtype)
    if not programs:
        raise ValueError("there is no net to compare")
    if count not in ("macs", "flops") or relative not in ("first", "smallest"):
        raise ValueError("count is macs or flops, and relative is first or smallest")
    if batch < 1:
        raise ValueError("batch is at least 1")
    called = names or [program.name for program in programs]
    nets = [
        compared(program, name, count, batch, dtype)
        for program, name in zip(programs, called, strict=True)
    ]
    return Comparison(tuple(nets), count=count, batch=batch, dtype=dtype, relative=relative)


class Comparison:
    """Nets side by side. Prints as `archc compare` does, and shows itself in a notebook.

    Attributes:
        nets: each net with its figures and what is published about it.
        count: what is counted, "macs" or "flops".
        batch: how many examples the figures are for.
        dtype: the type of activations.
        relative: what ratios are to, "first" or "smallest".
    """

    def __init__(
        self,
        nets: tuple[Compared, ...],
        *,
        count: Count,
        batch: int,
        dtype: str,
        relative: Relative,
    ) -> None:
        self.nets = nets
        self.count, self.batch, self.dtype, self.relative = count, batch, dtype, relative

    @cached_property
    def stages(self) -> tuple[tuple[Compared | None, ...], ...]:
        """The stages side by side: for each place one of each net, or None where it has none."""
        from archc.comparison.measures import staged

        places = aligned(tuple([net.stages for net in self.nets]))
        return tuple([staged(place, self.count, self.batch, self.dtype) for place in places])

    def default_chart(self) -> Chart:
        """Stages for one net or two, totals for more, and where sizes are open."""
        return "stages" if len(self.nets) <= 2 else "totals"

    # --- data -------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain data: what `archc compare --format json` prints."""
        from archc.comparison.data import to_dict

        return to_dict(self)

    def to_json(self) -> str:
        """The comparison as JSON text."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_csv(self) -> str:
        """One line for each net, the names of the columns first."""
        from archc.comparison.data import csv_rows
        from archc.tables.formats import csv_text

        return csv_text(csv_rows(self))

    # --- for people -------------------------------------------------------------------------------

    def to_markdown(self) -> str:
        """The table in Markdown."""
        from archc.tables.formats import markdown_text

        return markdown_text(self._grid())

    def to_html(self) -> str:
        """The table in HTML."""
        from archc.tables.formats import html_text

        return html_text(self._grid())

    def render(
        self, width: int | None = None, color: bool = False, chart: Chart | None = None
    ) -> str:
        """The table for the terminal, and below it the bars of a chart.

        Args:
            width: of the terminal in characters; 80 by default.
            color: whether to use colour.
            chart: "stages" or "totals" for its bars; by default the table alone.
        """
        from archc.comparison.bars import bars_text
        from archc.tables.terminal import terminal_text

        table = terminal_text(self._grid(), width or WIDTH, color=color)
        if chart is None:
            return table
        return f"{table.rstrip()}\n\n{bars_text(self, chart, width or WIDTH, color=color)}"

    def figure(self, chart: Chart | None = None) -> Any:
        """The chart as a `matplotlib.figure.Figure`.

        Args:
            chart: "stages", "totals" or "bubble"; stages for two nets and totals for more by
                default.

        Raises:
            ComparisonError: when there is nothing that could be drawn.
            ImportError: when matplotlib is not installed.
        """
        from archc.comparison.charts import figure

        return figure(self, chart or self.default_chart())

    def save(self, path: str | Path, chart: Chart | None = None) -> None:
        """Draw the chart into a file; the suffix says the format: .svg, .png, .pdf or .html.

        A page in HTML has the chart and the table, and needs no other file.

        Raises:
            ComparisonError: for another suffix, or when there is nothing that could be drawn.
            ImportError: when matplotlib is not installed.
            archc.output.OutputError: when the file cannot be written.
        """
        from archc.comparison.saving import save

        save(self, Path(path), chart or self.default_chart())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.render()

    def _grid(self) -> Grid:
        from archc.comparison.data import grid

        return grid(self)
