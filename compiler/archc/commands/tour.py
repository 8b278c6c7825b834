"""`archc tour`: the demonstration that the README's first command runs."""

from __future__ import annotations

from pathlib import Path

import click

from archc.console import Unusable, reported


@click.command("tour", short_help="The five-minute demonstration.")
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path), default=Path("tour"),
              show_default=True, help="The folder that the files go to.")  # fmt: skip
def command(folder: Path) -> int:
    """Check, price, draw, compile and run LeNet-5 and ResNet-50 from the library.

    It takes less than a minute, leaves a table, a picture and a PyTorch module of each net, and
    needs torch.
    """
    from archc.output import OutputError
    from archc.render import RenderError
    from archc.tour import TorchMissing, take_tour

    try:
        with reported():
            take_tour(folder, click.echo)
    except (TorchMissing, RenderError, OutputError) as error:
        raise Unusable(str(error)) from error
    return 0
