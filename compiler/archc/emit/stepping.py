"""Stepping: what `step` of a class runs, derived from what `forward` runs.

`step` computes the next steps of a sequence from what it kept of those before. Streams of forward
are of these kinds for it. What *runs* is a sequence that goes on; what is *given* is the input of
the net itself that does. What is *whole* depends on other inputs alone, such as a source sentence:
it is computed at the first call and kept. What is *fixed* depends on weights alone. A stream whose
value at a step needs later steps is `Late`, with the reason; so is all that depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from archc.continuation import Continuation, NotInSteps
from archc.emit.in_steps import Found, InSteps, Kept, Kind, Late, runs, shape_of, stepping_call
from archc.emit.liveness import count_uses, made_in, needed
from archc.emit.slots import Slot
from archc.emit.stepping_cells import scan_in_steps
from archc.emit.stepping_repeats import loop_in_steps, sequential_in_steps
from archc.emit.steps import Apply, Branch, Loop, Scanned, Step, Stream
from archc.emit.units import Unit
from archc.emit.vectors import ANY
from archc.shapes import Shape

__all__ = ["Body", "Stepper"]


class Stepper:
    """Finds the methods that the classes of a file need to run in steps.

    `methods` are those found so far, `continued` the forms of operators that go on. `shifted` says
    that the net reads its input one step late alone, `direct` that it reads it as it comes.
    """

    def __init__(self) -> None:
        self.methods: dict[Unit, InSteps] = {}
        self.continued: list[Continuation] = []
        self.shifted = self.direct = False
        self._known: dict[tuple[Unit, tuple[Kind, ...]], Found] = {}
        self._ways: dict[Unit, tuple[Kind, ...]] = {}

    def unit(self, unit: Unit, inputs: tuple[Kind, ...]) -> Found:
        """A class with inputs of these kinds."""
        known = self._known.get((unit, inputs))
        if known is None:
            known = self._known[unit, inputs] = self._unit(unit, inputs)
        return known

    def _unit(self, unit: Unit, inputs: tuple[Kind, ...]) -> Found:
        body = Body(self, dict(zip(unit.inputs, inputs, strict=True)))
        body.run(needed(unit.steps, unit.outputs))
        outputs = tuple([body.kind(stream) for stream in unit.outputs])
        if not body.changed or not any(runs(kind) for kind in outputs):
            return Found(outputs, None)
        name = unit.wanted
        if self._ways.setdefault(unit, inputs) != inputs:
            late = Late(f"{name} is used in two ways, in one of which its input is there at once")
            return Found((late,) * len(outputs), None)
        clash = next((m for m in _attributes(unit) if m in ("step", "generate")), None)
        if clash is not None:
            late = Late(f"a module of {name} is called {clash}, as a method would be")
            return Found((late,) * len(outputs), None)
        self.methods[unit] = method = body.method(unit)
        return Found(outputs, method)


def _attributes(unit: Unit) -> list[str]:
    return [getattr(member, "attribute", "") for member in unit.members]


class Body:
    """The steps of one class, sorted by kind and rewritten.

    Args:
        stepper: knows the classes below.
        kinds: of the streams so far.
    """

    def __init__(self, stepper: Stepper, kinds: dict[Stream, Kind]) -> None:
        self.stepper, self.kinds = stepper, kinds
        self.first: list[Step] = []
        self.fixed: list[Step] = []
        self.steps: list[Step] = []
        self.kept: list[Kept] = []
        self.zeros: dict[Stream, Apply] = {}

    @property
    def changed(self) -> bool:
        """Whether forward is not what every call runs."""
        return bool(self.kept or self.first)

    def kind(self, stream: Stream) -> Kind:
        """The kind of a stream; one of a copy is of that of the list of all copies."""
        if stream.parent is not None and stream not in self.kinds:
            return self.kinds[stream.parent]
        return self.kinds[stream]

    def method(self, unit: Unit) -> InSteps:
        """What `step` of the class runs."""
        places = tuple([i for i, s in enumerate(unit.outputs) if runs(self.kind(s))])
        outputs = tuple([unit.outputs[i] for i in places])
        after = [kept.after for kept in self.kept]
        steps = needed([*self.fixed, *self.steps], [*outputs, *after])
        used = count_uses(steps, ())
        made = [stream for stream in made_in(self.first) if used[stream]]
        initial = [kept.initial for kept in self.kept if kept.initial is not None]
        first = needed([*self.fixed, *self.first], [*made, *initial])
        order = {stream: i for i, step in enumerate(first) for stream in step.outputs}
        whole = tuple(sorted(made, key=lambda stream: order[stream]))
        return InSteps(tuple(first), tuple(steps), whole, tuple(self.kept), outputs, places)

    # --- steps ------------------------------------------------------------------------------------

    def run(self, steps: Iterable[Step]) -> None:
        """Sort and rewrite the steps."""
        for step in steps:
            if isinstance(step, Apply) and step.begins:
                self.zeros[step.outputs[0]] = step
                self.set(step, "fixed")
                continue
            kind = self._inputs(step)
            if isinstance(kind, Late):
                self.set(step, kind)
            elif kind == "whole":
                self.first.append(step)
                self.set(step, kind)
            elif kind == "fixed":
                self.fixed.append(step)
                self.set(step, kind)
            else:
                self._running(step)

    def _inputs(self, step: Step) -> Kind:
        """The kind of what only depends on what flows into a step."""
        kinds = [self.kind(stream) for stream in _outer(step)]
        late = next((kind for kind in kinds if isinstance(kind, Late)), None)
        if late is not None:
            return late
        if "given" in kinds and not (isinstance(step, Scanned) or _is_call(step)):
            self.stepper.direct = True
        return "runs" if any(map(runs, kinds)) else "whole" if "whole" in kinds else "fixed"

    def set(self, step: Step, kind: Kind) -> None:
        """Let all that leaves a step be of a kind."""
        collected = step.collected if isinstance(step, Loop) else ()
        self.kinds.update(dict.fromkeys((*step.outputs, *collected), kind))

    def _running(self, step: Step) -> None:
        match step:
            case Branch():
                self._branch(step)
            case Scanned():
                scan_in_steps(self, step)
            case Loop():
                loop_in_steps(self, step, step)
            case Apply() if step.copies is not None:
                sequential_in_steps(self, step)
            case Apply() if step.unit is not None:
                self._call(step, step.unit)
            case Apply():
                self._operator(step)

    def as_it_is(self, step: Step) -> None:
        """A step of forward that every call runs."""
        self.steps.append(step)
        self.set(step, "runs")

    def keep(
        self,
        label: str,
        absent: str = "None",
        initial: Stream | None = None,
        after: Stream | None = None,
    ) -> Kept:
        """One more thing that is kept; `after` is what the call leaves of it, if known."""
        nothing = (ANY,)
        before = Stream(nothing, label)
        self.kept.append(Kept(before, after or Stream(nothing, label), initial, absent))
        return self.kept[-1]

    # --- operators and blocks ---------------------------------------------------------------------

    def _operator(self, step: Apply) -> None:
        inputs = tuple([shape_of(stream) for stream in step.inputs])
        outputs = tuple([shape_of(stream) for stream in step.outputs])
        running = tuple([runs(self.kind(stream)) for stream in step.inputs])
        try:
            found = step.op.continued(inputs, outputs, running)
            _no_fixed_count(step, inputs, running)
        except NotInSteps as problem:
            self.set(step, Late(f"{_named(step)} {problem.reason}"))
            return
        if found is None:
            self.as_it_is(step)
            return
        self.stepper.continued.append(found)
        first = step.outputs[0]
        self.set(step, Late(f"the last state of {_named(step)} is known at the end"))
        self.kinds[first] = "runs"
        kept = self.keep(_label(step))
        template = found.template.replace("{kept}", f"{{{len(step.inputs)}}}")
        self._go_on(step, template, kept, (first,))

    def _go_on(self, step: Apply, template: str, kept: Kept, outputs: tuple[Stream, ...]) -> None:
        inputs = (*step.inputs, kept.before)
        after = (*outputs, kept.after)
        self.steps.append(step.replace(template=template, inputs=inputs, outputs=after))

    def _call(self, step: Apply, unit: Unit) -> None:
        kinds = tuple([self.kind(stream) for stream in step.inputs])
        found = self.stepper.unit(unit, kinds)
        for stream, kind in zip(step.outputs, found.outputs, strict=True):
            told = Late(f"{unit.wanted} hands on what does not run") if kind == "whole" else kind
            self.kinds[stream] = told
        if found.method is None:
            if any(runs(self.kinds[stream]) for stream in step.outputs):
                self.steps.append(step)
            return
        kept = self.keep(_label(step))
        leaving = tuple([step.outputs[place] for place in found.method.places])
        self._go_on(step, stepping_call(step.template, len(step.inputs)), kept, leaving)

    def _branch(self, step: Branch) -> None:
        """A choice in which nothing is kept, whatever is taken."""
        for _, inner, leaving in step.branches:
            body = Body(self.stepper, dict(self.kinds))
            body.run(inner)
            kinds = [body.kind(stream) for stream in leaving]
            late = next((kind for kind in kinds if isinstance(kind, Late)), None)
            if late is None and body.kept:
                late = Late("what is kept depends on a choice")
            if late is not None:
                self.set(step, late)
                return
        self.as_it_is(step)


def _is_call(step: Step) -> bool:
    return isinstance(step, Apply) and step.unit is not None


def _outer(step: Step) -> list[Stream]:
    """What flows into a step from outside."""
    inner = made_in([step]) - set(step.outputs)
    return [stream for stream in count_uses([step], ()) if stream not in inner]


def _named(step: Apply) -> str:
    return step.op.name or "a fused kernel"


def _label(step: Apply) -> str:
    """What is kept is called after the module that keeps it."""
    path = str(step.placeholders.get("module", "")).removeprefix("self.")
    name = path if path.isidentifier() else "sequence"
    return f"{name}_state"


def _no_fixed_count(step: Apply, inputs: tuple[Shape, ...], running: tuple[bool, ...]) -> None:
    """A layout that has the number of steps written into it fits no other number.

    Raises:
        NotInSteps: for such a one.
    """
    if step.op.family != "shape":
        return
    counts = set()
    for shape, goes_on in zip(inputs, running, strict=True):
        place = shape.steps if goes_on else None
        if place is not None:
            counts.add(shape.sizes[place])
    for slot in step.placeholders.values():
        value = slot.value if isinstance(slot, Slot) and slot.constant else None
        sizes = value if isinstance(value, tuple) else (value,)
        if any(type(size) is int and size > 1 and size in counts for size in sizes):
            raise NotInSteps("has the number of steps in its layout")
