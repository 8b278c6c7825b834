"""Random programs on sequences: cells, recurrent layers and attention among the other operators."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from random_cells import Cell, write_cell
from random_nets import PRIMES, Composed, Flow, Parts, Program, Repeated, Writer, program_of

__all__ = ["write_sequences"]

STEPS = (7, 11)
VOCABULARY = 19
ATTEND = """block @(d) {
  q = x -> FC(d)
  k = x -> FC(d)
  v = x -> FC(d)
  out ({ q @ k' / sqrt(q.c) }MASK -> SOFTMAX) @ v
}"""
HEADS = 'RESHAPE("t (h d) -> h t d", h=2) -> SOFTMAX -> RESHAPE("h t d -> t (h d)")'
MASKS = (
    "",
    " -> MASK(causal)",
    " -> MASK(window, 3)",
    " -> MASK(window, 2) -> MASK(causal)",
)


class SequenceWriter(Writer):
    """A writer that knows what to do with steps; `flow.steps` says which sequence's they are."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.cells: list[Cell] = []
        self.table: int | None = None  # the features of the embedding of tokens

    def composed(self, flow: Flow) -> list[Composed]:
        if flow.rank is not None:
            return super().composed(flow)
        own = [
            self.cell, self.cell, self.cell, self.stacked, self.both, self.backwards,
            self.recurrent, self.recurrent, self.attention, self.attention, self.equation,
            self.positions, self.pooled, self.several,
        ]  # fmt: skip
        return [*super().composed(flow), *own]

    def simple(self, flow: Flow, keep: bool) -> tuple[Parts, Flow]:
        if flow.rank is None and self.random.random() < 0.3:
            features = self.random.choice(PRIMES)
            after = flow.replace(features=features)
            return self.random.choice(
                [
                    ((f"CONV({features}, 3)",), after),
                    ((f"CONV({features}, 3, pad=causal)",), after),
                    (("DWCONV",), flow),
                    (("MAXPOOL(3, 1)",), flow),
                    (("REVERSE",), flow),
                    (("SOFTMAX",), flow),
                    (("SOFTMAX(axis=t)",), flow),
                    (("GELU",), flow),
                    (("TRANSPOSE -> SOFTMAX -> TRANSPOSE",), flow),
                    (("{ ID + [IN] }",), flow),
                    (("ROLL(2, axis=t)",), flow),
                    (("PAD(1) -> MAXPOOL(3, 1, pad=0)",), flow),
                    ((f"FC(5) -> ARGMAX -> EMBED({features})",), after),
                    ((f"FC(6) -> {HEADS}",), flow.replace(features=6)),
                    (("UPSAMPLE(2) -> MAXPOOL(2)",), flow),
                ]
            )
        return super().simple(flow, keep)

    # --- cells ---

    def new_cell(self) -> Cell:
        """A cell of the file, or a further one."""
        if self.cells and self.random.random() < 0.4:
            return self.random.choice(self.cells)
        cell = write_cell(self.random, self.fresh("Cell"))
        self.cells.append(cell)
        self.blocks.append((cell.text,))
        return cell

    def plain_cell(self) -> Cell:
        """A cell on one sequence, without other streams."""
        for _ in range(4):
            cell = self.new_cell()
            if not (cell.first or cell.memory or cell.sequences > 1):
                return cell
        name = self.fresh("Cell")
        cell = Cell(name, f"cell {name}(n) {{ h[t] = {{ x[t] | h[t-1] }} -> FC(n) -> TANH }}")
        self.cells.append(cell)
        self.blocks.append((cell.text,))
        return cell

    def after(self, cell: Cell, flow: Flow, features: int) -> Flow:
        """What leaves a cell."""
        made = cell.fixed if cell.fixed is not None else features
        return flow.replace(features=made + (flow.features if cell.adds else 0))

    def cell(self, flow: Flow) -> tuple[Parts, Flow] | None:
        """`Cell(n, first, memory)`."""
        cell, features = self.new_cell(), self.random.choice(PRIMES)
        if cell.sequences > 1:
            return None
        given = [str(features)]
        if cell.first:
            first = self.named(lambda other: other.rank == 0)
            if first is None:
                return None
            given.append(first[0])
        if cell.memory:
            memory = self.named(lambda other: other.rank is None)
            if memory is None:
                return None
            given.append(memory[0])
        return (f"{cell.name}({', '.join(given)})",), self.after(cell, flow, features)

    def several(self, flow: Flow) -> tuple[Parts, Flow] | None:
        """`{ A, B } -> Cell(n)`, where `in x, w` names two sequences."""
        cell, features = self.new_cell(), self.random.choice(PRIMES)
        if cell.sequences != 2 or cell.first or cell.memory:
            return None
        other, _ = self.inside(flow)
        parts: Parts = ("{ ID,", *other, f"}} -> {cell.name}({features})")
        return parts, self.after(cell, flow, features)

    def stacked(self, flow: Flow) -> tuple[Parts, Flow] | None:
        """`[Cell(n)]*k`."""
        cell, features = self.plain_cell(), self.random.choice(PRIMES)
        if cell.adds:
            return None
        count = self.random.choice((2, 3))
        after = self.after(cell, flow, features)
        body = (f"FC({features}) -> {cell.name}({features})",)
        return (Repeated(body, count),), after

    def both(self, flow: Flow) -> tuple[Parts, Flow]:
        """Both directions side by side."""
        cell, features = self.plain_cell(), self.random.choice(PRIMES)
        call = f"{cell.name}({features})"
        after = self.after(cell, flow, features)
        parts = (f"{{ {call} | [REVERSE -> {call} -> REVERSE] }}",)
        return parts, after.replace(features=2 * after.features)

    def backwards(self, flow: Flow) -> tuple[Parts, Flow]:
        """A cell that runs from the end."""
        cell, features = self.plain_cell(), self.random.choice(PRIMES)
        call = f"REVERSE -> {cell.name}({features}) -> REVERSE"
        return (call,), self.after(cell, flow, features)

    def recurrent(self, flow: Flow) -> tuple[Parts, Flow]:
        """RNN, GRU or LSTM."""
        return (self.layer(features := self.random.choice(PRIMES)),), flow.replace(
            features=features * (2 if self.two_ways else 1)
        )

    def layer(self, features: int) -> str:
        """A recurrent layer; `two_ways` says whether it runs both ways."""
        self.two_ways = self.random.random() < 0.3
        options = [str(features)]
        if self.random.random() < 0.3:
            options.append("layers=2")
        if self.two_ways:
            options.append("bidirectional=yes")
        if self.random.random() < 0.4:
            options.append(f"bias={self.random.choice(('one', 'no'))}")
        return f"{self.random.choice(('RNN', 'GRU', 'LSTM'))}({', '.join(options)})"

    # --- attention ---

    def attention(self, flow: Flow) -> tuple[Parts, Flow]:
        """ATTENTION with some of its arguments."""
        heads, width = self.random.choice(((1, 6), (2, 3), (2, 4), (3, 2), (4, 2)))
        options = [str(heads)]
        other = self.named(lambda one: one.rank is None) if self.random.random() < 0.4 else None
        if other is not None:
            options.append(f"kv={other[0]}")
        if heads > 1 and self.random.random() < 0.4:
            options.append(f"kv_heads={self.random.choice((1, heads // 2))}")
            if heads % int(options[-1][-1]):
                options.pop()
        if self.random.random() < 0.2:
            options.append("bias=no")
        if other is None or other[1].steps == flow.steps:
            options.extend(self.placed(width))
        parts = (f"FC({heads * width}) -> ATTENTION({', '.join(options)})",)
        return parts, flow.replace(features=heads * width)

    def placed(self, width: int) -> list[str]:
        """Arguments that compare positions."""
        options = []
        if self.random.random() < 0.4:
            options.append("causal=yes")
        if width % 2 == 0 and self.random.random() < 0.4:
            options.append(f"rope={self.random.choice((500, 10000))}")
        if self.random.random() < 0.3:
            options.append("window=3")
        return options

    def equation(self, flow: Flow) -> tuple[Parts, Flow]:
        """The equation of attention."""
        name, features = self.fresh("Attend"), self.random.choice(PRIMES)
        text = ATTEND.replace("@(", f"{name}(").replace("MASK", self.random.choice(MASKS))
        self.blocks.append((text,))
        return (f"{name}({features})",), flow.replace(features=features)

    def positions(self, flow: Flow) -> tuple[Parts, Flow]:
        """Where a step stands."""
        even = self.random.choice((2, 6, 10))
        kind = self.random.randrange(4)
        if kind == 0:
            return (f"FC({even}) -> ROPE({self.random.choice((500, 10000))})",), flow.replace(
                features=even
            )
        return (("POSENC",), ("POSEMBED(13)",), ("POSENC(500)",))[kind - 1], flow

    def pooled(self, flow: Flow) -> tuple[Parts, Flow]:
        """One step for all beside each of them."""
        head = self.random.choice(("LAST", "MEAN(axis=t)", "FIRST", "MAX(axis=t)"))
        if self.random.random() < 0.3:
            vector = (f"{{ {head} -> FC({flow.features}) -> REPEAT(<S{flow.steps}>) + ID }}",)
            return vector, flow
        if self.random.random() < 0.5:
            return (f"{{ ID | [{head}] }}",), flow.replace(features=2 * flow.features)
        return (f"{{ ID + [{head} -> FC({flow.features})] }}",), flow

    def named(self, fits: Callable[[Flow], bool]) -> tuple[str, Flow] | None:
        """A stream with a name that fits."""
        fitting = [(n, f) for n, f in self.names if fits(f)]
        return self.random.choice(fitting) if fitting else None


def write_sequences(random: Random) -> Program:
    """A random program with one net, N, whose inputs are sequences, tokens and a vector."""
    writer = SequenceWriter(random)
    inputs: list[tuple[str, Flow, str]] = []
    for number in range(random.choice((1, 2, 2))):
        flow = Flow(random.choice(PRIMES), None, steps=number)
        inputs.append((f"x{number}", flow, f"SEQUENCE(<S{number}>, {flow.features})"))
    lines: list[Parts] = []
    if random.random() < 0.3:
        inputs[0] = ("x0", inputs[0][1], f"TOKENS(<S0>, {VOCABULARY})")
        width = inputs[0][1].features
        lines.append((f"  e0 = x0 -> EMBED({width}) as table",))
        writer.table = width
    if random.random() < 0.4:
        vector = Flow(random.choice(PRIMES), 0)
        inputs.append(("v", vector, f"INPUT({vector.features})"))
    starts = [(("e0" if lines and name == "x0" else name), flow) for name, flow, _ in inputs]
    writer.names.extend(starts[1:])
    _body(random, writer, starts[0], lines)
    given = ", ".join([f"{name} = {shape}" for name, _, shape in inputs])
    sizes = {f"S{number}": size for number, size in enumerate(STEPS) if f"<S{number}>" in given}
    return program_of(f"  in {given}", lines, writer, sizes)


def _body(
    random: Random, writer: SequenceWriter, start: tuple[str, Flow], lines: list[Parts]
) -> None:
    name, current = start
    for number in range(random.randint(1, 3)):
        parts, current = writer.chain(current, random.randint(1, 3), names=True)
        lines.append((f"  y{number} = {name} ->", *parts))
        name = f"y{number}"
        writer.names.append((name, current))
        if random.random() < 0.4:
            current, name = _remembered(random, writer, name, current, number, lines)
    lines.append(_out(random, writer, name, current))


def _remembered(
    random: Random, writer: SequenceWriter, name: str, flow: Flow, number: int, lines: list[Parts]
) -> tuple[Flow, str]:
    """A layer or cell whose last state has a name."""
    features = random.choice(PRIMES)
    read: str | None = ".state"
    if random.random() < 0.5:
        layer = writer.layer(features)
        if layer.startswith("LSTM"):
            read = random.choice((".state.h", ".state.c"))
        made = features * (2 if writer.two_ways else 1)
        after = flow.replace(features=made)
    else:
        cell = writer.plain_cell()
        layer, read = f"{cell.name}({features})", cell.state
        after = writer.after(cell, flow, features)
    lines.append((f"  m{number} = {name} -> {layer}",))
    writer.names.append((f"m{number}", after))
    if read is not None:
        lines.append((f"  k{number} = m{number}{read} -> FC({features})",))
        writer.names.append((f"k{number}", Flow(features, 0)))
    return after, f"m{number}"


def _out(random: Random, writer: SequenceWriter, name: str, flow: Flow) -> Parts:
    head = random.choice(("LAST", "MEAN(axis=t)", "REVERSE -> FC(3)", "MAX(axis=t)"))
    if random.random() < 0.5 or not writer.names:
        if writer.table is not None and random.random() < 0.5:
            return (f"  out {name} -> FC({writer.table}) -> UNEMBED(table)",)
        return (f"  out {name} -> {head} -> FC(5)",)
    other, _ = random.choice(writer.names)
    training = random.choice(("", " when training"))
    return (f"  out p = {name} -> {head}\n  out q = {other} -> FC(3){training}",)
