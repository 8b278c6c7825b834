"""Diagrams: a region as DOT, and as SVG, PNG or PDF."""

from __future__ import annotations

from pathlib import Path

from archc.graph import Program
from archc.render.errors import RenderError

__all__ = ["FORMATS", "RenderError", "render", "to_dot", "to_svg"]

FORMATS = (".svg", ".png", ".pdf", ".dot")


def to_dot(program: Program, *, depth: int | None = None) -> str:
    """Draw a net in Graphviz's language.

    Args:
        program: a checked net.
        depth: how many levels of blocks are opened; by default as many as keep the picture readable
            on a page.

    Raises:
        RenderError: when the picture would be too large.
    """
    from archc.render.detail import scene_of
    from archc.render.dot import to_text

    return to_text(scene_of(program, depth), program.name, _figures(program))


def to_svg(program: Program, *, depth: int | None = None) -> str:
    """Draw a net as SVG, for a page or a notebook.

    Raises:
        RenderError: when the picture would be too large, or no engine can draw.
    """
    return _drawn(program, "svg", depth).decode("utf-8")


def render(program: Program, path: Path, *, depth: int | None = None) -> None:
    """Draw a net into a file; the suffix says the format: .svg, .png, .pdf or .dot.

    The file is written whole or not at all.

    Args:
        program: a checked net.
        path: where to write.
        depth: as for `to_dot`.

    Raises:
        RenderError: for another suffix, a picture that is too large, or when no engine can draw.
        OutputError: when the file cannot be written.
    """
    from archc.output import staged

    suffix = path.suffix.lower()
    if suffix == ".html":
        raise RenderError(".html pictures come in a later version; browsers open .svg")
    if suffix not in FORMATS:
        found = f"not {suffix!r}" if suffix else "and this path has no suffix"
        raise RenderError(f"the format of a picture is {', '.join(FORMATS)}, {found}")
    if suffix == ".dot":
        data = to_dot(program, depth=depth).encode()
    else:
        data = _drawn(program, suffix.removeprefix("."), depth)
    with staged(path) as temporary:
        temporary.write_bytes(data)


def _drawn(program: Program, format: str, depth: int | None) -> bytes:
    from archc.render.engine import lay_out

    data = lay_out(to_dot(program, depth=depth), format)
    if format != "svg":
        return data
    from archc.render.svg import finished

    description = f"The layers of the network {program.name} and how they are connected; "
    return finished(data.decode("utf-8"), program.name, description + _figures(program)).encode()


def _figures(program: Program) -> str:
    from archc.cost import cost
    from archc.render.labels import amount

    totals = cost(program)
    return f"{amount(totals.params)} parameters · {amount(totals.macs)} multiply-adds"
