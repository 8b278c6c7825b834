"""Programs that people wrote against the language's page, before there was a compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

import archc
from agreement import agree
from archc.pipeline import check_path

FOLDER = Path(__file__).parent / "programs"

# What the page of the language contradicts in them, as the compiler says it.
WRONG = {
    # An encoder of 784-256-64-16 and its mirror has more parameters than the file claims.
    "autoencoder": [("claim-failed", "params is 437_664, claimed <= 300_000")],
    # A branch that takes no part in a sum is NONE.
    "mobilenet2": [("unknown-operator", "unknown operator ZERO")],
    # What flows on from `table * sqrt(d) -> POSENC` is the number: -> binds tighter than *.
    "transformer": [("value-as-stream", "22.6274 is a value and cannot flow into POSENC")],
}
NETS = {
    "autoencoder": ["AE"],
    "charrnn": ["CharRNN"],
    "dcgan": ["DCGAN", "DCGAN2"],
    "densenet": ["densenet121"],
    "efficientnet": ["EfficientNet", "b0", "b7"],
    "fpn": ["FPN"],
    "googlenet": ["GoogLeNet"],
    "gpt2": ["GPT2"],
    "llama": [],
    "gru": [],
    "mixer": ["MLPMixer"],
    "mobilenet2": ["MobileNetV2"],
    "multitask": ["Age", "Age2"],
    "nasnet": ["Nas"],
    "resnet50": ["resnet50", "resnet50v1"],
    "seq2seq": ["Seq2Seq"],
    "seresnet": ["SER"],
    "siamese": ["Siamese"],
    "transformer": [],
    "unet": ["UNet", "UNetX"],
    "vit": ["ViT"],
    "wavenet": ["WaveNet"],
}
# Parameters as published, or as the implementations of torchvision and timm have them.
PUBLISHED = {
    "densenet121": 7_978_856,
    "b0": 5_288_548,
    "b7": 66_347_960,
    "GPT2": 124_439_808,
    "MLPMixer": 18_528_264,
    "MobileNetV2": 3_504_872,
    "resnet50": 25_557_032,
    "resnet50v1": 25_557_032,
    "ViT": 86_567_656,
}


def test_every_program_is_looked_at() -> None:
    assert {path.stem for path in FOLDER.glob("*.arch")} == set(NETS)


@pytest.mark.parametrize("name", NETS)
def test_it_checks(name: str) -> None:
    result = check_path(FOLDER / f"{name}.arch")
    found = [(d.code, d.message) for d in result.diagnostics if d.severity == "error"]
    assert found == WRONG.get(name, [])
    assert [program.name for program in result.programs] == NETS[name]


# A net that breaks its claims is not loaded; of one with a cell no source is written yet.
SIZES = {"charrnn": {"T": 13}, "gpt2": {"T": 13}, "seq2seq": {"S": 11, "T": 13}}
UNLOADED = {"autoencoder"}
LOADED = [(file, net) for file, nets in NETS.items() if file not in UNLOADED for net in nets]


@pytest.mark.parametrize(("file", "net"), LOADED)
def test_source_module_and_figures_agree(file: str, net: str) -> None:
    loaded = archc.load(f"{FOLDER / file}.arch:{net}", **SIZES.get(file, {}))
    agree(loaded)
    if net in PUBLISHED:
        assert loaded.params == PUBLISHED[net]
