"""`archc list`: the nets of the library with their figures."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archc.console import colored, tell, width_of

if TYPE_CHECKING:
    from archc.graph import Program
    from archc.library import Entry
    from archc.listing import Listed


def _amount(ctx: click.Context, param: click.Parameter, text: str | None) -> int | None:
    """A whole number as the language writes it: 5M, 25_000, 1.5B."""
    if text is None:
        return None
    from archlang.parser import parse_value
    from archlang.source import Source
    from archlang.tree import Number

    found, diagnostics = parse_value(Source.of("--max-params", text))
    if diagnostics or not isinstance(found, Number) or not isinstance(found.value, int):
        raise click.BadParameter(f"{text!r} should be a whole number such as 5M", ctx, param)
    return found.value


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(family: str | None, max_params: int | None, as_json: bool) -> int:
    """List the nets of the shipped library: input, parameters, multiply-adds."""
    from archc.library import entries
    from archc.listing import list_data, list_table

    chosen = [entry for entry in entries() if _belongs(entry.family, family)]
    if family is not None and not chosen:
        raise click.UsageError(_unknown(family), click.get_current_context())
    found = [net for net in _figures(chosen) if _fits(net, max_params)]
    if as_json:
        import json

        click.echo(json.dumps(list_data(found), indent=2, ensure_ascii=False))
    elif not found:
        tell("no net is as small as that")
    else:
        text = list_table(found, width=width_of(sys.stdout), color=colored(sys.stdout))
        click.echo(text.rstrip("\n"), color=True)
    return 0


def _figures(chosen: list[Entry]) -> list[Listed]:
    from archc.listing import listed
    from archc.pipeline import check_path

    programs = {
        path: _shown(check_path(path).programs)
        for path in dict.fromkeys(entry.path for entry in chosen)
    }
    return [
        listed(programs[entry.path][entry.name], entry.family)
        for entry in chosen
        if entry.name in programs[entry.path]
    ]


def _shown(programs: tuple[Program, ...]) -> dict[str, Program]:
    """The nets by name, without those that another net of the file stands for."""
    applied = {program.applies for program in programs}
    return {program.name: program for program in programs if program.name not in applied}


def _belongs(family: str, wanted: str | None) -> bool:
    return wanted is None or family == wanted or family.startswith(f"{wanted}/")


def _fits(net: Listed, most: int | None) -> bool:
    return most is None or (isinstance(net.params, int) and net.params <= most)


def _unknown(family: str) -> str:
    from archc.library import entries
    from archlang.suggest import closest

    known = sorted({entry.family for entry in entries()})
    near = closest(family, known)
    hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(known)
    return f"there is no family {family!r}; {hint}"
