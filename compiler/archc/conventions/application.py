"""One application of an operator as a tool sees it: what the code calls, on how many numbers.

Tools know modules and functions of PyTorch, not operators. So what they count follows from the
operator's PyTorch form alone, and no operator says anything about a tool.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

from archc.conventions.spelling import Written, as_module
from archc.dims import Dim
from archc.op import Module, Op, TorchForm
from archc.shapes import Shape

__all__ = ["Application"]

_FUNCTION = re.compile(r"\b(?:F|torch|nn)\.\w+(?=\()")
_FOLDED = re.compile(r"steps|axis\d+")


class Application:
    """One application of an operator, for one input (a batch of one).

    Args:
        op: the operator.
        inputs: the shapes that flow in.
        outputs: the shapes that leave.
        written: how its code is written, where it needs no module.
    """

    def __init__(
        self,
        op: Op,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        written: Written = "functions",
    ) -> None:
        self.op, self.inputs, self.outputs, self.written = op, inputs, outputs, written

    @cached_property
    def form(self) -> TorchForm:
        """Its PyTorch form."""
        return self.op.torch(self.inputs, self.outputs)

    @cached_property
    def module(self) -> str:
        """The class of its module: `nn.Conv2d`, or one that the file defines; "" without one."""
        constructor = self.form.constructor if isinstance(self.form, Module) else ""
        return "" if constructor.startswith("nn.Parameter") else constructor.partition("(")[0]

    @cached_property
    def calls(self) -> tuple[str, ...]:
        """The modules and functions that it calls, `@` for a matrix product."""
        form = self.form
        text = form.call if isinstance(form, Module) else form.template
        helpers = "".join([source for _, source in form.helper])
        product = ("@",) if " @ " in text else ()
        found = (self.module, *_FUNCTION.findall(text + helpers), *product)
        if self.written == "functions" or self.module:
            return found
        module = as_module(self.op.name, found, len(self.inputs[0].space) or 1)
        return (module,) if module else found

    @cached_property
    def macs(self) -> Dim:
        """The exact multiply-adds."""
        return self.op.macs(self.inputs, self.outputs)

    @cached_property
    def flops(self) -> Dim:
        """The exact operations."""
        return self.op.flops(self.inputs, self.outputs)

    @property
    def is_affine(self) -> bool:
        """Whether it has learned parameters, such as the scale of a normalisation."""
        return bool(self.op.parameters(*self.inputs))

    @property
    def biases(self) -> Dim:
        """The additions of a bias: one for each element of the output, where there is one."""
        return self.made if "bias" in self.op.parameters(*self.inputs) else 0

    @property
    def made(self) -> Dim:
        """The elements of the output."""
        return self.outputs[0].elements

    @cached_property
    def taken(self) -> Dim:
        """The elements that the module takes: those of the input, and its padding where the code
        pads before the call."""
        stream = self.inputs[0]
        described = self.op.describe(*self.inputs)
        is_padded = isinstance(self.form, Module) and "F.pad(" in self.form.call
        if not is_padded or "pad" not in described:
            return stream.elements
        pads = [_both(pad) for pad in described["pad"]]
        moved = stream.space or (stream.steps or 0,)
        sizes = {i: stream.sizes[i] + pad for i, pad in zip(moved, pads, strict=True)}
        return stream.with_sizes(sizes).elements

    @cached_property
    def folded(self) -> Dim:
        """How many times the batch is larger for the module: steps or axes that are folded into
        it."""
        product: Dim = 1
        if isinstance(self.form, Module) and ".flatten(0," in self.form.call:
            for name, size in self.form.values:
                if _FOLDED.fullmatch(name) and not isinstance(size, (str, float, tuple)):
                    product = product * (size or 0)
        return product

    @property
    def positions(self) -> Dim:
        """The elements of the output for each of its channels."""
        shape = self.outputs[0]
        product: Dim = 1
        for number, size in enumerate(shape.sizes):
            product = product if number == shape.features else product * size
        return product

    def keyword(self, name: str, default: Any) -> Any:
        """What its module or function is told by that name."""
        form = self.form
        told = form.keywords if isinstance(form, Module) else form.values
        return dict(told).get(name, default)

    def argument(self, position: int) -> Any:
        """What the constructor of its module is told at that position."""
        assert isinstance(self.form, Module)
        return self.form.arguments[position]

    def per_axis(self, sizes: Any) -> tuple[int, ...]:
        """Sizes of a kernel or the like, one for each axis that its module moves over."""
        rank = int(self.module.removesuffix("d")[-1])
        return tuple(sizes) if isinstance(sizes, tuple) else (sizes,) * rank


def _both(pad: Any) -> Any:
    """What a pad adds to its axis: a number for both sides, or a pair."""
    return sum(pad) if isinstance(pad, list) else 2 * pad
