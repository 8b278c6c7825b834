"""The module for inference computes what the trained one does, with fewer operations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import archc
from cli_harness import run

BATCH_NORMS = nn.modules.batchnorm._BatchNorm
# A net of each family of the library that has them, and the batch norms that stay.
NETS = {
    "cifar_densenet_bc_100_12": 51, "cifar_resnet20_b": 0,
    "dcgan_discriminator": 0, "dcgan_generator": 0, "efficientnet_b0": 0,
    "googlenet": 0, "googlenet_aux": 0, "inception_v3": 0, "mnist_inception": 0,
    "mobilenet_v1_025": 0,
    "mobilenet_v2": 0, "mobilenet_v3_small": 0, "resnet18": 0, "se_resnet50": 0,
    "shufflenet_v2_05": 0, "squeezenet1_1": 0,
}  # fmt: skip


def trained(net: archc.Net) -> nn.Module:
    """A module whose batch norms have statistics, scales and shifts of their own."""
    torch.manual_seed(0)
    model = net.to_torch().eval()
    for part in model.modules():
        if isinstance(part, BATCH_NORMS):
            assert part.running_mean is not None and part.running_var is not None
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 2)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, 0, 0.2)
    return model


def difference(net: archc.Net, dtype: torch.dtype) -> tuple[float, nn.Module]:
    """The largest difference of an output, relative to the largest output."""
    plain = trained(net).to(dtype)
    fast = net.to_torch(optimize="inference").to(dtype)
    fast.load_state_dict(net.optimized_state(plain.state_dict()))
    images = [torch.randn(1, *shape, dtype=dtype) for shape in net.inputs.values()]
    with torch.inference_mode():
        expected, got = plain(*images), fast(*images)
    return float((expected - got).abs().max() / expected.abs().max()), fast


@pytest.mark.parametrize("name", NETS)
def test_the_outputs_are_those_of_the_trained_module(name: str) -> None:
    found, fast = difference(archc.load(name), torch.float64)
    assert found < 1e-10
    assert sum(isinstance(part, BATCH_NORMS) for part in fast.modules()) == NETS[name]
    assert not any(isinstance(part, nn.Dropout) for part in fast.modules())


@pytest.mark.parametrize("name", ["cifar_resnet20_b", "googlenet"])
def test_in_single_precision(name: str) -> None:
    assert difference(archc.load(name), torch.float32)[0] < 1e-4


SMALL = """
block Unit(c, k=1) = CONV(c, k, bias=no) -> BN(eps=0.001) -> RELU
net N = INPUT(3, 11, 13) -> {WAYS} -> DROPOUT -> GAP -> FC(7, bias=no) -> BN(affine=no)
"""


@pytest.mark.parametrize(
    "ways",
    [
        "{ Unit(5) | Unit(7) -> Unit(2, 3) | MAXPOOL(3, 1) -> Unit(3) }",
        "{ CONV(5) | CONV(7) | CONV(2, 1) } -> BN",
        "{ CONV(5) -> BN | CONV(7) -> BN -> RELU }",
        "{ CONV(5) | CONV(5) -> BN } -> DROPPATH",
        "[CONV(6, 3, groups=3) -> BN(affine=no)]*3 -> CONV(6) -> RELU -> BN",
    ],
)
def test_branches_and_repeats(ways: str) -> None:
    source = SMALL.replace("{WAYS}", ways)
    found, fast = difference(archc.load(source=source), torch.float64)
    assert found < 1e-10
    assert not hasattr(fast, "dropout")


def test_branches_of_one_kernel_are_one_convolution() -> None:
    source = archc.load("googlenet").source(optimize="inference")
    assert "self.unit1_unit2_unit4(x).split(" in source
    assert "BatchNorm" not in source and "Dropout" not in source


def test_what_a_layer_made_is_written_over() -> None:
    source = archc.load("resnet18").source(optimize="inference")
    assert "F.relu(self.conv2(y).add_(self.shortcut(x)), inplace=True)" in source


@pytest.mark.parametrize(
    "chain",
    [
        "{ RELU, SIGMOID } -> ADD",
        "CONV(3) -> { ID + RELU }",
        "CONV(3) -> { RELU | TANH } -> RELU",
        "CONV(3) -> FLATTEN -> RELU",
        "CONV(3) -> { ID + GAP }",
        "{ ID + CONV(3) -> RELU }",
        "CONV(3) -> [RELU -> { ID + CONV(3) -> BN } -> SILU]*2",
        "{ CONV(3) + CONV(3) -> RELU } -> HARDSWISH",
    ],
)
def test_nothing_that_is_needed_is_written_over(chain: str) -> None:
    net = archc.load(source=f"net N = INPUT(3, 11, 13) -> {chain}")
    plain = trained(net).to(torch.float64)
    fast = net.to_torch(optimize="inference", weights=plain).to(torch.float64)
    image = torch.randn(2, 3, 11, 13, dtype=torch.float64)
    before = image.clone()
    with torch.inference_mode():
        assert torch.allclose(fast(image), plain(image), atol=1e-6)
    assert torch.equal(image, before)


def test_weights_of_the_trained_module_are_taken() -> None:
    net = archc.load("cifar_resnet20_b")
    model = trained(net)
    images = torch.randn(2, 3, 32, 32)
    for weights in (model, model.state_dict()):
        fast = net.to_torch(optimize="inference", weights=weights)
        assert not fast.training
        assert torch.allclose(fast(images), model(images), atol=1e-4)


def test_missing_weights_are_named() -> None:
    net = archc.load("cifar_resnet20_b")
    state = net.to_torch().state_dict()
    gone = next(key for key in state if key.endswith("running_var"))
    del state[gone]
    with pytest.raises(KeyError, match=gone.replace(".", r"\.")):
        net.to_torch(optimize="inference", weights=state)


def test_volumes_are_left_in_their_order() -> None:
    source = "net N = INPUT(2, 5, 7, 11) -> CONV(3, bias=no) -> BN -> GAP"
    net = archc.load(source=source)
    assert difference(net, torch.float64)[0] < 1e-10
    assert "channels_last" not in net.source(optimize="inference")


def test_the_command_writes_the_module(tmp_path: Path) -> None:
    path = tmp_path / "fast.py"
    run("compile", "resnet18", "--optimize", "inference", "-o", str(path))
    text = path.read_text(encoding="utf-8")
    assert text == archc.load("resnet18").source(optimize="inference")
    assert ".to(memory_format=torch.channels_last)" in text


HEADS = """
block Head {
  q = x -> FC(8)
  k = x -> FC(8)
  v = x -> FC(6)
  out { [{ q @ k' } / sqrt(8)] -> SOFTMAX } @ v
}
cell Gated(n) {
  f    = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g    = { x[t] | h[t-1] } -> FC(n) -> TANH
  h[t] = f * h[t-1] + (1 - f) * g
}
net N = SEQUENCE(13, 5) -> [Head -> { FC(11, bias=no) -> SILU * FC(11, bias=no) }]*2 -> Gated(7)
"""


def test_linear_layers_on_one_stream_are_one_product() -> None:
    net = archc.load(source=HEADS)
    found, fast = difference(net, torch.float64)
    assert found < 1e-12
    merged = [(m.in_features, m.out_features) for m in fast.modules() if isinstance(m, nn.Linear)]
    # Queries, keys and values; the two sides of the gate; the layers of the cell stay.
    assert merged == [(5, 22), (6, 22), (11, 22), (6, 22), (18, 7), (18, 7)]
