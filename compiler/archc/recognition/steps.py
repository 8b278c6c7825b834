"""What the step of a cell says: which of its nodes are the gates of a known cell."""

from __future__ import annotations

from collections.abc import Sequence

from archc.graph import INPUTS, Operation, Scan, Wire
from archc.op import Op
from archc.ops.activation import Sigmoid, Tanh
from archc.ops.concat import Concatenate
from archc.ops.join import Add, Multiply, Subtract
from archc.ops.linear import FullyConnected
from archc.ops.rectifiers import Relu
from archc.ops.sequence import Split
from archlang.record import Record

__all__ = ["Gates", "gates_of"]


class Gates(Record):
    """A step that is a known cell.

    Args:
        kernel: what torch calls it ("lstm").
        weights: expressions of the weights of the input and of the state, and of their biases.
        values: numbers that those need, by name.
        modules: the modules that those need, by name.
        states: the numbers of the scan's states in the order of the kernel.
    """

    kernel: str
    weights: tuple[str, str, str, str]
    values: tuple[tuple[str, int], ...]
    modules: tuple[tuple[str, str], ...]
    states: tuple[int, ...]


class _Term(Record):
    """One layer of a gate: what flows into it ("x", "h", "xh", "hx"), and which of its rows."""

    module: str
    sees: str
    bias: bool
    rows: tuple[int, int] | None


Affine = tuple[_Term, ...]


def gates_of(scan: Scan) -> Gates | None:
    """The gates of a step that a fused kernel computes; None for any other."""
    outputs = {output.wire for output in scan.region.outputs}
    plain = all(shape.rank == 2 for shape in (scan.outputs[0],))
    captured = scan.region.captured - (scan.counted is not None)
    if scan.timed != 1 or scan.reverse or captured or len(outputs) != 1 or not plain:
        return None
    if any(state.reach != 1 or len(state.shape.axes) != 1 for state in scan.states):
        return None
    starts = [state.initial is not None for state in scan.states]
    if len(set(starts)) != 1:
        return None
    step = _Step(scan, outputs.pop())
    for find in (step.elman, step.lstm, step.gru):
        found = find()
        if found is not None:
            return found
    return None


class _Step:
    """The nodes of a step, looked at from what leaves it."""

    def __init__(self, scan: Scan, leaving: Wire) -> None:
        self.scan, self.leaving = scan, leaving
        wires = [state.wire for state in scan.states]
        self.h = wires.index(leaving) if leaving in wires else -1

    # --- the three cells ---

    def elman(self) -> Gates | None:
        """`h[t] = (W x + U h[t-1]) -> TANH`, or RELU."""
        if len(self.scan.states) != 1 or self.h != 0:
            return None
        for kind, kernel in ((Tanh, "rnn_tanh"), (Relu, "rnn_relu")):
            inner = self.under(self.leaving, kind)
            gate = None if inner is None else self.affine(inner)
            if gate is not None:
                return self.gates(kernel, [gate], (0,))
        return None

    def lstm(self) -> Gates | None:
        """`c[t] = f * c[t-1] + i * g`, `h[t] = o * (c[t] -> TANH)`."""
        if len(self.scan.states) != 2 or self.h < 0:
            return None
        c = 1 - self.h
        memory = self.scan.states[c].wire
        o = self.other(self.leaving, lambda wire: self.under(wire, Tanh) == memory)
        terms = self.operands(memory, Add)
        if o is None or terms is None:
            return None
        before = memory.replace(delay=1)
        for kept, new in (terms, terms[::-1]):
            f = self.other(kept, lambda wire: wire == before)
            products = self.operands(new, Multiply)
            if f is None or products is None:
                continue
            for i, g in (products, products[::-1]):
                squashed = self.under(g, Tanh)
                found = [self.gate(i), self.gate(f), squashed and self.affine(squashed)]
                gates = [one for one in (*found, self.gate(o)) if one]
                if len(gates) == 4:
                    return self.gates("lstm", gates, (self.h, c))
        return None

    def gru(self) -> Gates | None:
        """`h[t] = z * h[t-1] + (1 - z) * n`, with `n = (W x + r * (U h[t-1])) -> TANH`."""
        terms = self.operands(self.leaving, Add)
        if len(self.scan.states) != 1 or self.h != 0 or terms is None:
            return None
        before = self.leaving.replace(delay=1)
        for kept, new in (terms, terms[::-1]):
            z = self.other(kept, lambda wire: wire == before)
            n = None if z is None else self._beside_rest(new, z)
            squashed = None if n is None else self.under(n, Tanh)
            found = None if squashed is None or z is None else self._reset(squashed, z)
            if found is not None:
                return found
        return None

    def _reset(self, wire: Wire, z: Wire) -> Gates | None:
        terms = self.operands(wire, Add)
        update = self.gate(z)
        if terms is None or update is None:
            return None
        for given, back in (terms, terms[::-1]):
            into, products = self.affine(given, whole=False), self.operands(back, Multiply)
            if not into or products is None:
                continue
            for r, state in (products, products[::-1]):
                reset, recurrent = self.gate(r), self.affine(state, whole=False)
                if reset and recurrent and (into[0].sees, recurrent[0].sees) == ("x", "h"):
                    return self.gates("gru", [reset, update, (*into, *recurrent)], (0,))
        return None

    def _beside_rest(self, wire: Wire, z: Wire) -> Wire | None:
        """The factor beside `1 - z`."""

        def is_rest(wire: Wire) -> bool:
            node = self.node(wire, Subtract)
            return node is not None and node.inputs == (z,) and getattr(node.op, "left", None) == 1

        return self.other(wire, is_rest)

    # --- parts of equations ---

    def node(self, wire: Wire, kind: type[Op]) -> Operation | None:
        """The operator that a stream comes from, if it is of a kind and at this step."""
        if wire.delay or wire.node == INPUTS:
            return None
        node = self.scan.region.nodes[wire.node]
        found = isinstance(node, Operation) and isinstance(node.op, kind) and node.shared is None
        return node if found and isinstance(node, Operation) else None

    def under(self, wire: Wire, kind: type[Op]) -> Wire | None:
        """What flows into the operator of that kind that a stream comes from."""
        node = self.node(wire, kind)
        return None if node is None else node.inputs[0]

    def operands(self, wire: Wire, kind: type[Op]) -> tuple[Wire, Wire] | None:
        """The two streams that are joined."""
        node = self.node(wire, kind)
        if node is None or len(node.inputs) != 2:
            return None
        return node.inputs[0], node.inputs[1]

    def other(self, wire: Wire, fits: object) -> Wire | None:
        """The factor beside the one that fits."""
        found = self.operands(wire, Multiply)
        assert callable(fits)
        if found is None:
            return None
        one, two = found
        return two if fits(one) else one if fits(two) else None

    def gate(self, wire: Wire) -> Affine | None:
        """The layers in front of a sigmoid."""
        inner = self.under(wire, Sigmoid)
        return None if inner is None else self.affine(inner)

    def affine(self, wire: Wire, *, whole: bool = True) -> Affine | None:
        """The layers whose sum a stream is: one that sees both, or one for each of the two."""
        split = self.node(wire, Split)
        if split is not None:
            parts = getattr(split.op, "parts", None)
            found = self.affine(split.inputs[0], whole=whole)
            if found is None or not isinstance(parts, int) or any(t.rows for t in found):
                return None
            return tuple([term.replace(rows=(wire.port, parts)) for term in found])
        operands = self.operands(wire, Add)
        wires = (wire,) if operands is None else operands
        terms = [term for term in map(self.layer, wires) if term is not None]
        wanted = [["h", "x"], ["xh"], ["hx"]] if whole else [["h"], ["x"]]
        fits = len(terms) == len(wires) and sorted([term.sees for term in terms]) in wanted
        return tuple(terms) if fits else None

    def layer(self, wire: Wire) -> _Term | None:
        """A fully connected layer on the input, the state, or both."""
        node = self.node(wire, FullyConnected)
        sees = "" if node is None else self.seen(node.inputs[0])
        if node is None or not sees:
            return None
        assert isinstance(node.op, FullyConnected)
        return _Term(node.name, sees, node.op.bias, None)

    def seen(self, wire: Wire) -> str:
        """ "x" for the input, "h" for the state of the step before, both for the two together."""
        if wire == Wire(INPUTS, 0):
            return "x"
        if wire == self.scan.states[self.h].wire.replace(delay=1):
            return "h"
        node = self.node(wire, Concatenate)
        parts = () if node is None else tuple([self.seen(one) for one in node.inputs])
        return "".join(parts) if parts in (("x", "h"), ("h", "x")) else ""

    # --- weights ---

    def gates(self, kernel: str, gates: Sequence[Affine], states: tuple[int, ...]) -> Gates | None:
        """The expressions of the weights, gate below gate."""
        units = self.scan.states[self.h].shape.sizes[0]
        features = self.scan.region.inputs[0].shape.sizes[0]
        if not isinstance(units, int) or not isinstance(features, int):
            return None
        weights = _Weights(features, units)
        columns = [[weights.of(gate, side) for gate in gates] for side in ("x", "h")]
        biases = [[weights.bias(gate, side) for gate in gates] for side in ("x", "h")]
        found = (_stacked(columns[0]), _stacked(columns[1]), *[_biases(b, units) for b in biases])
        if any(text is None for text in found):
            return None
        w_x, w_h, b_x, b_h = [str(text) for text in found]
        modules = tuple([(key, name) for name, key in weights.modules.items()])
        return Gates(kernel, (w_x, w_h, b_x, b_h), tuple(weights.values.items()), modules, states)


class _Weights:
    """Writes the weights of layers, and remembers the modules and numbers that they need."""

    def __init__(self, features: int, units: int) -> None:
        self.sizes = {"features": features, "units": units}
        self.modules: dict[str, str] = {}
        self.values: dict[str, int] = {}

    def of(self, gate: Affine, side: str) -> str | None:
        """The weights of one side of a gate."""
        term = next((term for term in gate if side in term.sees), None)
        if term is None:
            return None
        rows = self._rows(term)
        columns = self._columns(term, side)
        inside = ", ".join([rows or ":", columns]) if columns else rows
        return f"{self._module(term)}.weight" + (f"[{inside}]" if inside else "")

    def bias(self, gate: Affine, side: str) -> str | None:
        """The bias of one side of a gate; that of a layer that sees both is the input's."""
        for term in gate:
            belongs = term.sees == side or (len(term.sees) == 2 and side == "x")
            if belongs and term.bias:
                rows = self._rows(term)
                return f"{self._module(term)}.bias" + (f"[{rows}]" if rows else "")
        return None

    def _module(self, term: _Term) -> str:
        return "{" + self.modules.setdefault(term.module, f"gate{len(self.modules)}") + "}"

    def _rows(self, term: _Term) -> str:
        if term.rows is None:
            return ""
        units = self.sizes["units"]
        first, last = term.rows[0] * units, (term.rows[0] + 1) * units
        return f"{self._value(first) if first else ''}:{self._value(last)}"

    def _columns(self, term: _Term, side: str) -> str:
        if len(term.sees) == 1:
            return ""
        size = self._value(self.sizes["features" if term.sees[0] == "x" else "units"])
        return f":{size}" if term.sees[0] == side else f"{size}:"

    def _value(self, number: int) -> str:
        name = next((key for key, known in self.values.items() if known == number), None)
        if name is None:
            name = f"size{len(self.values)}"
            self.values[name] = number
        return "{" + name + "}"


def _stacked(parts: Sequence[str | None]) -> str | None:
    texts = [part for part in parts if part is not None]
    if len(texts) != len(parts):
        return None
    return texts[0] if len(texts) == 1 else f"torch.cat(({', '.join(texts)}))"


def _biases(parts: Sequence[str | None], units: int) -> str | None:
    """The biases, `None` where no gate has one."""
    if all(part is None for part in parts):
        return "None"
    return _stacked(parts)
