"""`archc render`: the diagram."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from archc.console import Unusable, net_of, tell
from archc.options import takes_net


@click.command("render", short_help="The diagram.")
@click.option("-o", "--output", "path", required=True, type=click.Path(path_type=Path),
              help="The file; its suffix is the format: .svg .png .pdf .dot")  # fmt: skip
@click.option("--depth", type=click.IntRange(min=1),
              help="How far blocks are opened: 1 not at all; by default "
              "as far as stays readable.")  # fmt: skip
@takes_net
def command(request: Any, path: Path, depth: int | None) -> int:
    """Draw NET: blocks as boxes in boxes, repeats drawn once, shapes on the edges.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    """
    from archc.output import OutputError
    from archc.render import RenderError

    net = net_of(request)
    try:
        net.render(path, depth=depth)
    except (RenderError, OutputError) as error:
        raise Unusable(str(error)) from error
    tell(f"wrote {path}")
    return 0
