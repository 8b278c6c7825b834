"""Which steps of a class are needed for which of its outputs, and how often each stream is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from archc.emit.slots import Slot
from archc.emit.steps import Apply, Branch, Loop, Memory, Scanned, Step, Stream

__all__ = ["count_uses", "dead_slots", "made_in", "needed", "split_training"]


def count_uses(steps: Iterable[Step], outputs: Iterable[Stream]) -> Counter[Stream]:
    """How often each stream is mentioned."""
    uses: Counter[Stream] = Counter(outputs)
    for step in steps:
        match step:
            case Apply():
                uses.update(step.inputs)
            case Loop():
                uses.update(step.inputs)
                uses.update(captured(step))
            case Branch():
                for _, inner, leaving in step.branches:
                    uses.update(count_uses(inner, leaving))
            case Scanned():
                uses.update([sequence for sequence, _ in step.sequences])
                uses.update([one for memory in step.memories for one in _starts(memory)])
                uses.update([step.counted] if step.counted is not None else [])
                now = [memory.now for memory in step.memories]
                uses.update(count_uses(step.steps, [*now, *[one for one, _ in step.results]]))
    return uses


def made_in(steps: Iterable[Step]) -> set[Stream]:
    """The streams that steps make, those inside choices and scans included."""
    found: set[Stream] = set()
    for step in steps:
        found.update(_made(step))
        if isinstance(step, Branch):
            for _, inner, _ in step.branches:
                found |= made_in(inner)
        if isinstance(step, Scanned):
            found |= made_in(step.steps)
            found.update([element for _, element in step.sequences])
            found.update([stream for memory in step.memories for stream in memory.before])
    return found


def captured(loop: Loop) -> list[Stream]:
    """The streams that the copies of a loop capture."""
    found: list[Stream] = []
    for segment in loop.copies.segments:
        for capture in segment.captures:
            match capture:
                case Stream():
                    found.append(capture)
                case list():
                    found += capture
                case (_, Stream() as whole) | ("part", (whole, _, _)):
                    found.append(whole)
    return found


def needed(steps: Sequence[Step], outputs: Iterable[Stream]) -> list[Step]:
    """The steps that the outputs depend on, in order, choices cut down likewise."""
    wanted: set[Stream] = set()
    _want(wanted, outputs)
    kept: list[Step] = []
    for step in reversed(steps):
        if not any(stream in wanted for stream in _made(step)):
            continue
        if isinstance(step, Branch):
            branches = tuple([(v, tuple(needed(s, o)), o) for v, s, o in step.branches])
            step = step.replace(branches=branches)
            _want(wanted, count_uses([step], ()))
        elif isinstance(step, Scanned):
            step = _remembering(step, wanted)
            leaving = [memory.now for memory in step.memories] + [one for one, _ in step.results]
            inner = needed(step.steps, leaving)
            used = count_uses(inner, leaving)
            taken = [pair for pair in step.sequences if used[pair[1]]] or step.sequences[:1]
            step = step.replace(steps=tuple(inner), sequences=tuple(taken))
            _want(wanted, count_uses([step], ()))
        else:
            _want(wanted, count_uses([step], ()))
        kept.append(step)
    return kept[::-1]


def _remembering(scan: Scanned, wanted: set[Stream]) -> Scanned:
    """The scan without memories that nothing reads: what read them runs in front of the loop."""
    results = [one for one, _ in scan.results]
    leaving = [memory.now for memory in scan.memories] + results
    used = count_uses(needed(scan.steps, leaving), results)
    read = [
        memory
        for memory in scan.memories
        if wanted.intersection((memory.final, *memory.finals))
        or any(used[one] for one in memory.before)
    ]
    return scan if len(read) == len(scan.memories) else scan.replace(memories=tuple(read))


def _want(wanted: set[Stream], streams: Iterable[Stream]) -> None:
    for stream in streams:
        wanted.add(stream)
        if stream.parent is not None:
            wanted.add(stream.parent)


def _starts(memory: Memory) -> tuple[Stream, ...]:
    return (memory.start, *memory.starts)


def _made(step: Step) -> tuple[Stream, ...]:
    if isinstance(step, Loop):
        return (*step.outputs, *step.collected)
    if isinstance(step, Scanned):
        return (*step.outputs, *[final for memory in step.memories for final in memory.finals])
    return step.outputs


def split_training(
    steps: Sequence[Step], always: Sequence[Stream], training: Sequence[Stream]
) -> tuple[list[Step], list[Step]]:
    """The steps for the outputs that always exist, and those that only training needs besides."""
    main = needed(steps, always)
    ids = {stream for step in main for stream in _made(step)}
    both = needed(steps, [*always, *training])
    return main, [s for s in both if not all(stream in ids for stream in _made(s))]


def dead_slots(steps: Sequence[Step], outputs: Sequence[Stream]) -> set[Slot]:
    """The slots that only steps mention on which no output depends."""
    return _slots(steps) - _slots(needed(steps, outputs))


def _slots(steps: Iterable[Step]) -> set[Slot]:
    found: set[Slot] = set()
    for step in steps:
        match step:
            case Apply():
                found.update(
                    [slot for slot in step.placeholders.values() if isinstance(slot, Slot)]
                )
            case Branch():
                found.add(step.flag)
                for _, inner, _ in step.branches:
                    found |= _slots(inner)
            case Scanned():
                found |= _slots(step.steps)
                if isinstance(step.count, Slot):
                    found.add(step.count)
    return found
