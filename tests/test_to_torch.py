"""to_torch executes the emitted source, in a module that tools can look into."""

from __future__ import annotations

import copy
import inspect
import pickle
import traceback

import pytest
import torch

from archc.emit import emit
from archc.torch.module import module_class, source_module, to_torch
from emit_nets import load


def test_what_users_read_is_what_runs() -> None:
    program = load("residual_small")
    model = to_torch(program)
    assert type(model).__name__ == "ResidualSmall"
    module = inspect.getmodule(type(model))
    assert module is not None
    assert inspect.getsource(module) == emit(program)
    assert inspect.getsource(type(model)) in emit(program)


def test_two_modules_of_one_net_share_the_class_and_not_the_weights() -> None:
    program = load("Pyramid")
    first, second = to_torch(program), to_torch(program)
    assert type(first) is type(second)
    assert not torch.equal(first.conv1.weight, second.conv1.weight)


def test_modules_are_copied_and_pickled() -> None:
    model = to_torch(load("Pyramid")).eval()
    image = torch.randn(2, 3, 32, 48)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(image)[0], model(image)[0])


def test_a_traceback_shows_the_line() -> None:
    model = to_torch(load("Pyramid"))
    with pytest.raises(RuntimeError) as caught:
        model(torch.randn(2, 4, 32, 48))
    shown = "".join(traceback.format_exception(caught.value))
    assert "self.conv1(" in shown and "archc_generated_Pyramid_" in shown


def test_a_source_that_fails_leaves_nothing_behind() -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            source_module("1 / 0\n", "broken")


def test_a_class_for_several_instances() -> None:
    made = module_class(load("Patches"))
    assert made().fc.out_features == 10
