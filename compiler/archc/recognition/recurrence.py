"""Recurrence: equations of Elman, LSTM and GRU become torch's fused kernels.

The modules of the equations stay, so the state_dict is the same; the kernel is given their weights.
What is recognised is Elman's cell with tanh or relu (1990), the LSTM (Hochreiter and Schmidhuber
1997, with the forget gate of Gers et al. 2000), and the GRU in the form that torch has, the reset
gate behind the product.
"""

from __future__ import annotations

from typing import ClassVar

from archc.continuation import Continuation
from archc.graph import Operation, Region, Scan, Wire
from archc.op import Expression, Family, Op, TorchForm
from archc.recognition.kernels import HELPERS, WITH_BOTH
from archc.recognition.notes import Note
from archc.recognition.rewriting import rewired
from archc.recognition.steps import Gates, gates_of
from archc.shapes import Shape

__all__ = ["recognize_recurrence"]


class FusedRecurrence(Op):
    """A recurrent layer by a fused kernel, made of equations; no file names it.

    `modules` are the modules of the equations by the name that `template` calls them.
    """

    family: ClassVar[Family] = "recurrent"
    inputs: ClassVar[tuple[int, int | None]] = (1, 3)
    kernel: str = "lstm"
    template: str = ""
    values: tuple[tuple[str, int], ...] = ()
    modules: tuple[tuple[str, str], ...] = ()

    def infer(self, *inputs: Shape) -> Shape:
        raise ValueError("a fused recurrence is made of equations whose shapes are known")

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        helper = ((self.kernel, HELPERS[self.kernel]),)
        return Expression(self.template, self.values, helper=helper)

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        opening = f"{self.kernel}({{0}}, "
        start = "({1}, {2})" if len(inputs) == 3 else "{1}" if len(inputs) == 2 else "None"
        assert self.template.startswith(opening + start)
        kept = "{kept}" if start == "None" else f"{start} if {{kept}} is None else {{kept}}"
        call = f"{opening}{kept}{self.template.removeprefix(opening + start)}"
        if self.kernel != "lstm":
            return Continuation(call)
        return Continuation(f"with_both({call})", (("with_both", WITH_BOTH),))


def recognize_recurrence(region: Region) -> tuple[Region, tuple[Note, ...]]:
    """Replace the scans of a region whose steps say what a fused kernel computes."""
    notes: list[Note] = []
    for position, node in enumerate(region.nodes):
        if not isinstance(node, Scan):
            continue
        found = gates_of(node)
        if found is None or (node.counted is not None and _leaves_state(region, position, node)):
            continue
        fact = f"is recognised as torch.{found.kernel}"
        notes.append(Note(region.name or "an equation", fact, region.span))
        region = _fused(region, position, node, found)
    return region, tuple(notes)


def _leaves_state(region: Region, position: int, scan: Scan) -> bool:
    """Whether anything uses a last state: of padded sequences no kernel knows which one it is."""
    wires = [wire for node in region.nodes for wire in node.inputs]
    wires += [output.wire for output in region.outputs]
    return any(w.node == position and w.port >= len(scan.region.outputs) for w in wires)


def _fused(region: Region, position: int, scan: Scan, found: Gates) -> Region:
    """The kernel in the place of the scan, which goes behind all others: nothing uses it."""
    starts = [scan.states[number].initial for number in found.states]
    wires = [scan.inputs[0], *[scan.inputs[i] for i in starts if i is not None]]
    names = [f"{{{i}}}" for i in range(1, len(wires))]
    start = f"({', '.join(names)})" if len(names) > 1 else (names[0] if names else "None")
    template = f"{found.kernel}({{0}}, {start}, {', '.join(found.weights)})"
    op = FusedRecurrence(
        kernel=found.kernel, template=template, values=found.values, modules=found.modules
    )
    outputs = (scan.outputs[0], *[scan.states[number].shape for number in found.states])
    fused = Operation("", tuple(wires), outputs, scan.span, scan.label, op)
    ports = _ports(scan, found)

    def change(wire: Wire) -> Wire:
        return wire.replace(port=ports[wire.port]) if wire.node == position else wire

    nodes = [fused if i == position else node for i, node in enumerate(region.nodes)]
    leaving = tuple([o.replace(wire=change(o.wire)) for o in region.outputs])
    return region.replace(nodes=(*[rewired(n, change) for n in nodes], scan), outputs=leaving)


def _ports(scan: Scan, found: Gates) -> dict[int, int]:
    """Which output of the kernel each output of the scan is."""
    count = len(scan.region.outputs)
    ports = dict.fromkeys(range(count), 0)
    for place, number in enumerate(found.states):
        ports[count + number] = 1 + place
    return ports
