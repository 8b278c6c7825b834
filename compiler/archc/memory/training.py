"""What training a net holds in memory, by kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from archc.cost import bytes_of, cost, dtype_name
from archc.dims import Dim
from archc.graph import Program
from archc.memory.amounts import Amount
from archc.memory.saved import Saving
from archlang.record import Record

if TYPE_CHECKING:
    from archc.memory.peak import Largest

__all__ = ["OPTIMIZERS", "Plan", "Training", "plan_of"]

# How many numbers an optimizer keeps for each parameter.
OPTIMIZERS: Mapping[str, int] = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}

_MASTER_BYTES = 4  # float32


class Plan(Record):
    """How a net is trained.

    Args:
        batch: the number of examples.
        dtype: the type of parameters, gradients and activations.
        optimizer: one of `OPTIMIZERS`.
        master_weights: whether the optimizer keeps a float32 copy of the parameters, and its own
            numbers in float32, as mixed precision often does.
    """

    batch: int = 1
    dtype: str = "float32"
    optimizer: str = "adam"
    master_weights: bool = False


def plan_of(batch: int, dtype: str, optimizer: str, master_weights: bool) -> Plan:
    """A plan, checked.

    Raises:
        ValueError: for a batch below 1, an optimizer that is not known, a type that has no
            gradients.
    """
    dtype = dtype_name(dtype)
    if batch < 1:
        raise ValueError(f"batch is at least 1, not {batch}")
    if optimizer not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise ValueError(f"unknown optimizer {optimizer!r}, expected one of {known}")
    if dtype == "int8":
        raise ValueError("int8 cannot be trained: whole numbers have no gradients")
    return Plan(batch, dtype, optimizer, master_weights)


class Training:
    """The memory of a net in training; every figure is in bytes.

    Args:
        program: the net.
        plan: how it is trained.
    """

    def __init__(self, program: Program, plan: Plan) -> None:
        self.program, self.plan = program, plan
        self.saving = Saving()
        self.contexts = self.saving.net(program)
        self._width = bytes_of(plan.dtype)

    @cached_property
    def params(self) -> Dim:
        """The parameters."""
        return self._learned * self._width

    @cached_property
    def gradients(self) -> Dim:
        """The gradients of the parameters, in the type of those."""
        return self._learned * self._width

    @cached_property
    def optimizer(self) -> Dim:
        """What the optimizer keeps for each parameter, master weights left out."""
        width = _MASTER_BYTES if self.plan.master_weights else self._width
        return self._learned * (OPTIMIZERS[self.plan.optimizer] * width)

    @cached_property
    def master_weights(self) -> Dim:
        """The float32 copy of the parameters, where the plan has one."""
        return self._learned * (_MASTER_BYTES if self.plan.master_weights else 0)

    @cached_property
    def saved(self) -> Dim:
        """What autograd keeps of one forward pass until the backward pass."""
        return self.in_bytes(self.saving.total(self.contexts))

    @cached_property
    def total(self) -> Dim:
        """All of it, at the end of the forward pass."""
        return self.params + self.gradients + self.optimizer + self.master_weights + self.saved

    @cached_property
    def forward_peak(self) -> Largest:
        """The most that a forward pass outside training holds at once beside the parameters."""
        from archc.memory.peak import peak

        return peak(self.program, batch=self.plan.batch, width=self._width)

    def in_bytes(self, amount: Amount) -> Dim:
        """The bytes of an amount, at the batch and the type of the plan."""
        return amount.in_bytes(self.plan.batch, self._width)

    @cached_property
    def _learned(self) -> Dim:
        return cost(self.program).params
