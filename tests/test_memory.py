"""The memory of training, held against what autograd keeps, and the peak of a forward pass."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pages
import pytest
import torch

import archc
import archc.ops
import loading
from archc.memory.saved import Saving
from archc.op import REGISTRY, Example
from cli_harness import run
from random_nets import write_program

ROOT = Path(__file__).parents[1]

EXAMPLES = [
    pytest.param(example, id=f"{op.name}-{number}")
    for op in REGISTRY.all()
    for number, example in enumerate(op.examples)
]

# Chains in which storages are shared, copied, left and entered.
CHAINS = [
    "INPUT(3, 5, 7) -> { ID, RELU, TANH } -> MUL",
    "INPUT(13) -> { ID / EXP }",
    "INPUT(13) -> { 2 / ID }",
    "INPUT(13) -> { RELU ** EXP }",
    'INPUT(6, 4, 4) -> RESHAPE("c h w -> (h w) c") -> LN -> FC(5)',
    'INPUT(6, 4, 4) -> RESHAPE("c (h a) (w b) -> (c a b) h w", a=2, b=2) -> CONV(5)',
    "SEQUENCE(11, 6) -> CONV(4) -> BN -> RELU -> CONV(4)",
    "SEQUENCE(11, 6) -> { ID @ ID' } -> SOFTMAX",
    "INPUT(6, 8, 8) -> BN -> SIGMOID -> POOL(2) -> FLATTEN -> FC(3) -> LOGSOFTMAX",
    "TOKENS(13, 65) -> EMBED(8) -> POSEMBED -> LN -> GELU -> LAST -> FC(3)",
    "INPUT(8, 4, 4) -> CONV(8) -> [CONV(8) -> RELU]*5",
    "INPUT(8, 4, 4) -> [{ ID + CONV(8) }]*7",
    "INPUT(8, 4, 4) -> [{ ID | CONV(8) }]*4 -> RELU",
    "INPUT(8, 4, 4) -> CONV(8) -> { [SIGMOID]*3, ID } -> MUL",
    # What does not lie in rows is copied by what needs rows, once by each that does.
    "SEQUENCE(7, 3) -> RNN(11, layers=2) -> { FC(3), FC(5), ID } -> CONCAT -> MAX(axis=t)",
    "SEQUENCE(7, 3) -> GRU(5) -> RELU -> IN -> FC(3)",
    "SEQUENCE(7, 3) -> CONV(5) -> { GELU -> FC(3), FC(5), DWCONV } -> CONCAT -> BN -> FC(2)",
    "SEQUENCE(7, 3) -> TRANSPOSE -> { FC(3) + [TANH -> FC(3)] } -> TRANSPOSE -> FC(2)",
    "SEQUENCE(11, 6) -> FC(6) -> { IN, ID * SIGMOID } -> CONCAT -> IN",
    'SEQUENCE(7, 6) -> RESHAPE("t (h d) -> h t d", h=2) -> { SIGMOID @ ID\' } -> SOFTMAX',
    "INPUT(6, 5, 7) -> LN -> { IN, BN, RMSNORM } -> CONCAT -> LN -> FLATTEN -> FC(3)",
    "INPUT(6, 5, 7) -> CONV(6) -> LN -> { FLATTEN -> FC(3), [SPLIT(2) -> MUL -> GAP] } -> CONCAT",
    "INPUT(5) -> FC(5) -> REPEAT(7) -> { FC(3), TANH -> FC(2) } -> CONCAT",
    "SEQUENCE(7, 6) -> ATTENTION(3, rope=500, window=3) -> RMSNORM -> ATTENTION(2, causal=yes)",
    "SEQUENCE(9, 3, 8, 8) -> CONV(4) -> BN -> RELU -> GAP -> FC(3)",
    "INPUT(8) -> REPEAT(5) -> FC(3)",
    "INPUT(6, 5, 7) -> CONV(6) -> SHUFFLE(3) -> CONV(2)",
    "INPUT(6, 8, 8) -> CONV(6) -> CROP(4) -> CONV(2)",
    "INPUT(6, 8, 8) -> LRN -> IN(affine=yes) -> GLU -> UPSAMPLE(2, mode=bilinear) -> CONV(1)",
    "INPUT(6, 8, 8) -> DROPPATH(0) -> SCALE -> DROPPATH(0.5) -> DROPOUT(0.1) -> NOISE -> CONV(1)",
]

# One of each file, but for those that take torch longest.
NETS = [
    "alexnet", "autoencoder", "cifar_densenet_40_12", "cifar_preresnet110", "cifar_resnet20",
    "convnext_tiny", "dcgan_generator", "efficientnet_b0", "googlenet", "inception_resnet_v1",
    "lenet5", "mixer_b16", "mobilenet_v1", "mobilenet_v2", "mobilenet_v3_small",
    "nasnet_mobile", "nin", "resnet18", "resnext50", "se_resnet50", "shufflenet_v2",
    "squeezenet1_1", "unet", "vgg11", "wavenet", "zfnet", "lstm_cell", "gru_v3", "mgu", "sru",
    "conv_lstm", "captions", "encoder_decoder", "char_rnn_embed", "crnn", "one_to_many",
]  # fmt: skip


benchmark = loading.benchmark("memory")


def kept(net: Any, *, learning: bool, width: int) -> Any:
    """What archc says is kept, for a batch of two."""
    saving = Saving()
    contexts = saving.net(net.program, learning=learning)
    return saving.total(contexts).in_bytes(benchmark.BATCH, width)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_operator_keeps_what_autograd_keeps(example: Example) -> None:
    net = archc.load(source=f"net X = {example.chain}")
    assert kept(net, learning=True, width=4) == benchmark.measured(net, learning=True)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("chain", CHAINS)
def test_storages_count_once(chain: str, dtype: str) -> None:
    net = archc.load(source=f"net X = {chain}")
    for learning in (True, False):
        found = benchmark.measured(net, learning=learning, dtype=dtype)
        assert kept(net, learning=learning, width=4 if dtype == "float32" else 2) == found


@pytest.mark.parametrize("name", NETS)
def test_a_net_keeps_what_autograd_keeps(name: str) -> None:
    net = archc.load(name)
    assert net.saved_bytes(batch=benchmark.BATCH) == benchmark.measured(net)


@pytest.mark.parametrize(
    "chain",
    [
        "SEQUENCE(11, 6) -> FC(6) -> { GN(3), ID * SIGMOID } -> CONCAT -> GN(2)",
        "INPUT(6, 5, 7) -> LN -> { GN(2), BN } -> CONCAT",
        "SEQUENCE(7, 3) -> CONV(5) -> { [LAST -> REPEAT(7)] + ID } -> { FC(3), FC(2) } -> CONCAT",
    ],
)
def test_copies_in_float32(chain: str) -> None:
    # Off a GPU the statistics of narrow groups are narrow.
    net = archc.load(source=f"net X = {chain}")
    assert net.saved_bytes(batch=2) == benchmark.measured(net)


def test_attention_at_each_step_copies_what_a_layer_made() -> None:
    net = archc.load("seq2seq_additive", S=5, T=7)
    assert net.saved_bytes(batch=2) == benchmark.measured(net)


def test_random_nets_keep_what_autograd_keeps() -> None:
    for seed in range(30):
        net = archc.load(source=(text := write_program(Random(seed)).text))
        assert net.saved_bytes(batch=benchmark.BATCH) == benchmark.measured(net), text


def test_copies_of_a_repeat_are_counted_not_walked() -> None:
    text = "net X(n) = INPUT(8, 4, 4) -> CONV(8) -> [{ ID + CONV(8) -> BN -> RELU }]*n"
    some = [archc.load(source=text, n=n).saved_bytes() for n in (10, 11, 1_000_000)]
    assert some[2] - some[0] == (some[1] - some[0]) * 999_990


def test_rows_add_up_to_the_whole_at_every_depth() -> None:
    for name in (
        "resnet18",
        "densenet121",
        "siamese",
        "nasnet_mobile",
        "inception_v3",
        "lstm_cell",
        "captions",
        "encoder_decoder",
    ):
        net = archc.load(name)
        for depth in (0, 1, 2, 3, None):
            data = net.stats(train=True, depth=depth, batch=3).to_dict()
            assert sum([layer["saved_bytes"] for layer in data["layers"]]) == data["saved_bytes"]
            assert data["saved_bytes"] == net.saved_bytes(batch=3)


def test_a_storage_counts_with_the_first_that_keeps_it() -> None:
    source = "net X = INPUT(3, 8, 8) -> CONV(4) -> BN -> RELU -> CONV(5) -> POOL(2)"
    rows = archc.load(source=source).stats(train=True).to_dict()["layers"]
    # The image; what flowed into BN with a mean and a deviation; what RELU made; nothing new; what
    # flowed into POOL with an index for each of its outputs.
    assert [row["saved_bytes"] for row in rows] == [
        3 * 64 * 4, 4 * 64 * 4 + 2 * 4 * 4, 4 * 64 * 4, 0, 5 * 64 * 4 + 5 * 16 * 8,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("optimizer", "numbers"), [("sgd", 0), ("momentum", 1), ("adam", 2), ("adamw", 2)]
)
def test_an_optimizer_keeps_numbers_for_each_parameter(optimizer: str, numbers: int) -> None:
    done = run("stats", "lenet5", "--train", "--optimizer", optimizer, "--format", "json")
    data = json.loads(done.out)
    assert data["gradient_bytes"] == data["param_bytes"] == 4 * data["params"]
    assert data["optimizer_bytes"] == numbers * 4 * data["params"]
    assert data["training_bytes"] == (2 + numbers) * data["param_bytes"] + data["saved_bytes"]


def test_master_weights_are_float32() -> None:
    data = archc.load("lenet5").stats(train=True, dtype="bf16", master_weights=True).to_dict()
    assert data["dtype"] == "bfloat16"
    assert data["gradient_bytes"] == 2 * data["params"]
    assert data["master_weight_bytes"] == 4 * data["params"]
    assert data["optimizer_bytes"] == 8 * data["params"]


def test_the_optimizers_of_torch_keep_as_much() -> None:
    model = archc.compile("lenet5")
    params = list(model.parameters())
    choices = {
        "momentum": torch.optim.SGD(params, lr=0.1, momentum=0.9),
        "adam": torch.optim.Adam(params),
        "adamw": torch.optim.AdamW(params),
    }
    model(torch.zeros(2, 1, 32, 32)).sum().backward()
    for name, optimizer in choices.items():
        optimizer.step()
        state = [t for kept in optimizer.state.values() for t in kept.values() if t.dim()]
        held = sum([tensor.nbytes for tensor in state])
        data = archc.load("lenet5").stats(train=True, optimizer=name).to_dict()
        assert data["optimizer_bytes"] == held


def test_open_dimensions_give_formulas() -> None:
    net = archc.load(
        source="dim H, W\nnet X(c=8) = INPUT(c, H, W) -> CONV(c) -> BN -> RELU -> GAP -> FC(3)"
    )
    bound = archc.load(
        source="net X(c=8) = INPUT(c, 5, 7) -> CONV(c) -> BN -> RELU -> GAP -> FC(3)"
    )
    for get in (lambda n: n.saved_bytes(batch=3), lambda n: n.peak_bytes(batch=3)):
        assert get(net).evaluate(H=5, W=7) == get(bound)
    assert isinstance(net.stats(train=True).to_dict()["saved_bytes"], str)
    assert "kept for the backward pass" in str(net.stats(train=True))


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex", "html"])
def test_every_format_shows_what_is_kept(form: str) -> None:
    done = run("stats", "lenet5", "--train", "--batch", "32", "--dtype", "bf16", "--format", form)
    assert done.status == 0
    assert ("saved_bytes" if form == "csv" else "training holds") in done.out


def test_without_train_nothing_changes() -> None:
    plain = archc.load("googlenet").stats().to_dict()
    assert "saved_bytes" not in plain
    assert "saved_bytes" not in plain["layers"][0]


def test_training_only_parts_count_with_train() -> None:
    text = """net X {
      in image = INPUT(3, 8, 8)
      main = image -> CONV(4) as stem -> GAP -> FC(2)
      out main
      out aux = stem -> FLATTEN -> FC(7) when training
    }"""
    net = archc.load(source=text)
    assert net.stats(train=True).to_dict()["macs"] > net.macs
    assert net.saved_bytes(batch=2) == benchmark.measured(net)


def test_what_cannot_be_trained_is_refused() -> None:
    for more in (["--dtype", "int8"], ["--as", "fvcore"], ["--device", "a100-80"]):
        assert run("stats", "lenet5", "--train", *more).status == 2
    with pytest.raises(ValueError, match="int8"):
        archc.load("lenet5").saved_bytes(dtype="int8")
    with pytest.raises(ValueError, match="optimizer"):
        archc.load("lenet5").stats(train=True, optimizer="lion")


@pytest.mark.parametrize(
    "name", ["lenet5", "alexnet_96", "resnet50", "mobilenet_v1", "mnist_inception", "densenet121"]
)
def test_the_peak_of_a_forward_pass(name: str) -> None:
    net = archc.load(name)
    assert net.peak_bytes(batch=2) == pytest.approx(benchmark.measured_peak(net), rel=0.001)


def test_the_page_has_the_figures_of_every_net() -> None:
    table = pages.marked(pages.MEMORY, "memory")
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
    found = {row[0]: row for row in rows[2:]}
    assert sorted(found) == benchmark.complete_nets()
    for name, (_, said, autograd, _, peak, *_) in found.items():
        figures = benchmark.computed(archc.load(name))
        assert (said, peak) == tuple([f"{figure:,}" for figure in figures]), name
        assert said == autograd, name
