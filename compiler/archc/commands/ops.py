"""`archc ops`: the operators."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archc.console import colored, reported, width_of

if TYPE_CHECKING:
    from archc.op import Op


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from archc.listing import operators

    return [op.name for op in operators() if op.name.startswith(incomplete.upper())]


@click.command("ops", short_help="The operators.")
@click.argument("name", metavar="[OP]", required=False, shell_complete=_complete)
@click.option("--markdown", is_flag=True, help="Print pages in Markdown: that of OP, or all.")
def command(name: str | None, markdown: bool) -> int:
    """List all operators, or show one: arguments, shape rule, cost rule, examples."""
    from archc.listing import operator_page, operators_table, reference_markdown
    from archc.tables.manual import page_markdown

    width, color = width_of(sys.stdout), colored(sys.stdout)
    with reported():  # an operator of an installed package may be broken
        if markdown:
            text = reference_markdown() if name is None else page_markdown(_operator(name))
        elif name is None:
            text = operators_table(width=width, color=color)
        else:
            text = operator_page(_operator(name), width=width, color=color)
    click.echo(text.rstrip("\n"), color=True)
    return 0


def _operator(name: str) -> type[Op]:
    from archc.listing import operators

    known = {op.name: op for op in operators()}
    if name in known:
        return known[name]
    foreign = {other.lower(): op.name for op in known.values() for other in op.foreign}
    near = _near(name, foreign, list(known))
    hint = f"did you mean {near}?" if near else "`archc ops` lists them"
    message = f"there is no operator {name!r}; {hint}"
    raise click.UsageError(message, click.get_current_context())


def _near(name: str, foreign: dict[str, str], known: list[str]) -> str | None:
    from archlang.suggest import closest

    return foreign.get(name.lower()) or next(iter(closest(name, known)), None)
