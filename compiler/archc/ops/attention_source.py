"""The text of the modules that ATTENTION and ROPE become in generated code."""

from __future__ import annotations

from archlang.record import Record

__all__ = ["ROTATE", "ROTATE_FROM", "attention_class"]

ROTATE = '''def rotate(x: Tensor, base: float = 10000.0) -> Tensor:
    """Turn the features of (..., T, C) by their position (rotary positions, Su et al. 2021)."""
    steps, features = x.shape[-2:]
    exact = torch.promote_types(x.dtype, torch.float32)
    position = torch.arange(steps, device=x.device, dtype=exact)
    index = torch.arange(0, features, 2, device=x.device, dtype=exact)
    angle = position[:, None] * base ** (-index / features)
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
'''

# The same where a sequence goes on: its first step need not be the first of all.
ROTATE_FROM = ROTATE.replace(
    "base: float = 10000.0)", "base: float = 10000.0, past: int = 0)"
).replace("torch.arange(steps,", "torch.arange(past, past + steps,")

_NEWLINE = "\n"
_SETTINGS = """        dropout = self.dropout if self.training else 0.0
        grouped = self.kv_heads != self.heads
"""

# Torch's kernel for CPUs is a tenth faster so, in training a fifth; those for GPUs take any order.
_IN_ROWS = """        if x.device.type == "cpu":
            k, v = k.contiguous(), v.contiguous()
"""

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
            seen = torch.ones(steps, steps, dtype=torch.bool, device=x.device)
            mask, causal = mask & seen.tril(), False
"""


# A bias cannot be handed to the kernel beside `is_causal`.
_CAUSAL_IN_MASK = """        if self.causal:
            steps = x.shape[-2]
            seen = torch.ones(steps, steps, dtype=torch.bool, device=x.device).tril()
            mask = seen if mask is None else seen & mask
"""

_SHIFTED = """        if any(self.shift):
            together = neighbours(q, self.grid, self.shift)
            mask = together if mask is None else together & mask
"""

_BIAS = """        bias = relative_bias(self.relative, self.grid)
        if mask is not None:
            bias = bias.masked_fill(~mask, float("-inf"))
"""

_TABLE = """        distances = math.prod([2 * size - 1 for size in grid])
        self.relative = nn.Parameter(torch.empty(distances, heads))
        nn.init.trunc_normal_(self.relative, std=0.02)
"""


class _Sort(Record):
    """One sort of attention: the lines that its class has. What has a bias may be shifted too."""

    cross: bool
    rotary: bool
    window: bool
    relative: bool
    shifted: bool
    stepping: bool

    @property
    def grid(self) -> bool:
        """Whether its steps are the positions of a grid."""
        return self.relative or self.shifted

    @property
    def name(self) -> str:
        """The name of the class."""
        grid = "Relative" if self.relative else "Shifted" * self.shifted
        return (
            f"{'Rotary' * self.rotary}{grid}{'Window' * self.window}{'Cross' * self.cross}Attention"
        )


def attention_class(
    *,
    cross: bool,
    rotary: bool,
    window: bool,
    relative: bool,
    shifted: bool,
    stepping: bool = False,
) -> tuple[str, str]:
    """The name and the source of the module for one sort of attention.

    Args:
        cross: whether keys and values come from another sequence.
        rotary: whether queries and keys are turned by their positions.
        window: whether each step sees a window only.
        relative: whether scores have a learned bias by how far query and key are apart.
        shifted: whether the windows were cut from a map that was rolled.
        stepping: whether it has `step` besides, which goes on with a sequence.
    """
    sort = _Sort(
        cross=cross,
        rotary=rotary,
        window=window,
        relative=relative,
        shifted=shifted,
        stepping=stepping,
    )
    parts = [_head(sort), _constructor(sort), _WINDOW if window else "", _forward(sort)]
    if stepping:
        parts.append(_CROSS_STEP if cross else _step(sort))
    return sort.name, "".join(parts)


def _head(sort: _Sort) -> str:
    of = "from (..., T, C) to (..., S, D)" if sort.cross else "in (..., T, C)"
    words = "rotary " * sort.rotary + "local " * sort.window
    what = f"{words}multi-head".capitalize()
    return f'''class {sort.name}(nn.Module):
    """{what} attention {of} (Vaswani et al. 2017).
{_of_grid(sort)}
    A mask is True where a query (rows) may look at a key (columns).
    """
'''


def _of_grid(sort: _Sort) -> str:
    if not sort.grid:
        return ""
    learned = ", and scores have a learned bias by distance" if sort.relative else ""
    return f"""
    The steps are the positions of a grid{learned}.
    With a shift, x is (B, *windows, ..., T, C) of a map that was rolled back so far.
"""


def _constructor(sort: _Sort) -> str:
    sizes = ["features: int", *["kv_features: int"] * sort.cross, "heads: int"]
    sizes += [*["base: float"] * sort.rotary, *["window: int"] * sort.window]
    sizes += ["grid: tuple[int, ...]", "shift: tuple[int, ...] = ()"] * sort.grid
    own = [
        "        self.base = base\n" * sort.rotary,
        "        self.window = window\n" * sort.window,
    ]
    own += [
        "        self.grid, self.shift = grid, shift\n" * sort.grid,
        _TABLE * sort.relative,
    ]
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
{_projections(sort.cross)}        self.out = nn.Linear(features, features, bias=bias)
"""


def _projections(cross: bool) -> str:
    if cross:
        return """        self.q = nn.Linear(features, features, bias=bias)
        self.kv = nn.Linear(kv_features, 2 * kv_size, bias=bias)
"""
    return "        self.qkv = nn.Linear(features, features + 2 * kv_size, bias=bias)\n"


def _forward(sort: _Sort) -> str:
    inputs = "x: Tensor, memory: Tensor" if sort.cross else "x: Tensor"
    turn = "        q, k = rotate(q, self.base), rotate(k, self.base)\n" if sort.rotary else ""
    given = "bias" if sort.relative else "mask"
    causal = "" if sort.window or sort.grid else "            is_causal=causal,\n"
    return f"""
    def forward(self, {inputs}, mask: Tensor | None = None) -> Tensor:
{_split(sort.cross)}{turn}{_IN_ROWS}{_masked(sort)}{_SETTINGS}\
        y = F.scaled_dot_product_attention(
            q,
            k,
            v,
            attn_mask={given},
            dropout_p=dropout,
{causal}            enable_gqa=grouped,
        )
        made: Tensor = self.out(y.transpose(-3, -2).flatten(-2))
        return made
"""


_CROSS_STEP = """
    def step(self, x: Tensor, memory: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        \"\"\"The next steps (..., K, C); the state is the keys and values of the memory.\"\"\"
        q = self.q(x).unflatten(-1, (-1, self.width)).transpose(-3, -2)
        if state is None:
            kv = self.kv(memory).unflatten(-1, (-1, self.width)).transpose(-3, -2)
            state = kv.chunk(2, dim=-3)
        k, v = state
        dropout = self.dropout if self.training else 0.0
        grouped = self.kv_heads != self.heads
        y = F.scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, enable_gqa=grouped
        )
        return self.out(y.transpose(-3, -2).flatten(-2)), state
"""


_SEEN_NEAR = """        pairs = (q.shape[-2], k.shape[-2])
        seen = torch.ones(pairs, dtype=torch.bool, device=x.device)
        mask = seen.tril(past).triu(past + 1 - self.window)
"""

# A single step sees all so far.
_SEEN = """        mask = None
        if q.shape[-2] > 1:
            pairs = (q.shape[-2], k.shape[-2])
            seen = torch.ones(pairs, dtype=torch.bool, device=x.device)
            mask = seen.tril(past)
"""


def _step(sort: _Sort) -> str:
    """Queries of the next steps, keys and values of all so far."""
    turn = """        q, k = rotate(q, self.base, past), rotate(k, self.base, past)
"""
    masked = _SEEN_NEAR if sort.window else _SEEN
    return f"""
    def step(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        \"\"\"The next steps (..., K, C); the state is the keys and values of those before.\"\"\"
{_split(cross=False)}        past = 0 if state is None else state[0].shape[-2]
{turn * sort.rotary}        if state is not None:
            k, v = torch.cat((state[0], k), dim=-2), torch.cat((state[1], v), dim=-2)
{masked}{_SETTINGS}\
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, dropout_p=dropout, enable_gqa=grouped
        )
        return self.out(y.transpose(-3, -2).flatten(-2)), (k, v)
"""


def _masked(sort: _Sort) -> str:
    if sort.window:
        near = "        mask = self.near(x, mask)\n"
    else:
        near = _CAUSAL_IN_MASK if sort.grid else _CAUSAL
    return near + _SHIFTED * sort.grid + _BIAS * sort.relative


def _split(cross: bool) -> str:
    if cross:
        return """        q = self.q(x).unflatten(-1, (-1, self.width)).transpose(-3, -2)
        kv = self.kv(memory).unflatten(-1, (-1, self.width)).transpose(-3, -2)
        k, v = kv.chunk(2, dim=-3)
"""
    return """        qkv = self.qkv(x).unflatten(-1, (-1, self.width)).transpose(-3, -2)
        q, k, v = qkv.split((self.heads, self.kv_heads, self.kv_heads), dim=-3)
"""
