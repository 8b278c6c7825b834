"""The weights of GPT-2 and BERT as Hugging Face saves them, and of torch's own transformer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import archc
from archc.torch import WeightsError
from weights_given import bert_says, bert_state, gpt2_says, gpt2_state, outputs, randomised

LIBRARY = Path(__file__).parents[1] / "archs"
LAYERS, D, HEADS, VOCAB, CONTEXT = 3, 24, 4, 53, 19


def small(file: str, text: str) -> archc.Net:
    """A small net of a family of the library."""
    return archc.load("small", source=f"{(LIBRARY / file).read_text()}\nnet small = {text}\n")


GPT2 = f"GPT2({LAYERS}, {D}, {HEADS}, vocab={VOCAB}, context={CONTEXT})"
BERT = f"BERT({LAYERS}, {D}, {HEADS}, vocab={VOCAB}, context={CONTEXT})"


def in_double(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.double() if t.is_floating_point() else t for name, t in state.items()}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_gpt2_says_what_it_says(suffix: str, tmp_path: Path) -> None:
    state = in_double(gpt2_state(LAYERS, D, VOCAB, CONTEXT))
    path = tmp_path / f"theirs{suffix}"
    write = torch.save if suffix == ".pth" else save_file
    write({name: tensor.clone() for name, tensor in state.items()}, path)
    net = small("gpt.arch", GPT2)
    found = net.weights(path)
    tied = {"lm_head.weight", "transformer.wte.weight"}
    assert len(tied & set(found.dropped)) == 1
    assert found.dropped["transformer.h.1.attn.bias"] == "a mask"
    model = net.to_torch().double().eval()
    model.load_state_dict(found.state_dict(), strict=True)
    tokens = torch.randint(VOCAB, (2, 11))
    (said,) = outputs(model, tokens)
    torch.testing.assert_close(said, gpt2_says(state, tokens, LAYERS, HEADS), rtol=0, atol=1e-12)


@pytest.mark.parametrize("named", ["", "bert."])
@pytest.mark.parametrize("ordered", [True, False])
def test_bert_says_what_it_says(named: str, ordered: bool) -> None:
    state = in_double(bert_state(LAYERS, D, VOCAB, CONTEXT))
    net = small("bert.arch", BERT)
    given = {named + name: tensor for name, tensor in state.items()}
    found = net.weights(given if ordered else dict(sorted(given.items())))
    model = net.to_torch().double().eval()
    model.load_state_dict(found.state_dict(), strict=True)
    tokens, segments = torch.randint(VOCAB, (2, 11)), torch.randint(2, (2, 11))
    for said, expected in zip(
        outputs(model, tokens, segments),
        bert_says(state, tokens, segments, LAYERS, HEADS),
        strict=True,
    ):
        torch.testing.assert_close(said, expected, rtol=0, atol=1e-12)


def test_a_bert_with_its_heads_says_what_to_leave_out() -> None:
    state = {
        f"bert.{name}": tensor for name, tensor in bert_state(LAYERS, D, VOCAB, CONTEXT).items()
    }
    old = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    for new, before in old.items():
        state = {name.replace(new, before): tensor for name, tensor in state.items()}
    heads = {"predictions.transform.dense": (D, D), "seq_relationship": (2, D)}
    for name, shape in heads.items():
        state |= {
            f"cls.{name}.weight": torch.randn(shape),
            f"cls.{name}.bias": torch.randn(shape[0]),
        }
    state["cls.predictions.bias"] = torch.randn(VOCAB)
    state["cls.predictions.decoder.weight"] = state["bert.embeddings.word_embeddings.weight"]
    net = small("bert.arch", BERT)
    with pytest.raises(WeightsError, match="\n--skip cls would leave those out"):
        net.weights(state)
    made = net.weights(state, skip=["cls"]).state_dict()
    gamma = state["bert.embeddings.LayerNorm.gamma"]
    assert torch.equal(made["ln.weight"], gamma)


ENCODER = """
block Layer(heads) =
  { ID + ATTENTION(heads) } -> LN -> { ID + FC(2*x.c) -> RELU -> FC(x.c) } -> LN
net Encoder = SEQUENCE(7, 24) -> [Layer(4)]*3
"""


@pytest.mark.parametrize("ordered", [True, False])
def test_the_encoder_of_torch_registers_norms_last(ordered: bool) -> None:
    layer = nn.TransformerEncoderLayer(24, 4, 48, dropout=0.0, batch_first=True)
    theirs = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).double().eval()
    randomised(theirs)
    net = archc.load(source=ENCODER)
    state = theirs.state_dict()
    found = net.weights(state if ordered else dict(sorted(state.items())))
    model = net.to_torch().double().eval()
    model.load_state_dict(found.state_dict(), strict=True)
    sequence = torch.randn(2, 7, 24, dtype=torch.float64)
    torch.testing.assert_close(outputs(model, sequence), outputs(theirs, sequence))


CROSS = """
net Cross {
  in x = SEQUENCE(7, 24), memory = SEQUENCE(5, 24)
  out x -> ATTENTION(4, kv=memory)
}
"""


@pytest.mark.parametrize("apart", [True, False])
def test_queries_apart_from_keys_and_values(apart: bool) -> None:
    theirs = randomised(nn.MultiheadAttention(24, 4, batch_first=True).double())
    state = dict(theirs.state_dict())
    if apart:
        for role in ("weight", "bias"):
            for name, piece in zip("qkv", state.pop(f"in_proj_{role}").chunk(3), strict=True):
                state[f"{name}_proj.{role}"] = piece
    net = archc.load(source=CROSS)
    model = net.to_torch().double()
    model.load_state_dict(net.weights(state).state_dict(), strict=True)
    x, memory = [torch.randn(2, steps, 24, dtype=torch.float64) for steps in (7, 5)]
    (said,) = outputs(model, x, memory)
    torch.testing.assert_close(said, outputs(theirs, x, memory, memory)[0])


def test_projections_that_are_kept_head_by_head_are_refused() -> None:
    net = archc.load(source=CROSS.replace("kv=memory", "").replace("(4, )", "(4)"))
    state = {"query_key_value.weight": torch.zeros(72, 24), "query_key_value.bias": torch.zeros(72)}
    state |= {"dense.weight": torch.zeros(24, 24), "dense.bias": torch.zeros(24)}
    with pytest.raises(WeightsError, match="head by head"):
        net.weights(state)


def test_square_weights_beside_layers_of_both_kinds_are_refused() -> None:
    text = "net Mixed = INPUT(5) -> FC(7) -> FC(7) -> FC(3)\n"
    names = {"a": (5, 7), "b": (7, 7), "c": (3, 7)}
    state = {f"{name}.weight": torch.zeros(shape) for name, shape in names.items()}
    state |= {
        f"{name}.bias": torch.zeros(size) for name, size in zip("abc", (7, 7, 3), strict=True)
    }
    with pytest.raises(WeightsError, match=r"turned and others are not.*\n  b 7×7"):
        archc.load(source=text).weights(state)
