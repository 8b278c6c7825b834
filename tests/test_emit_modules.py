"""Generated modules: they run, and hold what the graph says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archc
from archc.cost import cost
from archc.emit import needs_binding
from archc.graph import Program
from archc.pipeline import check_path
from archc.torch.module import module_class, to_torch
from emit_nets import NAMES, expected_state, inputs, library, load, outputs, run


def check(program: Program) -> torch.nn.Module:
    """Shapes in training and evaluation, names and shapes of the state, number of parameters."""
    with torch.device("meta"):
        model = module_class(program)()
    for training in (True, False):
        model.train(training)
        made = run(model, inputs(program, "meta"))
        assert [tuple(tensor.shape) for tensor in made] == outputs(program, training)
    state = {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}
    assert state == expected_state(program.region)
    assert sum([p.numel() for p in model.parameters()]) == cost(program).params
    return model


@pytest.mark.parametrize("name", NAMES)
def test_a_module_holds_what_the_graph_says(name: str) -> None:
    check(load(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_module_runs_and_learns(name: str) -> None:
    program = load(name)
    model = to_torch(program)
    made = run(model, inputs(program))
    assert all(tensor.isfinite().all() for tensor in made)
    if list(model.parameters()):
        sum([tensor.float().sum() for tensor in made]).backward()  # type: ignore[union-attr]
        assert any(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("path", list(library()), ids=lambda path: path.stem)
def test_every_net_of_the_library_compiles(path: Path) -> None:
    programs = check_path(path).programs
    assert programs
    for program in programs:
        if not needs_binding(program):
            check(program)


def test_sizes_left_open_are_read_from_what_flows_in() -> None:
    model = to_torch(load("Fully")).eval()
    for height, width in ((5, 7), (11, 3)):
        assert model(torch.randn(3, 3, height, width)).shape == (3, 5, 2 * height, 2 * width)
    video = to_torch(load("Video")).eval()
    assert video(torch.randn(2, 7, 3, 16, 13)).shape == (2, 7, 4)


def test_what_is_declared_of_a_dimension_is_checked() -> None:
    model = to_torch(load("Windows"))
    assert model(torch.randn(2, 8, 3)).shape == (2, 5)
    for wrong in (10, 104):
        with pytest.raises(ValueError, match="Q % 4 == 0, Q <= 100"):
            model(torch.randn(2, wrong, 3))


def test_shared_weights_are_one_module() -> None:
    model = to_torch(load("Siamese")).eval()
    left, right = torch.randn(2, 1, 12, 20), torch.randn(2, 1, 12, 20)
    assert torch.equal(model(left, right), model(right, left))
    assert torch.equal(model(left, left), torch.sigmoid(model.fc.bias).expand(2, 1))


def test_training_outputs_exist_in_training_only() -> None:
    model = to_torch(load("Inception"))
    image = torch.randn(2, 3, 31, 29)
    assert isinstance(model.train()(image), tuple)
    assert isinstance(model.eval()(image), torch.Tensor)


def test_a_residual_block_is_the_sum() -> None:
    model = to_torch(load("residual_small")).eval()
    block = model.stage[0].basic1
    x = torch.randn(2, 8, 7, 5)
    inner = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
    assert torch.allclose(block(x), torch.relu(inner + x))


def test_causal_padding_looks_at_the_past_only() -> None:
    model = to_torch(load("WaveNet")).eval()
    signal = torch.randn(1, 4, 61)
    changed = signal.clone()
    changed[..., 40:] += 1
    before, after = model(signal), model(changed)
    assert torch.equal(before[..., :40], after[..., :40])
    assert not torch.equal(before[..., 40:], after[..., 40:])


def test_dimensions_that_constructors_need_are_named() -> None:
    text = "dim C, H\nnet Rule = INPUT(C, H, 7) -> CONV(C, 3)\nnet Free = INPUT(3, H, 7) -> CONV(5)"
    assert needs_binding(load("Rule", text)) == ("C",)
    assert needs_binding(load("Free", text)) == ()
    with pytest.raises(ValueError, match="bind C"):
        module_class(load("Rule", text))


APPLIED = """
dim T
block Layer(heads) = { ID + ATTENTION(heads) } -> { ID + FC(3*x.c) -> RELU -> FC(x.c) }
net Model(layers, d, heads, vocab=19) = TOKENS(T, vocab) -> EMBED(d) -> [Layer(heads)]*layers
net small = Model(2, 12, 3)
net Fixed(d) = Model(2, d, 3)
net fixed = Fixed(12)
"""


def test_what_a_net_gives_to_another_stays_a_parameter_of_the_class() -> None:
    """`net gpt2 = GPT2(12, 768, 12)`: its class takes other numbers as well."""
    net = archc.load("small", source=APPLIED)
    names: dict[str, object] = {}
    exec(net.source(class_name="Model"), names)
    model = names["Model"](layers=3, d=20, heads=5)  # type: ignore[operator]
    wanted = archc.load("Model", source=APPLIED, layers=3, d=20, heads=5)
    assert sum(p.numel() for p in model.parameters()) == wanted.params
    assert archc.load("small", source=APPLIED, layers=3).params == (
        archc.load("Model", source=APPLIED, layers=3, d=12, heads=3).params
    )
    assert net.hyperparameters == {"vocab": 19}


def test_numbers_that_fit_by_chance_are_no_formula() -> None:
    """A depth of 28 are (28 - 4) // 6 blocks; 28 // 7 is as many, and 40 // 7 is not."""
    source = archc.load("wide_resnet28_10").source()
    assert "depth: int" not in source and "k: int = 10" in source
