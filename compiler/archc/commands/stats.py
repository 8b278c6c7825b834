"""`archc stats`: the cost table."""

from __future__ import annotations

import sys
from typing import Any

import click

from archc.console import Unusable, colored, program_of, width_of
from archc.options import takes_net

_FORMATS = ("table", "json", "csv", "markdown", "latex", "html")
_DTYPES = ("float64", "float32", "float16", "bfloat16", "int8")


@click.command("stats", short_help="The cost table.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True)
@click.option("--count", type=click.Choice(["macs", "flops"]), default="macs", show_default=True,
              help="Multiply-adds, or arithmetic operations of every kind.")  # fmt: skip
@click.option(
    "--style", type=click.Choice(["lecture"]), help="The columns of the lectures' tables."
)
@click.option("--depth", type=click.IntRange(min=0), help="How far blocks are opened.")
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True,
              help="The batch that the memory of activations is for.")  # fmt: skip
@click.option("--dtype", type=click.Choice(_DTYPES), default="float32", show_default=True)
@click.option("--as", "tool", metavar="TOOL", help="Count as another tool does (not there yet).")
@click.option("--train", is_flag=True, help="Add what training needs (not there yet).")
@takes_net
def command(request: Any, form: str, tool: str | None, train: bool, **choices: Any) -> int:
    """Print parameters, multiply-adds and memory of NET, layer by layer.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    """
    if train:
        raise Unusable("--train is not there yet: the table is that of the forward pass")
    if tool is not None:
        raise Unusable(f"--as {tool} is not there yet: the figures are exact, see --count")
    from archc.stats import table

    style = choices.pop("style")
    found = table(program_of(request), **choices)
    if form == "table":
        _print_table(found, style)
    else:
        click.echo(_FORMATTERS[form](found).rstrip("\n"))
    return 0


def _print_table(found: Any, style: str | None) -> None:
    text = found.render(width=width_of(sys.stdout), color=colored(sys.stdout), style=style)
    click.echo(text.rstrip("\n"), color=True)


_FORMATTERS = {
    "json": lambda found: found.to_json(),
    "csv": lambda found: found.to_csv(),
    "markdown": lambda found: found.to_markdown(),
    "latex": lambda found: found.to_latex(),
    "html": lambda found: found.to_html(),
}
