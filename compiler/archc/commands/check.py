"""`archc check`: files parsed, shapes inferred, claims verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from archc.console import report, status_of
from archc.files import files_of
from archc.options import complete_net, takes_request_options

if TYPE_CHECKING:
    from archc.pipeline import CheckResult, Request
    from archlang.diagnostics import Diagnostic


@click.command("check", short_help="Infer every shape, verify every claim.")
@click.argument("nets", metavar="NET...", nargs=-1, required=True, shell_complete=complete_net)
@click.option("--json", "as_json", is_flag=True, help="Print the diagnostics as JSON.")
@takes_request_options
def command(nets: tuple[str, ...], as_json: bool, bindings: Any, inputs: Any) -> int:
    """Parse NET, infer every shape, verify what `::` and `expect` claim.

    NET is a file, file.arch:name, a folder (all files below), a net of the library such as
    resnet50, or - for standard input. Of a file every complete net is checked, and what can be
    known of the others.
    """
    from archc.pipeline import Request
    from archlang.diagnostics import Diagnostics

    targets = [target for net in nets for target in files_of(net)]
    diagnostics = Diagnostics()
    results = [_check(Request(target, bindings, inputs)) for target in targets]
    for result in results:
        diagnostics.extend(result.diagnostics)
    diagnostics.extend(_unused_in_all(results))
    count = sum(len(result.programs) for result in results)
    if as_json:
        _print_json(diagnostics.all)
    else:
        report(diagnostics.all)
        _print_summary(diagnostics.all, len(targets), count)
    return status_of(diagnostics.all)


def _check(request: Request) -> CheckResult:
    from archc.lower.context import Problem
    from archc.lower.files import decode, read_standard_input
    from archc.pipeline import CheckResult, check_net, check_source

    if request.net != "-":
        return check_net(request)
    try:
        return check_source(decode(read_standard_input(), "<stdin>"), request)
    except Problem as problem:
        return CheckResult((problem.diagnostic,))


def _unused_in_all(results: list[CheckResult]) -> tuple[Diagnostic, ...]:
    """What is given on the command line, and no file takes."""
    said = [{found.message for found in result.unused} for result in results]
    first = results[0].unused if results else ()
    return tuple([found for found in first if all(found.message in some for some in said)])


def _print_json(diagnostics: tuple[Diagnostic, ...]) -> None:
    import json

    from archlang.rendering import to_json

    click.echo(json.dumps(to_json(diagnostics), indent=2, ensure_ascii=False))


def _print_summary(diagnostics: tuple[Diagnostic, ...], targets: int, nets: int) -> None:
    if status_of(diagnostics) == 0:
        click.echo(f"{_counted(nets, 'net')} in {_counted(targets, 'file')}: all is well")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
