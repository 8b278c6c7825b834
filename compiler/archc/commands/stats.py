"""`archc stats`: the cost table."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click import Context, Parameter

from archc.console import colored, net_of, width_of
from archc.options import takes_net

if TYPE_CHECKING:
    from archc.devices import Device
    from archc.net import Net
    from archc.stats import Table

_FORMATS = ("table", "json", "csv", "markdown", "latex", "html")
_STYLES = ("plain", "lecture", "geometry", "bars")
_DTYPES = ("float64", "float32", "float16", "bfloat16", "int8", "fp64", "fp32", "fp16", "bf16")
_OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")


def _or_list(ctx: click.Context, param: click.Parameter, key: str | None) -> str | None:
    """The name of a device; of `list` all are shown, and that is all that is done."""
    if key != "list":
        return key
    from archc.devices import DeviceError, devices

    try:
        known = devices(ctx.params.get("devices"))
    except DeviceError as error:
        raise click.UsageError(str(error), ctx) from error
    for name, found in known.items():
        rates = ", ".join([f"{dtype} {rate:g}" for dtype, rate in found.rates])
        click.echo(f"{name:<10}  {found.bandwidth:>5g} GB/s  {found.name}")
        click.echo(f"{'':<23}TFLOP/s: {rates}")
    raise click.exceptions.Exit(0)


def _kinds(ctx: Context, param: Parameter, value: str | None) -> tuple[str, ...]:
    """Names with commas between them."""
    names = [name.strip() for name in (value or "").split(",")]
    return tuple([name for name in names if name])


@click.command("stats", short_help="The cost table.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="table", show_default=True,
              help="What is printed.")  # fmt: skip
@click.option("--count", type=click.Choice(["macs", "flops"]),
              help="Multiply-adds (the default), or arithmetic operations "
              "of every kind.")  # fmt: skip
@click.option("--with", "include", callback=_kinds, metavar="KIND,...",
              help="Count these operations too, beside multiply-adds: bias, normalisation, "
              "activation, pooling, other.")  # fmt: skip
@click.option("--without", "exclude", callback=_kinds, metavar="KIND,...",
              help="Leave these out of --count flops.")  # fmt: skip
@click.option("--style", type=click.Choice(_STYLES), default="plain", show_default=True,
              help="The columns: of the lectures' tables, receptive fields, bars.")  # fmt: skip
@click.option("--depth", type=click.IntRange(min=0),
              help="How far blocks are opened: 1 not at all; by default "
              "as far as stays readable.")  # fmt: skip
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many examples the operations and activations are for.")  # fmt: skip
@click.option("--dtype", type=click.Choice(_DTYPES), default="float32", show_default=True,
              help="The type of parameters and activations.")  # fmt: skip
@click.option("--as", "convention", metavar="TOOL",
              help="Count as a tool or a text does, and say where that differs: torch, fvcore, "
              "ptflops, thop, calflops, torchinfo, lecture.")  # fmt: skip
@click.option("--written", type=click.Choice(["functions", "modules"]), default="functions",
              show_default=True,
              help="What code --as TOOL reads: archc's, or one with activations and "
              "global pooling as modules.")  # fmt: skip
@click.option("--train", is_flag=True,
              help="Add the memory of training: gradients, optimizer, what is kept for the "
              "backward pass.")  # fmt: skip
@click.option("--optimizer", type=click.Choice(_OPTIMIZERS), default="adam", show_default=True,
              help="With --train: sgd keeps nothing, momentum one number for each parameter, "
              "adam and adamw two.")  # fmt: skip
@click.option("--master-weights", is_flag=True,
              help="With --train: the optimizer keeps the parameters, and its own numbers, in "
              "float32 as well.")  # fmt: skip
@click.option("--device", "key", metavar="NAME", is_eager=True, callback=_or_list,
              help="Estimate the time on a device; --device list shows them.")  # fmt: skip
@click.option("--accepts", is_flag=True, help="Print which input sizes the net accepts, instead.")
@click.option("--devices", is_eager=True, type=click.Path(path_type=Path), metavar="FILE.yaml",
              help="More devices.")  # fmt: skip
@takes_net
def command(request: Any, form: str, accepts: bool, **choices: Any) -> int:
    """Print parameters, multiply-adds and memory of NET, layer by layer.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    """
    from archc.devices import DeviceError
    from archc.stats import table

    choices["device"] = _device(choices.pop("key"), choices.pop("devices"))
    if choices["style"] in ("lecture", "bars") and form in ("json", "csv"):
        raise click.UsageError(
            f"--style {choices['style']} is for tables that people read, not for {form}"
        )
    if choices["train"] and choices["device"] is not None:
        raise click.UsageError("--device is an estimate of the forward pass, --train of training")
    if choices["train"] and choices["dtype"] == "int8":
        raise click.UsageError("int8 cannot be trained: whole numbers have no gradients")
    _refuse_conflicts(choices)
    # The table has the compiler's notes at its end.
    net = net_of(request, notes=form != "table")
    if accepts:
        return _print_accepted(net, form)
    program = net.program
    try:
        found = table(program, **choices)
    except DeviceError as error:
        raise click.UsageError(str(error), click.get_current_context()) from error
    text = _FORMATTERS[form](found)
    click.echo(text.rstrip("\n"), color=True)
    return 0


def _print_accepted(net: Net, form: str) -> int:
    if form not in ("table", "json"):
        raise click.UsageError(f"--accepts prints a table or json, not {form}")
    found = net.accepts()
    if form == "json":
        import json

        click.echo(json.dumps([vars(rule) for rule in found], indent=2))
        return 0
    for rule in found:
        click.echo(f"{rule.input}: {rule.rule}  (sizes from {rule.low} to {rule.high} tried)")
    return 0


def _device(key: str | None, path: Path | None) -> Device | None:
    from archc.devices import DeviceError, device

    if key is None:
        if path is not None:
            raise click.UsageError("--devices goes with --device NAME", click.get_current_context())
        return None
    try:
        return device(key, path)
    except DeviceError as error:
        raise click.UsageError(str(error), click.get_current_context()) from error


def _refuse_conflicts(choices: dict[str, Any]) -> None:
    """End the command where what is asked for cannot be counted."""
    asked = [choices[name] for name in ("convention", "count", "include", "exclude", "written")]
    if asked in ([None, count, (), (), "functions"] for count in (None, "macs", "flops")):
        return
    if choices["train"]:
        raise click.UsageError(
            "--train and --as, --with or --without: other conventions count what runs "
            "outside training"
        )
    from archc.conventions import counting_of

    try:
        counting_of(*asked)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


_FORMATTERS: dict[str, Callable[[Table], str]] = {
    "table": lambda found: found.render(width_of(sys.stdout), colored(sys.stdout)),
    "json": lambda found: found.to_json(),
    "csv": lambda found: found.to_csv(),
    "markdown": lambda found: found.to_markdown(),
    "latex": lambda found: found.to_latex(),
    "html": lambda found: found.to_html(),
}
