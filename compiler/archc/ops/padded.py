"""What operators along padded steps have in common: filled padding, reductions of real steps."""

from __future__ import annotations

from collections.abc import Collection

from archc.op import Expression, Op
from archc.padding import Meeting, Padded, handed_on
from archc.shapes import Shape

__all__ = ["held_part", "of_real", "padded_reduction", "real_part", "without_padding"]


def without_padding(
    shape: Shape,
    position: int,
    stream: str = "{0}",
    counts: str = "{1}",
    value: str = "",
) -> str:
    """The text of a stream with a number where there is padding along an axis.

    Args:
        shape: of the stream.
        position: of the axis; where it has no padding the stream stays as it is.
        stream: the text of the stream.
        counts: the text of the input that holds the lengths.
        value: the text of the number; none means the lowest number of the type.
    """
    lengths = shape.axes[position].lengths if shape.axes else None
    if lengths is None:
        return stream
    number = f", {value}" if value else ""
    return f"fill_padding({stream}, {lengths.written(counts)}, {position + 1}{number})"


def real_part(shape: Shape, moved: Collection[int]) -> str:
    """The text of what flows in with zeros in the place of the padding along moved axes."""
    position = next((i for i in moved if shape.axes[i].lengths is not None), None)
    return "{0}" if position is None else without_padding(shape, position, value="0.0")


def held_part(shape: Shape, moved: Collection[int]) -> str:
    """The text of what flows in with copies of the last real step in the place of the padding.

    No maximum over a window that has a real step in it is another for them, and what a window of
    padding gives is an ordinary number, which nothing behind makes infinite.
    """
    lengths = shape.axes[0].lengths if 0 in moved and shape.axes else None
    return "{0}" if lengths is None else f"hold_last({{0}}, {lengths.written('{1}')})"


def padded_reduction(
    op: Op, positions: Collection[int], inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]
) -> Padded:
    """What a reduction makes of padding: it reduces the real positions alone.

    Raises:
        Meeting: where two of the axes that it reduces are padded.
    """
    shape = inputs[0]
    reduced = [i for i in positions if shape.axes[i].lengths is not None]
    if len(reduced) > 1:
        message = f"{op.name} over two padded axes of {shape} at once"
        raise Meeting(message, "reduce one after the other")
    gone = [shape.axes[i].name for i in reduced]
    reads = [axis.lengths for axis in [shape.axes[i] for i in reduced] if axis.lengths is not None]
    return Padded(handed_on(op.name, (), inputs, outputs, gone=gone), tuple(reads))


def of_real(
    form: Expression, shape: Shape, positions: Collection[int], result: Shape, *, mean: bool
) -> Expression:
    """The form of a mean or maximum, of real positions alone where an axis is padded."""
    position = next((i for i in positions if shape.axes[i].lengths is not None), None)
    if position is None:
        return form
    lengths = shape.axes[position].lengths
    assert lengths is not None
    filled = without_padding(shape, position, value="0.0" if mean else "")
    template = form.template.replace("{0}", filled, 1)
    if not mean:
        return form.replace(template=template)
    share = f"real_share({{0}}, {lengths.written('{1}')}, {position + 1}, {result.rank + 1})"
    return form.replace(template=f"{template} * {share}", precedence="product")
