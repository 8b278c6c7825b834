"""What the commands say to the terminal: diagnostics, notes, colour."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from archlang.diagnostics import ArchError, Diagnostic

if TYPE_CHECKING:
    from archc.net import Net
    from archc.pipeline import Request

__all__ = [
    "Unusable",
    "colored",
    "net_of",
    "quiet",
    "report",
    "reported",
    "status_of",
    "tell",
    "width_of",
]


class Unusable(click.ClickException):
    """Something that the command line asks for cannot be had: a message and status 2."""

    exit_code = 2


def colored(stream: TextIO) -> bool:
    """Whether to colour what goes there: on a terminal, unless NO_COLOR says no."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def width_of(stream: TextIO) -> int | None:
    """The width of the terminal in characters, None when it is none."""
    if not stream.isatty():
        return None
    from shutil import get_terminal_size

    return get_terminal_size().columns


def quiet() -> bool:
    """Whether `-q` was given."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.find_root().obj)


def tell(text: str) -> None:
    """Say on standard error what was done, unless `-q`."""
    if not quiet():
        click.echo(text, err=True)


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Show diagnostics on standard error, with a line that counts them; `-q` leaves errors only."""
    from archlang.rendering import render

    shown = tuple([d for d in diagnostics if d.severity == "error" or not quiet()])
    if not shown:
        return
    text = render(shown, color=colored(sys.stderr), width=width_of(sys.stderr))
    click.echo(text.rstrip("\n") + "\n", err=True, color=True)
    counted = [_counted(shown, severity) for severity in ("error", "warning")]
    if any(counted):
        click.echo(", ".join(filter(None, counted)), err=True)


def status_of(diagnostics: Iterable[Diagnostic]) -> int:
    """The exit status that diagnostics mean: 0, 1 for a wrong file, 2 for a wrong command line."""
    errors = [d for d in diagnostics if d.severity == "error"]
    if not errors:
        return 0
    return 1 if any(map(_stands_in_a_file, errors)) else 2


def _stands_in_a_file(error: Diagnostic) -> bool:
    return error.span is not None and not error.span.source.name.startswith("-p ")


@contextmanager
def reported() -> Iterator[None]:
    """Show what is wrong, where something is, and end the command with the status that fits."""
    try:
        yield
    except ArchError as error:
        report(error.diagnostics)
        click.get_current_context().exit(status_of(error.diagnostics))


def net_of(request: Request, *, notes: bool = True) -> Net:
    """The one net that a command works on; ends the command with diagnostics when it is wrong.

    Args:
        request: what the command line says.
        notes: whether to tell what the compiler did that the file does not show.
    """
    from archc.face import open_net

    with reported():
        net = open_net(request)
    report(net.diagnostics)
    for text in net.program.notes if notes else ():
        tell(f"note: {text}")
    return net


def _counted(diagnostics: tuple[Diagnostic, ...], severity: str) -> str:
    count = sum(d.severity == severity for d in diagnostics)
    return f"{count} {severity}{'s' if count != 1 else ''}" if count else ""
