"""What the commands' arguments have in common: NET, `-p`, `--params`, `--input`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click import Context, Parameter

__all__ = ["complete_net", "takes_net", "takes_request_options"]

Command = Callable[..., Any]

_SIZE = re.compile(r"[1-9][0-9]{0,18}")


def _bindings(ctx: Context, param: Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE; the value is an expression of the language and is read later."""
    from archc.pipeline import Written

    found: dict[str, Any] = {}
    for text in values:
        name, _, value = [part.strip() for part in text.partition("=")]
        if not name or not value:
            raise click.BadParameter(
                f"{text!r} should be NAME=VALUE, such as classes=10", ctx, param
            )
        if name in found:
            raise click.BadParameter(f"{name} is given twice", ctx, param)
        found[name] = Written(value)
    return found


def _inputs(
    ctx: Context, param: Parameter, values: tuple[str, ...]
) -> tuple[tuple[str | None, tuple[int, ...]], ...]:
    """SHAPE or NAME=SHAPE, sizes joined by x."""
    found: dict[str | None, tuple[int, ...]] = {}
    for text in values:
        name, equals, shape = [part.strip() for part in text.rpartition("=")]
        sizes = shape.replace("×", "x").lower().split("x")
        if (equals and not name) or not all(_SIZE.fullmatch(size) for size in sizes):
            message = f"{text!r} should be a shape such as 3x227x227, or src=37"
            raise click.BadParameter(message, ctx, param)
        if (name or None) in found:
            twice = f"{name} is given twice" if name else "several inputs need names: src=37"
            raise click.BadParameter(twice, ctx, param)
        found[name or None] = tuple([int(size) for size in sizes])
    return tuple(found.items())


def _params(ctx: Context, param: Parameter, value: str | None) -> dict[str, Any]:
    """What a YAML file of hyperparameters has."""
    if value is None:
        return {}
    from archc.parameters import ParametersError, read_parameters

    try:
        return dict(read_parameters(Path(value)))
    except ParametersError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def complete_net(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """Shell completion of NET: names of the library, then files."""
    from click.shell_completion import CompletionItem

    from archc import library

    names = [CompletionItem(name) for name in library.names() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


def takes_request_options(command: Command) -> Command:
    """Give a command `-p`, `--params` and `--input`; it gets `bindings` and `inputs`."""

    @click.option("-p", "bindings", callback=_bindings, multiple=True, metavar="NAME=VALUE",
                  help="Give a hyperparameter, bind a dimension (-p T=128), set an operator's "
                  "default (-p CONV.filters=64); repeatable.")  # fmt: skip
    @click.option("--params", callback=_params, type=click.Path(), metavar="FILE.yaml",
                  help="Take what -p takes from a YAML file; -p wins.")  # fmt: skip
    @click.option("--input", "inputs", callback=_inputs, multiple=True, metavar="[NAME=]SHAPE",
                  help="The shape of an input that the net leaves open, such as 3x227x227; "
                  "repeatable with names.")  # fmt: skip
    @functools.wraps(command)
    def wrapper(bindings: Any, params: Any, inputs: Any, **rest: Any) -> Any:
        merged = tuple({**params, **bindings}.items())
        return command(bindings=merged, inputs=inputs, **rest)

    return wrapper


def takes_net(command: Command) -> Command:
    """Give a command one NET and the options about it; it gets a `request`."""

    @click.argument("net", metavar="NET", shell_complete=complete_net)
    @takes_request_options
    @functools.wraps(command)
    def wrapper(net: str, bindings: Any, inputs: Any, **rest: Any) -> Any:
        from archc.pipeline import Request

        if not net.strip():
            raise click.UsageError("NET is empty", click.get_current_context())
        return command(request=Request(net, bindings, inputs), **rest)

    return wrapper
