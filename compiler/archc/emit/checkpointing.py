"""Blocks that are computed again in the backward pass instead of keeping what is inside.

Such a block is one that holds no repeat of blocks: a stage is opened, its bottlenecks are computed
again. What stands inside of a block that is computed again is not marked itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from archc.emit.collecting import regions_below
from archc.emit.units import Unit
from archc.graph import Call, Choice, Operation, Region, Repeat
from archc.ops.normalisation import BatchNorm

__all__ = ["COUNTED_ONCE", "IMPORT", "mark", "normalizes", "recomputes"]

#: What a file that computes blocks again imports.
IMPORT = "from torch.utils.checkpoint import checkpoint"

#: The helper that a block with batch norm needs; its statistics would be counted twice otherwise.
COUNTED_ONCE = '''@contextlib.contextmanager
def counted_once(module: nn.Module) -> collections.abc.Iterator[None]:
    """Lets a block compute again without counting its batches a second time."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    norms = [norm for norm in module.modules() if isinstance(norm, kinds)]
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum, norm.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, kept, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count
'''


def mark(units: list[Unit]) -> None:
    """Mark the classes whose instances compute again.

    Args:
        units: the classes of a file, the net last.
    """
    unit_of = {region: unit for unit in units for region in unit.regions}
    for root in units[-1].regions:
        _open(root, unit_of)


def recomputes(source: str) -> bool:
    """Whether the text of a file computes any block again."""
    return IMPORT in source.split("\n")


def normalizes(region: Region) -> bool:
    """Whether a batch norm is in it or below."""
    return any(isinstance(node, Operation) and isinstance(node.op, BatchNorm)
               for inner in regions_below(region) for node in inner.nodes)  # fmt: skip


def _open(region: Region, unit_of: dict[Region, Unit]) -> None:
    for inner in _inside(region):
        unit = unit_of.get(inner)
        if unit is None or unit.vanishes or _repeats_blocks(inner, unit_of):
            _open(inner, unit_of)
        else:
            unit.recomputed = True


def _repeats_blocks(region: Region, unit_of: dict[Region, Unit]) -> bool:
    for node in region.nodes:
        if isinstance(node, Repeat) and any(
            run.region in unit_of or any(inner in unit_of for inner in _inside(run.region))
            for run in node.runs
        ):
            return True
        if isinstance(node, Choice | Call) and _repeats_blocks(node.region, unit_of):
            return True
    return False


def _inside(region: Region) -> Iterator[Region]:
    """The regions that a region computes, one level down."""
    for node in region.nodes:
        if isinstance(node, Call | Choice):
            yield node.region
        elif isinstance(node, Repeat):
            yield from [run.region for run in node.runs]
