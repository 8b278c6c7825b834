"""`archc list`: the nets of the library with their figures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archc.console import colored, tell, width_of

if TYPE_CHECKING:
    from archc.dims import Dim
    from archc.listing import Listed


def _amount(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """A whole number as the language writes it: 5M, 25_000, 1.5B."""
    if text is None:
        return None
    from archlang.parser import parse_value
    from archlang.source import Source
    from archlang.tree import Number

    found, diagnostics = parse_value(Source.of(param.opts[0], text))
    if diagnostics or not isinstance(found, Number) or not isinstance(found.value, int):
        raise click.BadParameter(f"{text!r} should be a whole number such as 5M", ctx, param)
    return found.value


def _years(ctx: click.Context, param: click.Parameter, text: str | None) -> range | None:
    """A year, or two with `..` between them, one of which may be left out."""
    if text is None:
        return None
    first, dots, last = text.partition("..")
    parts = [part.strip() for part in (first, last if dots else first)]
    if not any(parts) or any(part and not (part.isascii() and part.isdigit()) for part in parts):
        raise click.BadParameter(f"{text!r} should be a year or 2014..2016", ctx, param)
    return range(int(parts[0] or 0), int(parts[1] or 9999) + 1)


def _families(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from archc.library import entries

    found = {part for entry in entries() for part in (entry.family, entry.family.split("/")[0])}
    return sorted(family for family in found if family.startswith(incomplete))


@click.command("list", short_help="The library's nets with their figures.")
@click.option(
    "--family", shell_complete=_families, help="Only nets of one family, such as resnet or rules."
)
@click.option("--max-params", callback=_amount, metavar="NUMBER",
              help="Only nets with at most so many parameters, such as 5M.")  # fmt: skip
@click.option("--max-macs", callback=_amount, metavar="NUMBER",
              help="Only nets with at most so many multiply-adds, such as 600M.")  # fmt: skip
@click.option("--year", callback=_years, metavar="YEAR[..YEAR]",
              help="Only nets of a year, or of several: 2014..2016.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    family: str | None, max_params: int | None, max_macs: int | None, year: range | None,
    as_json: bool,
) -> int:  # fmt: skip
    """List the nets of the shipped library: year, input, parameters, multiply-adds.

    A family is a file of the library, or a folder of it.
    """
    from archc.index import load
    from archc.listing import list_data, list_table

    chosen = [net for net in load() if _belongs(net.family, family)]
    if family is not None and not chosen:
        raise click.UsageError(_unknown(family), click.get_current_context())
    found = [net for net in chosen if _fits(net.params, max_params) and _fits(net.macs, max_macs)]
    found = [net for net in found if year is None or net.year in year]
    if as_json:
        import json

        click.echo(json.dumps(list_data(found), indent=2, ensure_ascii=False))
    elif not found:
        tell(_none(chosen))
    else:
        text = list_table(found, width=width_of(sys.stdout), color=colored(sys.stdout))
        click.echo(text.rstrip("\n"), color=True)
    return 0


def _belongs(family: str, wanted: str | None) -> bool:
    return wanted is None or family == wanted or family.startswith(f"{wanted}/")


def _fits(figure: Dim | str | None, most: int | None) -> bool:
    return most is None or (isinstance(figure, int) and figure <= most)


def _none(chosen: list[Listed]) -> str:
    smallest = min([net.params for net in chosen if isinstance(net.params, int)], default=0)
    return f"no net is like that; the smallest of these {len(chosen)} has {smallest:,} parameters"


def _unknown(family: str) -> str:
    from archc.library import entries
    from archlang.suggest import closest

    known = sorted({entry.family for entry in entries()})
    near = closest(family, known)
    hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(known)
    return f"there is no family {family!r}; {hint}"
