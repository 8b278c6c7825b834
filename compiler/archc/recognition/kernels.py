"""What generated files define to call torch's recurrent kernels with the weights of equations."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["HELPERS", "WITH_BOTH"]

_LSTM = '''def lstm(
    x: Tensor,
    start: tuple[Tensor, Tensor] | None,
    w_x: Tensor,
    w_h: Tensor,
    b_x: Tensor | None,
    b_h: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor]:
    """A long short-term memory on (B, T, C) by a fused kernel; gates in the order i, f, g, o."""
    zeros = x.new_zeros(x.shape[0], w_h.shape[1])
    h, c = start or (zeros, zeros)
    none = w_x.new_zeros(w_x.shape[0])
    weights = [w_x, w_h, none if b_x is None else b_x, none if b_h is None else b_h]
    states = (h[None], c[None])
    y, h, c = torch.lstm(x, states, weights, True, 1, 0.0, True, False, True)
    return y, h[0], c[0]
'''

_ONE = '''def {name}(
    x: Tensor,
    start: Tensor | None,
    w_x: Tensor,
    w_h: Tensor,
    b_x: Tensor | None,
    b_h: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """{what} on (B, T, C) by a fused kernel."""
    h = x.new_zeros(x.shape[0], w_h.shape[1]) if start is None else start
    none = w_x.new_zeros(w_x.shape[0])
    weights = [w_x, w_h, none if b_x is None else b_x, none if b_h is None else b_h]
    y, h = torch.{kernel}(x, h[None], weights, True, 1, 0.0, True, False, True)
    return y, h[0]
'''

# What a sequence goes on with is one value, and an LSTM leaves two.
WITH_BOTH = '''def with_both(
    made: tuple[Tensor, Tensor, Tensor],
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """A sequence, and the state h and c at its end."""
    return made[0], made[1:]
'''

HELPERS: Mapping[str, str] = {
    "lstm": _LSTM,
    "gru": _ONE.format(
        name="gru", kernel="gru", what="A gated recurrent unit (gates in the order r, z, n)"
    ),
    "rnn_tanh": _ONE.format(name="rnn_tanh", kernel="rnn_tanh", what="Elman's cell with tanh"),
    "rnn_relu": _ONE.format(name="rnn_relu", kernel="rnn_relu", what="Elman's cell with relu"),
}
