"""`archc compile`: the PyTorch module as source."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from archc.console import Unusable, net_of, report, reported, tell
from archc.files import files_of
from archc.options import takes_net

if TYPE_CHECKING:
    from archc.net import Net


@click.command("compile", short_help="The PyTorch module as source.")
@click.option("-o", "--output", "path", type=click.Path(path_type=Path),
              help="The file to write, or the package; without it the source goes to standard "
              "output.")  # fmt: skip
@click.option("--class-name", help="The name of the net's class.")
@click.option("--explain", is_flag=True,
              help="Say on standard error which equations became fused kernels or are computed "
              "behind a loop, and why a net does not generate.")  # fmt: skip
@click.option("--no-recognize", is_flag=True,
              help="Write equations as they are, not as fused kernels.")  # fmt: skip
@click.option("--no-comments", is_flag=True,
              help="Leave out the comments with shapes.")  # fmt: skip
@click.option("--checkpoint", is_flag=True,
              help="Compute blocks again in the backward pass: less memory.")  # fmt: skip
@click.option("--no-generate", is_flag=True,
              help="Leave out step and generate, which run a net step by step.")  # fmt: skip
@click.option("--optimize", type=click.Choice(["inference"]),
              help="A faster module for inference: batch norm folded, dropout gone.")  # fmt: skip
@takes_net
def command(
    request: Any,
    path: Path | None,
    class_name: str | None,
    explain: bool,
    no_recognize: bool,
    no_comments: bool,
    checkpoint: bool,
    no_generate: bool,
    optimize: Literal["inference"] | None,
) -> int:
    """Compile NET to Python source that needs torch and nothing else.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    A folder becomes the package that -o names: a module for each complete net below it, and
    shared.py with the blocks that several of them have.
    """
    if class_name is not None and not _is_class_name(class_name):
        message = f"--class-name {class_name!r} cannot be the name of a class in Python"
        raise click.UsageError(message, click.get_current_context())
    manner: dict[str, Any] = {
        "recognize": not no_recognize,
        "optimize": optimize,
        "comments": not no_comments,
        "checkpoint": checkpoint,
        "generate": not no_generate,
    }
    if Path(request.net).is_dir():
        _refuse_options(request, class_name)
        return _package(request.net, path, explain, manner)
    with reported():
        net = net_of(request)
        text = net.source(class_name=class_name, **manner)
    if checkpoint:
        _say_unless_recomputed(net.name, [text])
    if explain:
        _explain(() if no_recognize else net.recognized)
        if net.generation and not no_generate:
            tell(f"note: {net.generation}")
    if path is None:
        click.echo(text, nl=False)
        return 0
    _write(path, text)
    tell(f"wrote {path}")
    return 0


def _package(folder: str, path: Path | None, explain: bool, manner: dict[str, Any]) -> int:
    from archc.emit.names import printable
    from archc.packaging import nets_in, package

    if path is None or not path.name.isidentifier():
        message = f"{folder} is a folder: name the package to write, such as -o nets"
        raise click.UsageError(message, click.get_current_context())
    with reported():
        nets = _with_numbers(nets_in([Path(file) for file in files_of(folder)]))
        if not nets:
            raise Unusable(f"there is no complete net in {folder}")
        name = printable(Path(folder).resolve().name)
        texts = package(nets, title=f"The nets of {name} as modules of PyTorch.", **manner)
    for net in nets:
        report(net.diagnostics)
    if manner["checkpoint"]:
        _say_unless_recomputed(name, texts.values())
    if explain and manner["recognize"]:
        _explain(tuple([f"{net.name}: {note}" for net in nets for note in net.recognized]))
    _write(path, texts)
    tell(f"wrote {path}: {len(texts) - 1} modules")
    return 0


def _with_numbers(nets: tuple[Net, ...]) -> list[Net]:
    """The nets that a module can be written for as they are; says which are left out."""
    from archc.emit import needs_binding

    kept = []
    for net in nets:
        names = needs_binding(net.program)
        if names:
            tell(f"note: {net.name} is left out: its module needs {', '.join(names)} as a number")
        else:
            kept.append(net)
    return kept


def _refuse_options(request: Any, class_name: str | None) -> None:
    given = {"--class-name": class_name, "-p": request.bindings, "--input": request.inputs}
    for option, value in given.items():
        if value:
            message = f"{option} is about one net, and {request.net} is a folder"
            raise click.UsageError(message, click.get_current_context())


def _write(path: Path, text: str | dict[str, str]) -> None:
    from archc.output import OutputError, write_folder, write_text

    try:
        if isinstance(text, str):
            write_text(path, text)
        else:
            write_folder(path, text, "# Made by archc")
    except OutputError as error:
        raise Unusable(str(error)) from error


def _say_unless_recomputed(name: str, texts: Iterable[str]) -> None:
    from archc.emit.checkpointing import recomputes

    if not any(recomputes(text) for text in texts):
        tell(f"note: {name} has no blocks to compute again: --checkpoint changes nothing")


def _explain(notes: tuple[str, ...]) -> None:
    for note in notes or ("no equation became a fused kernel",):
        tell(f"note: {note}")


def _is_class_name(name: str) -> bool:
    from keyword import iskeyword

    return name.isidentifier() and not iskeyword(name)
