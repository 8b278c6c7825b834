"""`archc weights`: weights that others wrote, as those of a net."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archc.console import Unusable, net_of, reported, tell
from archc.options import takes_net

if TYPE_CHECKING:
    from archc.net import Net


def _by_hand(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in values:
        theirs, _, ours = [part.strip() for part in text.partition("=")]
        if not theirs or not ours:
            message = f"{text!r} should be THEIRS=OURS, such as layer1.0.conv1=stage.0.conv"
            raise click.BadParameter(message, ctx, param)
        if theirs in found:
            raise click.BadParameter(f"{theirs} is given twice", ctx, param)
        found[theirs] = ours
    return found


@click.command("weights", short_help="Weights that others wrote, as those of a net.")
@click.option("--from", "source", required=True, type=click.Path(path_type=Path),
              help="The file of theirs: .safetensors, or what torch.save wrote "
              "(.pth .pt .bin .ckpt).")  # fmt: skip
@click.option("-o", "--output", "path", type=click.Path(path_type=Path),
              help="The file to write, .safetensors or .pth; without it the mapping is only "
              "shown.")  # fmt: skip
@click.option("--skip", multiple=True, metavar="NAME",
              help="Leave out a name of the file with all below it; repeatable.")  # fmt: skip
@click.option("--match", "hand", callback=_by_hand, multiple=True, metavar="THEIRS=OURS",
              help="Say where a name of the file goes, with all below it; repeatable.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the mapping as JSON.")
@takes_net
def command(
    request: Any,
    source: Path,
    path: Path | None,
    skip: tuple[str, ...],
    hand: dict[str, str],
    as_json: bool,
) -> int:
    """Match the state_dict of a network that others wrote with NET, which is the same network.

    Layers are matched by the order of use, shape and kind, and the mapping is shown with what
    decided; where it is not unique, nothing is written. What is written loads into the module that
    `archc compile NET` makes. Nothing that the file asks for is run.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    """
    net = net_of(request)
    text = _converted(net, source, path, {"skip": skip, "match": hand}, as_json)
    click.echo(text.rstrip("\n"))
    if path is not None:
        tell(f"wrote {path}")
    return 0


def _converted(
    net: Net, source: Path, path: Path | None, options: dict[str, Any], as_json: bool
) -> str:
    import json

    from archc.netgraph import GraphTooLargeError
    from archc.output import OutputError
    from archc.torch import WeightsError

    try:
        with reported():
            found = net.weights(source, **options)
        if path is not None:
            found.save(path)
    except (WeightsError, GraphTooLargeError, ImportError, OutputError) as error:
        raise Unusable(str(error)) from error
    return json.dumps(found.to_dict(), indent=2, ensure_ascii=False) if as_json else str(found)
