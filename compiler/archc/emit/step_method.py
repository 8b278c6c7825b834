"""Writing `step` of a class: the next steps of a sequence, from what was kept of those before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING

from archc.emit.attributes import Attributes
from archc.emit.forward import Forward
from archc.emit.in_steps import InSteps, Kept
from archc.emit.layout import statement
from archc.emit.lines import Lines
from archc.emit.names import Namespace
from archc.emit.steps import Stream

if TYPE_CHECKING:
    from archc.emit.units import Unit

__all__ = ["method_docstring", "write_step"]

_SAID = "The next steps; the state is what the last call left, None at first."

# What a file may define for it, which no local may be called.
_HELPERS = ("attend_next", "next_encoded", "next_rotated", "sampled", "with_both")


def write_step(
    unit: Unit,
    method: InSteps,
    attributes: Attributes,
    whole: Sequence[str] = (),
    *,
    shifted: bool = False,
) -> list[str]:
    """The lines of the method.

    Args:
        unit: the class.
        method: what it runs.
        attributes: of the class.
        whole: the inputs of a net that do not go on, and the one that does.
        shifted: whether that is what came before each step.
    """
    sizes = [*unit.sizes.read.values(), *[size.name for size in unit.sizes.passed]]
    names = Namespace([*unit.reserved, *unit.lent, *sizes, *_HELPERS, "state"])
    parameters = [names.add(stream.label or "x") for stream in unit.inputs]
    lines = Lines({*parameters, "state"}, comments=False)
    forward = Forward(unit, lines, names, attributes.in_forward, lambda _: None)
    _Writer(forward, method).write(parameters)
    taken = [f"{name}: Tensor" for name in parameters]
    taken += [f"{name}: {_text_of(kind)}" for name, kind in unit.lent.items()]
    taken += [f"{size.name}: int" for size in unit.sizes.passed]
    leaving = ", ".join(["Tensor"] * len(method.outputs))
    header = f"({', '.join(['self', *taken, 'state: Any = None'])}) -> tuple[{leaving}, Any]:"
    body = lines.render(8)
    read = [
        f"        {name} = {parameters[port]}.shape[{axis + 1}]"
        for (port, axis), name in unit.sizes.read.items()
        if any(re.search(rf"\b{name}\b", line) for line in body)
    ]
    told = [_of_whole(whole)] if len(whole) > 1 else []
    told += [_of_shifted(whole[-1])] if shifted else []
    said = method_docstring([_SAID, " ".join(told)] if told else [_SAID])
    return [*statement(f"def step{header}", 4), *said, *read, *body]


def method_docstring(paragraphs: Sequence[str]) -> list[str]:
    """The lines of the docstring of a method."""
    first, *others = paragraphs
    if not others:
        return [f'        """{first}"""']
    lines = [line for text in others for line in ("", *wrap(text, 78))]
    return [f'        """{first}', *[f"        {line}".rstrip() for line in lines], '        """']


def _of_whole(names: Sequence[str]) -> str:
    verb = "is" if len(names) == 2 else "are"
    return f"Only {names[-1]} goes on: {' and '.join(names[:-1])} {verb} the same at each call."


def _of_shifted(name: str) -> str:
    return f"Here {name} is what came before each step, zero before the first."


def _text_of(kind: object) -> str:
    return kind if isinstance(kind, str) else str(getattr(kind, "name", kind))


class _Writer:
    """Writes the body of one method.

    Args:
        forward: writes the steps.
        method: what is written.
    """

    def __init__(self, forward: Forward, method: InSteps) -> None:
        self.forward, self.method = forward, method
        self.alone = len(method.kept) + len(method.whole) == 1

    def write(self, parameters: list[str]) -> None:
        """The whole body."""
        forward, method = self.forward, self.method
        forward.begin(parameters)
        after = [kept.after for kept in method.kept]
        initial = [kept.initial for kept in method.kept if kept.initial is not None]
        forward.expect(method.first, [*initial])
        forward.expect(method.steps, [*method.outputs, *method.whole, *after])
        if method.first:
            self._first_call()
        else:
            self._taken_apart()
        forward.run(method.steps)
        self._leave([*method.whole, *after])

    def _taken_apart(self) -> None:
        """What was kept, without a choice of statements: all there is at first are constants."""
        forward, kept = self.forward, self.method.kept
        absent = [self._absent(one) for one in kept]
        if self.alone and absent == ["None"]:
            self._own_state(kept[0])
            return
        names = [self._name(one) for one in kept]
        some = absent[0] if self.alone else f"({', '.join(absent)})"
        forward.lines.add(f"{', '.join(names)} = {some} if state is None else state")

    def _own_state(self, kept: Kept) -> None:
        """The one thing that is kept is the state itself."""
        self.forward.locals.add("state")
        self.forward.bind(kept.before, "state")
        if kept.after.shapes == kept.before.shapes:
            kept.after.label = "state"

    def _absent(self, kept: Kept) -> str:
        if kept.initial is None:
            return kept.absent
        self.forward.use(kept.initial)
        return self.forward.value(kept.initial).text

    def _name(self, kept: Kept) -> str:
        name = self.forward.declare(kept.before.label or "kept")
        self.forward.bind(kept.before, name)
        return name

    def _begin(self, kept: Kept, text: str) -> str:
        """The local for what is kept: the one that holds it already, where nobody else needs it."""
        forward = self.forward
        if text in forward.locals - forward.lines.parameters and not forward.is_held(text):
            forward.bind(kept.before, text)
            return text
        return self._name(kept)

    def _first_call(self) -> None:
        """Compute at the first call what is kept whole, and take it from the state later."""
        forward, method = self.forward, self.method
        outer, forward.lines = forward.lines, forward.lines.block()
        forward.run(method.first)
        for stream in method.whole:
            if forward.value(stream).depth:
                forward.assign(stream, forward.value(stream))
        absent = [self._absent(kept) for kept in method.kept]
        names = [self._begin(kept, text) for kept, text in zip(method.kept, absent, strict=True)]
        pairs = [(n, text) for n, text in zip(names, absent, strict=True) if n != text]
        if pairs:
            left, right = ", ".join([n for n, _ in pairs]), ", ".join([text for _, text in pairs])
            forward.lines.add(f"{left} = {right}")
        block, forward.lines = forward.lines, outer.block()
        known = [forward.value(stream).text for stream in method.whole]
        forward.lines.add(f"{', '.join([*known, *names])} = state")
        otherwise, forward.lines = forward.lines, outer
        forward.lines.cases([("state is None", block), ("", otherwise)])
        forward.last_shape = None

    def _leave(self, state: list[Stream]) -> None:
        forward = self.forward
        texts = [forward.value(stream).text for stream in self.method.outputs]
        left = [forward.value(stream).text for stream in state]
        whole = left[0] if self.alone else f"({', '.join(left)})"
        forward.lines.add(f"return {', '.join([*texts, whole])}")
