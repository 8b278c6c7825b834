"""`archc compare`: nets side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archc.console import Unusable, colored, net_of, tell, width_of
from archc.options import complete_net, takes_request_options

if TYPE_CHECKING:
    from archc.comparison import Comparison

_DTYPES = ("float64", "float32", "float16", "bfloat16", "int8")


@click.command("compare", short_help="Nets side by side.")
@click.argument("nets", metavar="NET...", nargs=-1, required=True, shell_complete=complete_net)
@click.option("-o", "--output", "path", type=click.Path(path_type=Path),
              help="Draw the chart to a file; its suffix is the format: "
              ".svg .png .pdf .html")  # fmt: skip
@click.option("--chart", type=click.Choice(["stages", "totals", "bubble", "none"]),
              help="Stage by stage, totals, or accuracy against operations (needs -o); by default "
              "stages for two nets, totals for more.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["table", "json", "csv", "markdown", "html"]),
              default="table", show_default=True, help="What is printed.")  # fmt: skip
@click.option("--relative", type=click.Choice(["first", "smallest"]), default="first",
              show_default=True,
              help="What ratios are to: the first net, or the smallest figure.")  # fmt: skip
@click.option("--count", type=click.Choice(["macs", "flops"]), default="macs", show_default=True,
              help="Multiply-adds, or arithmetic operations of every kind.")  # fmt: skip
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many examples the operations and activations are for.")  # fmt: skip
@click.option("--dtype", type=click.Choice(_DTYPES), default="float32", show_default=True,
              help="The type of activations.")  # fmt: skip
@takes_request_options
def command(
    nets: tuple[str, ...], path: Path | None, chart: str | None, form: str, bindings: Any,
    inputs: Any, **choices: Any,
) -> int:  # fmt: skip
    """Put several NETs side by side: totals, ratios, and stages as bars.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    What -p and --input give is given to each of them.
    """
    from archc.comparison import compare
    from archc.pipeline import Request

    if not all(net.strip() for net in nets):
        raise click.UsageError("NET is empty", click.get_current_context())
    if chart == "bubble" and path is None:
        raise click.UsageError("--chart bubble is drawn to a file: -o FILE.png")
    if chart == "none" and path is not None:
        raise click.UsageError("-o draws a chart, and --chart none is no chart")
    found = [net_of(Request(net, bindings, inputs)) for net in nets]
    made = compare([net.program for net in found], **choices)
    if path is not None:
        _save(made, path, chart)
    drawn = chart or made.default_chart()
    terminal = None if path is not None or drawn in ("none", "bubble") else drawn
    text = _FORMATTERS[form](made, terminal)
    click.echo(text.rstrip("\n"), color=True)
    return 0


def _save(made: Comparison, path: Path, chart: Any) -> None:
    from archc.comparison import ComparisonError
    from archc.output import OutputError

    try:
        made.save(path, chart)
    except (ComparisonError, ImportError, OutputError) as error:
        raise Unusable(str(error)) from error
    if chart == "bubble":
        from archc.comparison.bubble import left_out

        for name in left_out(made):
            tell(f"note: {name} is left out: its file states no accuracy on the same data")
    tell(f"wrote {path}")


_FORMATTERS: dict[str, Callable[[Comparison, Any], str]] = {
    "table": lambda made, chart: made.render(
        width_of(sys.stdout), colored(sys.stdout), chart=chart
    ),
    "json": lambda made, chart: made.to_json(),
    "csv": lambda made, chart: made.to_csv(),
    "markdown": lambda made, chart: made.to_markdown(),
    "html": lambda made, chart: made.to_html(),
}
