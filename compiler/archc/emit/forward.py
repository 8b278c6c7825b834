"""Writing forward: steps become lines, chains are nested as far as they read well."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from archc.emit.expressions import (
    PLACEHOLDER,
    RANK,
    TYPED,
    Value,
    hug_powers,
    is_name,
    operand_text,
    spaced_slices,
)
from archc.emit.lines import Lines
from archc.emit.liveness import count_uses
from archc.emit.names import Namespace, identifier
from archc.emit.slots import Slot
from archc.emit.steps import Apply, Branch, Loop, Scanned, Step, Stream

if TYPE_CHECKING:
    from archc.emit.units import Unit

__all__ = ["Forward"]

_ANONYMOUS = ("x", "y", "z", "u", "v", "w")
_DEEPEST = 3
_LONGEST = 72


class Forward:
    """Writes the steps of one class.

    Args:
        unit: the class, its slots filled.
        lines: where the statements go.
        attribute: gives the text of a slot's value in forward.
        shape: gives the text of a stream's shape, or None.
    """

    def __init__(
        self,
        unit: Unit,
        lines: Lines,
        locals_: Namespace,
        attribute: Callable[[Slot], str],
        shape: Callable[[Stream], str | None],
    ) -> None:
        self.unit, self.lines = unit, lines
        self.attribute, self.shape = attribute, shape
        self.values: dict[Stream, Value] = {}
        self.mentions: dict[str, set[Stream]] = {}
        self.remaining: Counter[Stream] = Counter()
        self.names = locals_
        self.locals: set[str] = set()
        self.batch = ""
        self.real = ""
        self.joined: set[Stream] = set()
        self.last_shape: str | None = None

    def begin(self, names: Sequence[str]) -> None:
        """Bind the inputs to the parameters of forward."""
        for stream, name in zip(self.unit.inputs, names, strict=True):
            self.keep(stream, Value(name, 3, frozenset({name}), 0, True))
            self.locals.add(name)
        if names:
            self.batch = f"{names[0]}.shape[0]"
            self.last_shape = self.shape(self.unit.inputs[0])

    def run(self, steps: Sequence[Step]) -> None:
        """Write some steps."""
        for step in steps:
            match step:
                case Apply():
                    self._apply(step)
                case Branch():
                    self._branch(step)
                case Loop():
                    from archc.emit.loops import write_loop

                    write_loop(self, step)
                case Scanned():
                    from archc.emit.scans import write_scan

                    write_scan(self, step)

    def expect(self, steps: Sequence[Step], outputs: Sequence[Stream]) -> None:
        """Say what is still to be written, so that locals are reused only when they are free."""
        self.remaining.update(count_uses(steps, outputs))
        self.joined |= self._to_joins(steps)

    def _to_joins(self, steps: Sequence[Step]) -> set[Stream]:
        """The streams that flow through nothing but single layers into a concatenation."""
        found: set[Stream] = set()
        for step in reversed(steps):
            if not isinstance(step, Apply):
                continue
            joins = "torch.cat" in step.template and len(step.inputs) > 2
            follows = len(step.outputs) == 1 and step.outputs[0] in found and len(step.inputs) == 1
            if joins or follows:
                found.update([s for s in step.inputs if self.remaining[s] == 1 and s.label is None])
        return found

    # --- values ---------------------------------------------------------------------------------

    def value(self, stream: Stream) -> Value:
        """The expression of a stream; one of a copy is an item of the list of all copies."""
        if stream.parent is not None and stream not in self.values:
            name = self.values[stream.parent].text
            return Value(f"{name}[{stream.item}]", 3, frozenset({name}))
        return self.values[stream]

    def use(self, stream: Stream) -> None:
        """One mention of a stream is written."""
        self.remaining[stream] -= 1

    def keep(self, stream: Stream, value: Value) -> None:
        """Let an expression be the stream's."""
        self.values[stream] = value
        for name in value.variables:
            self.mentions.setdefault(name, set()).add(stream)

    def is_held(self, name: str, besides: Sequence[Stream] = ()) -> bool:
        """Whether something that is still needed mentions the local."""
        streams = self.mentions.get(name, set())
        done = [
            s for s in streams if self.remaining[s] <= 0 or name not in self.values[s].variables
        ]
        streams.difference_update(done)
        return any(stream not in besides for stream in streams)

    def fresh(
        self, stream: Stream, besides: Sequence[Stream] = (), avoid: Sequence[str] = ()
    ) -> str:
        """The local for a stream: its label, else the first anonymous name that is free."""
        if stream.label is not None:
            wanted = identifier(stream.label)
            if wanted in self.locals and not self.is_held(wanted, besides) and wanted not in avoid:
                return wanted
            return self.declare(wanted)
        for name in _ANONYMOUS:
            if name in self.locals and name not in avoid and not self.is_held(name, besides):
                return name
            if name not in self.locals and name not in self.names:
                return self.declare(name)
        return self.declare("x")

    def reuse(self, wanted: str) -> str:
        """A local of that name, for items of a loop: one from before that nobody needs will do."""
        name = identifier(wanted)
        if name in self.locals and name not in self.lines.parameters and not self.is_held(name):
            return name
        return self.declare(wanted)

    def declare(self, wanted: str) -> str:
        """A new local."""
        name = self.names.add(wanted)
        self.locals.add(name)
        return name

    def assign(self, stream: Stream, value: Value) -> None:
        """Write `name = value` and let the stream be that local."""
        name = self.fresh(stream, (stream,))
        self.lines.add(f"{name} = {value.text}", self.change(stream))
        self.bind(stream, name, value.typed)

    def bind(self, stream: Stream, name: str, typed: bool = False) -> None:
        """Let a stream be a local; a parameter of forward stays a Tensor to type checkers."""
        known = typed or name in self.lines.parameters
        self.keep(stream, Value(name, 3, frozenset({name}), 0, known))

    def change(self, stream: Stream) -> str | None:
        """The comment with the shape of a stream, where it is not that of the line before."""
        text = self.shape(stream)
        if text is None or text == self.last_shape:
            return None
        self.last_shape = text
        return text

    # --- steps ----------------------------------------------------------------------------------

    def _apply(self, step: Apply) -> None:
        self._prepare(step)
        operands = [self.value(stream) for stream in step.inputs]
        value = self.compose(step.template, step.placeholders, operands, step.precedence)
        for stream in step.inputs:
            self.use(stream)
        if len(step.outputs) != 1:
            self._unpack(step, value)
            return
        output = step.outputs[0]
        if output.of_module and self.remaining[output] == 1:
            output.label = None
        self.keep(output, value)
        if output.label is not None or self.remaining[output] != 1 or step.whole:
            self.assign(output, value)

    def _prepare(self, step: Apply) -> None:
        """Write operands that would nest too deeply, or be written twice, on lines of their own."""
        joining = "torch.cat" in step.template
        joined = bool(step.outputs) and step.outputs[0] in self.joined
        for i, stream in enumerate(step.inputs):
            value = self.value(stream)
            twice = step.template.count(f"{{{i}}}") > 1 or step.inputs.count(stream) > 1
            heavy = step.heavy and not joined
            too_deep = value.depth > 0 if heavy else value.depth >= _DEEPEST + joining
            if value.depth and (twice or too_deep):
                self.assign(stream, value)
        while not joining:
            operands = [self.value(stream) for stream in step.inputs]
            value = self.compose(step.template, step.placeholders, operands, step.precedence)
            deep = [s for s in step.inputs if self.value(s).depth]
            if len(value.text) <= _LONGEST or not deep:
                return
            longest = max(deep, key=lambda s: len(self.value(s).text))
            self.assign(longest, self.value(longest))

    def _unpack(self, step: Apply, value: Value) -> None:
        names = []
        for stream in step.outputs:
            if not self.remaining[stream]:
                names.append("_")
                continue
            names.append(self.fresh(stream, (stream,)))
            self.bind(stream, names[-1])
        self.lines.add(f"{', '.join(names)} = {value.text}")
        self.last_shape = None

    def compose(
        self,
        template: str,
        placeholders: dict[str, Any],
        operands: Sequence[Value],
        precedence: str = "call",
    ) -> Value:
        """A template with its operands and other placeholders filled in."""
        used: set[int] = set()
        if precedence == "other" and " ** " in template:
            precedence = "power"

        def fill(match: re.Match[str]) -> str:
            key = match.group(1)
            if key == "*":
                used.update(range(len(operands)))
                return ", ".join([operand.text for operand in operands])
            if key.isdigit():
                used.add(int(key))
                return operand_text(operands[int(key)], template, match, RANK[precedence])
            if key == "batch":
                return self.batch
            found = placeholders[key]
            if isinstance(found, str):
                return found
            return self.attribute(found) if isinstance(found, Slot) else str(found.text)

        text = spaced_slices(hug_powers(PLACEHOLDER.sub(fill, template)))
        depth = max([operands[i].depth for i in used], default=0)
        layers = 0 if precedence in ("sum", "product", "power") else 1
        variables = frozenset().union(*[operands[i].variables for i in used])
        typed = bool(TYPED.match(template))
        if template.startswith("{0}"):
            typed = all(operands[i].typed for i in used)
        nested = depth + layers if depth or not is_name(text) else 0
        return Value(text, RANK[precedence], variables, max(nested, 1), typed)

    # --- choices --------------------------------------------------------------------------------

    def _branch(self, step: Branch) -> None:
        flag = self.attribute(step.flag)
        before = self.last_shape
        parts: list[tuple[str, Lines, list[Value]]] = []
        kept = self.lines
        for case, steps, leaving in step.branches:
            self.lines = kept.block()
            self.last_shape = before
            self.run(steps)
            values = [self.value(stream) for stream in leaving]
            for stream in leaving:
                self.use(stream)
            test = flag if case is True else f"not {flag}" if case is False else f"{flag} == {case}"
            parts.append((test, self.lines, values))
        self.lines = kept
        single = len(step.outputs) == 1 and len(parts) == 2
        if single and not any(p[1].items for p in parts) and self._conditional(step, parts):
            return
        self._cases(step, parts)

    def _conditional(self, step: Branch, parts: list[tuple[str, Lines, list[Value]]]) -> bool:
        """`y = a if flag else b` on one line where it fits, unless one of them is y itself."""
        (test, _, (then,)), (_, _, (otherwise,)) = parts
        output = step.outputs[0]
        for value in (then, otherwise):
            if output.label is None and is_name(value.text) and not self.is_held(value.text):
                return False
        text = f"{then.text} if {test} else {otherwise.text}"
        if len(text) > _LONGEST:
            return False
        both = then.variables | otherwise.variables
        value = Value(text, 0, both, 1, then.typed and otherwise.typed)
        self.assign(output, value)
        return True

    def _cases(self, step: Branch, parts: list[tuple[str, Lines, list[Value]]]) -> None:
        """`if ...: y = a` with `else: y = b` where that is not y already."""
        targets = [self._target(i, output, parts) for i, output in enumerate(step.outputs)]
        typed = [all(values[i].typed for _, _, values in parts) for i in range(len(targets))]
        blocks = []
        for test, lines, values in parts:
            pairs = [(t, v.text) for t, v in zip(targets, values, strict=True) if t != v.text]
            if pairs:
                left, right = ", ".join([t for t, _ in pairs]), ", ".join([v for _, v in pairs])
                lines.add(f"{left} = {right}")
            blocks.append((test, lines))
        self.lines.cases([(test, block) for test, block in blocks])
        for name, output, known in zip(targets, step.outputs, typed, strict=True):
            self.bind(output, name, known)
        self.last_shape = None

    def _target(self, i: int, output: Stream, parts: list[tuple[str, Lines, list[Value]]]) -> str:
        if output.label is None:
            for _, _, values in parts:
                text = values[i].text
                if is_name(text) and text in self.locals and not self.is_held(text):
                    return text
        return self.fresh(output)
