"""What the commands' arguments have in common: NET, `-p`, `--params`, `--input`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from archc.pipeline import Written


__all__ = ["complete_net", "takes_net", "takes_request_options"]

Command = Callable[..., Any]

_SIZE = re.compile(r"[1-9][0-9]*")


class _Binding(click.ParamType):
    """NAME=VALUE; the value is an expression of the language and is read later."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Written]:
        if isinstance(value, tuple):
            return value
        from archc.pipeline import Written

        name, equals, text = value.partition("=")
        if not (name.strip() and equals and text.strip()):
            self.fail(f"{value!r} should be NAME=VALUE, such as classes=10", param, ctx)
        return name.strip(), Written(text.strip())


class _InputShape(click.ParamType):
    """SHAPE or NAME=SHAPE, sizes joined by x."""

    name = "SHAPE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str | None, tuple[int, ...]]:
        if isinstance(value, tuple):
            return value
        name, equals, text = value.rpartition("=")
        sizes = text.replace("×", "x").lower().split("x")
        if (equals and not name.strip()) or not all(_SIZE.fullmatch(size) for size in sizes):
            self.fail(f"{value!r} should be a shape such as 3x227x227, or src=37", param, ctx)
        return name.strip() or None, tuple([int(size) for size in sizes])


class _ParamsFile(click.ParamType):
    """A YAML file of hyperparameters."""

    name = "FILE.yaml"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[tuple[str, Any], ...]:
        if isinstance(value, tuple):
            return value
        from archc.parameters import ParametersError, read_parameters

        try:
            return read_parameters(Path(value))
        except ParametersError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: Any, param: Any, incomplete: str) -> Any:
        return click.File().shell_complete(ctx, param, incomplete)


def complete_net(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """Shell completion of NET: names of the library, then files."""
    from click.shell_completion import CompletionItem

    from archc import library

    names = [CompletionItem(name) for name in library.names() if name.startswith(incomplete)]
    return [*names, CompletionItem(incomplete, type="file")]


def takes_request_options(command: Command) -> Command:
    """Give a command `-p`, `--params` and `--input`; it gets `bindings` and `inputs`."""

    @click.option("-p", "bindings", type=_Binding(), multiple=True, metavar="NAME=VALUE",
                  help="Give a hyperparameter, bind a dimension (-p T=128), set an operator's "
                  "default (-p CONV.filters=64); repeatable.")  # fmt: skip
    @click.option("--params", type=_ParamsFile(), default=(), metavar="FILE.yaml",
                  help="Take what -p takes from a YAML file; -p wins.")  # fmt: skip
    @click.option("--input", "inputs", type=_InputShape(), multiple=True, metavar="[NAME=]SHAPE",
                  help="The shape of an input that the net leaves open, such as 3x227x227; "
                  "repeatable with names.")  # fmt: skip
    @functools.wraps(command)
    def wrapper(bindings: Any, params: Any, inputs: Any, **rest: Any) -> Any:
        _refuse_doubled("-p", [name for name, _ in bindings])
        _refuse_doubled("--input", [name for name, _ in inputs])
        merged = {**dict(params), **dict(bindings)}
        return command(bindings=tuple(merged.items()), inputs=inputs, **rest)

    return wrapper


def takes_net(command: Command) -> Command:
    """Give a command one NET and the options about it; it gets a `request`."""

    @click.argument("net", metavar="NET", shell_complete=complete_net)
    @takes_request_options
    @functools.wraps(command)
    def wrapper(net: str, bindings: Any, inputs: Any, **rest: Any) -> Any:
        from archc.pipeline import Request

        return command(request=Request(net, bindings, inputs), **rest)

    return wrapper


def _refuse_doubled(option: str, names: list[str | None]) -> None:
    doubled = [name for i, name in enumerate(names) if name in names[:i]]
    if doubled:
        what = f"{doubled[0]} twice" if doubled[0] is not None else "two shapes without names"
        raise click.UsageError(f"{option} gives {what}", click.get_current_context())
