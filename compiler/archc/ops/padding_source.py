"""The text of the functions by which generated code leaves padding out."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["PADDING", "padding_functions"]

_HOLD_LAST = '''def hold_last(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, T, ...) with copies of its last real step in the place of what lies behind it."""
    if lengths.shape != x.shape[:1]:
        shape = tuple(lengths.shape)
        raise ValueError(f"expected {x.shape[0]} lengths, got the shape {shape}")
    known = lengths.device.type == "cpu" and not torch.compiler.is_compiling()
    if known and bool(((lengths < 1) | (lengths > x.shape[1])).any()):
        found = lengths.tolist()
        raise ValueError(f"expected lengths from 1 to {x.shape[1]}, got {found}")
    steps = torch.arange(x.shape[1], device=x.device)
    steps = torch.minimum(steps, lengths.to(x.device)[:, None] - 1)
    return x[torch.arange(x.shape[0], device=x.device)[:, None], steps]
'''

_REAL_STEPS = '''def real_steps(lengths: Tensor, x: Tensor, steps: int) -> Tensor:
    """Which of so many steps are real: (B, T), on the device of x."""
    return torch.arange(steps, device=x.device) < lengths.to(x.device)[:, None]
'''

_FILL_PADDING = '''def fill_padding(
    x: Tensor, lengths: Tensor, dim: int, value: float | None = None
) -> Tensor:
    """x with a number, its type's lowest if none is given, where padding stands along an axis."""
    real = real_steps(lengths, x, x.shape[dim])
    real = real.view([size if i in (0, dim) else 1 for i, size in enumerate(x.shape)])
    return x.masked_fill(~real, torch.finfo(x.dtype).min if value is None else value)
'''

_LAST_REAL = '''def last_real(x: Tensor, lengths: Tensor) -> Tensor:
    """The last real step of each example of (B, T, ...)."""
    return x[torch.arange(x.shape[0], device=x.device), lengths.to(x.device) - 1]
'''

_REVERSE_REAL = '''def reverse_real(x: Tensor, lengths: Tensor) -> Tensor:
    """(B, T, ...) with its real steps turned round; those behind them stay where they are."""
    steps, last = torch.arange(x.shape[1], device=x.device), lengths.to(x.device)[:, None] - 1
    steps = torch.where(steps > last, steps, last - steps)
    return x[torch.arange(x.shape[0], device=x.device)[:, None], steps]
'''

_REAL_SHARE = '''def real_share(x: Tensor, lengths: Tensor, dim: int, rank: int) -> Tensor:
    """By how much a mean over all steps is too small, as (B, 1, ...) of so many axes."""
    counts = lengths.to(x.device, torch.promote_types(x.dtype, torch.float32))
    return (x.shape[dim] / counts).to(x.dtype).view(-1, *[1] * (rank - 1))
'''

_REAL_KEYS = '''def real_keys(
    lengths: Tensor, x: Tensor, rank: int, causal: bool = False, own: bool = False
) -> Tensor:
    """Which keys of x (B, ..., S, C) a query may look at: a mask of so many axes, True where.

    Padding is hidden; with causal what comes later as well. With own each query may look at the key
    of its own step, so that a query in the padding sees something.
    """
    steps = x.shape[-2]
    mask = real_steps(lengths, x, steps).view(-1, *[1] * (rank - 2), steps)
    if causal:
        mask = mask & torch.ones(steps, steps, dtype=torch.bool, device=x.device).tril()
    if own:
        mask = mask | torch.eye(steps, dtype=torch.bool, device=x.device)
    return mask
'''

_HELD = '''def held(real: Tensor, now: Tensor, before: Tensor) -> Tensor:
    """The state of this step where it is real (B), that of the step before elsewhere."""
    return torch.where(real.view(-1, *[1] * (now.dim() - 1)), now, before)
'''

_PACKED = '''def packed(layer: nn.Module, x: Tensor, lengths: Tensor) -> tuple[Tensor, Any]:
    """A recurrent layer on the real steps of (B, T, C), with zeros in the place of the others."""
    steps = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    y, state = layer(steps)
    return pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])[0], state
'''

_ATTEND_REAL = '''def attend_real(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor, scale: float | None = None
) -> Tensor:
    """softmax(scale * q @ k') @ v of (B, T, C), (B, S, C) and (B, S, D), where mask is True."""
    q, k, v = q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale).squeeze(1)
'''

PADDING: Mapping[str, str] = {
    "hold_last": _HOLD_LAST,
    "real_steps": _REAL_STEPS,
    "fill_padding": _FILL_PADDING,
    "last_real": _LAST_REAL,
    "reverse_real": _REVERSE_REAL,
    "real_share": _REAL_SHARE,
    "real_keys": _REAL_KEYS,
    "held": _HELD,
    "packed": _PACKED,
    "attend_real": _ATTEND_REAL,
}


def padding_functions(text: str) -> list[str]:
    """The sources of the functions that a text calls, with those that they call in turn."""
    found: list[str] = []
    wanted = [name for name in PADDING if re.search(rf"\b{name}\(", text)]
    while wanted:
        found += wanted
        inner = "".join([PADDING[name] for name in found])
        wanted = [n for n in PADDING if n not in found and re.search(rf"\b{n}\(", inner)]
    return [PADDING[name].rstrip("\n") for name in PADDING if name in found]
