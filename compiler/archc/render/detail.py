"""How much of a net a picture shows: as much as stays readable."""

from __future__ import annotations

from archc.graph import Call, Choice, Node, Operation, Program, Region, Repeat, Scan
from archc.render.drawing import draw
from archc.render.errors import RenderError
from archc.render.scene import Scene

__all__ = ["scene_of"]

_MOST_BOXES = 60  # of a picture for a page
_MOST_IN_A_ROW = 32
_LIMIT = 4000  # of a picture that somebody asked for


def scene_of(program: Program, depth: int | None) -> Scene:
    """Draw a net at the given depth, or at the depth at which it fits a page.

    Raises:
        RenderError: when the picture would be too large to be drawn.
    """
    sizes = _Sizes()
    if depth is not None:
        return _asked_for(program, depth, sizes)
    deepest = sizes.levels(program.region)
    for level in range(deepest, -1, -1):
        if sizes.boxes(program.region, level, False) > _MOST_BOXES:
            continue
        for expand in (True, False):
            if sizes.boxes(program.region, level, expand) > 2 * _MOST_BOXES:
                continue
            scene = draw(program, depth=level, expand=expand, explain=level < deepest)
            if scene.size <= _MOST_BOXES and scene.length <= _MOST_IN_A_ROW:
                return scene
    return _asked_for(program, 0, sizes)


def _asked_for(program: Program, depth: int, sizes: _Sizes) -> Scene:
    for expand in (True, False):
        boxes = sizes.boxes(program.region, depth, expand)
        if boxes <= (_LIMIT if depth or not expand else _MOST_BOXES):
            return draw(program, depth=depth, expand=expand, explain=False)
    raise RenderError(f"the picture would have {boxes:,} boxes: open fewer blocks with --depth")


class _Sizes:
    """Counts what a drawing would hold without drawing it, each region once."""

    def __init__(self) -> None:
        self._boxes: dict[tuple[Region, int, bool], int] = {}
        self._levels: dict[Region, int] = {}

    def levels(self, region: Region) -> int:
        """How many levels of blocks lie below a region."""
        if region not in self._levels:
            self._levels[region] = max([self._below(node) for node in region.nodes], default=0)
        return self._levels[region]

    def _below(self, node: Node) -> int:
        match node:
            case Operation():
                return 0
            case Call():
                return 1 + self.levels(node.region)
            case Choice() | Scan():
                return self.levels(node.region)
            case Repeat():
                return max([self.levels(run.region) for run in node.runs], default=0)

    def boxes(self, region: Region, depth: int, expand: bool) -> int:
        """About how many operators and closed blocks would be drawn (chains of operators, which
        share a box, are counted as half as many)."""
        key = (region, depth, expand)
        if key not in self._boxes:
            operators = sum(isinstance(node, Operation) for node in region.nodes)
            inside = sum(self._inside(node, depth, expand) for node in region.nodes)
            self._boxes[key] = (operators + 1) // 2 + inside
        return self._boxes[key]

    def _inside(self, node: Node, depth: int, expand: bool) -> int:
        match node:
            case Operation():
                return 0
            case Call():
                return 1 if depth <= 0 else self.boxes(node.region, depth - 1, expand)
            case Choice() | Scan():
                return self.boxes(node.region, depth, expand)
            case Repeat():
                counted = [self.boxes(run.region, depth, expand) for run in node.runs]
                return sum(counted) if expand else max(counted, default=0)
