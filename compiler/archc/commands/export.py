"""`archc export`: a file that other programs run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from archc.console import Unusable, net_of, reported, tell
from archc.options import takes_net


@click.command("export", short_help="A file that other programs run: ONNX or .pt2.")
@click.option("-o", "--output", "path", required=True, type=click.Path(path_type=Path),
              help="The file; its suffix is the format: .onnx .pt2")  # fmt: skip
@click.option("--weights", "source", type=click.Path(path_type=Path), metavar="FILE",
              help="Weights of NET, or of the same network by others, as archc weights takes "
              "them; without it they are freshly initialised.")  # fmt: skip
@takes_net
def command(request: Any, path: Path, source: Path | None) -> int:
    """Write NET for programs that know nothing of its source.

    The batch and the dimensions that are open stay dynamic.

    NET is a file, file.arch:name, a net of the library such as resnet50, or - for standard input.
    """
    from archc.output import OutputError
    from archc.torch import FORMATS, ExportError, WeightsError

    if path.suffix not in FORMATS:
        raise Unusable(f"{path}: the suffix must be {' or '.join(FORMATS)}")
    net = net_of(request)
    try:
        with reported():
            module = net.to_torch(weights=net.weights(source).state_dict()) if source else None
            net.export(path, module=module)
    except (ExportError, WeightsError, ImportError, OutputError) as error:
        raise Unusable(str(error)) from error
    tell(f"wrote {path}")
    return 0
