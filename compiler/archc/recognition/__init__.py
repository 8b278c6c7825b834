"""Recognition: equations that say what a fused kernel computes become that kernel.

A pass on regions before a module is written. Figures, tables and pictures keep the equation; only
generated code changes, and the state_dict is the same with and without. Each kind of equation is a
`Recognizer` in a file of its own, listed in `RECOGNIZERS`.
"""

from __future__ import annotations

from collections.abc import Callable

from archc.graph import Program, Region
from archc.recognition.attention import recognize_attention
from archc.recognition.blending import blend
from archc.recognition.deferring import defer
from archc.recognition.gathering import gather
from archc.recognition.hoisting import hoist
from archc.recognition.notes import Note
from archc.recognition.recurrence import recognize_recurrence
from archc.recognition.rewriting import rewritten
from archlang.record import Record

__all__ = ["RECOGNIZERS", "Note", "Recognized", "Recognizer", "recognized"]

# Rewrites one region, and says what it recognised there; nothing when it is left as it is.
Recognizer = Callable[[Region], tuple[Region, tuple[Note, ...]]]

RECOGNIZERS: tuple[Recognizer, ...] = (
    recognize_attention,
    defer,
    recognize_recurrence,
    hoist,
    gather,
    blend,
)


class Recognized(Record):
    """A program with fused kernels, and what was recognised in it, one sentence each."""

    program: Program
    notes: tuple[str, ...]


def recognized(program: Program) -> Recognized:
    """The program with what is recognised replaced; the same program where nothing is."""
    notes: list[Note] = []

    def recognize(region: Region) -> Region:
        for recognizer in RECOGNIZERS:
            region, found = recognizer(region)
            notes.extend(found)
        return region

    changed = rewritten(program, recognize)
    return Recognized(changed, tuple(dict.fromkeys([note.text for note in notes])))
