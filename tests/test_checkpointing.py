"""`checkpoint=True`: blocks compute again in the backward pass, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archc
from cli_harness import run

RESIDUAL = """
block Unit(c, s=1) = { CONV(c, 3, s) -> BN -> RELU -> DROPOUT(0.25) -> CONV(c) -> BN
                     + CONV(c, 1, s) } -> RELU
block Stage(c, n) = Unit(c, 2) -> [Unit(c)]*n
net Net = INPUT(3, 13, 17) -> CONV(5) -> BN -> Stage(7, 2) -> Stage(11, 3) -> GAP -> FC(2)
"""
DENSE = """
net Net = INPUT(5, 13, 17) -> [{ ID | [BN -> RELU -> CONV(12, 1) -> BN -> RELU -> CONV(3)] }]*5
  -> GAP -> FC(2)
"""
INCEPTION = """
block Mixed(c) = { CONV(c, 1) -> RELU | CONV(3, 1) -> RELU -> CONV(c) -> RELU | MAXPOOL(3, 1) }
net Net = INPUT(3, 13, 17) -> Mixed(5) -> Mixed(7) -> Mixed(7) -> GAP -> FC(2)
"""
SEQUENCE = """
dim T
block Layer = { LN -> ATTENTION(3) + ID } -> { LN -> FC(37) -> GELU -> DROPOUT(0.1) -> FC(15) + ID }
net Net = SEQUENCE(T, 15) -> [Layer]*4 -> FC(2)
"""
NETS = {
    "residual": (RESIDUAL, (2, 3, 13, 17)),
    "dense": (DENSE, (2, 5, 13, 17)),
    "inception": (INCEPTION, (2, 3, 13, 17)),
    "sequence": (SEQUENCE, (2, 7, 15)),
}


def _step(model: torch.nn.Module, given: torch.Tensor) -> tuple[torch.Tensor, int]:
    """The output after a backward pass, and the bytes that autograd kept for it."""
    kept: dict[int, int] = {}
    weights = {p.untyped_storage().data_ptr() for p in [*model.parameters(), *model.buffers()]}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        place = tensor.untyped_storage().data_ptr()
        if place not in weights:
            kept[place] = tensor.untyped_storage().nbytes()
        return tensor

    torch.manual_seed(3)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        made = model(given)
    before = sum(kept.values())
    made.square().sum().backward()
    return made.detach(), before


@pytest.mark.parametrize("name", NETS)
def test_the_same_numbers_with_less_memory(name: str) -> None:
    text, shape = NETS[name]
    net = archc.load(source=text)
    plain, again = net.to_torch(), net.to_torch(checkpoint=True)
    again.load_state_dict(plain.state_dict(), strict=True)
    given = torch.randn(shape)
    expected, more = _step(plain, given)
    made, less = _step(again, given)
    assert torch.equal(made, expected)
    for one, other in zip(again.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    for one, other in zip(again.buffers(), plain.buffers(), strict=True):
        assert torch.equal(one, other)
    assert less < more
    assert torch.equal(again.eval()(given), plain.eval()(given))


def test_what_repeats_blocks_is_opened() -> None:
    text = archc.load(source=RESIDUAL).source(checkpoint=True)
    unit, stage = [text.index(f"class {name}(") for name in ("Unit", "Stage")]
    assert text.count("checkpoint(self") == 0
    assert text.count("= checkpoint(") == 1
    assert unit < text.index("= checkpoint(") < stage


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "vit_b_16", "googlenet"])
def test_the_command_has_a_flag(name: str) -> None:
    plain = run("compile", name)
    again = run("compile", name, "--checkpoint")
    assert again.status == 0
    assert "from torch.utils.checkpoint import checkpoint" in again.out
    assert "checkpoint" not in plain.out
    compile(again.out, name, "exec")


@pytest.mark.parametrize(
    "net", ["net Plain = INPUT(5) -> FC(3)", "net Plain = INPUT(5) -> [FC(5)]*3"]
)
def test_a_net_without_blocks_is_said_to_have_none(net: str, tmp_path: Path) -> None:
    (tmp_path / "plain.arch").write_text(net, encoding="utf-8")
    note = "has no blocks to compute again: --checkpoint changes nothing"
    done = run("compile", str(tmp_path / "plain.arch"), "--checkpoint")
    assert done.err == f"note: Plain {note}\n"
    assert done.out == run("compile", str(tmp_path / "plain.arch")).out
    folder = run("compile", str(tmp_path), "--checkpoint", "-o", str(tmp_path / "made"))
    assert f"note: {tmp_path.name} {note}\n" in folder.err
    assert run("compile", "resnet18", "--checkpoint").err == ""
