"""The command `archc`: arguments in, exit status out, nothing else."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, TextIO, cast

import click

from archc import __version__

__all__ = ["archc", "main"]

# In the order in which a newcomer meets them; the help lists them so, and others behind them.
_FIRST = (
    "check",
    "stats",
    "compare",
    "render",
    "compile",
    "export",
    "weights",
    "fmt",
    "list",
    "ops",
    "explain",
    "tour",
)


def _be_quiet(ctx: click.Context, param: click.Parameter, quiet: bool) -> None:
    if quiet:
        ctx.find_root().obj = {"quiet": True}


# `archc -q check` and `archc check -q` are the same.
_QUIET = click.Option(
    ["-q", "--quiet"],
    is_flag=True,
    expose_value=False,
    callback=_be_quiet,
    help="Print results and errors only.",
)


class _Commands(click.Group):
    """Finds its commands as the modules of `archc.commands`, each with a `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from pkgutil import iter_modules

        from archc import commands

        found = {module.name for module in iter_modules(commands.__path__)}
        return [name for name in _FIRST if name in found] + sorted(found.difference(_FIRST))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        # A name on the command line must never become another module's path.
        if not name.isidentifier() or name.startswith("_"):
            return None
        path = f"archc.commands.{name}"
        try:
            found = cast(click.Command, import_module(path).command)
        except ModuleNotFoundError as error:
            if error.name != path:
                raise
            return None
        if _QUIET not in found.params:
            found.params.append(_QUIET)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name.startswith("-") or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        from archlang.suggest import closest

        near = closest(name, self.list_commands(ctx))
        hint = f" did you mean {near[0]}?" if near else ""
        raise click.UsageError(f"there is no command {name!r};{hint or ' see archc --help'}", ctx)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog='Shell completion: put `eval "$(_ARCHC_COMPLETE=bash_source archc)"` into ~/.bashrc '
    "(zsh_source and fish_source for the other shells).",
)
@click.version_option(__version__, prog_name="archc", message="%(prog)s %(version)s")
def archc() -> None:
    """Networks as the lecture writes them: check, price, draw and compile .arch files."""


archc.params.append(_QUIET)


def main(arguments: list[str] | None = None) -> None:
    """Run `archc` and end the process with its exit status.

    The status is 0 when all went well, 1 when the program or a claim is wrong, 2 when the command
    line is wrong or a file cannot be read or written, and 130 after Ctrl-C.

    Args:
        arguments: those of the command line when None.
    """
    # A command is over before a collection pays: a seventeenth of the time of `archc stats`.
    gc.set_threshold(100_000)
    for stream in (sys.stdout, sys.stderr):
        _print_anything(stream)
    try:
        status = _run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader went away, as in `archc list | head`.
        status = _abandon_output(0)
    except OSError as error:
        click.echo(f"Error: {error.filename or 'standard output'}: {error.strerror}", err=True)
        status = _abandon_output(2)
    sys.exit(status)


def _run(arguments: list[str] | None) -> int:
    try:
        return archc.main(arguments, prog_name="archc", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130


def _print_anything(stream: TextIO) -> None:
    """Let characters that the terminal or a pipe cannot show come out as escapes, not errors."""
    reconfigure: Any = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _abandon_output(status: int) -> int:
    # What Python flushes when it ends must not complain once more.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status
