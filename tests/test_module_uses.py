"""Modules fit what users do with any module of torch: a small net of every kind of join."""

from __future__ import annotations

import copy
import io

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
