"""Writing one class: signature, documentation, `__init__`, `forward`."""

from __future__ import annotations

from collections.abc import Callable

from archc.emit.attributes import Attributes
from archc.emit.checkpointing import normalizes
from archc.emit.construct import write_members
from archc.emit.expressions import Value
from archc.emit.forward import Forward
from archc.emit.layout import statement
from archc.emit.lines import Lines
from archc.emit.liveness import needed, split_training
from archc.emit.manner import PLAIN, Manner
from archc.emit.names import Namespace, literal
from archc.emit.prose import docstring
from archc.emit.slots import Parameter
from archc.emit.steps import Guard, Member, Step, Stream
from archc.emit.units import Unit
from archc.emit.vectors import ANY
from archc.polynomial import Symbol

__all__ = ["write_class"]

# What nn.Module has already, so that a plain attribute may not be called so.
_MODULE = (
    "apply", "bfloat16", "buffers", "children", "compile", "cpu", "cuda", "double", "dump_patches",
    "eval", "extra_repr", "float", "forward", "half", "ipu", "modules", "mtia", "parameters",
    "share_memory", "state_dict", "to", "train", "training", "type", "xpu", "zero_grad",
)  # fmt: skip


def write_class(
    unit: Unit, documentation: list[str], manner: Manner = PLAIN, last: str = ""
) -> list[str]:
    """The lines of a class.

    Args:
        unit: the class, its slots filled.
        documentation: the lines of the docstring; none without.
        manner: how the file is written.
        last: the last statement of the constructor, if any.
    """
    attributes = Attributes(Namespace([*_MODULE, *_attributes(unit.members)]))
    method = attributes.names.add("compute") if unit.recomputed else "forward"
    forward = _forward(unit, attributes, manner, method)
    if unit.in_steps is not None:
        forward += ["", *_in_steps(unit, attributes)]
    members = Lines()
    write_members(unit.members, members, attributes)
    lines = [f"class {unit.name}(nn.Module):", *docstring(documentation)]
    body: list[str] = []
    for name, text in attributes.assignments:
        body += statement(f"self.{name} = {text}", 8)
    body += members.render(8)
    body += statement(last, 8) if last else []
    if body or unit.scope.parameters:
        lines += _constructor(unit.scope.parameters)
        lines += ["        super().__init__()", *body, ""]
    return [*lines, *forward]


def _in_steps(unit: Unit, attributes: Attributes) -> list[str]:
    """The methods of a class that goes on with a sequence."""
    from archc.emit.generating import write_generate
    from archc.emit.step_method import write_step

    if unit.generates is None:
        return write_step(unit, unit.in_steps, attributes)
    names = [stream.label or "x" for stream in unit.inputs]
    runs = names.pop(unit.generates.port)
    names.append(runs)
    step = write_step(unit, unit.in_steps, attributes, names, shifted=unit.generates.shifted)
    return [*step, "", *write_generate(unit, unit.generates)]


def _attributes(members: list[object]) -> list[str]:
    found: list[str] = []
    for member in members:
        if isinstance(member, Member):
            found.append(member.attribute)
        elif isinstance(member, Guard):
            for _, inner in member.branches:
                found += _attributes(list(inner))
    return found


def _constructor(parameters: list[Parameter]) -> list[str]:
    parts = ["self"]
    for parameter in parameters:
        part = f"{parameter.name}: {parameter.annotation}"
        default = None if parameter.default is ANY else literal(parameter.default)
        parts.append(part if default is None else f"{part} = {default}")
    return statement(f"def __init__({', '.join(parts)}) -> None:", 4)


# --- forward -------------------------------------------------------------------------------------


def _forward(unit: Unit, attributes: Attributes, manner: Manner, method: str) -> list[str]:
    sizes = [*unit.sizes.read.values(), *[p.name for p in unit.sizes.passed]]
    names = Namespace([*unit.reserved, *unit.lent, *sizes])
    parameters = [names.add(stream.label or "x") for stream in unit.inputs]
    lines = Lines(set(parameters), comments=manner.comments)
    forward = Forward(unit, lines, names, attributes.in_forward, _shapes(unit))
    forward.begin(parameters)
    for (port, axis), name in unit.sizes.read.items():
        lines.add(f"{name} = {parameters[port]}.shape[{axis + 1}]")
    if unit.region.kind == "net":
        _check_sizes(unit, parameters, lines)
        _hold_padding(unit, parameters, lines)
    always, training = _outputs(unit)
    if training and unit.region.kind == "net":
        steps, more = split_training(unit.steps, always, training)
        _with_training(forward, steps, more, always, training)
        returns = f"{_tuple(len(always))} | {_tuple(len(always) + len(training))}"
    else:
        steps = needed(unit.steps, unit.outputs)
        forward.expect(steps, unit.outputs)
        forward.run(steps)
        _return(forward, unit.outputs)
        returns = _tuple(len(unit.outputs))
    taken = [f"{name}: Tensor" for name in parameters]
    taken += [f"{name}: {_text_of(kind)}" for name, kind in unit.lent.items()]
    taken += [f"{size.name}: int" for size in unit.sizes.passed]
    signature = f"({', '.join(['self', *taken])}) -> {returns}:"
    written = [*statement(f"def {method}{signature}", 4), *forward.lines.render(8)]
    if not unit.recomputed:
        return written
    given = ", ".join([part.partition(":")[0] for part in taken])
    return [
        *statement(f"def forward{signature}", 4),
        *_checkpointed(unit, method, given, returns),
        "",
        *written,
    ]


def _checkpointed(unit: Unit, method: str, given: str, returns: str) -> list[str]:
    """Keep what goes into a block, and compute the rest again when gradients are asked for."""
    lines = Lines()
    call = f"checkpoint(self.{method}, {given}, use_reentrant=False"
    again = lines.block()
    again.add(f"return self.{method}({given})")
    lines.nest("if not self.training:", again)
    if normalizes(unit.region):
        call += ", context_fn=lambda: (contextlib.nullcontext(), counted_once(self))"
    lines.add(f"made: {returns} = {call})")
    lines.add("return made")
    return lines.render(8)


def _check_sizes(unit: Unit, parameters: list[str], lines: Lines) -> None:
    """What the file declares of its dimensions is checked where they are first known."""
    for symbol, port, axis in unit.sizes.declared():
        name = unit.sizes.read.get((port, axis)) or f"{parameters[port]}.shape[{axis + 1}]"
        body = lines.block()
        body.add(f"raise ValueError({literal(f'expected {symbol.facts}')})")
        lines.nest(f"if {' or '.join(_violations(symbol, name))}:", body)


def _hold_padding(unit: Unit, parameters: list[str], lines: Lines) -> None:
    """Whatever an input has behind its real steps is forgotten before anything reads it."""
    ports = unit.region.inputs
    for place, port in enumerate(ports):
        if port.lengths_of is not None:
            name, lengths = parameters[place - 1 : place + 1]
            lines.add(f"{name} = hold_last({name}, {lengths})")


def _violations(symbol: Symbol, name: str) -> list[str]:
    tests = []
    if symbol.divisor > 1:
        tests.append(f"{name} % {symbol.divisor} != {symbol.remainder}")
    if symbol.minimum > 1:
        tests.append(f"{name} < {symbol.minimum}")
    if symbol.maximum is not None:
        tests.append(f"{name} > {symbol.maximum}")
    return tests


def _text_of(kind: str | Unit) -> str:
    return kind if isinstance(kind, str) else kind.name


def _outputs(unit: Unit) -> tuple[list[Stream], list[Stream]]:
    flags = [output.training for output in unit.region.outputs]
    pairs = list(zip(unit.outputs, flags, strict=True))
    return [s for s, flag in pairs if not flag], [s for s, flag in pairs if flag]


def _tuple(count: int) -> str:
    return "Tensor" if count == 1 else f"tuple[{', '.join(['Tensor'] * count)}]"


def _with_training(
    forward: Forward,
    steps: list[Step],
    more: list[Step],
    always: list[Stream],
    training: list[Stream],
) -> None:
    """Outputs of training only: computed and returned under `if self.training`."""
    forward.expect([*steps, *more], [*always, *always, *training])
    forward.run(steps)
    for stream in always:
        if forward.value(stream).depth:
            forward.assign(stream, forward.value(stream))
    kept, forward.lines = forward.lines, forward.lines.block()
    forward.run(more)
    _return(forward, [*always, *training])
    block, forward.lines = forward.lines, kept
    forward.lines.nest("if self.training:", block)
    _return(forward, always)


def _return(forward: Forward, outputs: list[Stream]) -> None:
    if len(outputs) != 1:
        texts = [forward.value(stream).text for stream in outputs]
        for stream in outputs:
            forward.use(stream)
        forward.lines.add(f"return {', '.join(texts)}")
        return
    stream = outputs[0]
    value = forward.value(stream)
    if value.typed:
        forward.lines.add(f"return {value.text}", forward.change(stream) if value.depth else None)
        return
    if value.depth:
        forward.use(stream)
        forward.assign(stream, value)
        value = forward.value(stream)
    if not value.typed and not forward.lines.annotate(value.text):
        value = Value(value.text)
    forward.lines.add(f"return {value.text}")


def _shapes(unit: Unit) -> Callable[[Stream], str | None]:
    def text(stream: Stream) -> str | None:
        shapes = [shape for shape in stream.shapes if shape is not ANY]
        if not shapes or len({shape.rank for shape in shapes}) != 1:
            return None
        parts = ["B"]
        for axis in range(shapes[0].rank):
            column = tuple([s if s is ANY else s.sizes[axis] for s in stream.shapes])
            part = _size(unit, column)
            if part is None:
                return None
            parts.append(part)
        return f"({', '.join(parts)})"

    return text


def _size(unit: Unit, column: tuple[object, ...]) -> str | None:
    texts = {str(size) for size in column if size is not ANY}
    if len(texts) == 1:
        return texts.pop()
    return unit.scope.simple(column)
