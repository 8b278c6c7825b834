"""What an operator is: one class in one place.

A subclass of `Op` in `archc/ops/` is all there is to an operator: its typed fields are its
arguments, and it has its shape rule, its cost rule, its PyTorch form, worked examples and foreign
names. Argument errors, the reference page, `archc ops`, did-you-mean and the tests against torch
come from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from archc.arguments import Kind
from archc.continuation import Continuation, by_itself
from archc.dims import Dim
from archc.padding import Padded, feature_names, handed_on
from archc.saves import NO_TENSORS, Saves
from archc.shapes import Shape
from archc.sight import EVERYTHING, UNKNOWN, Reach
from archlang.record import Record, field

__all__ = [
    "MOST_STREAMS",
    "REGISTRY",
    "Argument",
    "Constant",
    "Example",
    "Expression",
    "Family",
    "Module",
    "Op",
    "OpError",
    "TorchForm",
    "argument",
]  # fmt: skip

Family = Literal[
    "input", "convolution", "linear", "pooling", "normalisation", "activation", "regularisation",
    "shape", "join", "elementwise", "embedding", "recurrent", "attention", "user",
]  # fmt: skip

# A literal of the generated code. Dims that are still symbolic become sizes read from the inputs.
Constant = int | float | bool | str | None | tuple["Constant", ...] | Dim


# Families whose derivative needs what flowed in, where an operator does not say otherwise.
_KEEP_INPUTS = frozenset(
    {
        "convolution", "linear", "pooling", "normalisation", "activation", "elementwise",
        "embedding", "recurrent", "attention", "user",
    }
)  # fmt: skip

# Families that treat features one by one, where an operator does not say otherwise.
_BY_ELEMENT = frozenset({"activation", "elementwise", "regularisation", "join", "input"})

# Streams in one bundle: whoever takes a bundle apart names each.
MOST_STREAMS = 4096


class OpError(Exception):
    """An operator's statement that its inputs do not fit; the caller adds the place.

    Args:
        message: one sentence, lower case, no full stop, with the shapes.
        code: the diagnostic's code.
        help: an edit that compiles.
        operands: positions of the inputs to label with their shapes; all of them by default.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "shape-mismatch",
        help: str | None = None,
        operands: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.help = help
        self.operands = operands


class Argument(Record):
    """One argument of an operator: a field of its class.

    Args:
        name: as users write it.
        text: one sentence about it.
        kind: what values it takes (`archc/arguments.py`).
        default: the field's default; `REQUIRED` where there is none.
        shown: how documentation writes the default, where that is not the value itself ("kernel").
        rest: takes all remaining positional arguments as a tuple (`INPUT(3, 224, 224)`).
    """

    name: str
    text: str
    kind: Kind
    default: Any
    shown: str | None
    rest: bool

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is REQUIRED


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED: Any = _Required()


class _Described:
    def __init__(self, text: str, kind: Kind, default: Any, shown: str | None, rest: bool) -> None:
        self.text, self.kind, self.default, self.shown, self.rest = text, kind, default, shown, rest


def argument(
    text: str,
    kind: Kind,
    default: Any = REQUIRED,
    *,
    shown: str | None = None,
    rest: bool = False,
) -> Any:
    """Declare an operator's argument; see `Argument`."""
    return _Described(text, kind, default, shown, rest)


class Module(Record):
    """A submodule in the generated code: made once in `__init__`, called in `forward`.

    Args:
        constructor: `nn.Conv2d`, or the class that `helper` defines.
        arguments: positional arguments of the constructor.
        keywords: named ones, those that equal torch's default left out.
        call: the expression in forward: `{module}` is the attribute, `{0}`, `{1}` the inputs, `{*}`
            all of them with commas, `{name}` a value of `values`.
        values: named values that `call` needs.
        helper: the source of a class or function that the file must define once, by name.
        imports: import statements beyond torch, nn, F.
    """

    constructor: str
    arguments: tuple[Constant, ...] = ()
    keywords: tuple[tuple[str, Constant], ...] = ()
    call: str = "{module}({0})"
    values: tuple[tuple[str, Constant], ...] = ()
    helper: tuple[tuple[str, str], ...] = ()
    imports: tuple[str, ...] = ()


class Expression(Record):
    """A stateless expression in forward: `F.relu({0})`, `torch.cat([{*}], dim={dim})`.

    Placeholders as in `Module.call`. `precedence` is "call" (needs no parentheses as an operand),
    "product", "sum" or "other".
    """

    template: str
    values: tuple[tuple[str, Constant], ...] = ()
    precedence: str = "call"
    helper: tuple[tuple[str, str], ...] = ()
    imports: tuple[str, ...] = ()


TorchForm = Module | Expression


class Example(Record):
    """A worked example: a chain that starts with its input, and what must come out.

    The tests hold every example against torch; the reference page shows it.
    """

    chain: str
    output: str
    params: int = 0
    macs: int = 0
    text: str = ""


class Registry:
    """The operators by name. Fills itself as classes are defined; refuses a name twice.

    `fallback` is asked to import the declaration of a name that is not known, or all declarations
    when it is given None; `archc.ops` sets it.
    """

    def __init__(self) -> None:
        self._known: dict[str, type[Op]] = {}
        self.fallback: Callable[[str | None], None] | None = None

    @property
    def known(self) -> Mapping[str, type[Op]]:
        """Those that are defined by now."""
        return self._known

    def add(self, cls: type[Op]) -> None:
        """Take an operator in."""
        other = self._known.get(cls.name)
        home = (cls.__module__, cls.__qualname__)
        if other is not None and (other.__module__, other.__qualname__) != home:
            raise TypeError(f"operator {cls.name} is defined by {other} and by {cls}")
        self._known[cls.name] = cls

    def get(self, name: str) -> type[Op] | None:
        """The operator of that name."""
        if name not in self._known and self.fallback is not None:
            self.fallback(name)
        return self._known.get(name)

    def all(self) -> tuple[type[Op], ...]:
        """All of them, in the order of their definition."""
        if self.fallback is not None:
            self.fallback(None)
        return tuple(self._known.values())


REGISTRY = Registry()


class Op(Record):
    """Base class of operators. The docstring's first sentence is what `archc ops` shows.

    Class variables of an operator:
        name: as users write it, upper case.
        family: its kind, which gives the colour in diagrams and the section of the reference.
        foreign: names of the same thing elsewhere, for did-you-mean.
        inputs: how many streams flow in: (least, most), most None for any number. Behind them
            stand those that are arguments (kind `Flowing`), in the order of the call; such an
            operator takes a fixed number.
        takes_defaults_of: another operator whose `default` lines hold for it too.
        examples: see `Example`.
        internal: made by the compiler only (transposition, unary minus); not for files.
        extra: the field that collects whole numbers given by names that are no arguments, as a
            tuple of (name, number) pairs (the sizes in a pattern of RESHAPE); None: such names are
            errors.
        differentiable: whether a gradient flows from its outputs to its inputs.
        merges: whether it may make one axis of several, or features of positions.
    """

    name: ClassVar[str] = ""
    family: ClassVar[Family] = "user"
    foreign: ClassVar[tuple[str, ...]] = ()
    inputs: ClassVar[tuple[int, int | None]] = (1, 1)
    takes_defaults_of: ClassVar[str | None] = None
    examples: ClassVar[tuple[Example, ...]] = ()
    internal: ClassVar[bool] = False
    extra: ClassVar[str | None] = None
    differentiable: ClassVar[bool] = True
    merges: ClassVar[bool] = False
    arguments: ClassVar[tuple[Argument, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        arguments = {a.name: a for a in cls.arguments}
        for name, described in list(vars(cls).items()):
            if isinstance(described, _Described):
                arguments[name] = Argument(name, **vars(described))
                missing = described.default is REQUIRED
                setattr(cls, name, field() if missing else field(default=described.default))
        cls.arguments = tuple(arguments.values())
        super().__init_subclass__(**options)
        if cls.name:
            REGISTRY.add(cls)

    # --- shape ------------------------------------------------------------------------------------

    def infer(self, *inputs: Shape) -> Shape | tuple[Shape, ...]:
        """The shape of the output, or of each output of a bundle.

        Raises:
            OpError: when the inputs do not fit.
        """
        raise NotImplementedError(self.name)

    def padded(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Padded:
        """What it makes of axes with padding; asked only where something that flows in has some.

        By default it hands them on where it looks at them position by position; features are
        looked at so by activations, joins and the like alone.

        Args:
            inputs: what flows in, with the lengths of its axes.
            outputs: what `infer` says of them, without.

        Raises:
            Meeting: where padding would change what it computes from real steps.
        """
        mixed = {*self.reaches(*inputs)}
        if self.family not in _BY_ELEMENT:
            mixed.update(feature_names(inputs))
        return Padded(handed_on(self.name, mixed, inputs, outputs))

    # --- cost: exact, of one application, without the batch --------------------------------------

    def parameters(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        """The learned tensors by their name in the state_dict of the module, with their shapes."""
        return {}

    def buffers(self, *inputs: Shape) -> dict[str, tuple[Dim, ...]]:
        """The tensors that are kept but not learned, likewise; `()` is a single number."""
        return {}

    def macs(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        """Multiply-adds: one for a multiply and its add, biases left out."""
        return 0

    def flops(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        """Arithmetic operations of every kind: 2 for a multiply-add."""
        return 2 * self.macs(inputs, outputs)

    def describe(self, *inputs: Shape) -> dict[str, Any]:
        """What a table shows of it: any of kernel, stride, pad, dilation (lists, one per axis),
        groups, filters."""
        return {}

    # --- memory -----------------------------------------------------------------------------------

    def saves(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], learning: tuple[bool, ...]
    ) -> Saves:
        """What autograd keeps of one application for the backward pass.

        Asked only where a gradient flows. By default the inputs, but for operators that move,
        select or add.

        Args:
            inputs: what flows in.
            outputs: what leaves.
            learning: for each input, whether a gradient flows to it.
        """
        keeps = self.family in _KEEP_INPUTS
        return Saves(inputs=tuple(range(len(inputs)))) if keeps else NO_TENSORS

    def shares(
        self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], *, training: bool
    ) -> bool:
        """Whether its outputs lie in the memory of its first input, as views do."""
        return False

    def scratch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Dim:
        """The numbers that its PyTorch form holds for a moment, beside what flows in and out, in
        tensors of their own: a padded copy. What kernels need inside is not known here."""
        return 0

    def reaches(self, *inputs: Shape) -> dict[str, Reach]:
        """How far it looks along the axes of positions, by their names; an axis that is left out
        is looked at position by position.

        What is recurrent or attends sees everything, of a user's operator nothing is known.
        """
        reach = {"recurrent": EVERYTHING, "attention": EVERYTHING, "user": UNKNOWN}.get(self.family)
        if reach is None:
            return {}
        return {a.name: reach for shape in inputs for a in shape.axes if a.role != "features"}

    # --- PyTorch ----------------------------------------------------------------------------------

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        """Its form in generated PyTorch code."""
        raise NotImplementedError(self.name)

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        """How it goes on with the next steps of a sequence, from what it kept of those before.

        By default as it is, where it treats each step by itself.

        Args:
            inputs: what flows in.
            outputs: what leaves.
            running: for each input, whether it is a sequence that goes on; the others are there
                as a whole.

        Returns:
            None where it keeps nothing, and its usual form does for the next steps.

        Raises:
            NotInSteps: where what leaves at a step depends on later ones, or on all at once.
        """
        by_itself(self, inputs, outputs, running)
        return None

    # --- reading ----------------------------------------------------------------------------------

    @classmethod
    def summary(cls) -> str:
        """The first sentence of the documentation."""
        return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
