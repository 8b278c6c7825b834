"""Repeats that run as loops in forward: bundles, captured and collected streams, lent modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.emit.expressions import Value
from archc.emit.names import singular
from archc.emit.steps import Construct, Copies, Loop, Segment, Stream

if TYPE_CHECKING:
    from archc.emit.forward import Forward

__all__ = ["write_loop"]


def write_loop(forward: Forward, loop: Loop) -> None:
    """Write the loop over the copies of a repeat."""
    carried: list[str] = []
    for stream, output in zip(loop.inputs, loop.outputs, strict=True):
        carried.append(_own(forward, stream, output, carried))
    lists = [_list(forward, stream) for stream in loop.collected]
    path = _untyped(forward, loop.attribute) if loop.goes_on else f"self.{loop.attribute}"
    _Loop(forward, lists).copies(path, loop.attribute, loop.copies, carried, [])
    for stream, name in zip(loop.outputs, carried, strict=True):
        forward.bind(stream, name)
    forward.last_shape = None
    for segment in loop.copies.segments:
        for capture in segment.captures:
            for stream in _streams(capture):
                forward.use(stream)


def _untyped(forward: Forward, attribute: str) -> str:
    name = forward.declare(_plural(attribute))
    forward.lines.add(f"{name}: Any = self.{attribute}")
    return name


def _streams(capture: Any) -> list[Stream]:
    if isinstance(capture, Stream):
        return [capture]
    if isinstance(capture, list):
        return capture
    return [capture[1][0] if capture[0] == "part" else capture[1]]


def _own(forward: Forward, stream: Stream, output: Stream, others: list[str]) -> str:
    """A local that the loop may overwrite, with the stream in it."""
    value = forward.value(stream)
    forward.use(stream)
    free = value.text in forward.locals and not forward.is_held(value.text)
    if free and value.text not in others and (stream.label is None or output.label == stream.label):
        return value.text
    output_as = Stream(stream.shapes, output.label)
    name = forward.fresh(output_as, avoid=others)
    if name != value.text:
        forward.lines.add(f"{name} = {_tensor(value.text)}", forward.change(stream))
    forward.keep(output, value.replace(text=name, variables=frozenset({name})))
    return name


def _tensor(text: str) -> str:
    """A number that the loop carries is a tensor from the start."""
    number = text.lstrip("-").replace(".", "").isdigit()
    return f"torch.tensor({float(text)})" if number else text


def _list(forward: Forward, stream: Stream) -> str:
    name = forward.declare(_plural(stream.label or "items"))
    forward.lines.add(f"{name} = []")
    forward.keep(stream, Value(name, 3, frozenset({name})))
    forward.remaining[stream] += 1_000_000  # the list stays
    return name


def _plural(name: str) -> str:
    return name if name.endswith("s") else f"{name}s"


def _name_of(copies: Copies, otherwise: str) -> str:
    element = copies.segments[0].element
    if isinstance(element, Construct) and not isinstance(element.callee, str):
        return str(element.callee.wanted).lower()
    return otherwise


class _Loop:
    def __init__(self, forward: Forward, lists: list[str]) -> None:
        self.forward, self.lists = forward, lists

    def copies(
        self, path: str, name: str, copies: Copies, carried: list[str], outer: list[str]
    ) -> None:
        """All segments one after the other. `outer` are the ports of the group around them."""
        start, several = 0, len(copies.segments) > 1
        for segment in copies.segments:
            if several and segment.count == 1:
                self._call(
                    f"{path}[{start}]", name, segment, carried, self._captured(segment, outer, 0)
                )
            else:
                part = f"{path}[{start}:{start + segment.count}]" if several else path
                self._loop(part, name, segment, carried, outer)
            start += segment.count

    def _loop(
        self, path: str, name: str, segment: Segment, carried: list[str], outer: list[str]
    ) -> None:
        forward = self.forward
        variable = forward.reuse(singular(name))
        variables, sources, captured = [variable], [path], []
        for capture in segment.captures:
            text, each = self._source(capture, outer)
            if each is None:
                captured.append(text)
                continue
            item = forward.reuse(each)
            variables.append(item)
            sources.append(text)
            captured.append(item)
        source = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
        kept, forward.lines = forward.lines, forward.lines.block()
        self._call(variable, name, segment, carried, captured)
        body, forward.lines = forward.lines, kept
        forward.lines.nest(f"for {', '.join(variables)} in {source}:", body)

    def _source(self, capture: Any, outer: list[str]) -> tuple[str, str | None]:
        """The text of a captured stream, or of a list with one for each copy and a name for one."""
        forward = self.forward
        if isinstance(capture, Stream):
            value = forward.value(capture)
            if value.depth:
                forward.assign(capture, value)
            return forward.value(capture).text, None
        if isinstance(capture, list):
            texts = [forward.value(stream).text for stream in capture]
            label = next((s.label for s in capture if s.label), None)
            return f"[{', '.join(texts)}]", singular(label or "item")
        kind, what = capture
        if kind == "ports":
            texts = [outer[port] for port in what]
            return (texts[0], None) if len(set(what)) == 1 else (f"[{', '.join(texts)}]", "item")
        if kind == "part":
            stream, start, count = what
            return f"{forward.value(stream).text}[{start}:{start + count}]", singular(stream.label)
        name = forward.value(what).text
        text = name if kind == "all" else f"reversed({name})"
        return text, singular(what.label or "item")

    def _captured(self, segment: Segment, outer: list[str], copy: int) -> list[str]:
        texts = []
        for capture in segment.captures:
            if isinstance(capture, list):
                texts.append(self.forward.value(capture[copy]).text)
            elif isinstance(capture, tuple) and capture[0] == "part":
                stream, start, _ = capture[1]
                texts.append(f"{self.forward.value(stream).text}[{start + copy}]")
            elif capture[0] == "ports" if isinstance(capture, tuple) else False:
                texts.append(outer[capture[1][min(copy, len(capture[1]) - 1)]])
            else:
                texts.append(self._source(capture, outer)[0])
        return texts

    def _call(
        self, module: str, name: str, segment: Segment, carried: list[str], captured: list[str]
    ) -> None:
        ports = [*carried, *captured]
        chosen = [ports[port] for port in segment.ports]
        if isinstance(segment.element, Copies) and not segment.element.plain:
            inner = _name_of(segment.element, f"{singular(name)}_item")
            self.copies(module, inner, segment.element, chosen, ports)
            return
        template = segment.call or "{module}({0})"
        values = [Value(text, 3, frozenset({text})) for text in chosen]
        filling = {**segment.placeholders, "module": module}
        call = self.forward.compose(template, filling, values).text
        self._bind(call, segment, carried, ports)

    def _bind(self, call: str, segment: Segment, carried: list[str], ports: list[str]) -> None:
        """Assign the call's results to the carried locals, and append what is collected."""
        lines, count = self.forward.lines, len(carried)
        targets: list[str | None] = [None] * segment.outputs
        for output, result in enumerate(segment.results):
            if output < count and result >= 0 and targets[result] is None:
                targets[result] = carried[output]
        for output, result in enumerate(segment.results[count:]):
            if result >= 0 and targets[result] is None:
                targets[result] = self.forward.reuse(singular(self.lists[output]))
            elif result < 0:
                lines.add(f"{self.lists[output]}.append({ports[~result]})")
        swapped = [
            (carried[o], ports[~r] if r < 0 else targets[r])
            for o, r in enumerate(segment.results[:count])
            if (ports[~r] if r < 0 else targets[r]) != carried[o]
        ]
        left = ", ".join([target or "_" for target in targets])
        if swapped:
            left = ", ".join([left, *[name for name, _ in swapped]])
            call = ", ".join(
                [call if segment.outputs == 1 else f"*{call}", *[str(v) for _, v in swapped]]
            )
        lines.add(f"{left} = {call}")
        for output, result in enumerate(segment.results[count:]):
            if result >= 0:
                lines.add(f"{self.lists[output]}.append({targets[result]})")
