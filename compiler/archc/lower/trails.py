"""The trail of shapes behind two streams that do not fit, back to where their paths parted."""

from __future__ import annotations

from archc.graph import Call, Choice, Node, Operation, Repeat, Scan, Wire
from archc.lower.builder import Builder
from archc.lower.context import Context
from archc.lower.things import Stream
from archlang.diagnostics import Note

__all__ = ["trails"]

LONGEST = 8


def trails(streams: list[Stream], ctx: Context) -> tuple[Note, ...]:
    """One note for each stream: the shapes on its way from the place where the paths parted."""
    builder = ctx.builder
    assert builder is not None
    paths = [_path(stream, builder) for stream in streams]
    if all(len(path) <= 1 for path in paths):
        return ()
    common = set(paths[0])
    for path in paths[1:]:
        common &= set(path)
    notes: list[Note] = []
    for stream, path in zip(streams, paths, strict=True):
        parted = next((i for i, place in enumerate(path) if place in common), len(path) - 1)
        notes.append(Note(_text(stream, path[: parted + 1], builder)))
    return tuple(notes)


def _path(stream: Stream, builder: Builder) -> list[tuple[int, int]]:
    """The places (node, port) from the stream back along first inputs."""
    if stream.builder is not builder:
        return []
    places: list[tuple[int, int]] = []
    wire = stream.wire
    while True:
        places.append((wire.node, wire.port))
        if wire.node < 0 or wire.delay or not builder.nodes[wire.node].inputs:
            return places
        wire = builder.nodes[wire.node].inputs[0]


def _text(stream: Stream, path: list[tuple[int, int]], builder: Builder) -> str:
    parts: list[str] = []
    for number, port in reversed(path):
        if number < 0:
            parts.append(str(builder.shape_of(Wire(number, port))))
            continue
        node = builder.nodes[number]
        shape = node.outputs[port]
        if parts and (number, port) != path[-1]:
            parts.append(f"{_name(node)} -> {shape}")
        else:
            parts.append(str(shape))
    if len(parts) > LONGEST:
        parts = [parts[0], "...", *parts[-(LONGEST - 2) :]]
    if len(parts) == 1:
        return f"{parts[0]} flows in unchanged"
    return " -> ".join(parts)


def _name(node: Node) -> str:
    match node:
        case Operation():
            return node.op.name
        case Call():
            return node.region.name or "a block"
        case Repeat():
            return f"[...]*{node.count}"
        case Choice():
            return "a choice"
        case Scan():
            return "a step"
