"""`archc compile`: the PyTorch module as source."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from archc.console import Unusable, net_of, reported, tell
from archc.options import takes_net


@click.command("compile", short_help="The PyTorch module as source.")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path),
              help="The file to write; without it the source goes to standard output.")  # fmt: skip
@click.option("--class-name", help="The name of the net's class.")
@click.option("--explain", is_flag=True,
              help="Say on standard error which equations became fused kernels.")  # fmt: skip
@click.option("--no-recognize", is_flag=True,
              help="Write equations as they are, not as fused kernels.")  # fmt: skip
@click.option("--optimize", type=click.Choice(["inference"]),
              help="A faster module for inference: batch norm folded, dropout gone.")  # fmt: skip
@takes_net
def command(
    request: Any,
    path: Path | None,
    class_name: str | None,
    explain: bool,
    no_recognize: bool,
    optimize: Literal["inference"] | None,
) -> int:
    """Compile NET to Python source that needs torch and nothing else.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    """
    from archc.output import OutputError, write_text

    if class_name is not None and not _is_class_name(class_name):
        message = f"--class-name {class_name!r} cannot be the name of a class in Python"
        raise click.UsageError(message, click.get_current_context())
    with reported():
        net = net_of(request)
        text = net.source(class_name=class_name, recognize=not no_recognize, optimize=optimize)
    if explain:
        _explain(() if no_recognize else net.recognized)
    if path is None:
        click.echo(text, nl=False)
        return 0
    try:
        write_text(path, text)
    except OutputError as error:
        raise Unusable(str(error)) from error
    tell(f"wrote {path}")
    return 0


def _explain(notes: tuple[str, ...]) -> None:
    for note in notes or ("every equation is computed as it is written",):
        tell(f"note: {note}")


def _is_class_name(name: str) -> bool:
    from keyword import iskeyword

    return name.isidentifier() and not iskeyword(name)
