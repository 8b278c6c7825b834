"""What a generated file does when it is run: the net on a random batch."""

from __future__ import annotations

from archc.dims import Poly
from archc.emit.lines import Lines
from archc.graph import Port, Program
from archc.shapes import Shape

__all__ = ["example"]

BATCH = 2


def example(program: Program, class_name: str, memory_format: str = "") -> list[str]:
    """The lines that print the number of parameters, and what a batch of two becomes.

    The batch is left out where a size is open: which numbers fit is not for a file to guess.

    Args:
        program: the net.
        class_name: of its class.
        memory_format: torch's name of the order that the module's weights are put into, if any.
    """
    lines = Lines()
    body = lines.block()
    order = f".to(memory_format=torch.{memory_format})" if memory_format else ""
    body.add(f"model = {class_name}().eval(){order}")
    body.add("parameters = sum(p.numel() for p in model.parameters())")
    ports = program.region.inputs
    shapes = [port.shape for port in ports]
    outputs = [output for output in program.region.outputs if not output.training]
    if any(isinstance(size, Poly) for shape in shapes for size in shape.sizes) or len(outputs) != 1:
        body.add('print(f"{parameters:,} parameters")')
    else:
        inputs = ", ".join([_given(port) for port in ports])
        body.add(f"output = model({inputs})")
        body.add('print(f"{parameters:,} parameters, {tuple(output.shape)} out")')
    lines.nest('if __name__ == "__main__":', body)
    return lines.render(0)


def _given(port: Port) -> str:
    if port.lengths_of is None:
        return _random(port.shape)
    assert port.shape.vocabulary is not None
    return f"torch.randint(1, {port.shape.vocabulary}, ({BATCH},))"


def _random(shape: Shape) -> str:
    sizes = ", ".join([str(size) for size in (BATCH, *shape.sizes)])
    if shape.vocabulary is None:
        return f"torch.randn({sizes})"
    return f"torch.randint({shape.vocabulary}, ({sizes}))"
