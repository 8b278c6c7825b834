"""Equations written with joins, patterns and selections, from the text to a module that runs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import archc

ATTENTION = """
dim T
block Heads(h) = FC(x.c) -> RESHAPE("t (h d) -> h t d", h=h)
block Attention(h) {
  q = x -> Heads(h) as queries
  k = x -> Heads(h) as keys
  v = x -> Heads(h) as values
  out (({ q @ k' / sqrt(q.c) } -> SOFTMAX) @ v) -> RESHAPE("h t d -> t (h d)")
}
net Layer = SEQUENCE(T, 15) -> Attention(3) as attention
"""


def test_attention_as_an_equation():
    net = archc.load(source=ATTENTION)
    assert net.params == 3 * (15 * 15 + 15)
    assert str(net.macs) == "30*T**2 + 675*T"
    model = net.to_torch()
    x = torch.randn(2, 7, 15)
    q, k, v = [
        F.linear(x, weight, bias).reshape(2, 7, 3, 5).transpose(1, 2)
        for weight, bias in zip(
            [p for name, p in model.named_parameters() if name.endswith("weight")],
            [p for name, p in model.named_parameters() if name.endswith("bias")],
            strict=True,
        )
    ]
    expected = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 7, 15)
    torch.testing.assert_close(model(x), expected, atol=1e-5, rtol=1e-5)
    longer = torch.randn(3, 11, 15)
    assert model(longer).shape == (3, 11, 15)


def test_heads_that_were_not_joined_are_a_mistake():
    forgotten = ATTENTION.replace(' -> RESHAPE("h t d -> t (h d)")', "").replace(
        "Attention(3) as attention", "{ ID + Attention(3) }"
    )
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=forgotten)
    found = caught.value.diagnostics[0]
    assert found.message == "cannot add (T, 15) and (3, T, 5)"
    assert found.help == 'join the axes in front first: `RESHAPE("h t c -> t (h c)")`'


def test_shifted_windows_with_a_table_come_back_to_their_places():
    net = archc.load(
        source="""
        block Windows(a) {
          param table = (4, a*a, 8) init normal(1.0)
          y = x -> ROLL(-1, axis=(h, w)) -> RESHAPE("c (m a) (n b) -> (m n) (a b) c", a=a, b=a)
          z = y -> RESHAPE("n t (h d) -> n h t d", h=4)
          out z -> RESHAPE("n h t d -> n t (h d)")
            -> RESHAPE("(m n) (a b) c -> c (m a) (n b)", m=2, a=a) -> ROLL(1, axis=(h, w))
        }
        net Net = INPUT(32, 6, 9) -> Windows(3)
        """
    )
    x = torch.randn(2, 32, 6, 9)
    assert torch.equal(net.to_torch()(x), x)


def test_a_table_reaches_over_all_windows():
    net = archc.load(
        source="""
        net Net { in x = SEQUENCE(10, 12)
          param table = (3, 5, 4) init normal(1.0)
          y = x -> RESHAPE("(n t) (h d) -> n h t d", t=5, h=3)
          out y + table }
        """
    )
    model, x = net.to_torch(), torch.randn(2, 10, 12)
    split = x.reshape(2, 2, 5, 3, 4).transpose(2, 3)
    torch.testing.assert_close(model(x), split + next(model.parameters()))


def test_a_gate_on_each_frame_of_a_video():
    net = archc.load(source="SEQUENCE(5, 6, 7, 11) -> { ID * [GAP -> FC(6) -> SIGMOID] }")
    model, x = net.to_torch(), torch.randn(2, 5, 6, 7, 11)
    weight, bias = model.parameters()
    gate = torch.sigmoid(F.linear(x.mean((3, 4)), weight, bias))
    torch.testing.assert_close(model(x), x * gate.reshape(2, 5, 6, 1, 1))


def test_a_class_token():
    net = archc.load(
        source="""
        net Net { in img = INPUT(3, 8, 12)
          param cls = (1, 5)
          patches = img -> CONV(5, 4, 4, pad=0) -> RESHAPE("c h w -> (h w) c")
          out { cls, patches } -> CONCAT(axis=t) }
        """
    )
    model, x = net.to_torch(), torch.randn(2, 3, 8, 12)
    result = model(x)
    assert result.shape == (2, 7, 5)
    assert not result[:, 0].any()


def test_a_sampled_code_is_its_mean_outside_training():
    net = archc.load(
        source="""
        net Net { in x = INPUT(13)
          mu = x -> FC(5)
          sigma = { x -> FC(5) / 2 } -> EXP
          out mu + sigma * (mu -> NOISE), mu }
        """
    )
    model, x = net.to_torch(), torch.randn(2, 13)
    sample, mean = model.eval()(x)
    assert torch.equal(sample, mean)
    sample, mean = model.train()(x)
    assert not torch.equal(sample, mean)


def test_arithmetic_binds_as_it_is_written():
    net = archc.load(source="INPUT(13) -> { (1 - SIGMOID) * ID + SIGMOID * TANH - -ID ** 2 / 3 }")
    x = torch.randn(2, 13)
    gate = torch.sigmoid(x)
    expected = (1 - gate) * x + gate * torch.tanh(x) + x * x / 3
    torch.testing.assert_close(net.to_torch()(x), expected)
