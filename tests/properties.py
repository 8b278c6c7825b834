"""What holds of every program, each property through the public door.

`tests/test_random_nets.py` holds them on a fixed number of programs, `python -m tests.soak` on as
many as there is time for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import Any

import torch
from torch import Tensor, nn

import archc
import loading
from agreement import agree, device_of, module_of, run
from archc.cost import cost
from archc.graph import Program as ArchProgram
from archc.net import Net
from archc.pipeline import check_source
from archc.shapes import Shape
from archlang import tree
from archlang.diagnostics import ArchError
from archlang.formatter import format_file
from archlang.lexer import lex
from archlang.parser import parse
from archlang.record import Record
from archlang.source import Source, Span
from archlang.tables import load
from interpreter.layers import Training
from interpreter.walk import Interpreter
from interpreter.weights import Weights
from random_nets import Program

__all__ = ["PROPERTIES", "agree_with_walk", "figures"]

FIGURES = ("params", "buffers", "macs", "flops")
CLOSE = 1e-9
EXAMPLES = 64  # so that 4 KiB are little beside what is kept
PADDED = re.compile(r"x0 = ((?:SEQUENCE|TOKENS)\(\d+, \d+)\)")  # of vectors
FIRST = re.compile(r"x0 = (?:SEQUENCE|TOKENS)\(\d+, (\d+)\)")
DEFINED = re.compile(r"^(?:def|class) (\w+)", re.MULTILINE)
STREAM = re.compile(r"  y\d+ = ")
MOST_SECONDS = 10  # what no input may take longer than
MOST_VALUES = 100_000_000  # weights or activations
WORDS = (
    "->", "|", "+", "*", "@", "'", "?", "::", "..", "(", ")", "[", "]", "{", "}", ",", "=", "as",
    "if", "else", "for", "in", "when", "training", "share", "param", "out", "net", "block", "cell",
    "CONV", "FC", "BN", "GAP", "ID", "NONE", "INPUT", "SPLIT", "CONCAT", "x", "c", "0", "1", "2",
    "97", "1000000007", "0.5", "-", "yes", '"c h w -> (h w) c"', "x.c", "\u202e", "#", "$",
)  # fmt: skip


def source_and_module_agree(program: Program, random: Random) -> None:
    """Figures are those of the module, and rows add up to totals."""
    net = loaded(program.text)
    # Torch's counter does not know bilinear layers.
    counted = "BILINEAR" not in program.text
    agree(net, real=len(program.text) % 4 == 0, counted=counted)
    layers = net.stats().to_dict()["layers"]
    for name in ("params", "macs", "flops"):
        assert sum(layer[name] for layer in layers) == getattr(net, name)
    assert _idle(written(net)) == []


def _idle(source: str) -> list[str]:
    """The functions and classes of a source that nothing in it uses, but for the net's own."""
    names = DEFINED.findall(source)[:-1]
    return [name for name in names if len(re.findall(rf"\b{name}\b", source)) < 2]


def repeats_unfold(program: Program, random: Random) -> None:
    """Repeats that are written out cost the same and have the same shapes."""
    expected = figures(loaded(program.text))
    assert figures(loaded(program.unfolded)) == expected


def the_formatter_keeps_the_tree(program: Program, random: Random) -> None:
    """Formatting changes no tree, loses no comment, and is done after one time."""
    text = _remarked(program.text, random)
    file, diagnostics = parse(Source.of("test.arch", text))
    assert diagnostics == ()
    formatted = format_file(file)
    again, diagnostics = parse(Source.of("test.arch", formatted))
    assert diagnostics == ()
    assert again == file
    assert sorted(c.text for c in again.comments) == sorted(c.text for c in file.comments)
    assert format_file(again) == formatted


def spans_lie_in_the_text(program: Program, random: Random) -> None:
    """Every node's span is a part of the file, and inside that of what it belongs to."""
    source = Source.of("test.arch", program.text)
    file, _ = parse(source)
    for definition in file.definitions:
        _within(definition, Span(source, 0, len(program.text)))


def symbols_have_the_figures_of_numbers(program: Program, random: Random) -> None:
    """A formula, evaluated, is the figure of the net with the dimension bound."""
    bound = loaded(program.text)
    symbolic = loaded(program.symbolic)
    assert figures(symbolic, program.sizes) == figures(bound)
    assert figures(loaded(program.symbolic, **program.sizes)) == figures(bound)


def one_module_takes_all_sizes(program: Program, random: Random) -> None:
    """The module of a net with open dimensions runs at the sizes that bind them."""
    bound = loaded(program.text)
    try:
        source = loaded(program.symbolic).source()
    except ArchError as error:
        assert error.diagnostics[0].code == "unbound-dimension"
        return
    with torch.device(device_of(bound)), torch.no_grad():
        made = run(module_of(source).eval(), bound.program)
    assert [tuple(one.shape[1:]) for one in made] == list(bound.outputs.values())


def the_module_computes_what_the_text_says(program: Program, random: Random) -> None:
    """The naive walk over the tree gives the same numbers, in evaluation and in training."""
    net = loaded(program.text)
    agree_with_walk(net, program.text, training=False)
    agree_with_walk(net, program.text, training=True)


def padding_has_no_influence(program: Program, random: Random) -> None:
    """With lengths, each example gives what the naive walk makes of it alone, without padding."""
    text = PADDED.sub(r"x0 = \1, lengths=yes)", program.text)
    # REPEAT goes to a number of steps, whatever is real, and what joins two inputs takes them all.
    if text == program.text or "REPEAT" in text or _run_side_by_side(text):
        return
    try:
        net = archc.load(source=text)
    except ArchError:  # not every operator takes padding
        return
    torch.manual_seed(len(text))
    model = _filled(module_of(net.source()).double(), False)
    ports = net.program.region.inputs
    inputs = [_example(port.shape) for port in ports]
    place = next(i for i, port in enumerate(ports) if port.lengths_of is not None)
    inputs[place] = torch.tensor([random.randint(1, inputs[0].shape[1]) for _ in range(2)])
    with torch.no_grad():
        computed = _flat(model(*inputs))
        for number, length in enumerate(inputs[place].tolist()):
            alone = [one[number : number + 1] for i, one in enumerate(inputs) if i != place]
            alone[0] = alone[0][:, :length]
            walk = Interpreter(_tree(text), Weights(model))
            walk.samples = 1
            for one, other in zip(computed, walk.run(net.name, alone), strict=True):
                real = one[number : number + 1, : other.shape[1]]
                torch.testing.assert_close(real, other, rtol=CLOSE, atol=CLOSE)


def _run_side_by_side(text: str) -> bool:
    """Whether two inputs have as many steps, so that they may be joined step by step."""
    steps = re.findall(r"(?:SEQUENCE|TOKENS)\((\d+)", text)
    return len(steps) != len(set(steps))


def equations_and_kernels_agree(program: Program, random: Random) -> None:
    """Fused, hoisted and gathered loops give the numbers and gradients of the plain one."""
    net = loaded(program.text)
    made, plain = written(net), written(net, recognize=False)
    if made == plain:
        return
    torch.manual_seed(len(program.text))
    inputs = [_example(port.shape) for port in net.program.region.inputs]
    first = _filled(module_of(made).double(), False)
    second = module_of(plain).double().eval()
    second.load_state_dict(first.state_dict())
    assert list(first.state_dict()) == list(second.state_dict())
    pairs = zip(_learned(first, inputs), _learned(second, inputs), strict=True)
    assert all(torch.allclose(a, b, rtol=CLOSE, atol=CLOSE) for a, b in pairs)


def _learned(model: nn.Module, inputs: list[Tensor]) -> list[Tensor]:
    """Outputs, and the gradients of all weights of an uneven sum of them."""
    outputs = _flat(model(*inputs))
    real = [one for one in outputs if one.requires_grad]
    if real:
        sum([(one * one.detach().cos()).sum() for one in real]).backward()
    gradients = [weight.grad for weight in model.parameters()]
    return [*outputs, *[torch.zeros(()) if one is None else one for one in gradients]]


def steps_give_what_forward_gives(program: Program, random: Random) -> None:
    """A net whose output is fed back gives the same run step by step, in parts of any length."""
    for text in _fed_back(program.text):
        try:
            net = loaded(text)
        except ArchError:  # not every stream is a sequence of vectors
            continue
        source = written(net)
        if "    def generate(" in source:
            _step_through(net, source, random)
            return


def _fed_back(text: str) -> list[str]:
    """The net with each of its streams as its only output, made to fit its first input."""
    found = FIRST.search(text)
    head, brace, body = text.partition("net N {\n")
    if found is None or not brace:
        return []
    lines = [line for line in body.split("\n") if not line.startswith("  out ")]
    kept = "\n".join(lines).rstrip().removesuffix("}")
    streams = [line.split()[0] for line in lines if STREAM.match(line)]
    outputs = [f"  out {stream} -> FC({found[1]})\n}}" for stream in reversed(streams)]
    return [f"{head}{brace}{kept}{output}" for output in outputs]


def _step_through(net: Net, source: str, random: Random) -> None:
    torch.manual_seed(len(source))
    model: Any = _filled(module_of(source).double(), False)
    inputs = [_example(port.shape) for port in net.program.region.inputs]
    steps, first, state = inputs[0].shape[1], 0, None
    made = []
    with torch.no_grad():
        whole = model(*inputs)
        while first < steps:
            last = min(first + random.randint(1, 3), steps)
            y, state = model.step(inputs[0][:, first:last], *inputs[1:], state)
            made.append(y)
            first = last
    torch.testing.assert_close(torch.cat(made, dim=1), whole, rtol=CLOSE, atol=CLOSE)


def autograd_keeps_what_is_said(program: Program, random: Random) -> None:
    """What is kept for the backward pass is within 2 % or 4 KiB of what autograd keeps."""
    net = loaded(program.text)
    said = net.saved_bytes(batch=EXAMPLES)
    assert isinstance(said, int)
    kept = loading.benchmark("memory").measured(net, batch=EXAMPLES)
    assert abs(said - kept) <= max(kept // 50, 4096), f"{said:,} bytes, autograd keeps {kept:,}"


def a_changed_token_is_a_mistake_or_a_program(program: Program, random: Random) -> None:
    """One token off: a diagnostic, or a net whose module agrees with its figures; in time."""
    text = _mutated(program.text, random)
    started = time.perf_counter()
    result = check_source(Source.of("test.arch", text))
    took = time.perf_counter() - started
    assert took < MOST_SECONDS, f"{took:.1f} s for\n{text}"
    if result.diagnostics:
        return
    for made in result.programs:
        if _can_be_made(made):
            agree(archc.load(made.name, source=text), counted=False)


def _can_be_made(made: ArchProgram) -> bool:
    """Whether torch has room for the net's weights and streams, which a token may make huge."""
    totals = cost(made)
    sizes = (totals.params, totals.reals, totals.tokens)
    return all(isinstance(size, int) and size < MOST_VALUES for size in sizes)


PROPERTIES: tuple[Callable[[Program, Random], None], ...] = (
    source_and_module_agree,
    repeats_unfold,
    the_formatter_keeps_the_tree,
    spans_lie_in_the_text,
    symbols_have_the_figures_of_numbers,
    one_module_takes_all_sizes,
    the_module_computes_what_the_text_says,
    padding_has_no_influence,
    equations_and_kernels_agree,
    steps_give_what_forward_gives,
    autograd_keeps_what_is_said,
    a_changed_token_is_a_mistake_or_a_program,
)


# --- figures and texts ---------------------------------------------------------------------------


@lru_cache(maxsize=8)
def loaded(text: str, **sizes: int) -> Net:
    """The net of a text; the properties of a program ask for the same ones."""
    return archc.load(source=text, **sizes)


@lru_cache(maxsize=8)
def written(net: Net, *, recognize: bool = True) -> str:
    """The source of a net."""
    return net.source(recognize=recognize)


def figures(net: Net, sizes: dict[str, int] | None = None) -> Any:
    """What a net costs and lets out, symbols bound to sizes."""

    def value(found: Any) -> int:
        return found if isinstance(found, int) else found.evaluate(**(sizes or {}))

    shapes = [tuple([value(size) for size in shape]) for shape in net.outputs.values()]
    return shapes, [value(getattr(net, name)) for name in FIGURES]


def _remarked(text: str, random: Random) -> str:
    """The text with comments at the ends of some lines."""
    lines = text.split("\n")
    return "\n".join(
        [
            f"{line}  # remark {number}" if random.random() < 0.2 else line
            for number, line in enumerate(lines)
        ]
    )


def _mutated(text: str, random: Random) -> str:
    tokens, _ = lex(text, load())
    parts = [text[token.start : token.end] for token in tokens]
    place = random.randrange(len(parts))
    match random.randrange(5):
        case 0:
            del parts[place]
        case 1:
            parts.insert(place, parts[place])
        case 2:
            other = random.randrange(len(parts))
            parts[place], parts[other] = parts[other], parts[place]
        case 3:
            parts[place] = random.choice(WORDS)
        case _:
            parts.insert(place, random.choice(WORDS))
    return _glued(parts)


def _glued(parts: list[str]) -> str:
    """Tokens as a text: brackets and marks close to what stands before them, words apart."""
    text = ""
    for part in parts:
        close = part in ("(", ")", ",", "[", "]", ".", "'", "?", "=") or text.endswith(("(", "."))
        text += part if close else f" {part}"
    return text


def _within(node: Any, span: Span) -> None:
    if isinstance(node, tuple):
        for part in node:
            _within(part, span)
    if not isinstance(node, tree.Node):
        return
    inner = node.span
    assert span.start <= inner.start < inner.end <= span.end, (node, inner.text)
    assert isinstance(node, Record)
    for name in node._fields:
        if not name.endswith("span"):
            _within(getattr(node, name), inner)


# --- the naive walk ------------------------------------------------------------------------------


def agree_with_walk(net: Net, text: str, *, training: bool) -> None:
    """Hold the module of a net against the walk over its text, in double precision."""
    torch.manual_seed(len(text))
    model = _filled(module_of(written(net)).double(), training)
    inputs = [_example(port.shape) for port in net.program.region.inputs]
    file = _tree(text)
    weights = Weights(model)
    Training.on = training
    try:
        with torch.no_grad():
            walked = Interpreter(file, weights, training=training).run(net.name, inputs)
    finally:
        Training.on = False
    assert weights.finished()
    with torch.no_grad():
        computed = _flat(model(*inputs))
    assert [one.shape for one in computed] == [one.shape for one in walked]
    for one, other in zip(computed, walked, strict=True):
        torch.testing.assert_close(one, other, rtol=CLOSE, atol=CLOSE)


def _tree(text: str) -> tree.File:
    file, diagnostics = parse(Source.of("text.arch", text))
    assert diagnostics == ()
    return file


def _filled(model: nn.Module, training: bool) -> nn.Module:
    """Weights far from where they start, and nothing random in training."""
    model.train(training)
    for part in model.modules():
        if isinstance(part, nn.Dropout) or type(part).__name__ == "DropPath":
            part.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            # Deep nets neither grow beyond what a number can be nor vanish.
            inputs = parameter[0].numel() if parameter.dim() > 1 else 4
            parameter.normal_(std=inputs**-0.5)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return model


def _example(shape: Shape) -> Tensor:
    if shape.vocabulary is not None:
        return torch.randint(int(str(shape.vocabulary)), (2, *shape.sizes))
    return torch.randn(2, *shape.sizes, dtype=torch.float64)


def _flat(made: Any) -> list[Tensor]:
    if isinstance(made, Tensor):
        return [made]
    parts = made.values() if isinstance(made, dict) else made
    return [one for part in parts for one in _flat(part)]
