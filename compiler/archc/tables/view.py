"""What a printed table shows of a net, and the words around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from archc.cost import Totals
from archc.dims import Dim, Poly
from archc.graph import BlockName, Program
from archc.tables.differences import difference_notes
from archc.tables.rows import Cell, Row, figure, shape_text
from archlang.record import Record

if TYPE_CHECKING:
    from archc.conventions import Counting
    from archc.memory.amounts import Amount
    from archc.memory.training import Training

__all__ = [
    "Count", "View", "activation_cell", "counted", "notes_of", "rounded", "saved_cell", "thousands",
    "title_of",
    "value_text",
]  # fmt: skip

Count = Literal["macs", "flops"]

_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


class View(Record):
    """What a table shows.

    Args:
        program: the net.
        rows: its rows, at the depth that is shown.
        totals: the figures of the net.
        count: what is counted in the last column.
        batch: the batch that computation and activations are for.
        dtype: the type of parameters and activations.
        depth: how far blocks are opened.
        openable: how far they can be, without more rows than anybody could use.
        deepest: how far they could be.
        all_rows: the number of rows when everything is open.
        training: the memory of training, where that is shown.
        counting: another convention that is counted by, where one is asked for.
    """

    program: Program
    rows: tuple[Row, ...]
    totals: Totals
    count: Count
    batch: int
    dtype: str
    depth: int
    openable: int
    deepest: int
    all_rows: int
    training: Training | None = None
    counting: Counting | None = None


def counted(figures: Totals, view: View) -> Dim:
    """Multiply-adds or operations, whichever the table counts, of the whole batch."""
    if view.counting is not None:
        return figures.tally.counted * view.batch
    one = figures.macs if view.count == "macs" else figures.flops
    return one * view.batch


def activation_cell(figures: Totals, view: View) -> Cell:
    """The memory of activations in KB; a formula is in bytes, and says so."""
    size = figures.activation_bytes(view.dtype, view.batch)
    return f"{size} B" if isinstance(size, Poly) else rounded(size, 1024)


def rounded(value: int, unit: int) -> int:
    """The value in units, a half rounded up as the lectures do."""
    return (2 * value + unit) // (2 * unit)


def thousands(value: Dim, unit: int) -> Cell:
    """A figure in units of a thousand or so, rounded; a formula stays exact."""
    return value if isinstance(value, Poly) else rounded(value, unit)


def title_of(view: View) -> str:
    """The line above the table: the net, its hyperparameters, what goes in and what comes out."""
    region = view.program.region
    into = ", ".join([f"{port.name} {shape_text(port.shape)}".strip() for port in region.inputs])
    out = ", ".join([f"{o.name} {shape_text(o.shape)}" for o in region.outputs if not o.training])
    values = [f"{name}={value_text(value)}" for name, value in view.program.hyperparameters]
    chosen = f"({', '.join(values)})" if values else ""
    return f"{view.program.name}{chosen}: {into} -> {out}"


def notes_of(view: View) -> tuple[str, ...]:
    """The sentences below the table: the figures in full, and what is not shown."""
    totals, type_name = view.totals, view.dtype
    memory = _memory(totals.activation_bytes(type_name, view.batch))
    batch = f", batch {view.batch}" if view.batch != 1 else ""
    notes = [
        f"parameters {figure(totals.params)} ({_memory(totals.param_bytes(type_name))} as "
        f"{type_name}), buffers {figure(totals.buffers)}",
        f"multiply-adds {figure(totals.macs * view.batch)}, "
        f"operations {figure(totals.flops * view.batch)}",
        f"activations {memory}: the outputs of all operators as {type_name}{batch}",
    ]
    if view.training is not None:
        notes += training_notes(view.training)
    if view.counting is not None:
        notes.extend(difference_notes(view.program, totals, view.counting, view.batch))
    if any(row.inactive for row in view.rows):
        notes.append("† does not run outside training: it has parameters, and costs nothing")
    notes.extend(view.program.notes)
    notes.extend([f"verified: {claim}" for claim in view.program.compared])
    if view.depth < view.deepest:
        notes.append(_how_to_open(view))
    return tuple(notes)


def value_text(value: Any) -> str:
    """A hyperparameter's value as a file writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, BlockName):
        return value
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join([value_text(item) for item in value])}]"
    if isinstance(value, tuple):
        return f"({', '.join([value_text(item) for item in value])})"
    return "NONE" if value is None else str(value)


def saved_cell(amount: Amount, training: Training) -> Cell:
    """What is kept for the backward pass in KB; a formula is in bytes, and says so."""
    size = training.in_bytes(amount)
    return f"{size} B" if isinstance(size, Poly) else rounded(size, 1024)


def training_notes(training: Training) -> list[str]:
    """The sentences about the memory of training."""
    plan = training.plan
    master = f" and float32 weights {_memory(training.master_weights)}" * plan.master_weights
    peaks = [_memory(size) for size in training.forward_peak]
    peak = f"the largest of {', '.join(peaks)}" if len(peaks) > 1 else "".join(peaks)
    return [
        f"training holds {_memory(training.total)}: parameters {_memory(training.params)}, "
        f"gradients {_memory(training.gradients)}, {plan.optimizer} "
        f"{_memory(training.optimizer)}{master}, kept for the backward pass "
        f"{_memory(training.saved)}",
        f"a forward pass alone holds at most {peak or 'what depends on open dimensions'} at once "
        "beside the parameters",
    ]


def _how_to_open(view: View) -> str:
    """How to see more rows, where that is possible."""
    further = []
    if view.depth < view.openable and view.depth + 1 < view.deepest:
        further.append(f"--depth {view.depth + 1} opens more")
    if view.openable == view.deepest:
        further.append(f"--depth {view.deepest} shows all {view.all_rows:,} rows")
    else:
        further.append(f"all {view.all_rows:,} rows are too many")
    return f"blocks are opened to depth {view.depth} of {view.deepest}: {', '.join(further)}"


def _memory(size: Dim) -> str:
    if isinstance(size, Poly):
        return f"{size} bytes"
    power = 0
    while power + 1 < len(_UNITS) and size >= 1024 ** (power + 1):
        power += 1
    if power == 0:
        return f"{size} bytes"
    tenths = rounded(size * 10, 1024**power)
    return f"{tenths // 10:,}.{tenths % 10} {_UNITS[power]}"
