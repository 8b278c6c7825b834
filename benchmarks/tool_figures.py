"""What the known tools print, for networks of the library and every operator's examples.

    pip install torch==2.13.0 torchvision==0.28.0 fvcore==0.1.5.post20221221 ptflops==0.7.5 \
        thop==0.1.1.post2209072238 calflops==0.3.2 torchinfo==1.8.0 transformers
    python benchmarks/tool_figures.py              # writes tests/tool_figures.csv

Each tool is asked for the module that `to_torch` makes, and for torchvision's own module where the
library has the same network. `archc stats --as TOOL` must print the same, and the tests hold it
against this file; the tools themselves are no dependency of the project.
"""

from __future__ import annotations

import contextlib
import csv
import io
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archc
from archc.conventions import CONVENTIONS
from archc.op import REGISTRY, Op

FILE = Path(__file__).parents[1] / "tests" / "tool_figures.csv"

# The name in the library, and the name in torchvision where it has the same network.
NETS = {
    "alexnet_224": "alexnet", "vgg16": "vgg16", "vgg16_bn": "vgg16_bn", "googlenet": "googlenet",
    "inception_v3": "inception_v3", "resnet18": "resnet18", "resnet50": "resnet50",
    "resnet152": "resnet152", "resnext50": "resnext50_32x4d", "wide_resnet50": "wide_resnet50_2",
    "densenet121": "densenet121", "squeezenet1_0": "squeezenet1_0",
    "squeezenet1_1": "squeezenet1_1",
    "mobilenet_v1": "", "mobilenet_v2": "mobilenet_v2", "mobilenet_v3_large": "mobilenet_v3_large",
    "efficientnet_b0": "efficientnet_b0", "shufflenet_v2": "shufflenet_v2_x1_0",
    "convnext_tiny": "convnext_tiny", "se_resnet50": "", "lenet5": "", "vgg11_lrn": "",
    "unet": "", "dcgan_generator": "", "wavenet": "", "mixer_s16": "", "nasnet_mobile": "",
    "inception_resnet_v2": "", "siamese": "",
}  # fmt: skip

TOOLS = ("torch", "fvcore", "ptflops", "thop", "calflops", "torchinfo")
COLUMNS = ("code", "net", "torch", "fvcore", "ptflops", "thop", "calflops", "calflops_flops",
           "torchinfo")  # fmt: skip

Figures = dict[str, int | str]


def main() -> None:
    """Ask all tools for all modules, and write the file."""
    for tool in TOOLS:
        found = version(tool).partition("+")[0].replace("-", ".post")
        counted = CONVENTIONS[tool].version
        assert found == counted, f"{tool} is {found}, and archc counts as {counted} does"
    rows: list[list[object]] = [list(COLUMNS)]
    for code, net, model, inputs in modules():
        figures = figures_of(model.eval(), inputs)
        rows.append([code, net, *[figures[column] for column in COLUMNS[2:]]])
        print(*rows[-1])
    with FILE.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def modules() -> Iterator[tuple[str, str, nn.Module, dict[str, Tensor]]]:
    """Whose code it is, the network, the module, and its inputs by name."""
    for name in NETS:
        net = archc.load(name)
        yield "archc", name, net.to_torch(), inputs_of(net)
    for operator in operators():
        for example in operator.examples:
            net = archc.load(source=example.chain)
            yield "archc", example.chain, net.to_torch(), inputs_of(net)
    for text in random_programs():
        net = archc.load(source=text)
        yield "archc", text, net.to_torch(), inputs_of(net)
    yield from of_torchvision()


def random_programs() -> list[str]:
    """Programs as the tests write them, recorded with their text."""
    sys.path.append(str(FILE.parent))
    from random_nets import write_program

    return [write_program(Random(seed)).text for seed in range(24)]


def operators() -> list[type[Op]]:
    """Those of the language, in an order of their own."""
    return [cls for cls in REGISTRY.all() if cls.examples and not cls.internal]


def of_torchvision() -> Iterator[tuple[str, str, nn.Module, dict[str, Tensor]]]:
    """torchvision's modules; their auxiliary heads exist in training only."""
    from torchvision import models

    for name, theirs in NETS.items():
        if theirs:
            model = models.get_model(theirs, weights=None)
            yield "torchvision", name, model, inputs_of(archc.load(name))


def inputs_of(net: archc.Net) -> dict[str, Tensor]:
    """An input for each stream, of a batch of one."""
    ports = net.program.region.inputs
    return {
        port.name: torch.zeros(1, *net.inputs[port.name], dtype=kind_of(port.shape))
        for port in ports
    }


def kind_of(shape: Any) -> torch.dtype:
    """Tokens are whole numbers."""
    return torch.float32 if shape.vocabulary is None else torch.int64


def figures_of(model: nn.Module, inputs: dict[str, Tensor]) -> Figures:
    """What every tool says of a module; "error" where it ends in one."""
    found: Figures = {}
    for tool in TOOLS:
        with unpatched(), quiet():
            try:
                found.update(ASK[tool](model, inputs))
            except Exception:
                mine = [column for column in COLUMNS if column.split("_")[0] == tool]
                found.update(dict.fromkeys(mine, "error"))
    return found


def ask_torch(model: nn.Module, inputs: dict[str, Tensor]) -> Figures:
    """torch's own counter: operations, two for a multiply-add."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(*inputs.values())
    return {"torch": counter.get_total_flops()}


def ask_fvcore(model: nn.Module, inputs: dict[str, Tensor]) -> Figures:
    """fvcore, from the trace of torch's compiler."""
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(model, tuple(inputs.values()))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return {"fvcore": int(analysis.total())}


def ask_ptflops(model: nn.Module, inputs: dict[str, Tensor]) -> Figures:
    """ptflops with its default backend."""
    from ptflops import get_model_complexity_info

    macs, _ = get_model_complexity_info(
        Named(model, tuple(inputs)), (1,), as_strings=False, print_per_layer_stat=False,
        input_constructor=lambda _: inputs,
    )  # fmt: skip
    return {"ptflops": int(macs)}


class Named(nn.Module):
    """Takes inputs by name, as ptflops gives several, and hands them on by position.

    It has a parameter, without which calflops ends in an error.
    """

    def __init__(self, model: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.model, self.names = model, names
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, **inputs: Tensor) -> Any:
        return self.model(*[inputs[name] for name in self.names])


def ask_thop(model: nn.Module, inputs: dict[str, Tensor]) -> Figures:
    """thop."""
    from thop import profile

    return {"thop": int(profile(model, tuple(inputs.values()), verbose=False)[0])}


def ask_calflops(model: nn.Module, inputs: dict[str, Tensor]) -> Figures:
    """calflops, which has two figures."""
    from calflops import calculate_flops

    flops, macs, _ = calculate_flops(
        Named(model, tuple(inputs)), kwargs=dict(inputs), print_results=False,
        output_as_string=False,
    )  # fmt: skip
    return {"calflops": int(macs), "calflops_flops": int(flops)}


def ask_torchinfo(model: nn.Module, inputs: dict[str, Tensor]) -> Figures:
    """torchinfo."""
    from torchinfo import summary

    found = summary(model, input_data=list(inputs.values()), verbose=0)
    return {"torchinfo": int(found.total_mult_adds)}


ASK: dict[str, Callable[[nn.Module, dict[str, Tensor]], Figures]] = {
    "torch": ask_torch, "fvcore": ask_fvcore, "ptflops": ask_ptflops, "thop": ask_thop,
    "calflops": ask_calflops, "torchinfo": ask_torchinfo,
}  # fmt: skip


@contextlib.contextmanager
def unpatched() -> Iterator[None]:
    """Undo what a tool that ended in an error left replaced in torch."""
    places: tuple[Any, ...] = (F, torch, torch.Tensor)
    before = [dict(vars(place)) for place in places]
    yield
    for place, names in zip(places, before, strict=True):
        for name, value in names.items():
            if vars(place).get(name) is not value:
                setattr(place, name, value)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Leave out what the tools say."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


if __name__ == "__main__":
    main()
