"""The weights of torchvision's networks in the compiled ones: the same outputs."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

import archc
from cli_harness import run
from weights_given import outputs, peer, without_chance


class Case(NamedTuple):
    """A net of the library, torchvision's name for it, a size of image, what is left out."""

    ours: str
    theirs: str
    size: int
    skip: tuple[str, ...] = ()


CASES = [
    Case("googlenet", "googlenet", 65, ("aux1", "aux2")),
    Case("inception_v3", "inception_v3", 107, ("AuxLogits",)),
    Case("resnet18", "resnet18", 65),
    Case("resnet50", "resnet50", 65),
    Case("resnet152", "resnet152", 65),
    Case("densenet121", "densenet121", 65),
    Case("mobilenet_v2", "mobilenet_v2", 65),
    Case("mobilenet_v3_small", "mobilenet_v3_small", 65),
    Case("mobilenet_v3_large", "mobilenet_v3_large", 65),
    Case("efficientnet_b0", "efficientnet_b0", 65),
    Case("squeezenet1_0", "squeezenet1_0", 65),
    Case("squeezenet1_1", "squeezenet1_1", 65),
    Case("shufflenet_v2", "shufflenet_v2_x1_0", 65),
    Case("convnext_tiny", "convnext_tiny", 65),
]
# Those whose size of image is fixed; their files would be large, so they are given as modules.
LARGE = [
    Case("alexnet", "alexnet", 227),
    Case("vgg16", "vgg16", 224),
    Case("vit_b_16", "vit_b_16", 224),
]


def loaded(ours: str, state: dict[str, Tensor]) -> nn.Module:
    """The compiled module with that state_dict, in float64."""
    with torch.device("meta"):
        made = archc.load(ours).to_torch()
    made.load_state_dict(state, strict=True, assign=True)
    return made.double()


def say_the_same(ours: nn.Module, theirs: nn.Module, size: int, examples: int) -> None:
    images = torch.randn(examples, 3, size, size, dtype=torch.float64)
    for training in (False, True):
        expected = outputs(without_chance(theirs, training), images)[0]
        found = outputs(without_chance(ours, training), images)[0]
        assert expected.std() > 1e-3 and expected.abs().max() < 1e4
        assert (found - expected).abs().max() < 1e-5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.ours)
def test_a_file_of_theirs_makes_ours_say_the_same(case: Case, tmp_path: Path) -> None:
    theirs = peer(case.theirs)
    source, made = tmp_path / "theirs.pth", tmp_path / "ours.safetensors"
    torch.save(theirs.state_dict(), source)
    skip = [word for name in case.skip for word in ("--skip", name)]
    done = run("weights", case.ours, "--from", str(source), "-o", str(made), *skip)
    assert (done.status, done.err) == (0, f"wrote {made}\n")
    state = load_file(made)
    needs_no_order(case, theirs, state)
    for name in case.skip:
        setattr(theirs, name, None)
    say_the_same(loaded(case.ours, state), theirs, case.size, 2)


@pytest.mark.parametrize("case", LARGE, ids=lambda case: case.ours)
def test_a_module_of_theirs_makes_ours_say_the_same(case: Case) -> None:
    theirs = peer(case.theirs)
    state = archc.load(case.ours).weights(theirs).state_dict()
    needs_no_order(case, theirs, state)
    say_the_same(loaded(case.ours, state), theirs, case.size, 1)


def needs_no_order(case: Case, theirs: nn.Module, state: dict[str, Tensor]) -> None:
    """A safetensors file has its tensors sorted by name, and comes to the same."""
    named = dict(sorted(theirs.state_dict().items()))
    again = archc.load(case.ours).weights(named, skip=case.skip).state_dict()
    assert all(torch.equal(state[name], again[name]) for name in state)


def test_heads_for_training_are_matched_too(tmp_path: Path) -> None:
    theirs = peer("googlenet")
    found = archc.load("googlenet_aux").weights(theirs)
    where = {layer["file"][0]: layer["net"][0] for layer in found.to_dict()["layers"]}
    assert where["aux1.fc1.weight"] == "auxiliary1.fc1.weight"
    assert where["aux2.fc2.weight"] == "auxiliary2.fc2.weight"
