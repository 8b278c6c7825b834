"""Generation: a net whose output can be fed back gets `step` and `generate`."""

from __future__ import annotations

from archc.emit.draft import Draft
from archc.emit.in_steps import Kind, Late
from archc.emit.layout import statement
from archc.emit.names import Namespace, identifier
from archc.emit.step_method import method_docstring
from archc.emit.stepping import Stepper
from archc.emit.units import Unit
from archc.shapes import Shape
from archlang.record import Record

__all__ = ["Generation", "generation", "let_generate", "write_generate"]

_SAMPLED = '''def sampled(
    scores: Tensor,
    temperature: float,
    top_k: int | None,
    generator: torch.Generator | None,
) -> Tensor:
    """A token for each row of scores (B, V): (B, 1)."""
    if temperature == 0:
        return scores.argmax(-1, keepdim=True)
    if top_k is not None:
        least = scores.topk(min(top_k, scores.shape[-1])).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    chances = torch.softmax(scores / temperature, -1)
    return torch.multinomial(chances, 1, generator=generator)
'''


class Generation(Record):
    """How a net generates.

    Args:
        port: the number of the input that its output is fed back into.
        tokens: whether that takes tokens, of which the output is scores.
        stepper: has the methods of all classes.
        shifted: whether what flows in is what came before the step, zero at first, as where a file
            says `x[t-1] when training else y[t-1]`.
    """

    port: int
    tokens: bool
    stepper: Stepper
    shifted: bool

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def let_generate(made: Draft) -> None:
    """Give the classes of a net that can generate their methods."""
    found = generation(made)
    if isinstance(found, str):
        return
    made.net.generates = found
    for unit, method in found.stepper.methods.items():
        unit.in_steps = method
    for form in found.stepper.continued:
        made.further.update(form.helper)
    if found.tokens:
        made.further["sampled"] = _SAMPLED


def generation(made: Draft) -> Generation | str:
    """How a net generates, or why not, in a sentence; empty where it has nothing to generate."""
    net = made.net
    ports = net.region.inputs
    outputs = net.region.outputs
    fed = [i for i, port in enumerate(ports) if _feeds(outputs[0].shape, port.shape)]
    if len(outputs) != 1 or not fed:
        return ""
    if any(port.lengths_of is not None for port in ports):
        return "its sequences have lengths"
    reasons = []
    for place in reversed(fed):
        found = _from(net, place)
        if isinstance(found, Stepper):
            tokens = ports[place].shape.vocabulary is not None
            return Generation(place, tokens, found, found.shifted)
        reasons.append(found)
    return reasons[0]


def _feeds(output: Shape, port: Shape) -> bool:
    """Whether what leaves at a step is, or gives by a choice, what flows in at the next."""
    if port.steps != 0 or output.steps != 0 or output.vocabulary is not None:
        return False
    if port.vocabulary is not None:
        return output.features == 1 and output.sizes == (*port.sizes, port.vocabulary)
    return port.sizes == output.sizes


def _from(net: Unit, place: int) -> Stepper | str:
    stepper = Stepper()
    kinds: list[Kind] = ["whole"] * len(net.inputs)
    kinds[place] = "given"
    found = stepper.unit(net, tuple(kinds))
    (kind,) = found.outputs
    if isinstance(kind, Late):
        return kind.reason
    if stepper.shifted and stepper.direct:
        return "its input is read both as it comes and one step later"
    if found.method is None:
        return "it keeps nothing from step to step"
    return stepper


def write_generate(unit: Unit, found: Generation) -> list[str]:
    """The lines of `generate` of the net's class."""
    names = Namespace(_LOCALS)
    inputs = [
        "start" if i == found.port else names.add(identifier(stream.label or "x"))
        for i, stream in enumerate(unit.inputs)
    ]
    options = _SAMPLING if found.tokens else _FEEDING
    signature = ", ".join(["self", *[f"{name}: Tensor" for name in inputs], "steps: int", *options])
    calls = ", ".join(["x" if i == found.port else name for i, name in enumerate(inputs)])
    chosen = _NEXT_TOKEN if found.tokens else _NEXT_STEP
    sizes = [str(size) for size in unit.region.inputs[found.port].shape.sizes]
    shape = ", ".join(["B", f"{sizes[0]} + steps", *sizes[1:]]).replace(sizes[0], "T", 1)
    first = ["        made, x, state = [start], start, None"]
    if found.shifted:
        first = [
            f"        zero = start.new_zeros(start.shape[0], 1{_FEATURES * (not found.tokens)})",
            "        made, x, state = [start], torch.cat((zero, start), dim=1), None",
        ]
    said = [
        "Goes on with start for some steps, in the mode that is set, without gradients.",
        f"{_SAID[found.tokens]} Gives ({shape}).",
    ]
    return [
        *statement(f"def generate({signature}) -> Tensor:", 4),
        *method_docstring(said),
        *first,
        "        with torch.no_grad():",
        "            for _ in range(steps):",
        f"                y, state = self.step({calls}, state)",
        f"                x = {chosen}",
        "                made.append(x)",
        "        return torch.cat(made, dim=1)",
    ]


_LOCALS = (
    "made", "x", "zero", "state", "steps", "y", "start", "temperature", "top_k", "generator",
    "next_step", "sampled",
)  # fmt: skip

_SAID = {
    True: "The next token is the likeliest at temperature 0, else it is drawn, of the top_k "
    "likeliest where that is given.",
    False: "What leaves at a step flows in at the next, by next_step where one is given.",
}

_FEATURES = ", *start.shape[2:]"

_SAMPLING = (
    "temperature: float = 0.0", "top_k: int | None = None",
    "generator: torch.Generator | None = None",
)  # fmt: skip
_FEEDING = ("next_step: collections.abc.Callable[[Tensor], Tensor] | None = None",)

_NEXT_TOKEN = "sampled(y[:, -1], temperature, top_k, generator)"
_NEXT_STEP = "y[:, -1:] if next_step is None else next_step(y[:, -1:])"
