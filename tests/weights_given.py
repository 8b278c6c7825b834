"""State_dicts as others write them, for the tests of `archc weights`."""

from __future__ import annotations

from typing import Any

import torch
from peers import torchvision_network
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "bert_says", "bert_state", "gpt2_says", "gpt2_state", "outputs", "peer", "randomised",
    "without_chance",
]  # fmt: skip


def peer(name: str, **options: Any) -> nn.Module:
    """A network of torchvision in float64 with random weights, biases and running statistics."""
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False  # it would take longer than all the rest
    with torch.device("meta"):
        made = torchvision_network(name, **options).double()
    return randomised(made.to_empty(device="cpu"))


def randomised(module: nn.Module) -> nn.Module:
    """The module with other values in every parameter and statistic, of a size that nets need."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            tensor.copy_(_random(name, tensor))
    return module


def _random(name: str, like: Tensor) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(7)
    if name.endswith("running_var"):
        return 0.5 + torch.rand_like(like)
    spread = max(like[0].numel(), 1) ** -0.5 if like.dim() > 1 else 0.3
    middle = 1.0 if like.dim() == 1 and name.endswith("weight") else 0.0
    return middle + spread * torch.randn_like(like)


def without_chance(module: nn.Module, training: bool) -> nn.Module:
    """The module in a mode, in which nothing is dropped at random."""
    module.train(training)
    for inside in module.modules():
        if any(word in type(inside).__name__ for word in ("Drop", "Stochastic")):
            inside.eval()
    return module


def outputs(module: nn.Module, *inputs: Tensor) -> tuple[Tensor, ...]:
    """What a module says, without gradients."""
    with torch.no_grad():
        made = module(*inputs)
    return made if isinstance(made, tuple) else (made,)


def gpt2_state(layers: int, d: int, vocab: int, context: int) -> dict[str, Tensor]:
    """What Hugging Face's GPT2LMHeadModel saves: turned weights, masks, the table twice."""
    state = {"transformer.wte.weight": (vocab, d), "transformer.wpe.weight": (context, d)}
    for layer in range(layers):
        state |= _gpt2_layer(f"transformer.h.{layer}.", d)
    state |= {"transformer.ln_f.weight": (d,), "transformer.ln_f.bias": (d,)}
    made = {name: _random(name, torch.empty(shape)) for name, shape in state.items()}
    made["lm_head.weight"] = made["transformer.wte.weight"]
    for layer in range(layers):
        mask = torch.ones(context, context).tril()
        made[f"transformer.h.{layer}.attn.bias"] = mask.reshape(1, 1, context, context)
        made[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    return made


def _gpt2_layer(here: str, d: int) -> dict[str, tuple[int, ...]]:
    linear = {"attn.c_attn": (d, 3 * d), "attn.c_proj": (d, d), "mlp.c_fc": (d, 4 * d)}
    linear["mlp.c_proj"] = (4 * d, d)
    shapes: dict[str, tuple[int, ...]] = {}
    for name in ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"):
        shape = linear.get(name, (d,))
        shapes |= {f"{here}{name}.weight": shape, f"{here}{name}.bias": shape[-1:]}
    return shapes


def gpt2_says(state: dict[str, Tensor], tokens: Tensor, layers: int, heads: int) -> Tensor:
    """GPT-2 as its paper and Hugging Face have it, written out."""

    def turned(name: str, x: Tensor) -> Tensor:
        return x @ state[f"{name}.weight"] + state[f"{name}.bias"]

    table = state["transformer.wte.weight"]
    x = table[tokens] + state["transformer.wpe.weight"][: tokens.shape[1]]
    for layer in range(layers):
        here = f"transformer.h.{layer}."
        q, k, v = turned(f"{here}attn.c_attn", normed(state, f"{here}ln_1", x, 1e-5)).chunk(3, -1)
        x = x + turned(f"{here}attn.c_proj", attended(q, k, v, heads, causal=True))
        wide = turned(f"{here}mlp.c_fc", normed(state, f"{here}ln_2", x, 1e-5))
        x = x + turned(f"{here}mlp.c_proj", F.gelu(wide, approximate="tanh"))
    return normed(state, "transformer.ln_f", x, 1e-5) @ table.T


def normed(state: dict[str, Tensor], name: str, x: Tensor, eps: float) -> Tensor:
    """Layer normalisation with the weights of that name."""
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)


def attended(q: Tensor, k: Tensor, v: Tensor, heads: int, *, causal: bool) -> Tensor:
    """Attention of several heads, without its projections."""
    parts = [t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v)]
    scores = parts[0] @ parts[1].transpose(-1, -2) / parts[0].shape[-1] ** 0.5
    if causal:
        hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(hidden, -torch.inf)
    return (scores.softmax(-1) @ parts[2]).transpose(1, 2).flatten(2)


def bert_state(layers: int, d: int, vocab: int, context: int) -> dict[str, Tensor]:
    """What Hugging Face's BertModel saves: queries, keys and values apart."""
    state: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (vocab, d),
        "embeddings.position_embeddings.weight": (context, d),
        "embeddings.token_type_embeddings.weight": (2, d),
    }
    linear = {"embeddings.LayerNorm": (d,)}
    for layer in range(layers):
        here = f"encoder.layer.{layer}."
        linear |= {f"{here}attention.self.{name}": (d, d) for name in ("query", "key", "value")}
        linear |= {
            f"{here}attention.output.dense": (d, d),
            f"{here}attention.output.LayerNorm": (d,),
        }
        linear |= {f"{here}intermediate.dense": (4 * d, d), f"{here}output.dense": (d, 4 * d)}
        linear |= {f"{here}output.LayerNorm": (d,)}
    linear["pooler.dense"] = (d, d)
    for name, shape in linear.items():
        state |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    made = {name: _random(name, torch.empty(shape)) for name, shape in state.items()}
    return {"embeddings.position_ids": torch.arange(context)[None], **made}


def bert_says(
    state: dict[str, Tensor], tokens: Tensor, segments: Tensor, layers: int, heads: int
) -> tuple[Tensor, Tensor]:
    """BERT as its paper and Hugging Face have it, written out."""

    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    tables = {name: state[f"embeddings.{name}_embeddings.weight"]
              for name in ("word", "position", "token_type")}  # fmt: skip
    x = tables["word"][tokens] + tables["token_type"][segments]
    x = normed(state, "embeddings.LayerNorm", x + tables["position"][: tokens.shape[1]], 1e-12)
    for layer in range(layers):
        here = f"encoder.layer.{layer}."
        q, k, v = [linear(f"{here}attention.self.{n}", x) for n in ("query", "key", "value")]
        seen = linear(f"{here}attention.output.dense", attended(q, k, v, heads, causal=False))
        x = normed(state, f"{here}attention.output.LayerNorm", x + seen, 1e-12)
        wide = F.gelu(linear(f"{here}intermediate.dense", x))
        x = normed(state, f"{here}output.LayerNorm", x + linear(f"{here}output.dense", wide), 1e-12)
    return x, linear("pooler.dense", x[:, 0]).tanh()
