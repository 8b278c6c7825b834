"""The text of the modules that ATTENTION, ROPE and MASK become in generated code."""

from __future__ import annotations

__all__ = ["CAUSAL_MASK", "ROTATE", "attention_class"]

ROTATE = '''def rotate(x: Tensor, base: float = 10000.0) -> Tensor:
    """Turn the features of (..., T, C) by their position (rotary positions, Su et al. 2021)."""
    steps, features = x.shape[-2:]
    position = torch.arange(steps, device=x.device, dtype=torch.float32)
    index = torch.arange(0, features, 2, device=x.device, dtype=torch.float32)
    angle = position[:, None] * base ** (-index / features)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
'''

CAUSAL_MASK = '''def causal_mask(scores: Tensor) -> Tensor:
    """Minus infinity where a step of the queries (rows) would see a later key (columns)."""
    allowed = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    return scores.masked_fill(~allowed, float("-inf"))
'''

_NEWLINE = "\n"

_WINDOW = '''
    def near(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The steps (T, T) that each step sees: those less than window away."""
        seen = torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device)
        seen = seen.triu(1 - self.window).tril(0 if self.causal else self.window - 1)
        return seen if mask is None else seen & mask
'''

_CAUSAL = """        causal = self.causal
        if mask is not None and causal:
            steps = x.shape[-2]
            mask = mask & torch.ones(steps, steps, dtype=torch.bool, device=x.device).tril()
            causal = False
"""


def attention_class(*, cross: bool, rotary: bool, window: bool) -> tuple[str, str]:
    """The name and the source of the module for one sort of attention.

    Args:
        cross: whether keys and values come from another sequence.
        rotary: whether queries and keys are turned by their positions.
        window: whether each step sees a window only.
    """
    name = f"{'Rotary' * rotary}{'Window' * window}{'Cross' * cross}Attention"
    parts = [
        _head(name, cross, rotary, window),
        _constructor(cross, rotary, window),
        _WINDOW if window else "",
        _forward(cross, rotary, window),
    ]
    return name, "".join(parts)


def _head(name: str, cross: bool, rotary: bool, window: bool) -> str:
    of = "from (..., T, C) to (..., S, D)" if cross else "in (..., T, C)"
    sort = f"{'rotary ' * rotary}{'local ' * window}multi-head".capitalize()
    return f'''class {name}(nn.Module):
    """{sort} attention {of} (Vaswani et al. 2017).

    A mask is True where a query (rows) may look at a key (columns).
    """
'''


def _constructor(cross: bool, rotary: bool, window: bool) -> str:
    sizes = ["features: int", *["kv_features: int"] * cross, "heads: int"]
    sizes += [*["base: float"] * rotary, *["window: int"] * window]
    own = ["        self.base = base\n" * rotary, "        self.window = window\n" * window]
    return f"""
    def __init__(
        self,
{"".join([f"        {size},{_NEWLINE}" for size in sizes])}        kv_heads: int | None = None,
        causal: bool = False,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads, self.kv_heads = heads, kv_heads or heads
        self.width, self.causal, self.dropout = features // heads, causal, dropout
{"".join(own)}        kv_size = self.kv_heads * self.width
{_projections(cross)}        self.out = nn.Linear(features, features, bias=bias)
"""


def _projections(cross: bool) -> str:
    if cross:
        return """        self.q = nn.Linear(features, features, bias=bias)
        self.kv = nn.Linear(kv_features, 2 * kv_size, bias=bias)
"""
    return "        self.qkv = nn.Linear(features, features + 2 * kv_size, bias=bias)\n"


def _forward(cross: bool, rotary: bool, window: bool) -> str:
    inputs = "x: Tensor, memory: Tensor" if cross else "x: Tensor"
    turn = "        q, k = rotate(q, self.base), rotate(k, self.base)\n" if rotary else ""
    masked = "        mask = self.near(x, mask)\n" if window else _CAUSAL
    causal = "" if window else "is_causal=causal, "
    return f"""
    def forward(self, {inputs}, mask: Tensor | None = None) -> Tensor:
{_split(cross)}{turn}{masked}        dropout = self.dropout if self.training else 0.0
        grouped = self.kv_heads != self.heads
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, dropout_p=dropout, {causal}enable_gqa=grouped
        )
        return self.out(y.transpose(-3, -2).flatten(-2))
"""


def _split(cross: bool) -> str:
    if cross:
        return """        q = self.q(x).unflatten(-1, (-1, self.width)).transpose(-3, -2)
        kv = self.kv(memory).unflatten(-1, (-1, self.width)).transpose(-3, -2)
        k, v = kv.chunk(2, dim=-3)
"""
    return """        qkv = self.qkv(x).unflatten(-1, (-1, self.width)).transpose(-3, -2)
        q, k, v = qkv.split((self.heads, self.kv_heads, self.kv_heads), dim=-3)
"""
