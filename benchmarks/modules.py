"""How fast compiled modules are: for inference, and beside torchvision's where that is installed.

    python benchmarks/modules.py [NET ...] [--device cuda] [--threads 2] [--pairs 15]

Eager forward of the module as compiled and of the one for inference, and, with torchvision
installed, of its module of the same network; forward with backward, and the peak memory of a step
of training, of the plain one beside torchvision's. Alternating pairs in one process, so that a busy
machine slows both sides. Batch 8 (64 on a GPU), float32.
"""

from __future__ import annotations

from typing import Any

import torch
from peers import torchvision_network
from timing import HEAD, Step, options, row, step_of
from torch import nn

import archc

NETS = ("resnet18", "resnet50", "densenet121", "googlenet", "mobilenet_v2", "vgg16")


def torchvision_model(name: str) -> nn.Module | None:
    """The same network by torchvision; None where that is not installed."""
    options: dict[str, Any] = {}
    if name == "googlenet":
        options = {"aux_logits": False, "init_weights": False}
    try:
        return torchvision_network(name, **options)
    except ImportError:
        return None


def peak(step: Step) -> int:
    """The most bytes of tensors that a step holds at once beside what is there before it."""
    with torch.profiler.profile(profile_memory=True) as record:
        step()
    held = most = 0
    for event in record.profiler.kineto_results.events():  # type: ignore[union-attr]
        if event.name() == "[memory]":
            held += event.nbytes()
            most = max(most, held)
    return most


def device_peak(step: Step) -> int:
    """The same on a GPU, by its allocator."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    return torch.cuda.max_memory_allocated() - before


def measure(name: str, images: torch.Tensor, pairs: int) -> None:
    """Print the rows of a network for a batch of images, (B, 3, 224, 224)."""
    net, device = archc.load(name), images.device
    plain = net.to_torch()
    infer = net.to_torch(optimize="inference", weights=plain).to(device)
    plain = plain.to(device)

    def inference(what: str, ours: nn.Module, theirs: nn.Module) -> None:
        first, second = [step_of(model.eval(), images, backward=False) for model in (ours, theirs)]
        print(row(name, what, first, second, pairs), flush=True)

    inference("inference, plain", infer, plain)
    theirs = torchvision_model(name)
    if theirs is None:
        return
    theirs = theirs.to(device)
    inference("inference, torchvision", infer, theirs)
    inference("plain, torchvision", plain, theirs)
    ours, other = [step_of(model.train(), images, backward=True) for model in (plain, theirs)]
    print(row(name, "plain, torchvision, with backward", ours, other, pairs), flush=True)
    most = device_peak if device.type == "cuda" else peak
    held, theirs_held = most(ours) / 1e6, most(other) / 1e6
    ratio = held / theirs_held
    print(f"| {name} | peak of training | {held:.0f} MB | {theirs_held:.0f} MB | {ratio:.3f} |")


def main() -> None:
    """Print the table."""
    parser = options(__doc__)
    parser.add_argument("nets", nargs="*", default=NETS)
    parser.add_argument("--batch", type=int)
    given = parser.parse_args()
    batch = given.batch or (8 if given.device == "cpu" else 64)
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    images = torch.randn(batch, 3, 224, 224, device=given.device)
    where = f"{given.threads} threads"
    if given.device == "cuda":
        where = torch.cuda.get_device_name()
    print(f"torch {torch.__version__}, batch {batch}, {where}, {given.pairs} pairs\n")
    print(HEAD)
    for name in given.nets:
        measure(name, images, given.pairs)


if __name__ == "__main__":
    main()
