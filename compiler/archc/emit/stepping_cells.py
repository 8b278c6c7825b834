"""Cells in steps: the loop begins with what was kept, and keeps what it remembers at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archc.emit.in_steps import Late, runs
from archc.emit.liveness import count_uses, made_in, needed
from archc.emit.steps import Apply, Branch, Memory, Scanned, Step, Stream

if TYPE_CHECKING:
    from archc.emit.stepping import Body

__all__ = ["scan_in_steps"]

# What a cell reads while training is what was said before, and so it is when it generates.
_WHILE_TRAINING = "{0} if self.training else {1}"


def scan_in_steps(body: Body, scan: Scanned) -> None:
    """Go on with a cell, or say why it cannot."""
    late = _why_late(body, scan)
    if late is None:
        scan = _with_teacher(body, scan)
        late = _in_training(scan)
    if late is not None:
        body.set(scan, late)
        return
    if any(body.kind(sequence) == "given" for sequence, _ in scan.sequences):
        body.stepper.direct = True
    kept = tuple([_memory(body, memory) for memory in _read(scan)])
    body.steps.append(scan.replace(memories=kept))
    body.set(scan, Late("the last state of a cell is known at the end"))
    body.kinds.update(dict.fromkeys([output for _, output in scan.results], "runs"))


def _why_late(body: Body, scan: Scanned) -> Late | None:
    if scan.reverse:
        return Late("a cell runs from the end")
    if scan.counted is not None:
        return Late("a cell runs to the length of each example")
    if not scan.sequences or not all(runs(body.kind(s)) for s, _ in scan.sequences):
        return Late("a cell runs along another sequence")
    inner = made_in([scan])
    outer = [stream for stream in count_uses(scan.steps, ()) if stream not in inner]
    if any(runs(body.kind(stream)) for stream in outer):
        return Late("each step of a cell sees the whole sequence")
    return None


def _in_training(scan: Scanned) -> Late | None:
    if any("self.training" in text for text in _templates(scan.steps)):
        return Late("a cell takes other inputs while training")
    return None


def _with_teacher(body: Body, scan: Scanned) -> Scanned:
    """`x[t-1] when training else y[t-1]` of the net's own input: it is what was said before.

    The input of `step` is then the step before, and no memory of it is needed.
    """
    leaving = [memory.now for memory in scan.memories] + [one for one, _ in scan.results]
    used = count_uses(scan.steps, leaving)
    for place, (sequence, element) in enumerate(scan.sequences):
        memory = next((m for m in scan.memories if m.now is element), None)
        if memory is None or body.kind(sequence) != "given" or memory.start not in body.zeros:
            continue
        if used[element] != 1 or len(memory.before) != 1:
            continue
        steps, changed = _taught(scan.steps, memory.before[0])
        if not changed:
            continue
        sequences = list(scan.sequences)
        sequences[place] = (sequence, memory.before[0])
        others = tuple([other for other in scan.memories if other is not memory])
        body.stepper.shifted = True
        body.kinds[sequence] = "runs"
        return scan.replace(steps=steps, sequences=tuple(sequences), memories=others)
    return scan


def _taught(steps: Sequence[Step], before: Stream) -> tuple[tuple[Step, ...], bool]:
    """The steps that take what was said before, whether while training or not."""
    found: list[Step] = []
    for step in steps:
        chooses = isinstance(step, Apply) and step.template == _WHILE_TRAINING
        if isinstance(step, Apply) and chooses and step.inputs[0] is before:
            step = step.replace(template="{0}", inputs=(before,), precedence="call")
        found.append(step)
    return tuple(found), tuple(found) != tuple(steps)


def _read(scan: Scanned) -> list[Memory]:
    """The memories that a step reads."""
    results = [one for one, _ in scan.results]
    leaving = [memory.now for memory in scan.memories] + results
    used = count_uses(needed(scan.steps, leaving), results)
    return [memory for memory in scan.memories if any(used[one] for one in memory.before)]


def _memory(body: Body, memory: Memory) -> Memory:
    """What begins with what was kept, or with what it begins with anyway."""
    made = []
    for place, stream in enumerate(memory.before):
        label = stream.label or "state"
        zeros = body.zeros.get(memory.start)
        final = memory.final if place == 0 else None
        kept = body.keep(label, initial=None if zeros else memory.start, after=final)
        start = kept.before
        if zeros is not None:
            start = Stream(stream.shapes, label)
            template = f"{zeros.template} if {{1}} is None else {{1}}"
            inputs = (*zeros.inputs, kept.before)
            begun = zeros.replace(
                template=template, inputs=inputs, outputs=(start,), precedence="other"
            )
            body.steps.append(begun)
        made.append((start, kept.after))
    starts, finals = zip(*made, strict=True)
    return memory.replace(start=starts[0], starts=starts[1:], finals=finals[1:])


def _templates(steps: Sequence[Step]) -> list[str]:
    found: list[str] = []
    for step in steps:
        match step:
            case Apply():
                found.append(step.template)
            case Branch():
                found += [text for _, inner, _ in step.branches for text in _templates(inner)]
            case Scanned():
                found += _templates(step.steps)
    return found
