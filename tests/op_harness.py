"""Holds an operator against real torch.

`hold(op, shape, ...)` infers the output's shape, makes the operator's PyTorch form a real module,
runs it on random tensors and compares all that the operator says of itself with what torch does.
"""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from archc import dims
from archc.op import Module, Op, OpError, TorchForm
from archc.shapes import Shape

BATCH = 2
_PLACEHOLDER = re.compile(r"\{(\*|\w+)\}")

# Takes the parameters and buffers (copies, made before the run) by name, then the inputs.
Reference = Callable[..., Tensor | tuple[Tensor, ...]]


class Built(nn.Module):
    """A torch form as a module: `module` is the submodule where the form has one."""

    def __init__(self, form: TorchForm, bindings: Mapping[str, int], lent: Mapping[str, nn.Module]):
        super().__init__()
        self.form = form
        self.scope: dict[str, Any] = {
            "torch": torch,
            "nn": nn,
            "F": F,
            "math": math,
            "Tensor": Tensor,
        }
        self.bindings = bindings
        for line in form.imports:
            exec(line, self.scope)
        for name, source in form.helper:
            exec(source, self.scope)
            assert name in self.scope, f"the helper does not define {name}"
        self.scope.update({f"lent_{name}": module for name, module in lent.items()})
        self.lent = {name: f"lent_{name}" for name in lent}
        if isinstance(form, Module):
            self.module = eval(construction(form), self.scope)

    def forward(self, *inputs: Tensor) -> Any:
        names = [f"input_{i}" for i in range(len(inputs))]
        expression = fill(self.form, names, self.bindings, self.lent)
        scope = {**self.scope, "self": self, **dict(zip(names, inputs, strict=True))}
        return eval(expression, scope)

    def own_state(self) -> dict[str, Tensor]:
        """Copies of the parameters and buffers, named as the operator names them."""
        state = self.state_dict()
        return {k.removeprefix("module").removeprefix("."): v.clone() for k, v in state.items()}


def construction(form: Module) -> str:
    """The expression that makes the submodule."""
    items = [repr(a) for a in form.arguments] + [f"{k}={v!r}" for k, v in form.keywords]
    return f"{form.constructor}({', '.join(items)})"


def fill(
    form: TorchForm, names: list[str], bindings: Mapping[str, int], lent: Mapping[str, str]
) -> str:
    """The expression of the call, its placeholders filled; symbolic sizes become numbers."""
    template = form.call if isinstance(form, Module) else form.template
    values = {name: repr(concrete(value, bindings)) for name, value in form.values}
    known = {"module": "self.module", "*": ", ".join(names), **values, **lent}
    known.update({str(i): name for i, name in enumerate(names)})
    return _PLACEHOLDER.sub(lambda match: known[match.group(1)], template)


def concrete(value: Any, bindings: Mapping[str, int]) -> Any:
    """A value with its symbolic sizes evaluated."""
    if isinstance(value, tuple):
        return tuple([concrete(item, bindings) for item in value])
    return dims.evaluate(value, bindings) if isinstance(value, dims.Poly) else value


def concrete_shape(shape: Shape, bindings: Mapping[str, int]) -> Shape:
    """The shape with its symbolic sizes evaluated."""
    sizes = {i: concrete(size, bindings) for i, size in enumerate(shape.sizes)}
    return shape.with_sizes(sizes).replace(vocabulary=concrete(shape.vocabulary, bindings))


def random_input(shape: Shape, batch: int = BATCH, device: str = "cpu") -> Tensor:
    """A random tensor of that shape: reals, or integers below the vocabulary."""
    if shape.vocabulary is not None:
        return torch.randint(0, shape.vocabulary, (batch, *shape.sizes), device=device)
    return torch.randn(batch, *shape.sizes, device=device)


def randomise(module: nn.Module) -> None:
    """Give every parameter and buffer values that show when one is forgotten."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_()
        for name, buffer in module.named_buffers():
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
            elif buffer.is_floating_point():
                buffer.normal_()


def as_tuple(value: Any) -> tuple[Any, ...]:
    """One thing or several, as a tuple."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def hold(
    op: Op,
    *inputs: Shape,
    output: tuple[int, ...] | None = None,
    reference: Reference | None = None,
    train: bool = False,
    counted: bool = True,
    bindings: Mapping[str, int] | None = None,
    modules: Mapping[str, nn.Module] | None = None,
    tensors: tuple[Tensor, ...] | None = None,
    tolerance: float = 1e-5,
) -> Built:
    """Hold an operator against torch.

    Args:
        op: the operator with its arguments.
        inputs: the shapes that flow in; symbolic sizes need `bindings`.
        output: the sizes that must come out, where the test knows them from elsewhere.
        reference: computes the expected values from `own_state()` and the inputs, by other means.
        train: run the module in training mode.
        counted: compare multiply-adds with torch's counter (which never counts nn.Bilinear).
        bindings: values of the symbolic sizes, for running.
        modules: modules lent to the form, by the name of its placeholder (`table`).
        tensors: inputs to run on instead of random ones.
        tolerance: absolute and relative, for values.

    Returns:
        The built module, for further checks.
    """
    bindings, modules = bindings or {}, modules or {}
    outputs = as_tuple(op.infer(*inputs))
    form = op.torch(inputs, outputs)
    built = Built(form, bindings, modules).train(train)
    randomise(built)
    small_inputs = [concrete_shape(shape, bindings) for shape in inputs]
    small_outputs = [concrete_shape(shape, bindings) for shape in outputs]
    if output is not None:
        assert small_outputs[0].sizes == output
    check_state(op, inputs, built, bindings)
    for batch in (BATCH, BATCH + 1):
        given = [random_input(shape, batch) for shape in small_inputs]
        check_run(built, tensors or tuple(given), small_outputs, reference, tolerance)
    if counted:
        check_macs(op, inputs, outputs, form, bindings, modules)
    return built


def check_state(
    op: Op, inputs: tuple[Shape, ...], built: Built, bindings: Mapping[str, int]
) -> None:
    """Names and shapes of parameters and buffers: exactly those saved, in torch's order."""
    stated = {k: concrete(v, bindings) for k, v in op.parameters(*inputs).items()}
    buffers = {k: concrete(v, bindings) for k, v in op.buffers(*inputs).items()}
    learned = {name for name, _ in built.named_parameters()}
    shapes = {k: tuple(v.shape) for k, v in built.state_dict().items()}
    found = {_own(k): v for k, v in shapes.items() if k in learned}
    kept = {_own(k): v for k, v in shapes.items() if k not in learned}
    assert list(stated.items()) == list(found.items())
    assert list(buffers.items()) == list(kept.items())


def _own(key: str) -> str:
    return key.removeprefix("module").removeprefix(".")


def check_run(
    built: Built,
    tensors: tuple[Tensor, ...],
    outputs: list[Shape],
    reference: Reference | None,
    tolerance: float,
) -> None:
    """Shapes, and values where there is a reference."""
    before, originals = built.own_state(), [tensor.clone() for tensor in tensors]
    results = as_tuple(built(*tensors))
    batch = tensors[0].shape[0] if tensors else BATCH
    assert [tuple(r.shape) for r in results] == [(batch, *shape.sizes) for shape in outputs]
    for result, shape in zip(results, outputs, strict=True):
        assert result.is_floating_point() == (shape.vocabulary is None)
    for tensor, original in zip(tensors, originals, strict=True):
        assert torch.equal(tensor, original), "the form changes its input in place"
    if reference is None:
        return
    for result, expected in zip(results, as_tuple(reference(before, *originals)), strict=True):
        torch.testing.assert_close(result, expected, atol=tolerance, rtol=tolerance)


def check_macs(
    op: Op,
    inputs: tuple[Shape, ...],
    outputs: tuple[Shape, ...],
    form: TorchForm,
    bindings: Mapping[str, int],
    modules: Mapping[str, nn.Module],
) -> None:
    """Multiply-adds against torch's counter, on the meta device."""
    on_meta = {k: copy.deepcopy(v).to("meta") for k, v in modules.items()}
    with torch.device("meta"):
        built = Built(form, bindings, on_meta).eval()
    given = [random_input(concrete_shape(s, bindings), device="meta") for s in inputs]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        built(*given)
    assert concrete(op.macs(inputs, outputs), bindings) * 2 * BATCH == counter.get_total_flops()


def refuse(op: Op, *inputs: Shape, code: str, message: str, help: str | None = None) -> OpError:
    """The inputs must be refused with this code, exactly this message, and this help if given."""
    with pytest.raises(OpError) as caught:
        op.infer(*inputs)
    error = caught.value
    for found, expected in ((error.code, code), (error.message, message), (error.help, help)):
        assert expected is None or found == expected, f"found {found!r}, expected {expected!r}"
    return error


def case_id(value: object) -> str:
    """What a case is called in reports: the same in every process that collects it."""
    return (
        getattr(value, "__name__", None) or re.sub(r"<function .*?>", "function", str(value))[:60]
    )
