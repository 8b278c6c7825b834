"""`archc fmt`: files in canonical form."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from archc.console import Unusable, colored, report, status_of, tell
from archc.files import files_of
from archc.output import OutputError, write_text
from archlang.source import Source

_COLORS = {"+": "green", "-": "red", "@": "cyan"}


@click.command("fmt", short_help="Format files in place.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option("--check", is_flag=True, help="Change nothing; status 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
def command(files: tuple[str, ...], check: bool, diff: bool) -> int:
    """Format FILE... in place; a folder means every .arch file below, - means standard input.

    There is one form for each choice of rows: what does not fit on a line keeps the author's breaks
    before `->`, operators and items. Comments stay, and the meaning never changes. A file with a
    syntax error is reported and left as it is.
    """
    paths = [Path(path) for name in files for path in files_of(name)]
    outcomes = [_format(path, check, diff) for path in paths]
    changed, failed = outcomes.count("changed"), outcomes.count("failed")
    only_report = check or diff
    if files != ("-",):
        tell(_summary(len(paths), changed, failed, "would change" if only_report else "changed"))
    return 1 if failed or (only_report and changed) else 0


def _format(path: Path, check: bool, diff: bool) -> str:
    from archlang.formatter import format_file
    from archlang.parser import parse

    standard = str(path) == "-"
    data, source = _read(path, standard)
    file, diagnostics = parse(source)
    if any(d.severity == "error" for d in diagnostics):
        report(diagnostics)
        return "failed"
    after = format_file(file)
    if parse(Source.of(source.name, after))[0] != file:
        raise AssertionError(f"the formatter would change the meaning of {path}")
    changed = after.encode() != data
    if diff:
        _print_diff(source.name, source.text, after)
    elif standard and not check:
        click.echo(after, nl=False)
    elif changed and not check:
        _write(path, after)
    return "changed" if changed else "same"


def _read(path: Path, standard: bool) -> tuple[bytes, Source]:
    from archc.lower.context import Problem
    from archc.lower.files import decode, read_bytes, read_standard_input

    try:
        data = read_standard_input() if standard else read_bytes(path, str(path))
        return data, decode(data, "<stdin>" if standard else str(path))
    except Problem as problem:
        report((problem.diagnostic,))
        click.get_current_context().exit(status_of((problem.diagnostic,)))


def _write(path: Path, text: str) -> None:
    try:
        write_text(path, text)
    except OutputError as error:
        raise Unusable(str(error)) from error


def _print_diff(name: str, before: str, after: str) -> None:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), name, f"{name} (formatted)", lineterm=""
    )
    for line in lines:
        color = _COLORS.get(line[:1]) if colored(sys.stdout) else None
        click.secho(line, fg=color)


def _summary(count: int, changed: int, failed: int, verb: str) -> str:
    files = f"{count} file{'s' if count != 1 else ''}"
    wrong = f", {failed} cannot be formatted" if failed else ""
    return f"{files}: {changed} {verb}{wrong}"
