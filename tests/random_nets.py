"""Random feed-forward programs that are valid by construction.

A writer keeps the shape of what flows while it writes, and so knows what may come next. Parts that
stand in a join keep the size of the map, so that a program stays valid when its sizes are symbols.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from archlang.record import Record

__all__ = [
    "PRIMES", "Composed", "Flow", "Parts", "Program", "Repeated", "Writer", "program_of",
    "write_program",
]  # fmt: skip

PRIMES = (3, 5, 7, 11)
SIZES = (13, 17, 19, 23)
UNITS = (
    "block @(c, m=x.c * 2) = CONV(m, 1) -> BN -> RELU -> CONV(c)",
    "block @(c, k=3) = { CONV(c, k) -> BN + [CONV(c, 1)] if x.c != c } -> RELU",
    "block @(c, n=2) = [CONV(c) -> RELU]*n",
    "block @(c) {\n  a = x -> CONV(c, 1)\n  b = a -> DWCONV + a\n  out b -> BN\n}",
    "block @(c) {\n  share f = CONV(c)\n  y = x -> CONV(c, 1) -> f -> RELU -> f\n  out y\n}",
    "block @(c) {\n  param g = (c) init ones\n  y = x -> CONV(c)\n  out y * g\n}",
)
PLAIN = ("BN", "RELU", "GELU", "LN", "DROPOUT(0.1)", "SCALE", "LEAKYRELU", "PRELU", "RMSNORM")
# What few nets have; in front of what grows or cannot be negative stands what keeps it in bounds.
RARE = (
    "SILU", "SWISH(1.5)", "MISH", "HARDSIGMOID", "HARDSWISH", "ELU", "ELU(0.5)", "SELU", "SOFTPLUS",
    "RELU6", "ABS", "LOGSOFTMAX", "SIGMOID -> EXP", "SIGMOID -> LOG", "TANH -> SQUARE",
    "SIGMOID -> SQRT", "DROPPATH(0.2)", "ROLL(1)", "{ ID - TANH }", "{ TANH / 2 }", "{ 1 - ID }",
    "{ ID, SIGMOID } -> MUL", "{ ID, TANH } -> ADD", "{ ID, RELU } -> SUB",
    "{ ID, [SIGMOID -> EXP] } -> DIV", "{ [SIGMOID -> EXP] ** 2 }", "{ -ID }",
    "{ [SIGMOID -> EXP], TANH } -> POW", "{ ID | NONE }", "{ NONE + ID }",
)  # fmt: skip
RARE_ON_MAPS = (
    "IN", "IN(affine=yes)", "LRN(3)", "UPSAMPLE(2) -> AVGPOOL(2)", "UPSAMPLE -> POOL(2)",
    "PAD(1) -> MAXPOOL(3, 1, pad=0)", "PAD(((1, 1),), axis=c) -> CONV(@, 1)", "{ ID * [GMP] }",
    "{ ID + [ADAPTIVEPOOL(2, mode=max) -> FLATTEN -> FC(@)] }",
    "{ ID + [ADAPTIVEPOOL(3) -> FLATTEN -> FC(@)] }",
    "{ ID + [PAD(3) -> CROP(5) -> FLATTEN -> FC(@)] }",
    "{ ID + [PAD(2) -> CROP(4) -> FLATTEN -> FC(@)] }",
)  # fmt: skip


class Flow(Record):
    """What flows: its kind, features, and how often the size of its map has been halved.

    `rank` is the number of axes of space; None stands for a sequence of vectors, 0 for a vector.
    `steps` says which sequence's steps it has.
    """

    features: int
    rank: int | None
    halved: int = 0
    steps: int = 0


class Program(Record):
    """A program in two spellings that mean the same.

    Args:
        text: as written, with repeats; sizes of the inputs are numbers.
        unfolded: the repeats written out one after the other.
        symbolic: sizes of the inputs are dimensions; `sizes` has their numbers.
    """

    text: str
    unfolded: str
    symbolic: str
    sizes: dict[str, int]


class Repeated(Record):
    """`[body]*count`, which the other spelling writes out."""

    body: tuple[str | Repeated, ...]
    count: int


Part = str | Repeated
Parts = tuple[Part, ...]
Composed = Callable[["Flow"], "tuple[Parts, Flow] | None"]


class Writer:
    """Writes chains, and collects the blocks and the names that they need."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.blocks: list[Parts] = []
        self.units: list[str] = []  # blocks with one parameter, the features that leave them
        self.names: list[tuple[str, Flow]] = []
        self.shares: list[tuple[str, Flow]] = []
        self.counter = 0
        self.outermost = True  # where a name given inside a repeat can be used behind it
        self.left = 14

    def fresh(self, base: str) -> str:
        """A name that nothing has yet."""
        self.counter += 1
        return f"{base}{self.counter}"

    # --- chains ---

    def chain(
        self, flow: Flow, steps: int, *, keep: bool = False, names: bool = False
    ) -> tuple[Parts, Flow]:
        """Some steps; `keep` leaves the size of the map as it is, `names` lets `as` stand."""
        parts: Parts = ()
        for _ in range(max(steps, 1)):
            self.outermost = names
            step, flow = self.step(flow, keep)
            parts = (*parts, *(("->",) if parts else ()), *step)
            if names and self.random.random() < 0.3 and not _repeats(step):
                name = self.fresh("s")
                parts = (*parts, f"as {name}")
                self.names.append((name, flow))
        return parts, flow

    def step(self, flow: Flow, keep: bool) -> tuple[Parts, Flow]:
        self.left -= 1
        if self.left <= 0 or self.random.random() < 0.35:
            return self.simple(flow, keep)
        made = self.random.choice(self.composed(flow))(flow)
        return made if made is not None else self.simple(flow, keep)

    def composed(self, flow: Flow) -> list[Composed]:
        """What may be composed where that flows."""
        return [
            self.residual, self.concatenation, self.repeat, self.comprehension, self.condition,
            self.bundle, self.bundle_of, self.call, self.given, self.gate, self.joined, self.shared,
        ]  # fmt: skip

    def simple(self, flow: Flow, keep: bool) -> tuple[Parts, Flow]:
        """One operator."""
        if self.random.random() < 0.4:
            return (self.random.choice(PLAIN),), flow
        if self.random.random() < 0.2:
            return self.rare(flow)
        features = self.random.choice(PRIMES)
        if flow.rank is None or flow.rank == 0:
            return (f"FC({features})",), flow.replace(features=features)
        if not keep and flow.halved < 2 and self.random.random() < 0.4:
            return self.halving(flow, features)
        kernel = self.random.choice((1, 3))
        return self.random.choice(
            [
                ((f"CONV({features}, {kernel})",), flow.replace(features=features)),
                ((f"CONV({features}, bias=no)",), flow.replace(features=features)),
                (("DWCONV",), flow),
                (("MAXPOOL(3, 1)",), flow),
                (("AVGPOOL(3, 1)",), flow),
                (("GN(1)",), flow),
            ]
        )

    def rare(self, flow: Flow) -> tuple[Parts, Flow]:
        """An operator that few nets have; the map keeps its size."""
        features, layer = self.random.choice(PRIMES), "CONV" if flow.rank else "FC"
        kind = self.random.randrange(4)
        if kind == 0:
            made = f"{layer}({2 * features}) -> GLU"
            return (made,), flow.replace(features=features)
        if kind == 1 and flow.rank:
            groups = self.random.choice((2, 3))
            made = f"{layer}({6 * groups}) -> SHUFFLE({groups}) -> {layer}({features})"
            return (made,), flow.replace(features=features)
        if kind == 2 and flow.rank:
            if self.random.random() < 0.3:
                return (f"DECONV({features}, 3, 1)",), flow.replace(features=features)
            return (self.random.choice(RARE_ON_MAPS).replace("@", str(flow.features)),), flow
        if kind == 3 and not flow.rank and self.random.random() < 0.4:
            made = f"{{ FC(3), ID }} -> BILINEAR({features})"
            return (made,), flow.replace(features=features)
        return (self.random.choice(RARE),), flow

    def halving(self, flow: Flow, features: int) -> tuple[Parts, Flow]:
        less = flow.replace(halved=flow.halved + 1)
        pooled = self.random.choice(("MAXPOOL(2)", "AVGPOOL(2)", "MAXPOOL(3, 2, pad=1)"))
        if self.random.random() < 0.5:
            return (pooled,), less
        return (f"CONV({features}, 3, 2)",), less.replace(features=features)

    def to(self, flow: Flow, features: int) -> str:
        """A step that ends with that many features."""
        layer = "FC" if not flow.rank else "CONV"
        return f"{layer}({features})"

    def inside(self, flow: Flow) -> tuple[Parts, Flow]:
        """A short chain for a branch."""
        return self.chain(flow, self.random.randint(1, 2), keep=True)

    # --- what is composed of chains; None where it does not fit ---

    def residual(self, flow: Flow) -> tuple[Parts, Flow]:
        """`{ A -> CONV(c) + ID }`, or two branches that end alike."""
        first, _ = self.inside(flow)
        if self.random.random() < 0.6:
            return ("{", *first, "->", self.to(flow, flow.features), "+ ID }"), flow
        features = self.random.choice(PRIMES)
        second, _ = self.inside(flow)
        end = self.to(flow, features)
        return ("{", *first, "->", end, "+", *second, "->", end, "}"), flow.replace(
            features=features
        )

    def concatenation(self, flow: Flow) -> tuple[Parts, Flow]:
        """`{ A | B | ID }`."""
        first, one = self.inside(flow)
        second, two = self.inside(flow)
        features = one.features + two.features + flow.features
        return ("{", *first, "|", *second, "| ID }"), flow.replace(features=features)

    def repeat(self, flow: Flow) -> tuple[Parts, Flow]:
        """`[A]*n`, where the first copy may take other features than the rest."""
        # Every copy begins with the same features, since the rest may take them for granted.
        first, last = self.random.choice(PRIMES), self.random.choice(PRIMES)
        count = self.random.choice((0, 1, 2, 3, 5))
        body, _ = self.inside(flow.replace(features=first))
        body = (self.to(flow, first), "->", *body, "->", self.to(flow, last))
        if self.random.random() < 0.3:
            grown = flow.features + last * count
            return (Repeated(("{ ID |", *body, "}"), count),), flow.replace(features=grown)
        return (Repeated(body, count),), flow.replace(features=last) if count else flow

    def comprehension(self, flow: Flow) -> tuple[Parts, Flow]:
        """`[CONV(c) -> ... for c in [...]]`, or a zip with counts."""
        features = [self.random.choice(PRIMES) for _ in range(self.random.randint(1, 3))]
        layer = "FC(c)" if not flow.rank else "CONV(c)"
        after = flow.replace(features=features[-1])
        if self.outermost and self.random.random() < 0.3:
            name, copy = self.fresh("s"), self.random.randrange(len(features))
            self.names.append((f"{name}[{copy}]", flow.replace(features=features[copy])))
            return (f"[{layer} as {name} -> BN for c in {features}]",), after
        if self.random.random() < 0.5:
            return (f"[{layer} -> BN -> RELU for c in {features}]",), after
        counts = [self.random.choice((1, 2, 3)) for _ in features]
        return (f"[[{layer} -> RELU]*n for c, n in zip({features}, {counts})]",), after

    def condition(self, flow: Flow) -> tuple[Parts, Flow]:
        """`[[A] if depth == 2]`, or with an `else`; depth is 2."""
        body, after = self.inside(flow)
        number = self.random.choice((2, 3))
        if self.random.random() < 0.5:
            parts: Parts = ("[[", *body, f"] if depth == {number}]")
            return parts, after if number == 2 else flow
        other, otherwise = self.inside(flow)
        parts = ("[[", *body, f"] if depth == {number} else [", *other, "]]")
        return parts, after if number == 2 else otherwise

    def bundle(self, flow: Flow) -> tuple[Parts, Flow]:
        """`{ A, B } -> CONCAT`, or one of the two."""
        first, one = self.inside(flow)
        second, two = self.inside(flow)
        if self.random.random() < 0.5:
            parts = ("{", *first, ",", *second, "} -> CONCAT")
            return parts, flow.replace(features=one.features + two.features)
        return ("{", *first, ",", *second, "} -> SELECT(1)"), two

    def bundle_of(self, flow: Flow) -> tuple[Parts, Flow]:
        """`{ CONV(c) for c in [...] } -> CONCAT`."""
        features = [self.random.choice(PRIMES) for _ in range(self.random.randint(1, 3))]
        layer = "FC(c)" if not flow.rank else "CONV(c, 1)"
        join = "{ " + layer + f" for c in {features} }} -> CONCAT"
        return (join,), flow.replace(features=sum(features))

    def call(self, flow: Flow) -> tuple[Parts, Flow] | None:
        """A block of its own, with parameters and defaults, used more than once."""
        if not flow.rank or len(self.blocks) > 4:
            return None
        features = self.random.choice(PRIMES)
        if self.units and self.random.random() < 0.6:
            name = self.random.choice(self.units)
        else:
            name = self.block()
        if self.random.random() < 0.3:
            outer = self.fresh("Twice")
            self.blocks.append((f"block {outer}(u, c=5) = u(c) -> BN -> [u(c)]*2",))
            given = self.random.choice((name, "CONV", "CONV(kernel=1)"))
            return (f"{outer}({given}, {features})",), flow.replace(features=features)
        return (f"{name}({features})",), flow.replace(features=features)

    def block(self) -> str:
        """A block with the features that leave it as its first parameter."""
        name = self.fresh("Unit")
        body = self.random.choice(UNITS).replace("@", name)
        self.blocks.append((body,))
        self.units.append(name)
        return name

    def given(self, flow: Flow) -> tuple[Parts, Flow]:
        """A block that takes a block: a chain, an operator, one of the file."""
        name = self.fresh("Around")
        self.blocks.append((f"block {name}(u) = {{ u + ID }}",))
        body, _ = self.inside(flow)
        return (f"{name}(", *body, "->", self.to(flow, flow.features), ")"), flow

    def gate(self, flow: Flow) -> tuple[Parts, Flow]:
        """`{ ID * [GAP -> FC(c) -> SIGMOID] }`."""
        squeeze = "GAP -> " if flow.rank else ""
        hidden = self.random.choice(PRIMES)
        inner = f"{squeeze}FC({hidden}) -> RELU -> FC(x.c) -> SIGMOID"
        return ("{ ID * [", inner.replace("x.c", str(flow.features)), "] }"), flow

    def joined(self, flow: Flow) -> tuple[Parts, Flow] | None:
        """`{ A | s }` with a stream that has a name and a map of the same size."""
        same = (flow.rank, flow.halved, flow.steps)
        fitting = [(n, f) for n, f in self.names if (f.rank, f.halved, f.steps) == same]
        if not fitting:
            return None
        name, other = self.random.choice(fitting)
        return ("{ ID |", name, "}"), flow.replace(features=flow.features + other.features)

    def shared(self, flow: Flow) -> tuple[Parts, Flow] | None:
        """A module that `share` names; each use has the weights of the first."""
        fitting = [
            name for name, f in self.shares if (f.features, f.rank) == (flow.features, flow.rank)
        ]
        if not fitting:
            return None
        return (f"{self.random.choice(fitting)} -> RELU",), flow


def _repeats(parts: Parts) -> bool:
    return any(isinstance(part, Repeated) or part.startswith("[") for part in parts)


# --- programs ------------------------------------------------------------------------------------


def write_program(random: Random) -> Program:
    """A random program with one net, N."""
    writer = Writer(random)
    kinds = (1, 2, 2, 2, 3, 0, None)
    flow = Flow(random.choice(PRIMES), random.choice(kinds))
    space = SIZES[: flow.rank] if flow.rank is not None else (SIZES[0],)
    statements = [("x0 = ", flow)]
    if random.random() < 0.5:
        name = writer.fresh("f")
        layer = writer.to(flow, flow.features)
        writer.shares.append((name, flow))
        lines: list[Parts] = [(f"  share {name} = {layer}",)]
    else:
        lines = []
    second = random.random() < 0.3
    if second:
        statements.append(("x1 = ", flow.replace(features=random.choice(PRIMES))))
        writer.names.append(("x1", statements[1][1]))
    current, name = flow, "x0"
    for number in range(random.randint(1, 3)):
        parts, current = writer.chain(current, random.randint(1, 4), names=True)
        lines.append((f"  y{number} = {name} ->", *parts))
        name = f"y{number}"
        writer.names.append((name, current))
    lines.append(_out(random, writer, name, current))
    symbols = {f"S{i}": size for i, size in enumerate(space)}
    sizes = [f"<{symbol}>" for symbol in symbols]
    given = ", ".join([head + _input(flow, sizes) for head, flow in statements])
    return program_of(f"  in {given}", lines, writer, symbols)


def _out(random: Random, writer: Writer, name: str, flow: Flow) -> Parts:
    head = {None: "MEAN(axis=t)", 0: "ID"}.get(flow.rank, "GAP")
    if random.random() < 0.5:
        return (f"  out {name} -> {head} -> FC(5)",)
    other, source = random.choice(writer.names)
    tail = {None: "FC(3)", 0: "FC(3)"}.get(source.rank, "CONV(3, 1)")
    training = random.choice(("", " when training"))
    return (f"  out p = {name} -> {head}\n  out q = {other} -> {tail}{training}",)


def program_of(inputs: str, lines: list[Parts], writer: Writer, sizes: dict[str, int]) -> Program:
    """A program in its spellings; `<S0>` stands for a size."""
    texts = []
    for unfold, bound in ((False, True), (True, True), (False, False)):
        declared = [] if bound or not sizes else [f"dim {', '.join(sizes)}"]
        definitions = [*declared, "depth = 2", *_written(writer.blocks, unfold)]
        net = ["net N {", inputs, *_written(lines, unfold), "}", ""]
        text = "\n".join([*definitions, *net])
        for symbol, size in sizes.items():
            text = text.replace(f"<{symbol}>", str(size) if bound else symbol)
        texts.append(text)
    return Program(texts[0], texts[1], texts[2], sizes)


def _input(flow: Flow, sizes: list[str]) -> str:
    if flow.rank is None:
        return f"SEQUENCE({sizes[0]}, {flow.features})"
    return f"INPUT({', '.join([str(flow.features), *sizes])})"


def _written(lines: list[Parts], unfold: bool) -> list[str]:
    return [_write(parts, unfold) for parts in lines]


def _write(parts: Parts, unfold: bool) -> str:
    return " ".join([part if isinstance(part, str) else _repeat(part, unfold) for part in parts])


def _repeat(part: Repeated, unfold: bool) -> str:
    body = _write(part.body, unfold)
    if not unfold:
        return f"[{body}]*{part.count}"
    return " -> ".join([f"[{body}]"] * part.count) or "ID"
