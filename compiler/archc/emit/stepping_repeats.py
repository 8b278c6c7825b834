"""Repeats in steps: each copy goes on from what it kept itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.continuation import Continuation, NotInSteps
from archc.emit.in_steps import Kind, Late, runs, shape_of, stepping_call
from archc.emit.names import singular
from archc.emit.steps import Apply, Copies, Loop, Step, Stream
from archc.emit.vectors import ANY

if TYPE_CHECKING:
    from archc.emit.stepping import Body

__all__ = ["loop_in_steps", "sequential_in_steps"]


def sequential_in_steps(body: Body, step: Apply) -> None:
    """Copies that nn.Sequential runs: in a loop, where they keep something."""
    attribute = step.placeholders["module"].removeprefix("self.")
    loop = Loop(attribute, step.copies, step.inputs, step.outputs, (), ())
    loop_in_steps(body, loop, step)


def loop_in_steps(body: Body, loop: Loop, plain: Step) -> None:
    """A repeat: as it is, `plain`, where its copies keep nothing, else each with what it kept."""
    copies: Copies = loop.copies
    methods = []
    for segment in copies.segments:
        found = _segment(body, loop, segment)
        if isinstance(found, Late):
            body.set(loop, found)
            return
        methods.append(found)
    if not any(methods):
        body.as_it_is(plain)
        return
    name = singular(loop.attribute)
    several = len(copies.segments) > 1
    counts = [s.count for s, found in zip(copies.segments, methods, strict=True) if found]
    count = str(sum(counts)) if several else f"len(self.{loop.attribute})"
    after = Stream((ANY,), f"new_{name}_states")
    kept = body.keep(f"{name}_states", f"[None] * {count}", after=after)
    segments, start = [], 0
    for segment, found in zip(copies.segments, methods, strict=True):
        if found is not None:
            part = ("part", (kept.before, start, segment.count))
            state = part if several else ("all", kept.before)
            start += segment.count
            segment = _segment_in_steps(segment, found, state, len(loop.inputs))
        segments.append(segment)
    body.steps.append(
        loop.replace(
            copies=copies.replace(segments=tuple(segments)),
            collected=(*loop.collected, kept.after),
            names=(*loop.names, "state"),
            goes_on=True,
        )
    )
    body.set(loop, "runs")


def _segment(body: Body, loop: Loop, segment: Any) -> Any:
    """How one copy goes on: a method, a continuation, None where it keeps nothing, or Late."""
    kinds = _port_kinds(body, loop, segment)
    if isinstance(segment.element, Copies):
        return _nested(body, segment, kinds)
    if segment.op is not None:
        return _single(body, loop, segment)
    unit = segment.element.callee
    found = body.stepper.unit(unit, tuple([kinds[port] for port in segment.ports]))
    for result in segment.results[: len(loop.inputs)]:
        kind = found.outputs[result] if result >= 0 else kinds[~result]
        if isinstance(kind, Late):
            return kind
        if not runs(kind):
            return Late(f"{unit.wanted} hands on what does not run")
    return found.method


def _port_kinds(body: Body, loop: Loop, segment: Any) -> list[Kind]:
    kinds: list[Kind] = [body.kind(stream) for stream in loop.inputs]
    for capture in segment.captures:
        streams = capture if isinstance(capture, list) else [capture]
        streams = [s[1] if isinstance(s, tuple) else s for s in streams]
        found = {body.kind(stream) for stream in streams}
        mixed = Late(f"the copies of {loop.attribute} see streams of several kinds")
        kinds.append(found.pop() if len(found) == 1 else mixed)
    return kinds


def _nested(body: Body, segment: Any, kinds: list[Kind]) -> Any:
    """Repeats in a repeat: only those that keep nothing."""
    late = Late("a repeat in a repeat keeps something")
    for inner in segment.element.segments:
        if isinstance(inner.element, Copies) or inner.op is not None or segment.captures:
            return late
        chosen = tuple([kinds[segment.ports[port]] for port in inner.ports])
        found = body.stepper.unit(inner.element.callee, chosen)
        if found.method is not None or any(not runs(kind) for kind in found.outputs):
            return late
    return None


def _single(body: Body, loop: Loop, segment: Any) -> Any:
    """Copies of one operator."""
    inputs = tuple([shape_of(stream) for stream in loop.inputs])
    if segment.captures or len(inputs) != 1:
        return Late(f"the copies of {loop.attribute} see other streams")
    try:
        found = segment.op.continued(inputs, inputs, (True,))
    except NotInSteps as problem:
        return Late(f"{segment.op.name} {problem.reason}")
    if found is not None:
        body.stepper.continued.append(found)
    return found


def _segment_in_steps(segment: Any, found: Any, state: Any, carried: int) -> Any:
    """A copy that is handed what it kept, and gives what it keeps behind the rest."""
    port = carried + len(segment.captures)
    if isinstance(found, Continuation):
        call = found.template.replace("{kept}", f"{{{len(segment.ports)}}}")
        results: tuple[int, ...] = (0,)
        outputs = 1
    else:
        call = stepping_call(segment.call, len(segment.ports))
        results = tuple([r if r < 0 else found.places.index(r) for r in segment.results])
        outputs = len(found.places)
    return segment.replace(
        call=call,
        ports=(*segment.ports, port),
        outputs=outputs + 1,
        results=(*results, outputs),
        captures=(*segment.captures, state),
    )
