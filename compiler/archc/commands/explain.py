"""`archc explain`: a diagnostic at length."""

from __future__ import annotations

from typing import Any

import click


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    from archlang.codes import EXPLANATIONS

    return [code for code in EXPLANATIONS if code.startswith(incomplete)]


@click.command("explain", short_help="A diagnostic at length.")
@click.argument("code", required=False, shell_complete=_complete)
def command(code: str | None) -> int:
    """Explain what a diagnostic means, with a wrong program and the right one.

    CODE is the word in brackets behind "error". Without it, all codes are listed.
    """
    from archlang.codes import EXPLANATIONS

    if code is None:
        click.echo("\n".join(EXPLANATIONS))
        return 0
    found: Any = EXPLANATIONS.get(code)
    if found is None:
        raise click.UsageError(_unknown(code, list(EXPLANATIONS)), click.get_current_context())
    click.echo(str(found).rstrip("\n"))
    return 0


def _unknown(code: str, known: list[str]) -> str:
    from archlang.suggest import closest

    near = closest(code, known)
    hint = f"did you mean {near[0]}?" if near else "`archc explain` lists them"
    return f"there is no diagnostic {code!r}; {hint}"
