"""A net in Python's hands: ask it, draw it, compile it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archc.dims import Dim
from archc.requests import Probe, Request
from archlang.diagnostics import ArchError, Diagnostic, Label

if TYPE_CHECKING:
    import networkx
    import torch

    from archc.accepts import Accepted
    from archc.conventions import Written
    from archc.cost import Totals
    from archc.devices import Device
    from archc.graph import Program
    from archc.optimize import Optimization
    from archc.stats import Style, Table
    from archc.tables.view import Count
    from archc.torch.weights import Weights

__all__ = ["Net"]


class Net:
    """One complete net: lowered, with every shape known. Claims are verified by `archc check`.

    Made by `archc.load`. Nothing but `to_torch` and `export` imports torch. Figures are int, or
    symbolic polynomials that print as a formula and have `.evaluate(T=128)`.
    """

    def __init__(
        self,
        program: Program,
        diagnostics: tuple[Diagnostic, ...],
        request: Request,
        probe: Probe,
    ) -> None:
        self.program = program
        #: Warnings and notes about the file.
        self.diagnostics = diagnostics
        self._request = request
        self._probe = probe

    @property
    def name(self) -> str:
        """The name of the net in its file."""
        return self.program.name

    @property
    def documentation(self) -> str | None:
        """The `##` text above the net."""
        return self.program.documentation

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The parameters of the net with the values in force."""
        return dict(self.program.hyperparameters)

    @property
    def inputs(self) -> dict[str, tuple[Dim, ...]]:
        """The shape of each input by name, without the batch."""
        return {port.name: port.shape.sizes for port in self.program.region.inputs}

    @property
    def outputs(self) -> dict[str, tuple[Dim, ...]]:
        """The shape of each output by name, without the batch; those of training only left out."""
        outputs = self.program.region.outputs
        return {output.name: output.shape.sizes for output in outputs if not output.training}

    @property
    def params(self) -> Dim:
        """The number of learned parameters, those of training-only parts included."""
        return self._totals.params

    @property
    def buffers(self) -> Dim:
        """The number of values that are kept in the state but not learned."""
        return self._totals.buffers

    @property
    def macs(self) -> Dim:
        """Multiply-adds for one example, one for a multiply and its add."""
        return self._totals.macs

    @property
    def flops(self) -> Dim:
        """Arithmetic operations of every kind for one example."""
        return self._totals.flops

    @cached_property
    def _totals(self) -> Totals:
        from archc.cost import cost

        return cost(self.program)

    def stats(
        self,
        *,
        depth: int | None = None,
        batch: int = 1,
        dtype: str = "float32",
        count: Count | None = None,
        style: Style = "plain",
        device: str | Device | None = None,
        convention: str | None = None,
        include: Iterable[str] = (),
        exclude: Iterable[str] = (),
        written: Written = "functions",
        train: bool = False,
        optimizer: str = "adam",
        master_weights: bool = False,
    ) -> Table:
        """The cost table.

        Args:
            depth: how far blocks are opened; a useful depth by default.
            batch: how many examples the operations and activations are for.
            dtype: the type of parameters and activations ("float32", "bfloat16", ...).
            count: "macs", or "flops" for arithmetic operations of every kind; by default "macs", or
                what the convention prints.
            style: "plain", "lecture" for the columns of the lectures' tables, "geometry" for
                receptive fields, "bars" for shares.
            device: estimate the time on it: a name ("a100-80"), or a `Device`.
            convention: count as that tool does, and say where it differs: "torch", "fvcore",
                "ptflops", "thop", "calflops", "torchinfo", or "lecture".
            include: kinds of operations to count beside multiply-adds: "bias", "normalisation",
                "activation", "pooling", "other".
            exclude: kinds to leave out of count="flops".
            written: what code a tool is asked for: "functions", as archc emits it, or "modules",
                with activations and global pooling as modules of torch.nn.
            train: add the memory of training: gradients, what the optimizer keeps, and what is
                kept for the backward pass.
            optimizer: "sgd", "momentum", "adam" or "adamw".
            master_weights: whether the optimizer keeps the parameters in float32 as well.

        Returns:
            A table with `.rows`, `.to_dict()`, `.to_csv()`, `.to_markdown()`, `.to_latex()` and
            `.to_html()`, which shows itself in a notebook and prints as `archc stats` does.
        """
        from archc.devices import device as device_of
        from archc.stats import table

        found = device_of(device) if isinstance(device, str) else device
        return table(
            self.program, depth=depth, batch=batch, dtype=dtype, count=count, style=style,
            train=train, optimizer=optimizer, master_weights=master_weights,
            device=found, convention=convention, include=include, exclude=exclude, written=written,
        )  # fmt: skip

    def saved_bytes(self, *, batch: int = 1, dtype: str = "float32") -> Dim:
        """The bytes that autograd keeps of one forward pass until the backward pass.

        Args:
            batch: the number of examples.
            dtype: the type of the activations ("float32", or "fp32" for short).
        """
        from archc.memory.training import Training, plan_of

        return Training(self.program, plan_of(batch, dtype, "sgd", False)).saved

    def peak_bytes(self, *, batch: int = 1, dtype: str = "float32") -> Dim | None:
        """The most bytes that a forward pass outside training holds at once, beside the parameters.

        Args:
            batch: the number of examples.
            dtype: the type of the activations ("float32", or "fp32" for short).

        Returns:
            The bytes; None where open dimensions decide which of several sizes is the largest.
        """
        from archc.cost import bytes_of
        from archc.memory.peak import peak

        found = peak(self.program, batch=batch, width=bytes_of(dtype))
        return found[0] if len(found) == 1 else None

    def accepts(self) -> tuple[Accepted, ...]:
        """Which sizes of its inputs the net accepts with the same parameters, axis by axis.

        Found by trying sizes, from below the least one that is accepted to 64 above the net's own.

        Returns:
            Rules, each with its text (`.rule`), `.fits(size)`, and the range that was tried.
        """
        from archc.accepts import accepted_sizes

        return accepted_sizes(self.program, self._request)

    def graph(self, *, depth: int | None = None) -> networkx.MultiDiGraph[Any]:
        """The net as a graph of networkx.

        Args:
            depth: 1 for blocks as nodes beside the net's operators, 2 with those blocks opened,
                and so on; flat by default.

        Returns:
            Nodes called by their paths, edges ordered by `target_port`; see `archc.netgraph`.
        """
        from archc.netgraph import graph

        return graph(self.program, _levels(depth))

    def render(self, path: str | os.PathLike[str], *, depth: int | None = None) -> None:
        """Draw the net to a file; the suffix says the format (.svg .png .pdf .dot).

        Args:
            path: the file.
            depth: 1 for blocks as boxes, 2 with those opened, and so on; by default as much as
                stays readable.

        Raises:
            archc.render.RenderError: for another suffix, or when there is no engine to draw with.
            archc.output.OutputError: when the file cannot be written.
        """
        from pathlib import Path

        from archc.render import render

        render(self.program, Path(path), depth=_levels(depth))

    def source(
        self,
        *,
        class_name: str | None = None,
        recognize: bool = True,
        optimize: Optimization | None = None,
        comments: bool = True,
        checkpoint: bool = False,
        generate: bool = True,
    ) -> str:
        """The net as Python source that imports torch and never archc.

        Args:
            class_name: the name of the net's class, instead of the one made from its own.
            recognize: whether equations that say what a fused kernel computes become that kernel;
                both forms have the same state_dict.
            optimize: "inference" for a module that is not trained: batch norm folded into the layer
                before it, dropout removed, convolutions side by side merged. Its state_dict is
                what `optimized_state` makes of that of the module that is trained.
            comments: whether lines of `forward` say the shape of what they make.
            checkpoint: whether blocks are computed again in the backward pass instead of keeping
                what is inside: less memory, the same outputs, gradients and state_dict.
            generate: whether a net whose output can be fed back gets the methods `step`, which
                computes the next steps from what it kept of those before, and `generate`.

        Raises:
            ArchError: when a dimension is open that the module needs as a number.
        """
        from archc.emit import emit

        self.refuse_open_dimensions()
        return emit(
            self.program,
            class_name=class_name,
            probe=self.probe,
            recognize=recognize,
            optimize=optimize,
            comments=comments,
            checkpoint=checkpoint,
            generate=generate,
        )

    @property
    def generation(self) -> str:
        """What is said of `step` and `generate`: that the module has them, or why it has not; empty
        where nothing runs over time."""
        from archc.emit.whole import generation_of

        self.refuse_open_dimensions()
        return generation_of(self.program, self.probe)

    @property
    def recognized(self) -> tuple[str, ...]:
        """What the module computes by fused kernels instead of as written, one sentence each."""
        from archc.recognition import recognized

        return recognized(self.program).notes

    def to_torch(
        self,
        *,
        recognize: bool = True,
        optimize: Optimization | None = None,
        checkpoint: bool = False,
        weights: torch.nn.Module | Mapping[str, torch.Tensor] | None = None,
    ) -> torch.nn.Module:
        """A freshly initialised torch.nn.Module: what `source()` says, executed.

        Args:
            recognize: as `source` takes it.
            optimize: as `source` takes it; the module is then in evaluation mode, its weights in
                channels-last order, which convolutions on a CPU and on a GPU are fastest in.
            checkpoint: as `source` takes it.
            weights: a module that was made without `optimize`, or its state_dict, to load.

        Raises:
            KeyError: when `weights` lack a tensor that the net has.
            RuntimeError: when `weights` do not fit, as torch says it.
            ImportError: when torch is not installed.
            ArchError: when a dimension is open that the module needs as a number.
        """
        self.refuse_open_dimensions()
        try:
            from archc.torch.module import to_torch
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            message = "to_torch needs PyTorch: pip install 'arch-lang[torch]'"
            raise ImportError(message, name="torch") from error
        made = to_torch(
            self.program,
            probe=self.probe,
            recognize=recognize,
            optimize=optimize,
            checkpoint=checkpoint,
        )
        if weights is not None:
            state = weights if isinstance(weights, Mapping) else weights.state_dict()
            made.load_state_dict(state if optimize is None else self.optimized_state(state))
        return made

    def optimized_state(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The state_dict of the module for inference, from that of the module that was trained.

        Args:
            state: what `to_torch().state_dict()` gives, or the compiled file's class.

        Returns:
            New tensors for what is folded or merged, the same ones for the rest; it loads strictly
            into `to_torch(optimize="inference")`.

        Raises:
            KeyError: when a tensor that the net has is missing.
        """
        from archc.torch.inference import optimized_state

        return optimized_state(self.program, state)

    def weights(
        self,
        source: str | os.PathLike[str] | torch.nn.Module | Mapping[str, torch.Tensor],
        *,
        skip: Iterable[str] = (),
        match: Mapping[str, str] | None = None,
    ) -> Weights:
        """Take over weights of the same network that others wrote, matched by structure.

        Args:
            source: a file (`.safetensors`, or what `torch.save` wrote), which runs nothing; or a
                module or its state_dict.
            skip: names of theirs that are left out, with all below them.
            match: names of theirs, and where they go in the net, each with all below.

        Returns:
            What goes where and why, which prints as a table; `.state_dict()` loads strictly into
            `to_torch()`, and `.save(path)` writes it.

        Raises:
            archc.torch.WeightsError: when the file cannot be read, or its weights do
                not fit, or not in one way only; the message has a list.
            ImportError: when torch, or safetensors for such a file, is not installed.
            ArchError: when a dimension is open that the module needs as a number.
        """
        empty = self._empty()
        from archc.torch.weights import read, weights

        return weights(self.program, empty, read(source), skip=tuple(skip), hand=match)

    def _empty(self) -> torch.nn.Module:
        """The module without memory for its weights."""
        self.refuse_open_dimensions()
        try:
            import torch
        except ModuleNotFoundError as error:
            message = "weights need PyTorch: pip install 'arch-lang[torch]'"
            raise ImportError(message, name="torch") from error
        with torch.device("meta"):
            return self.to_torch()

    def export(
        self, path: str | os.PathLike[str], *, module: torch.nn.Module | None = None
    ) -> None:
        """Write the net in evaluation mode for programs that know nothing of its source.

        Args:
            path: the file; its suffix says the format (.onnx .pt2). The batch and the dimensions
                that are open stay dynamic.
            module: a module of this net with trained weights; a fresh one by default.

        Raises:
            archc.torch.ExportError: for another suffix, and for what the format cannot hold.
            ImportError: when torch, or what ONNX needs, is not installed.
            ArchError: when a dimension is open that the module needs as a number.
            archc.output.OutputError: when the file cannot be written.
        """
        from pathlib import Path

        model = self.to_torch() if module is None else module
        from archc.torch.export import export

        export(self.program, model, Path(path))

    def refuse_open_dimensions(self) -> None:
        """Say what must be bound before there can be a module.

        Raises:
            ArchError: when a dimension is open that the module needs as a number.
        """
        from archc.emit import needs_binding

        names = needs_binding(self.program)
        if not names:
            return
        message = f"the module needs {' and '.join(names)} as a number"
        help = "bind it: " + " ".join([f"-p {name}=16" for name in names])
        label = Label(self.program.region.span)
        raise ArchError((Diagnostic("unbound-dimension", message, (label,), help=help),))

    def probe(self, name: str, value: Any) -> Program | None:
        """The same net with one hyperparameter changed, to see what follows from it."""
        return self._probe(name, value)

    def _repr_svg_(self) -> str | None:
        from archc.render import RenderError, to_svg

        try:
            return to_svg(self.program)
        except RenderError:
            return None  # a notebook then shows what repr gives

    def __repr__(self) -> str:
        from archc.tables.rows import figure

        params, macs = figure(self.params), figure(self.macs)
        return f"<Net {self.name}: {params} parameters, {macs} multiply-adds>"


def _levels(depth: int | None) -> int | None:
    """How many levels of blocks are opened, counted from 0, for a depth as users count it."""
    if depth is not None and depth < 1:
        raise ValueError(f"a depth is at least 1, not {depth}")
    return None if depth is None else depth - 1
