"""Emission: a program as the source of a PyTorch module."""

from __future__ import annotations

from archc.graph import Program
from archc.optimize import Optimization
from archc.requests import Probe

__all__ = ["emit", "needs_binding"]


def emit(
    program: Program,
    *,
    class_name: str | None = None,
    probe: Probe | None = None,
    recognize: bool = True,
    optimize: Optimization | None = None,
    comments: bool = True,
    checkpoint: bool = False,
    generate: bool = True,
) -> str:
    """The source of a Python file with the net as an nn.Module.

    Args:
        program: a checked net, in which `needs_binding` finds nothing.
        class_name: the name of the net's class instead of the one made from its own.
        probe: lowers the net again with another value of a hyperparameter. With it, numbers in
            `hyperparameters` become parameters of the constructor, where the net with other values
            proves to be the same code with other numbers.
        recognize: whether equations that say what a fused kernel computes become that kernel
            (`archc/recognition`).
        optimize: "inference" for a module that is not trained (`archc/optimize`).
        comments: whether lines of `forward` say the shape of what they make.
        checkpoint: whether blocks are computed again in the backward pass instead of keeping what
            is inside (`archc/emit/checkpointing.py`).
        generate: whether a net whose output can be fed back gets `step` and `generate`
            (`archc/emit/generating.py`).

    Raises:
        ValueError: for a class name that is no identifier, or when a dimension must be bound.
    """
    from archc.emit.manner import Manner
    from archc.emit.whole import write

    manner = Manner(comments=comments, checkpoint=checkpoint, generate=generate)
    return write(program, class_name, probe, recognize, optimize, manner)


def needs_binding(program: Program) -> tuple[str, ...]:
    """The names of the dimensions that must have a value before the net can be compiled: those that
    sizes of parameters or arguments of modules depend on."""
    from archc.emit.binding import symbolic_constructors

    return symbolic_constructors(program)
