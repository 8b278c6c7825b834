"""Optimization: a module for inference instead of the one that can be trained.

Passes on regions before a module is written, so that the source that is printed is the module that
runs. Figures, tables and pictures keep the net as it is written. Each pass is a function in a file
of its own, listed in `PASSES` in the order in which they run; what it does to weights stands in
`archc.torch.inference`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from archc.graph import Program, Region
from archc.optimize.folding import fold_normalisation
from archc.optimize.merging import merge_branches
from archc.optimize.removing import remove_regularisation
from archc.optimize.reusing import reuse_memory
from archc.recognition.rewriting import rewritten

__all__ = ["PASSES", "Optimization", "optimized"]

Optimization = Literal["inference"]

PASSES: tuple[Callable[[Region], Region], ...] = (
    remove_regularisation,
    fold_normalisation,
    merge_branches,
    reuse_memory,
)


def optimized(program: Program) -> Program:
    """The program for inference: the same outputs outside training, with fewer operations."""
    for rewrite in PASSES:
        program = rewritten(program, rewrite)
    return program
