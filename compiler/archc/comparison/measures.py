"""What is measured of a net, or of a stage of one."""

from __future__ import annotations

from typing import Any

from archc.cost import Pricing, Totals
from archc.dims import Dim
from archc.graph import Program
from archc.liveness import demand_of
from archc.tables.rows import shape_text
from archc.tables.stages import Stage, stages_of
from archc.tables.view import Count
from archlang.record import Record

__all__ = ["MEASURES", "Compared", "compared", "staged"]

MEASURES = ("memory", "params", "operations")


class Compared(Record):
    """A net that is compared, or a stage of one.

    Args:
        name: what it is called.
        memory: the bytes of all outputs of operators.
        params: learned numbers.
        operations: multiply-adds, or arithmetic operations of every kind.
        inputs: the shape of each input, for people.
        stages: the stages of a net.
        parts: of a stage, the paths of the first and the last thing in it.
        published: what the file quotes about a net, by name.
    """

    name: str
    memory: Dim
    params: Dim
    operations: Dim
    inputs: str = ""
    stages: tuple[Stage, ...] = ()
    parts: tuple[str, str] | None = None
    published: tuple[tuple[str, Any], ...] = ()

    def measure(self, name: str) -> Dim:
        """One of `MEASURES`."""
        found: Dim = getattr(self, name)
        return found

    @property
    def facts(self) -> dict[str, Any]:
        """What is published, by name."""
        return dict(self.published)


def compared(program: Program, name: str, count: Count, batch: int, dtype: str) -> Compared:
    """The figures of a net, for a batch."""
    region = program.region
    totals = Pricing().region(region, demand_of(region))
    figures = _figures(totals, count, batch, dtype)
    inputs = ", ".join(
        [shape_text(port.shape) for port in region.inputs if port.lengths_of is None]
    )
    return Compared(name, *figures, inputs, stages_of(program), None, program.published)


def staged(
    place: tuple[Stage | None, ...], count: Count, batch: int, dtype: str
) -> tuple[Compared | None, ...]:
    """The figures of the stages that stand at one place, for a batch."""
    return tuple(
        [
            None
            if stage is None
            else Compared(
                stage.label, *_figures(stage.figures, count, batch, dtype), parts=stage.parts
            )
            for stage in place
        ]
    )


def _figures(totals: Totals, count: Count, batch: int, dtype: str) -> tuple[Dim, Dim, Dim]:
    one = totals.macs if count == "macs" else totals.flops
    return totals.activation_bytes(dtype, batch), totals.params, one * batch
