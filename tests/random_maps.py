"""Random programs on sequences of maps: cells whose states are maps, with convolutions inside."""

from __future__ import annotations

from random import Random

from random_nets import PRIMES, Parts, Program, Repeated, Writer, program_of

__all__ = ["write_maps"]

STEPS = 5
CELLS = (
    "cell @(n) { h[t] = { x[t] -> CONV(n, K) + h[t-1] -> CONV(n, K, bias=no) } -> TANH }",
    "cell @(n) { h[t] = { x[t] | h[t-1] } -> CONV(n, K) -> RELU }",
    "cell @(n) { h[t] = { { x[t] | h[t-1] } -> CONV(n, K) -> GN(1) + h[t-2] } -> TANH }",
    """cell @(n) {
  f, i, g, o = { x[t] | h[t-1] } -> CONV(4*n, K) -> SPLIT(4)
  c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (c[t] -> TANH)
}""",
    """cell @(n) {
  z = { x[t] | h[t-1] } -> CONV(n, K) -> SIGMOID
  r = { x[t] -> CONV(n, K) -> BN + h[t-1] -> CONV(n, 1) } -> SIGMOID
  g = { x[t] -> CONV(n, 1) + (r * h[t-1]) -> CONV(n, K) } -> TANH
  h[t] = z * h[t-1] + (1 - z) * g
}""",
    """cell @(n) {
  h[t] = { x[t] -> CONV(n, K) -> IN + h[t-1] -> DWCONV + y[t-1] -> CONV(n, 1) } -> TANH
  out y = h[t] -> CONV(n, K)
}""",
    """cell @(n) {
  h[t] = { x[t] -> CONV(n, K) + h[t-1] * [x[t] -> GAP -> FC(n) -> SIGMOID] } -> TANH
  out { h[t] | x[t] }
}""",
)
ENDS = (
    "LAST -> GAP -> FC(5)", "GAP -> LSTM(5) -> LAST", "LAST -> CONV(3, 1)", "MEAN(axis=t) -> GMP",
    "GAP -> FC(3)", "CONV(3, 1)",
)  # fmt: skip


class _Maps(Writer):
    """Writes steps of a chain; `features` are those that flow."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.features = random.choice(PRIMES)

    def cell(self) -> tuple[str, bool]:
        """A new cell: its name, and whether its input leaves beside its state."""
        name = self.fresh("Cell")
        text = self.random.choice(CELLS).replace("@(", f"{name}(")
        self.blocks.append((text.replace("K", str(self.random.choice((1, 3)))),))
        return name, "| x[t] }\n}" in text

    def called(self) -> str:
        """A cell with its features, which flow from then on."""
        name, adds = self.cell()
        units = self.random.choice((2, 3, 5))
        self.features = units + self.features * adds
        return f"{name}({units})"

    def part(self) -> Parts:
        """One step of the chain."""
        kind = self.random.randrange(8)
        if kind < 3:
            return (self.called(),)
        if kind == 3:
            return (f"REVERSE -> {self.called()} -> REVERSE",)
        if kind == 4:
            before = self.features
            called = self.called()
            self.features += before
            return (f"{{ {called} | ID }}",)
        units = self.random.choice((2, 3, 5))
        if kind == 5:
            name, adds = self.cell()
            body = f"CONV({units}) -> {name}({units})"
            self.features = units * (2 if adds else 1)
            return (Repeated((body,), 2),)
        if kind == 6:
            self.features = units
            return (f"CONV({units}, 3) -> BN -> RELU",)
        return (self.random.choice(("MAXPOOL(3, 1)", "GELU", "BN", "AVGPOOL(3, 1)", "SCALE")),)


def write_maps(random: Random) -> Program:
    """A random program with one net, N, whose input is a sequence of maps."""
    writer = _Maps(random)
    given = f"  in x0 = SEQUENCE(<S0>, {writer.features}, 6, 7)"
    lines: list[Parts] = []
    name = "x0"
    for number in range(random.randint(1, 2)):
        first, second = writer.part(), writer.part()
        lines.append((f"  y{number} = {name} ->", *first, "->", *second))
        name = f"y{number}"
    lines.append((f"  out {name} -> {random.choice(ENDS)}",))
    return program_of(given, lines, writer, {"S0": STEPS})
