"""The graph: regions of nodes, kept as deep as the author wrote them.

A `Region` is one block, net, cell or repeated group at one set of arguments and input shapes; equal
ones are one object. Calls and repeats refer to regions, so twelve equal layers are one region and a
count. Nothing here is ever flattened; what needs a flat view walks.
"""

from __future__ import annotations

from typing import Any, Literal

from archc.dims import Dim
from archc.op import Op
from archc.shapes import Lengths, Shape
from archlang.record import Record, field
from archlang.source import Span
from archlang.tree import Node as TreeNode

__all__ = [
    "INPUTS", "BlockName", "Call", "Choice", "Node", "Operation", "Port", "Program", "Region",
    "RegionKind", "RegionOutput", "Repeat", "Run", "Scan", "Shared", "State", "Wire", "wires_of",
]  # fmt: skip

RegionKind = Literal["net", "block", "cell", "group"]

INPUTS = -1  # the `node` of a wire that comes from the region's own inputs


class BlockName(str):
    """A block as the value of a hyperparameter: the name that the file gives it."""

    __slots__ = ()


class Wire(Record):
    """Where a stream comes from inside a region: output `port` of node number `node`, or input
    `port` of the region when `node` is INPUTS. `delay` counts steps of time: 1 for
    what it carried one step ago, inside a `Scan`."""

    node: int
    port: int = 0
    delay: int = 0


class Port(Record):
    """An input of a region. `lengths_of` names the input whose real steps it counts, if any."""

    name: str
    shape: Shape
    lengths_of: str | None = None


class RegionOutput(Record):
    """An output of a region; `training` ones exist in training only."""

    name: str
    wire: Wire
    shape: Shape
    training: bool = False


class _Node(Record):
    """What all nodes have.

    Args:
        name: the attribute of the module that holds it, unique in its region ("" where a group's
            only node needs no level of its own, and for nodes without weights or state that are
            inlined). Paths in the state_dict are made of these.
        inputs: one wire for each input.
        outputs: the shape of each output.
        span: where the file says so.
        label: the name that `as` or an assignment gave to the stream, if any.
    """

    name: str
    inputs: tuple[Wire, ...]
    outputs: tuple[Shape, ...]
    span: Span = field(compare=False)
    label: str | None = field(compare=False)


class Operation(_Node):
    """One operator at work. `shared` names the module in scope whose weights it uses (see
    `Region.shares`); None when its weights are its own."""

    op: Op
    shared: str | None = None


class Call(_Node):
    """A block (or net) inside another region: `inputs` are the streams that flow in, then the ones
    that the region captures. `shared` as in Operation. `lends` passes modules into the region:
    (its name inside, its name here)."""

    region: Region
    shared: str | None = None
    lends: tuple[tuple[str, str], ...] = ()


class Run(Record):
    """`count` equal copies in a row, each fed by the one before; `captures` are the wires (of the
    enclosing region) for the captured inputs of `region`."""

    region: Region
    count: int
    captures: tuple[Wire, ...] = ()


class Repeat(_Node):
    """`[ ... ]*n` or a comprehension: runs of copies.

    `inputs` are the carried streams. The first `len(inputs)` outputs are the carried streams after
    the last copy; behind them stand, for each name in `collected` (an `as` inside the repeat), that
    stream of every copy.
    """

    runs: tuple[Run, ...]
    collected: tuple[str, ...] = ()
    lends: tuple[tuple[str, str], ...] = ()

    @property
    def count(self) -> int:
        """The number of copies."""
        return sum(run.count for run in self.runs)


class Choice(_Node):
    """A conditional step: `region` is the branch taken, number `taken` of `options` (the identity
    counts as one). Adds no level to paths: names inside are unique in the enclosing region.
    `condition` is the tree of the condition, for generated code and pictures."""

    region: Region
    taken: int = 0
    options: int = 2
    lends: tuple[tuple[str, str], ...] = ()
    condition: TreeNode | None = field(default=None, compare=False)


class State(Record):
    """What a cell remembers of one stream from step to step.

    Args:
        name: as the file calls it ("h").
        wire: the stream of this step inside the step's region, with delay 0.
        shape: of one step.
        reach: how many steps back the cell reads it (2 for `h[t-2]`).
        initial: the number of the scan's input that holds the value before the first step (and all
            steps before that); None for zeros.
    """

    name: str
    wire: Wire
    shape: Shape
    reach: int = 1
    initial: int | None = None


class Scan(_Node):
    """The equations of a cell at work along T: `region` is one step, run `steps` times.

    It stands inside the region of its cell, beside what is done once (initial states, learned
    streams), and has no name: the modules of the step are the cell's own.

    `inputs` are the sequences of which each step takes one element (`timed` many), then the initial
    values of states (`starts` many), then streams that every step sees whole. The inputs of
    `region` are one step of each sequence, then those whole streams; states reach it by delayed
    wires. `outputs` are the sequence of each output of `region`, then the last value of each of
    `states`. With `reverse` the last element comes first, and what leaves keeps the order of the
    input.

    Where the sequences are padded, input number `counted` holds the lengths of the examples, from
    which the number of real steps follows by `lengths`; past those every state stays as it is.
    """

    region: Region
    steps: Dim
    timed: int
    starts: int
    states: tuple[State, ...]
    reverse: bool = False
    lends: tuple[tuple[str, str], ...] = ()
    counted: int | None = None
    lengths: Lengths | None = None


Node = Operation | Call | Repeat | Choice | Scan


def wires_of(node: Node) -> tuple[Wire, ...]:
    """Every wire that a node takes, what the copies of a repeat capture included."""
    if not isinstance(node, Repeat):
        return node.inputs
    return (*node.inputs, *[wire for run in node.runs for wire in run.captures])


class Shared(Record):
    """A module that `share` names: an operator, or the region of a block."""

    name: str
    what: Op | Region


class Region(Record):
    """One block, net, cell or group at one set of arguments and input shapes. Compared by identity.

    Args:
        name: of the definition ("Bottleneck"), or "" for a group.
        kind: what it is.
        inputs: the streams that flow in, then `captured` streams from outside.
        captured: how many of the last inputs are captured (outer streams and stream arguments).
        nodes: in an order in which each comes after what it uses.
        outputs: what leaves.
        arguments: the parameters' values by name, as bound (blocks and streams left out).
        shares: modules that `share` makes here, used by nodes with that `shared`.
        borrowed: names of modules that come from outside (see `lends`).
        origin: the tree of the definition or group: regions with one origin become one class.
        variant: tells apart regions of one origin that cannot be one class, such as a block called
            with different blocks as arguments.
        documentation: the `##` text.
        span: of the definition's name, or of the group.
    """

    name: str
    kind: RegionKind
    inputs: tuple[Port, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[RegionOutput, ...]
    origin: Any
    span: Span
    captured: int = 0
    arguments: tuple[tuple[str, Any], ...] = ()
    shares: tuple[Shared, ...] = ()
    borrowed: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()
    documentation: str | None = None

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        # Short: regions within regions are shared, and spelt out they can have any length.
        return f"<Region {self.name or self.kind}: {len(self.nodes)} nodes>"


class Program(Record):
    """A net, lowered and checked: what cost, render and emission work on.

    Args:
        name: of the net in the file ("resnet50").
        applies: the name of the net that it only applies ("ResNet"), else None; `region` is then
            that net's region, without a level of its own.
        region: the net.
        file: the file's name as messages call it.
        hyperparameters: the parameters of the net by name with the values in force.
        given: whole numbers that a net gives to the one that it applies, which are parameters of
            its class all the same (`net gpt2 = GPT2(12, 768, 12)`).
        documentation: the `##` text.
        notes: what the compiler did that the text does not show (a FLATTEN put in), one sentence
            each.
        published: what the file quotes about the net (`published top1 = 76.1%`), by name; the year
            may be that of a net that it applies.
        compared: the verified claims that compare it with other nets, as the file writes them.
        init: how weights start (`published init = "kaiming normal"`), None for as torch does it.
    """

    name: str
    applies: str | None
    region: Region
    file: str
    hyperparameters: tuple[tuple[str, Any], ...] = ()
    documentation: str | None = None
    notes: tuple[str, ...] = ()
    published: tuple[tuple[str, int | float | str], ...] = ()
    compared: tuple[str, ...] = ()
    init: str | None = None
    given: tuple[tuple[str, int], ...] = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__
