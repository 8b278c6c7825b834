"""Names that timm and Hugging Face give, in the order of use and sorted: each finds its place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

import archc

LIBRARY = Path(__file__).parents[1] / "archs"


class Family(NamedTuple):
    """A net, and what its tensors are called elsewhere: patterns, of which the first one counts."""

    net: str
    names: dict[str, str]
    source: str = ""


FAMILIES = {
    "ViT of timm": Family("vit_b_16", {
        r"token": "cls_token", r"conv\.": "patch_embed.proj.", r"posembed\.weight": "pos_embed",
        r"layer\.(\d+)\.ln(.)": r"blocks.\1.norm\2",
        r"layer\.(\d+)\.attention\.out": r"blocks.\1.attn.proj",
        r"layer\.(\d+)\.attention": r"blocks.\1.attn", r"layer\.(\d+)\.fc": r"blocks.\1.mlp.fc",
        r"ln\.": "norm.", r"fc\.": "head.",
    }),
    "ViT of Hugging Face": Family("vit_b_16", {
        r"token": "vit.embeddings.cls_token",
        r"posembed\.weight": "vit.embeddings.position_embeddings",
        r"conv\.": "vit.embeddings.patch_embeddings.projection.",
        r"layer\.(\d+)\.ln1": r"vit.encoder.layer.\1.layernorm_before",
        r"layer\.(\d+)\.ln2": r"vit.encoder.layer.\1.layernorm_after",
        r"layer\.(\d+)\.attention\.out": r"vit.encoder.layer.\1.attention.output.dense",
        r"layer\.(\d+)\.attention\.qkv": r"vit.encoder.layer.\1.attention.attention.qkv",
        r"layer\.(\d+)\.fc1": r"vit.encoder.layer.\1.intermediate.dense",
        r"layer\.(\d+)\.fc2": r"vit.encoder.layer.\1.output.dense",
        r"ln\.": "vit.layernorm.", r"fc\.": "classifier.",
    }),
    "ConvNeXt of timm": Family("convnext_tiny", {
        r"conv\.": "stem.0.", r"ln1\.": "stem.1.", r"ln2\.": "head.norm.", r"fc\.": "head.fc.",
        r"stage\.(\d)\.ln\.": r"stages.\1.downsample.0.",
        r"stage\.(\d)\.conv\.": r"stages.\1.downsample.1.",
        r"stage\.(\d)\.block\.(\d+)\.scale\.weight": r"stages.\1.blocks.\2.gamma",
        r"stage\.(\d)\.block\.(\d+)\.dwconv": r"stages.\1.blocks.\2.conv_dw",
        r"stage\.(\d)\.block\.(\d+)\.ln": r"stages.\1.blocks.\2.norm",
        r"stage\.(\d)\.block\.(\d+)\.conv": r"stages.\1.blocks.\2.mlp.fc",
    }),
    "EfficientNet of timm": Family("efficientnet_b0", {
        r"conv1\.": "conv_stem.", r"conv2\.": "conv_head.", r"fc\.": "classifier.",
        r"stage\.0\.0\.bn2": "blocks.0.0.bn1", r"stage\.0\.0\.bn3": "blocks.0.0.bn2",
        r"stage\.0\.0\.conv2": "blocks.0.0.conv_pw",
        r"stage\.(\d)\.(\d)\.conv1": r"blocks.\1.\2.conv_pw",
        r"stage\.(\d)\.(\d)\.conv2": r"blocks.\1.\2.conv_pwl",
        r"stage\.(\d)\.(\d)\.dwconv": r"blocks.\1.\2.conv_dw",
        r"stage\.(\d)\.(\d)\.se\.fc1": r"blocks.\1.\2.se.conv_reduce",
        r"stage\.(\d)\.(\d)\.se\.fc2": r"blocks.\1.\2.se.conv_expand",
        r"stage\.(\d)\.(\d)\.": r"blocks.\1.\2.",
    }),
    "ResNet of Hugging Face": Family("resnet50", {
        r"conv\.": "resnet.embedder.embedder.convolution.",
        r"bn\.": "resnet.embedder.embedder.normalization.", r"fc\.": "classifier.1.",
        r"stage\.(\d)\.unit1\.shortcut\.conv": r"resnet.stages.\1.layers.0.shortcut.convolution",
        r"stage\.(\d)\.unit1\.shortcut\.bn": r"resnet.stages.\1.layers.0.shortcut.normalization",
        r"stage\.(\d)\.unit1\.conv(\d)": r"resnet.stages.\1.layers.0.layer.\2.convolution",
        r"stage\.(\d)\.unit1\.bn(\d)": r"resnet.stages.\1.layers.0.layer.\2.normalization",
        r"stage\.(\d)\.unit2\.(\d+)\.conv(\d)": r"resnet.stages.\1.layers.1\2.layer.\3.convolution",
        r"stage\.(\d)\.unit2\.(\d+)\.bn(\d)": r"resnet.stages.\1.layers.1\2.layer.\3.normalization",
    }),
    "Llama of Hugging Face": Family("small", {
        r"embed\.": "model.embed_tokens.", r"rmsnorm\.": "model.norm.", r"fc\.": "lm_head.",
        r"layer\.(\d)\.rmsnorm1": r"model.layers.\1.input_layernorm",
        r"layer\.(\d)\.rmsnorm2": r"model.layers.\1.post_attention_layernorm",
        r"layer\.(\d)\.attention\.out": r"model.layers.\1.self_attn.o_proj",
        r"layer\.(\d)\.attention\.qkv": r"model.layers.\1.self_attn.qkv_proj",
        r"layer\.(\d)\.fc1": r"model.layers.\1.mlp.gate_proj",
        r"layer\.(\d)\.fc2": r"model.layers.\1.mlp.up_proj",
        r"layer\.(\d)\.fc3": r"model.layers.\1.mlp.down_proj",
    }, source="llama.arch:Llama(3, 24, 4, 4, 60, 53)"),
}  # fmt: skip


def named(family: Family, tensor: str) -> str:
    for pattern, there in family.names.items():
        if re.match(pattern, tensor):
            return re.sub(f"^{pattern}", there, tensor)
    return tensor


def opened(family: Family) -> archc.Net:
    if not family.source:
        return archc.load(family.net)
    file, _, applied = family.source.partition(":")
    text = (LIBRARY / file).read_text(encoding="utf-8")
    return archc.load("small", source=f"{text}\nnet small = {applied}\n")


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("name", FAMILIES)
def test_each_tensor_finds_its_place(name: str, ordered: bool) -> None:
    family = FAMILIES[name]
    net = opened(family)
    state = net.to_torch().state_dict()
    names = {named(family, own): own for own in state}
    assert len(names) == len(state)
    order = list(names) if ordered else sorted(names)
    layers = net.weights({there: state[names[there]] for there in order}).to_dict()["layers"]
    for layer in layers:
        assert {names[there] for there in layer["file"]} == set(layer["net"])
