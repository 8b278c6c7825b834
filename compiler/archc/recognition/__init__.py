"""Recognition: equations that say what a fused kernel computes become that kernel.

A pass on regions before a module is written. Figures, tables and pictures keep the equation; only
generated code changes, and the state_dict is the same with and without. Each kind of equation is a
`Recognizer` in a file of its own, listed in `RECOGNIZERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.graph import Node, Operation, Program, Region, Repeat, Scan
from archc.recognition.attention import recognize_attention
from archc.recognition.hoisting import hoist
from archc.recognition.notes import Note
from archc.recognition.recurrence import recognize_recurrence
from archlang.record import Record

__all__ = ["RECOGNIZERS", "Note", "Recognized", "Recognizer", "recognized"]

# Rewrites one region, and says what it recognised there; nothing when it is left as it is.
Recognizer = Callable[[Region], tuple[Region, tuple[Note, ...]]]

RECOGNIZERS: tuple[Recognizer, ...] = (
    recognize_attention,
    recognize_recurrence,
    hoist,
)


class Recognized(Record):
    """A program with fused kernels, and what was recognised in it, one sentence each."""

    program: Program
    notes: tuple[str, ...]


def recognized(program: Program) -> Recognized:
    """The program with what is recognised replaced; the same program where nothing is."""
    rewriting = _Rewriting()
    region = rewriting.region(program.region)
    changed = program if region is program.region else program.replace(region=region)
    return Recognized(changed, tuple(dict.fromkeys([note.text for note in rewriting.notes])))


class _Rewriting:
    """Rewrites each different region once, so that equal ones stay one object."""

    def __init__(self) -> None:
        self._known: dict[Region, Region] = {}
        self.notes: list[Note] = []

    def region(self, region: Region) -> Region:
        known = self._known.get(region)
        if known is None:
            known = self._rewritten(region)
            self._known[region] = known
        return known

    def _rewritten(self, region: Region) -> Region:
        nodes = tuple([self._node(node) for node in region.nodes])
        shares = tuple([self._shared(shared) for shared in region.shares])
        if any(new is not old for new, old in zip(nodes, region.nodes, strict=True)) or any(
            new is not old for new, old in zip(shares, region.shares, strict=True)
        ):
            region = region.replace(nodes=nodes, shares=shares)
        for recognizer in RECOGNIZERS:
            region, notes = recognizer(region)
            self.notes += notes
        return region

    def _shared(self, shared: Any) -> Any:
        if not isinstance(shared.what, Region):
            return shared
        inside = self.region(shared.what)
        return shared if inside is shared.what else shared.replace(what=inside)

    def _node(self, node: Any) -> Node:
        # What a scan keeps from step to step refers to the nodes of its region by their numbers.
        if isinstance(node, Operation | Scan):
            unchanged: Any = node
            return unchanged  # type: ignore[no-any-return]
        if isinstance(node, Repeat):
            runs = [(run, self.region(run.region)) for run in node.runs]
            if all(region is run.region for run, region in runs):
                return node
            return node.replace(runs=tuple([run.replace(region=new) for run, new in runs]))
        inside = self.region(node.region)
        found: Node = node if inside is node.region else node.replace(region=inside)
        return found
