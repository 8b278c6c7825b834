"""The process in which a picture is drawn, run as a script: ENGINE FORMAT SOURCE TARGET."""

from __future__ import annotations

import sys
from pathlib import Path


def main(engine: str, format: str, source: str, target: str) -> None:
    """Draw the DOT file `source` into `target`."""
    text = Path(source).read_text(encoding="utf-8")
    if engine == "graphviz":
        import graphviz

        data = graphviz.pipe("dot", format, text.encode(), quiet=True)
        Path(target).write_bytes(data)
    else:
        import pygraphviz

        pygraphviz.AGraph(string=text).draw(target, format=format, prog="dot")


if __name__ == "__main__":
    main(*sys.argv[1:])
