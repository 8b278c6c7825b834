"""Random cells that are valid by construction, those of the literature in several spellings too."""

from __future__ import annotations

import re
from random import Random

from archlang.record import Record

__all__ = ["Cell", "write_cell"]

# `@` is the name. What a fused kernel computes, and what differs from that in one place.
KNOWN = (
    "cell @(n) { h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n, bias=no) } -> TANH }",
    "cell @(n) { h[t] = { x[t] -> FC(n, bias=no) + h[t-1] -> FC(n) } -> RELU }",
    "cell @(n) { h[t] = { x[t] | h[t-1] } -> FC(n) -> TANH }",
    "cell @(n) { h[t] = { x[t] | h[t-1] } -> FC(n) -> SIGMOID }",
    """cell @(n) {
  f, i, g, o = { x[t] | h[t-1] } -> FC(4*n) -> SPLIT(4)
  c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (c[t] -> TANH)
}""",
    """cell @(n) {
  z = x[t] | h[t-1]
  f = z -> FC(n) -> SIGMOID
  i = z -> FC(n) -> SIGMOID
  g = z -> FC(n) -> TANH
  o = z -> FC(n) -> SIGMOID
  c[t] = f * c[t-1] + i * g
  h[t] = o * (c[t] -> TANH)
}""",
    """cell @(n) {
  z = { x[t] -> FC(4*n) + h[t-1] -> FC(4*n) }
  o, i, f, g = z -> SPLIT(4)
  c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (c[t] -> TANH)
}""",
    """cell @(n) {
  r = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  z = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  g = { x[t] -> FC(n) + r * [h[t-1] -> FC(n)] } -> TANH
  h[t] = z * h[t-1] + (1 - z) * g
}""",
    """cell @(n) {
  r = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  z = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g = { x[t] -> FC(n) + (r * h[t-1]) -> FC(n, bias=no) } -> TANH
  h[t] = (1 - z) * h[t-1] + z * g
}""",
    """cell @(n) {
  f = x[t] -> FC(n) -> SIGMOID
  c[t] = f * c[t-1] + (1 - f) * [x[t] -> FC(n)]
  h[t] = f * (c[t] -> TANH)
}""",
)
START = "h[0] = first -> FC(n)"
ATTENDING = """cell @(n, memory) {
  scores = { memory -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH -> FC(1, bias=no)
  context = { [scores -> SOFTMAX(axis=t)]' @ memory } -> FLATTEN
  h[t] = { x[t] | context | h[t-1] } -> FC(n) -> TANH
}"""


class Cell(Record):
    """A cell of the file: its first parameter is the number of features of its states.

    Args:
        name: its name.
        text: its definition.
        first: whether a vector for `h[0]` is its next parameter.
        memory: whether a sequence that does not run in time is its last.
        sequences: how many sequences flow in.
        fixed: the features that leave it, where they are not those of its states.
        adds: whether its input is beside these.
    """

    name: str
    text: str
    first: bool = False
    memory: bool = False
    sequences: int = 1
    fixed: int | None = None
    adds: bool = False

    @property
    def state(self) -> str | None:
        """How the last h is read; None where the cell does not remember it."""
        remembered = set(re.findall(r"(\w+)\[t-", self.text)) - {"x", "w"}
        if "h" not in remembered:
            return None
        return ".state" if len(remembered) == 1 else ".state.h"


def write_cell(random: Random, name: str) -> Cell:
    """A random cell of that name."""
    kind = random.random()
    if kind < 0.35:
        text = random.choice(KNOWN)
        return Cell(name, text.replace("@(", f"{name}("))
    if kind < 0.45:
        return Cell(name, ATTENDING.replace("@(", f"{name}("), memory=True)
    return _Equations(random, name).cell()


class _Equations:
    """Writes the equations of one cell, in an order in which each has what it needs."""

    def __init__(self, random: Random, name: str) -> None:
        self.random, self.name = random, name
        self.two = random.random() < 0.5
        self.first = random.random() < 0.3
        self.memory = random.random() < 0.25
        self.sequences = 2 if random.random() < 0.15 else 1
        # What left the step before comes back, if it is the only thing that leaves.
        self.fed = random.random() < 0.2
        self.lines: list[str] = []
        self.late: set[str] = set()
        self.gates = 0
        self.states: list[str] = []  # at the step at work

    def cell(self) -> Cell:
        """The whole cell."""
        if self.sequences == 2:
            self.lines.append("in x, w")
        if self.first:
            self.lines.append(START)
        for state in ("c", "h") if self.two else ("h",):
            self.lines.append(f"{state}[t] = {self.update(state)}")
            self.states.append(f"{state}[t]")
        fixed, adds = self.out()
        if not any("y[t-" in line for line in self.lines):
            self.lines = [line.replace("out y =", "out") for line in self.lines]
        if self.first and not any("h[t-" in line for line in self.lines):
            self.first = False  # a start that nothing reads is a mistake
            self.lines.remove(START)
        text = "\n  ".join([f"cell {self.name}({', '.join(self.parameters())}) {{", *self.lines])
        return Cell(self.name, text + "\n}", self.first, self.memory, self.sequences, fixed, adds)

    def parameters(self) -> list[str]:
        """Names of the parameters."""
        return ["n", *["first"] * self.first, *["memory"] * self.memory]

    def out(self) -> tuple[int | None, bool]:
        """What leaves: the features if they are not n, and whether the input is beside them."""
        kind = 6 if self.fed else self.random.randrange(7)
        if kind == 0:
            self.lines.append("out h[t] -> FC(3)")
            return 3, False
        if kind == 1:
            self.lines.append("out { h[t] | x[t] }")
            return None, True
        if kind == 2:
            self.lines.append("out h[t]")
        if kind == 3:
            self.lines.append(f"out {self.scores()}")
            return 3, False
        if self.fed:
            self.lines.append("out y = h[t] -> FC(3)")
            return 3, False
        return None, False

    def scores(self) -> str:
        """Three features that nothing remembers, of whatever there is."""
        streams = self.random.sample([f"g{i + 1}" for i in range(self.gates)], self.gates)[:2]
        joined = " | ".join(["h[t]", *streams, self.operand("x"), self.operand("h")])
        inner = self.random.choice(("", " -> RELU", " -> LN", " -> BN", " -> DROPOUT(0.1)"))
        last = self.random.choice(("", " -> SOFTMAX", " -> TANH", " -> SOFTMAX(axis=0)"))
        return f"{{ {joined} }} -> FC(n){inner} -> FC(3){last}"

    def update(self, state: str) -> str:
        """The equation of a state."""
        other = self.random.choice((1, 1, 1, 2, 3))
        before = f"{state}[t-{other}]"
        kind = self.random.randrange(6)
        if kind == 0:
            return f"{self.sum()} -> TANH"
        if kind == 1:
            f, g = self.gate("SIGMOID"), self.gate("TANH")
            return f"{f} * {before} + (1 - {f}) * {g}"
        if kind == 2:
            return f"{{ {self.sum()} + {before} }} -> TANH"
        if kind == 3 and self.states:
            return f"{self.gate('SIGMOID')} * ({self.random.choice(self.states)} -> TANH)"
        if kind == 4:
            f, i, g = self.gate("SIGMOID"), self.gate("SIGMOID"), self.gate("TANH")
            return f"({f} * {before} + {i} * {g}) -> TANH"
        return f"{self.sum()} -> LN -> TANH"

    def gate(self, activation: str) -> str:
        """A name local to the step."""
        self.gates += 1
        name = f"g{self.gates}"
        self.lines.append(f"{name} = {self.sum()} -> {activation}")
        return name

    def sum(self) -> str:
        """n features of inputs and states."""
        bias = self.random.choice(("", ", bias=no"))
        kind = self.random.randrange(5)
        into, back = self.operand("x"), self.operand("h")
        if kind == 0:
            return f"{{ {into} | {back} }} -> FC(n)"
        if kind == 1:
            return f"{{ {into} | {back} | {self.operand('h')} }} -> FC(n{bias})"
        extra = self.extra()
        inner = self.random.choice(("", "", "", " -> LN", " -> RMSNORM", " -> BN"))
        if kind == 2:
            return f"{{ [{into} -> FC(n){inner}] + {back} -> FC(n{bias}){extra} }}"
        if kind == 3:
            return f"{{ {into} -> FC(n{bias}) * [{back} -> FC(n)]{extra} }}"
        return f"{{ {into} -> FC(n{bias}) + {back} -> FC(n){extra} }}"

    def extra(self) -> str:
        """What does not change from step to step."""
        if self.memory and self.random.random() < 0.7:
            return " + [memory -> FC(n) -> RELU -> MEAN(axis=t)]"
        return ""

    def operand(self, kind: str) -> str:
        """A step of an input or a state."""
        if kind == "x":
            name = self.random.choice(("x", "w")) if self.sequences == 2 else "x"
            return self.random.choice((f"{name}[t]", f"{name}[t]", f"{name}[t]", f"{name}[t-1]"))
        if self.fed and self.random.random() < 0.5:
            return "y[t-1]"
        names = ["h", "c"] if self.two else ["h"]
        late = f"{self.random.choice(names)}[t-{self.random.choice((1, 1, 1, 2))}]"
        return self.random.choice([late, late, *self.states])
