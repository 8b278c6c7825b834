"""What `archc list` and `archc ops` print: the library's nets, and the operators."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archc.dims import Dim, Poly
from archc.graph import Program
from archc.op import REGISTRY, Family, Op
from archc.tables.manual import FAMILIES, page_markdown, page_text, written_arguments
from archc.tables.rows import Cell, Column, Grid, Line, plain_sizes, shape_text
from archlang.record import Record

__all__ = [
    "Listed", "list_data", "list_table", "listed", "operator_page", "operators", "operators_table",
    "reference_markdown",
]  # fmt: skip

WIDTH = 80

_INTRODUCTION = """\
This page is made from the operators themselves by `archc ops --markdown`. The first argument may be
given by position, and so the next ones; every argument may be given by name. A stream's shape is
written without the batch. The tests hold every example against PyTorch: its shape, parameters and
multiply-adds.
"""


class Listed(Record):
    """One net of the library, as a list shows it.

    Args:
        name: as users write it ("resnet50").
        family: of nets, the name of the file ("resnet").
        inputs: the shape of each input, for people ("3 × 224 × 224").
        params: parameters, None where the net leaves something open; a formula may be text.
        macs: multiply-adds, likewise.
        input_sizes: the inputs as data, by name.
        text: the first line of the net's documentation.
        published: what the file quotes about the net, by name.
    """

    name: str
    family: str
    inputs: str = ""
    params: Dim | str | None = None
    macs: Dim | str | None = None
    input_sizes: tuple[tuple[str, tuple[int | str, ...]], ...] = ()
    text: str = ""
    published: tuple[tuple[str, int | float | str], ...] = ()

    @property
    def year(self) -> int | None:
        """The year of the paper, if the file says it."""
        found = dict(self.published).get("year")
        return found if isinstance(found, int) else None


def listed(program: Program, family: str, *, name: str | None = None) -> Listed:
    """The entry of a lowered net.

    Args:
        program: the net.
        family: the family that it is listed under.
        name: what to call it, instead of its own name.
    """
    from archc.cost import cost

    ports, figures = program.region.inputs, cost(program)
    return Listed(
        name or program.name,
        family,
        ", ".join([shape_text(port.shape) for port in ports]),
        figures.params,
        figures.macs,
        tuple([(port.name, tuple(plain_sizes(port.shape))) for port in ports]),
        (program.documentation or "").strip().split("\n")[0],
        program.published,
    )


def list_table(entries: Iterable[Listed], *, width: int | None = None, color: bool = False) -> str:
    """The nets as a table for the terminal, family by family.

    Args:
        entries: the nets; those of a family are put together, in the order given. The year has a
            column where one of them says it.
        width: of the terminal in characters; 80 by default.
        color: whether to use colour.
    """
    from archc.tables.terminal import terminal_text

    nets = list(entries)
    dated = any(net.year is not None for net in nets)
    columns = (
        Column("net"),
        *([Column("year", "right")] if dated else []),
        Column("input", shapes=True),
        Column("params", "right"),
        Column("multiply-adds", "right"),
    )
    families: dict[str, list[Listed]] = {}
    for net in nets:
        families.setdefault(net.family, []).append(net)
    lines: list[Line] = []
    for family, found in families.items():
        lines.append(Line((family, *[""] * (len(columns) - 1)), "heading"))
        lines.extend([_net_line(net, dated) for net in found])
    notes = (f"{len(nets)} net{'' if len(nets) == 1 else 's'}",)
    return terminal_text(Grid("", columns, tuple(lines), notes), width or WIDTH, color=color)


def list_data(entries: Iterable[Listed]) -> list[dict[str, Any]]:
    """The nets as JSON has them; formulas are text, and what is open is null."""
    return [
        {
            "name": entry.name,
            "family": entry.family,
            "year": entry.year,
            "inputs": {name: list(sizes) for name, sizes in entry.input_sizes},
            "params": _plain(entry.params),
            "macs": _plain(entry.macs),
            "published": {k: value for k, value in entry.published if k != "year"},
            "text": entry.text,
        }
        for entry in entries
    ]


def operators() -> tuple[type[Op], ...]:
    """The operators that files may use, by family and then by name."""
    import archc.ops

    del archc
    order = list(FAMILIES)
    shown = [op for op in REGISTRY.all() if not op.internal]
    return tuple(sorted(shown, key=lambda op: (order.index(op.family), op.name)))


def operators_table(*, width: int | None = None, color: bool = False) -> str:
    """All operators with their arguments and a sentence each, family by family."""
    from archc.tables.terminal import terminal_text

    lines: list[Line] = []
    for family, found in _by_family(operators()):
        lines.append(Line((FAMILIES[family], "", ""), "heading"))
        lines.extend([_operator_line(op) for op in found])
    columns = (Column("operator"), Column("arguments"), Column("what it does"))
    notes = ("archc ops NAME shows an operator's arguments, shape rule, cost rule and examples",)
    return terminal_text(Grid("", columns, tuple(lines), notes), width or WIDTH, color=color)


def operator_page(op: type[Op], *, width: int | None = None, color: bool = False) -> str:
    """All there is to know of one operator: arguments, shape rule, cost rule, examples."""
    return page_text(op, width or WIDTH, color=color)


def reference_markdown() -> str:
    """The reference of all operators in Markdown: the same pages, family by family."""
    families = _by_family(operators())
    parts = ["# Operators\n", _INTRODUCTION, _contents(families)]
    for family, found in families:
        parts.append(f"## {FAMILIES[family].capitalize()}\n")
        parts.extend([page_markdown(op) for op in found])
    return "\n".join(parts)


def _contents(families: list[tuple[Family, list[type[Op]]]]) -> str:
    lines = [
        f"- {FAMILIES[family]}: " + " ".join([f"[{op.name}](#{op.name.lower()})" for op in found])
        for family, found in families
    ]
    return "\n".join(lines) + "\n"


def _by_family(found: Sequence[type[Op]]) -> list[tuple[Family, list[type[Op]]]]:
    families: dict[Family, list[type[Op]]] = {}
    for op in found:
        families.setdefault(op.family, []).append(op)
    return list(families.items())


def _net_line(net: Listed, dated: bool) -> Line:
    figures: tuple[Cell, ...] = tuple(["" if f is None else f for f in (net.params, net.macs)])
    year = [str(net.year or "")] if dated else []
    return Line((f"  {net.name}", *year, net.inputs, *figures))


def _operator_line(op: type[Op]) -> Line:
    return Line((f"  {op.name}", ", ".join(written_arguments(op)), op.summary()))


def _plain(value: Dim | str | None) -> int | str | None:
    return str(value) if isinstance(value, Poly) else value
