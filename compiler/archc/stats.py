"""The cost table of a net, and everything that it can be printed as."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

from archc.cost import Pricing, Totals, dtype_name
from archc.graph import Program
from archc.liveness import demand_of
from archc.tables.measure import Measure
from archc.tables.rows import Grid, Row
from archc.tables.view import Count, View
from archc.tables.walk import table_rows

if TYPE_CHECKING:
    from archc.conventions import Counting, Written
    from archc.devices import Device
    from archc.memory.training import Plan
    from archc.traffic import Traffic

__all__ = ["Style", "Table", "table"]

Style = Literal["plain", "lecture", "geometry", "bars"]
STYLES = get_args(Style)

READABLE = 60  # rows that somebody reads
MOST = 20_000  # rows that a program reads: blocks within blocks can have any number
WIDTH = 80


def table(
    program: Program,
    *,
    depth: int | None = None,
    batch: int = 1,
    dtype: str = "float32",
    count: Count | None = None,
    style: Style = "plain",
    device: Device | None = None,
    convention: str | None = None,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    written: Written = "functions",
    train: bool = False,
    optimizer: str = "adam",
    master_weights: bool = False,
) -> Table:
    """The cost table of a net.

    Args:
        program: the net.
        depth: how far blocks are opened: 0 is one row for the net, 1 its operators and blocks, and
            so on. By default data (JSON, CSV) has every operator, and tables for people as much as
            one reads (60 rows). Blocks stay closed where more than 20,000 rows would come of it.
        batch: multiply-adds, operations and activations are of so many inputs.
        dtype: the type of parameters and activations; tokens have 8 bytes whatever it is.
        count: what the last column counts: "macs", one for a multiply and its add, or "flops",
            arithmetic operations of every kind. By default "macs", or what the convention prints.
        style: "plain", "lecture" for the columns of the lectures' tables, "geometry" for receptive
            fields, effective strides, depths and operations per byte, "bars" for the share that
            each stage has in the totals.
        device: estimate the time on it; the columns are then those of the estimate.
        convention: count as a tool or a text does: "fvcore", "lecture" (`archc.conventions`).
        include: kinds of operations to count beside multiply-adds: "bias", "normalisation",
            "activation", "pooling", "other".
        exclude: kinds to leave out of count="flops".
        written: what code a tool is asked for: "functions", as archc emits it, or "modules", with
            activations and global pooling as modules of torch.nn.
        train: whether to show the memory of training, and to count what runs in training.
        optimizer: sgd, momentum, adam or adamw, for the memory of training.
        master_weights: whether the optimizer keeps a float32 copy of the parameters.

    Raises:
        ValueError: for an unknown dtype, count, style, convention, kind or optimizer, a depth below
            0, a batch below 1, a convention or a device together with `train`, a dtype that the
            device has no rate for.
    """
    dtype = dtype_name(dtype)
    _check(depth, batch, count, style)
    if device is not None and (train or style != "plain"):
        raise ValueError(_refusal(style, train=train))
    plan = None
    if train:
        from archc.memory.training import plan_of

        plan = plan_of(batch, dtype, optimizer, master_weights)
    counting = None
    if convention or include or exclude or written != "functions":
        from archc.conventions import counting_of

        if train:
            raise ValueError("another convention counts what runs outside training")
        counting = counting_of(convention, count, include, exclude, written)
    shown = counting.count if counting else count or "macs"
    return Table(
        program, depth=depth, batch=batch, dtype=dtype, count=shown, style=style,
        device=device, counting=counting, plan=plan,
    )  # fmt: skip


def _check(depth: int | None, batch: int, count: str | None, style: str) -> None:
    if count not in ("macs", "flops", None):
        raise ValueError(f"count is macs or flops, not {count!r}")
    if style not in STYLES:
        raise ValueError(f"style is one of {', '.join(STYLES)}, not {style!r}")
    if batch < 1 or (depth is not None and depth < 0):
        raise ValueError("batch is at least 1, and depth at least 0")


def _refusal(style: str, *, train: bool) -> str:
    """What goes with no estimate for a device."""
    if style != "plain":
        return f"an estimate for a device has columns of its own, not those of {style}"
    return "an estimate for a device is of the forward pass, not of training"


class Table:
    """A cost table. Prints as `archc stats` does, and shows itself in a notebook.

    Attributes:
        program: the net.
        totals: its figures, for one input.
        rows: every row as data, headings left out; their figures add up to the totals.
    """

    def __init__(
        self,
        program: Program,
        *,
        depth: int | None,
        batch: int,
        dtype: str,
        count: Count,
        style: Style,
        device: Device | None = None,
        counting: Counting | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.program = program
        self._chosen, self._batch, self._dtype = depth, batch, dtype
        self._count, self._style, self._counting = count, style, counting
        counter = counting.counter if counting else None
        self._pricing = Pricing(training=plan is not None, counter=counter)
        self._training = None
        if plan is not None:
            from archc.memory.training import Training

            self._training = Training(self.program, plan)
        self._measure = Measure()
        self._device, self._timed = device, None
        if device is not None:
            from archc.tables.speed import roofline

            self._timed = roofline(device, dtype)

    @cached_property
    def _traffic(self) -> Traffic:
        from archc.traffic import Traffic

        timed = {} if self._timed is None else {"timed": self._timed}
        return Traffic(self._pricing, self._batch, self._dtype, **timed)

    @cached_property
    def totals(self) -> Totals:
        """The figures of the net, for one input."""
        region = self.program.region
        wanted = demand_of(region, training=self._training is not None)
        return self._pricing.region(region, wanted)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every operator, or the blocks at the depth that was asked for."""
        return tuple([row for row in self._view(MOST).rows if row.kind != "heading"])

    # --- data -------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data: what `archc stats --format json` prints."""
        from archc.tables.data import to_dict

        view = self._view(MOST)
        return {**to_dict(view, self._more), **self._total(view)}

    def _total(self, view: View) -> dict[str, Any]:
        if self._device is None:
            return {}
        from archc.tables.speed import speed_data, speed_total

        return {"device": self._device.key, **speed_data(speed_total(view, self._traffic))}

    def _more(self, row: Row) -> dict[str, Any]:
        """What the data of a row has beside what it always has."""
        if self._device is None and self._style != "geometry":
            return {}
        from archc.tables.geometry import geometry_data, load_of

        if self._device is None:
            return geometry_data(row, self._traffic)
        from archc.tables.speed import speed_data

        return speed_data(load_of(row, self._traffic))

    def to_json(self) -> str:
        """The table as JSON text."""
        import json

        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_csv(self) -> str:
        """One line for each row, the names of the columns first, with the keys of the JSON."""
        from archc.tables.data import csv_rows
        from archc.tables.formats import csv_text

        return csv_text(csv_rows(self._view(MOST), self._more))

    # --- for people -------------------------------------------------------------------------------

    def to_markdown(self) -> str:
        """The table in Markdown."""
        from archc.tables.formats import markdown_text

        return markdown_text(self._grid())

    def to_latex(self) -> str:
        """The table as a LaTeX tabular."""
        from archc.tables.formats import latex_text

        return latex_text(self._grid())

    def to_html(self) -> str:
        """The table in HTML."""
        from archc.tables.formats import html_text

        return html_text(self._grid())

    def render(self, width: int | None = None, color: bool = False) -> str:
        """The table for the terminal.

        Args:
            width: of the terminal in characters; 80 by default.
            color: whether to colour by kind of operator.
        """
        from archc.tables.terminal import terminal_text

        return terminal_text(self._grid(indented=True), width or WIDTH, color=color)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.render()

    def _grid(self, *, indented: bool = False) -> Grid:
        if self._style == "lecture":
            from archc.tables.lecture import is_printed, lecture_grid

            measure = Measure(is_printed)
            return lecture_grid(self._view(READABLE, measure), indented=indented)
        view = self._view(READABLE)
        if self._device is not None:
            from archc.tables.speed import speed_grid

            return speed_grid(view, self._traffic, self._device, indented=indented)
        if self._style == "geometry":
            from archc.tables.geometry import geometry_grid

            return geometry_grid(view, self._traffic, indented=indented)
        if self._style == "bars":
            from archc.tables.bars import bars_grid

            return bars_grid(view, indented=indented, stages=self._chosen is None)
        from archc.tables.plain import plain_grid

        return plain_grid(view, indented=indented)

    def _view(self, readable: int, measure: Measure | None = None) -> View:
        region = self.program.region
        measure = measure or self._measure
        deepest = 1 + measure.levels(region)
        openable = 1 + self._measure.fitting(region, MOST)
        wanted = 1 + measure.fitting(region, readable) if self._chosen is None else self._chosen
        wanted = 1 if self._style == "bars" and self._chosen is None else wanted
        depth = min(wanted, openable)
        geometry = None
        if self._style == "geometry":
            from archc.geometry import Geometry

            geometry = Geometry()
        return View(
            self.program, table_rows(self.program, self._pricing, depth, geometry, self._training),
            self.totals, self._count, self._batch, self._dtype, depth, openable, deepest,
            measure.rows(region, deepest), self._training, self._counting,
        )  # fmt: skip
