"""Cells: the equations of one step, run in a loop over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.emit.expressions import RANK, Value
from archc.emit.layout import WIDTH, width
from archc.emit.names import singular
from archc.emit.steps import Apply, Memory, Scanned, Step, Stream
from archc.emit.vectors import ANY
from archc.graph import INPUTS, Scan, State, Wire
from archc.op import Expression

if TYPE_CHECKING:
    from archc.emit.build import Streams, _Builder
    from archc.emit.forward import Forward

__all__ = ["build_scan", "write_scan"]


# What is left of a line between `        for x_t in ` and `.unbind(1):`, and of a line of its own,
# where there are several sequences, between twelve blanks and `.unbind(1),`.
_ALONE, _BESIDE = WIDTH - 30, WIDTH - 23


# --- building ------------------------------------------------------------------------------------


def build_scan(
    builder: _Builder,
    position: int,
    nodes: list[Any],
    inputs: tuple[Stream, ...],
    streams: Streams,
) -> tuple[list[Any], list[Step]]:
    """Members and steps of a scan: those of its step, in a loop.

    Args:
        builder: builds the class of the cell.
        position: of the scan among the nodes of the cell.
        nodes: the scan in each instance.
        inputs: the sequences, the initial values, and what every step sees whole.
        streams: takes the outputs.
    """
    first: Scan = next(node for node in nodes if node is not None)
    regions = [None if node is None else node.region for node in nodes]
    elements = [
        Stream(_shapes(regions, lambda region, i=i: region.inputs[i].shape), inputs[i].label)
        for i in range(first.timed)
    ]
    whole = inputs[first.timed + first.starts :]
    starting: list[Step] = []
    before: dict[Any, Stream] = {}
    memories: list[tuple[State, list[Stream], Stream]] = []
    for number, state in enumerate(first.states):
        shapes = tuple([ANY if n is None else n.states[number].shape for n in nodes])
        start = _start(builder, state, nodes, number, shapes, inputs, starting)
        known = [Stream(shapes, _name(state, delay)) for delay in range(1, state.reach + 1)]
        for delay, stream in enumerate(known, 1):
            before[_key(state.wire, delay)] = stream
        memories.append((state, known, start))
    members, steps, leaving, inner = builder.inside_step(regions, [*elements, *whole], before)
    outputs = builder.outputs(position, nodes, streams, len(first.outputs))
    made = tuple(
        [
            Memory(tuple(known), start, inner[_key(state.wire, 0)], outputs[len(leaving) + i])
            for i, (state, known, start) in enumerate(memories)
        ]
    )
    sequences = tuple(zip(inputs[: first.timed], elements, strict=True))
    results = tuple(zip(leaving, outputs[: len(leaving)], strict=True))
    count = None if first.timed else builder.count_of(nodes)
    axis = _time_axis(first)
    counted, lengths = _counted(first, inputs)
    scanned = Scanned(
        sequences, made, tuple(steps), results, axis, first.reverse, count, outputs, counted,
        lengths,
    )  # fmt: skip
    return members, [*starting, scanned]


def _counted(scan: Scan, inputs: tuple[Stream, ...]) -> tuple[Stream | None, str]:
    """The lengths of the examples, and the text of the number of their real steps."""
    if scan.counted is None or scan.lengths is None:
        return None, ""
    return inputs[scan.counted], scan.lengths.written("{0}")


def _start(
    builder: _Builder,
    state: State,
    nodes: list[Any],
    number: int,
    shapes: tuple[Any, ...],
    inputs: tuple[Stream, ...],
    steps: list[Step],
) -> Stream:
    """What a state is before the first step: what the file says, or zeros."""
    if state.initial is not None:
        given = inputs[state.initial]
        given.label = given.label or _name(state, 1)
        return given
    real = state.shape.vocabulary is None
    like = next((s for s in inputs if _is_real(s) == real), inputs[0])
    alike = _is_real(like) == real
    forms = [None if shape is ANY else _zeros(shape, alike) for shape in shapes]
    filling = builder.making.placeholders(None, forms, builder.unit.scope, state.name)
    form = next(form for form in forms if form is not None)
    start = Stream(shapes, _name(state, 1))
    steps.append(Apply(form.template, filling, (like,), (start,), begins=True))
    return start


def _zeros(shape: Any, alike: bool) -> Expression:
    values = tuple([(f"size{i}", size) for i, size in enumerate(shape.sizes)])
    sizes = ", ".join(["{batch}", *[f"{{{name}}}" for name, _ in values]])
    if alike:
        return Expression(f"{{0}}.new_zeros({sizes})", values)
    return Expression(f"torch.zeros({sizes}, device={{0}}.device)", values)


def _is_real(stream: Stream) -> bool:
    return all(shape is ANY or shape.vocabulary is None for shape in stream.shapes)


def _shapes(regions: list[Any], shape_of: Any) -> tuple[Any, ...]:
    return tuple([ANY if region is None else shape_of(region) for region in regions])


def _key(wire: Wire, delay: int) -> Any:
    return wire.node, wire.port, delay


def _name(state: State, delay: int) -> str:
    """What the file's `h[t-1]` is called: `h`, that of two steps ago `h_2`."""
    name = f"{state.name}_before" if state.wire.node == INPUTS else state.name
    return name if delay == 1 else f"{name}_{delay}"


def _time_axis(scan: Scan) -> int:
    """The dimension of the tensors, batch counted, along which they are taken apart."""
    shape = scan.outputs[0]
    return 1 + next(i for i, axis in enumerate(shape.axes) if axis.role == "steps")


# --- writing -------------------------------------------------------------------------------------


def write_scan(forward: Forward, scan: Scanned) -> None:
    """Write the loop: locals for what is remembered, lists for what leaves."""
    outer = _outer_streams(scan)
    forward.remaining.update(outer)  # what a step sees is needed by the next one too
    for stream in outer:
        if forward.value(stream).depth:
            forward.assign(stream, forward.value(stream))  # once, before the loop
    padded = scan.counted is not None
    states = [_begin(forward, memory, padded) for memory in scan.memories]
    kept = [after for after, whole in scan.results if forward.remaining[whole]]
    lists = [_list(forward, after) for after in kept]
    header = _header(forward, scan)
    body, forward.lines = forward.lines, forward.lines.block()
    forward.last_shape = None
    forward.run(scan.steps)
    for stream, name in zip(kept, lists, strict=True):  # what leaves may read the step before
        forward.lines.add(f"{name}.append({forward.value(stream).text})")
    _remember(forward, scan, states)
    block, forward.lines = forward.lines, body
    forward.lines.nest(header, block)
    forward.remaining.subtract(outer)
    _leave(forward, scan, kept, lists, states)


def _outer_streams(scan: Scanned) -> list[Stream]:
    """What the steps use and do not make, each once."""
    from archc.emit.liveness import count_uses, made_in

    inner = made_in(scan.steps)
    inner.update([element for _, element in scan.sequences])
    inner.update([stream for memory in scan.memories for stream in memory.before])
    used = count_uses(scan.steps, ())
    return [stream for stream in used if stream not in inner]


def _begin(forward: Forward, memory: Memory, padded: bool) -> list[str]:
    """Locals that hold the values before the first step, the latest first."""
    names: list[str] = []
    starts = [memory.start, *memory.starts]
    for start in starts:
        forward.use(start)
    for stream in _moving(memory, padded):
        forward.remaining[stream] += 1  # it moves on to the step before at the end, or stays
    for place, stream in enumerate(memory.before):
        value = forward.value(starts[min(place, len(starts) - 1)])
        free = value.text in forward.locals and not forward.is_held(value.text)
        own = free and value.text not in forward.lines.parameters and value.text not in names
        own = own and place < len(starts)
        name = value.text if own else forward.declare(stream.label or "state")
        if name != value.text:
            forward.lines.add(f"{name} = {value.text if place < len(starts) else names[0]}")
        forward.bind(stream, name)
        names.append(name)
    return names


def _moving(memory: Memory, padded: bool) -> tuple[Stream, ...]:
    """What is still needed at the end of a step: the last one as well, where it may be held."""
    return memory.before if padded else memory.before[:-1]


def _list(forward: Forward, stream: Stream) -> str:
    name = forward.declare(f"{stream.label}s" if stream.label else "steps")
    forward.lines.add(f"{name} = []")
    return name


def _header(forward: Forward, scan: Scanned) -> str:
    """`for x_t in x.unbind(1):`, several with zip, a count where nothing is taken apart."""
    if not scan.sequences:
        count = scan.count
        return f"for _ in range({count if isinstance(count, str) else forward.attribute(count)}):"
    room = _ALONE if len(scan.sequences) == 1 else _BESIDE
    for place, (sequence, _) in enumerate(scan.sequences):
        value = forward.value(sequence)
        counted = scan.counted is not None and place == 0  # the real steps are counted on it, too
        if value.depth and (counted or width(value.text) > room):
            forward.assign(sequence, value)
    variables, sources = [], []
    for sequence, element in scan.sequences:
        value = forward.value(sequence)
        forward.use(sequence)
        base = value.text if value.text.isidentifier() else "x"
        name = forward.declare(f"{singular(base)}_t")
        forward.bind(element, name)
        forward.remaining[element] += 1
        operand = value.text if value.rank == RANK["call"] else f"({value.text})"
        text = f"{operand}.unbind({scan.axis})"
        variables.append(name)
        sources.append(f"reversed({text})" if scan.reverse else text)
    if scan.counted is not None:
        variables.append(_real(forward))
        text = forward.value(scan.sequences[0][0]).text
        counts = scan.lengths.replace("{0}", forward.value(scan.counted).text)
        forward.use(scan.counted)
        steps = f"real_steps({counts}, {text}, {text}.shape[{scan.axis}]).unbind(1)"
        sources.append(f"reversed({steps})" if scan.reverse else steps)
    source = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
    return f"for {', '.join(variables)} in {source}:"


def _real(forward: Forward) -> str:
    """The local that says which examples have a real step at work."""
    forward.real = forward.declare("real")
    return forward.real


def _remember(forward: Forward, scan: Scanned, states: list[list[str]]) -> None:
    """One assignment moves all states a step on."""
    left: list[str] = []
    right: list[str] = []
    for memory, names in zip(scan.memories, states, strict=True):
        now = forward.value(memory.now).text
        for name, value in zip(names, [now, *names], strict=False):
            if name != value:
                left.append(name)
                right.append(value if scan.counted is None else _held(forward, value, name))
    if left:
        forward.lines.add(f"{', '.join(left)} = {', '.join(right)}")


def _held(forward: Forward, value: str, name: str) -> str:
    return f"held({forward.real}, {value}, {name})"


def _leave(
    forward: Forward, scan: Scanned, kept: list[Stream], lists: list[str], states: list[list[str]]
) -> None:
    sequences = dict(scan.results)
    for stream, name in zip(kept, lists, strict=True):
        source = f"{name}[::-1]" if scan.reverse else name
        output = sequences[stream]
        text = f"torch.stack({source}, dim={scan.axis})"
        forward.bind(output, name)
        forward.keep(output, Value(text, 3, frozenset({name}), 1, True))
        if forward.remaining[output] != 1 or output.label is not None:
            forward.assign(output, forward.value(output))
    for memory, names in zip(scan.memories, states, strict=True):
        for stream in _moving(memory, scan.counted is not None):
            forward.use(stream)
        for final, name in zip((memory.final, *memory.finals), names, strict=False):
            if forward.remaining[final]:
                forward.bind(final, name)
    forward.last_shape = None
