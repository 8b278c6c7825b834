"""Modules fit what users do with any module of torch: a small net of every kind of join."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import archc

NETS = (
    "net Plain = INPUT(3, 13, 17) -> CONV(5) -> BN -> RELU -> DROPOUT(0.5) -> GAP -> FC(7)\n",
    "net Added = INPUT(5, 13, 17) -> [{ CONV(5) -> BN -> RELU + ID }]*3 -> GAP -> FC(7)\n",
    "net Joined = INPUT(3, 13, 17) -> { CONV(5) | CONV(7, 1) } -> MAXPOOL(2) -> GAP -> FC(7)\n",
)


@pytest.fixture(params=NETS, ids=[text.split()[1] for text in NETS])
def net(request: pytest.FixtureRequest) -> archc.Net:
    return archc.load(source=request.param)


def _images(net: archc.Net, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    (shape,) = net.inputs.values()
    return torch.randn(3, *[int(str(size)) for size in shape], dtype=dtype)


def test_a_state_is_saved_and_loaded_strictly(net: archc.Net) -> None:
    first, second = net.to_torch().eval(), net.to_torch().eval()
    stream = io.BytesIO()
    torch.save(first.state_dict(), stream)
    stream.seek(0)
    second.load_state_dict(torch.load(stream, weights_only=True), strict=True)
    images = _images(net)
    assert torch.equal(second(images), first(images))


def test_a_copy_shares_no_weights(net: archc.Net) -> None:
    model = net.to_torch().eval()
    other, images = copy.deepcopy(model), _images(net)
    expected = model(images)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    assert torch.equal(other(images), expected)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_modules_change_their_type(net: archc.Net, dtype: torch.dtype) -> None:
    model = net.to_torch().eval().to(dtype)
    assert model(_images(net, dtype)).dtype == dtype


def test_modules_compile_without_graph_breaks(net: archc.Net) -> None:
    model, images = net.to_torch().eval(), _images(net)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(images), model(images))


def test_a_whole_module_is_pickled(net: archc.Net) -> None:
    model, images = net.to_torch().eval(), _images(net)
    again = pickle.loads(pickle.dumps(model))
    assert type(again) is type(model)
    assert torch.equal(again(images), model(images))


ELSEWHERE = """
import sys, torch
model, part = torch.load(sys.argv[1], weights_only=False)
images, expected = torch.load(sys.argv[2])
assert torch.equal(model(images), expected)
assert type(part).__module__ == type(model).__module__
assert not model.training
"""


def test_another_process_loads_a_whole_module(tmp_path: Path) -> None:
    text = (
        "block Unit(c) = { CONV(c) -> BN -> RELU + ID }\n"
        "net Net = INPUT(5, 13, 17) -> [Unit(5)]*2 -> CONV(3) -> DROPPATH(0.25) -> GAP -> FC(7)\n"
    )
    net = archc.load(source=text)
    model, images = net.to_torch().eval(), _images(net)
    torch.save((model, next(iter(model.children()))[0]), tmp_path / "model.pt")
    torch.save((images, model(images)), tmp_path / "given.pt")
    command = [sys.executable, "-c", ELSEWHERE, "model.pt", "given.pt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


Compiled: Any = type(archc.compile(source=NETS[0]))


class Changed(Compiled):
    """A net that a user builds on."""


def test_a_subclass_is_pickled_by_its_own_name() -> None:
    model = Changed().eval()
    again = pickle.loads(pickle.dumps(model))
    images = torch.randn(2, 3, 13, 17)
    assert type(again) is Changed
    assert torch.equal(again(images), model(images))


def test_checkpointed_modules_compile_and_are_copied() -> None:
    text = "block U = { CONV(5) -> LN -> RELU + ID }\nnet N = INPUT(5, 11, 13) -> [U]*2 -> GAP\n"
    net = archc.load(source=text)
    model, images = net.to_torch(checkpoint=True), _images(net)
    compiled = torch.compile(copy.deepcopy(model), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(images), model(images))


def _over_gloo(rank: int, folder: str, kind: str) -> None:
    import torch.distributed as dist
    from torch.distributed.fsdp import fully_shard
    from torch.nn.parallel import DistributedDataParallel

    store = f"file://{folder}/{kind}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    try:
        given, state, expected = torch.load(f"{folder}/given.pt")
        model = archc.compile(source=PARALLEL)
        model.load_state_dict(state)
        wrapped: Any = (
            DistributedDataParallel(model)
            if kind == "ddp"
            else fully_shard(model, mesh=torch.distributed.init_device_mesh("cpu", (2,)))
        )
        made = wrapped(given)
        torch.testing.assert_close(made, expected)
        made.square().sum().backward()
        assert all(weight.grad is not None for weight in wrapped.parameters())
    finally:
        dist.destroy_process_group()


PARALLEL = """
block Unit(c) = { CONV(c) -> LN -> RELU + ID }
net Net = INPUT(5, 13, 17) -> [Unit(5)]*2 -> GAP -> FC(7)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_two_processes_share_the_work(tmp_path: Path, kind: str) -> None:
    model = archc.compile(source=PARALLEL)
    given = torch.randn(2, 5, 13, 17)
    torch.save((given, model.state_dict(), model(given).detach()), tmp_path / "given.pt")
    torch.multiprocessing.spawn(_over_gloo, (str(tmp_path), kind), nprocs=2)


def test_the_layers_of_a_stack_are_a_parameter() -> None:
    text = (
        "block Layer(d, p) = { LN -> FC(3*d) -> GELU -> DROPOUT(p) -> FC(d) + ID }\n"
        "net Stack(layers=3, d=11, classes=7, p=0.25) =\n"
        "  INPUT(d) -> [Layer(d, p)]*layers -> FC(classes)\n"
    )
    made = type(archc.compile(source=text))(layers=5, d=13, classes=2, p=0.5)
    given = archc.compile(source=text, layers=5, d=13, classes=2, p=0.5)
    made.load_state_dict(given.state_dict(), strict=True)
    vectors = torch.randn(3, 13)
    assert torch.equal(made.eval()(vectors), given.eval()(vectors))
