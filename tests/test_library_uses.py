"""Every net of the library fits what users do with modules of torch; on the meta device, slow."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest
import torch

import archc
from archc import library
from archc.torch import ExportError
from archc.torch.export import exported
from emit_nets import inputs, run

pytestmark = pytest.mark.slow

# What is written in capitals needs arguments, and rules have sizes that stay open.
NETS = [entry for entry in library.entries() if not entry.family.startswith("rules/")]
NAMES = sorted({entry.name for entry in NETS if entry.name.islower()})


@pytest.fixture(scope="module", params=NAMES)
def net(request: pytest.FixtureRequest) -> Iterator[archc.Net]:
    yield archc.load(request.param)
    torch.compiler.reset()


def _model(net: archc.Net) -> torch.nn.Module:
    with torch.device("meta"):
        return net.to_torch().eval()


def _shapes(made: list[torch.Tensor]) -> list[tuple[int, ...]]:
    return [tuple(tensor.shape) for tensor in made]


def test_it_compiles_without_graph_breaks(net: archc.Net) -> None:
    model, given = _model(net), inputs(net.program, "meta")
    expected = _shapes(run(model, given))
    # torch refuses its own recurrent layers unless it is told to take them.
    with torch._dynamo.config.patch(allow_rnn=True):
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        assert _shapes(run(compiled, given)) == expected


def test_it_is_exported_with_what_is_open(net: archc.Net) -> None:
    try:
        made = exported(net.program, _model(net))
    except ExportError as error:
        assert "torch exports loops over a number of them" in str(error)
        return
    assert made.range_constraints or not net.inputs


def test_it_is_pickled_and_copied(net: archc.Net) -> None:
    model = _model(net)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert type(again) is type(model)
        again.load_state_dict(model.state_dict(), strict=True)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_it_changes_its_type(net: archc.Net, dtype: torch.dtype) -> None:
    model = _model(net).to(dtype)
    given = [t.to(dtype) if t.is_floating_point() else t for t in inputs(net.program, "meta")]
    assert all(tensor.dtype == dtype for tensor in run(model, given) if tensor.is_floating_point())
