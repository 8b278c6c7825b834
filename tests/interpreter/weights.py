"""The weights of a compiled module in the order of the text, for whoever walks the text."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["Layer", "Weights"]

# Classes that generated code defines for one operator, beside those of torch.
HELPERS = (
    "Scale", "PositionEmbedding", "RelativePositions", "Unembed",
    "OneBiasRNN", "OneBiasGRU", "OneBiasLSTM",
)  # fmt: skip


class Layer:
    """One module with numbers of its own."""

    def __init__(self, path: str, module: nn.Module) -> None:
        self.path, self.kind = path, type(module).__name__
        self.numbers: dict[str, Tensor] = {
            **dict(module.named_parameters(recurse=False)),
            **dict(module.named_buffers(recurse=False)),
        }

    def __getitem__(self, name: str) -> Tensor:
        return self.numbers[name]

    def get(self, name: str) -> Tensor | None:
        """A tensor that not every such module has."""
        return self.numbers.get(name)


class Weights:
    """Hands out layers one after the other; each must be of the kind that the reader expects."""

    def __init__(self, module: nn.Module) -> None:
        self.layers: list[Layer] = []
        self.learned: list[Tensor] = []
        self.last: Layer | None = None
        for path, part in module.named_modules():
            if type(part).__module__.startswith("torch.nn") or type(part).__name__ in HELPERS:
                layer = Layer(path, part)
                if layer.numbers:
                    self.layers.append(layer)
            else:
                self.learned.extend(part.parameters(recurse=False))

    def take(self, kind: str) -> Layer:
        """The next layer, whose class has that word in its name."""
        assert self.layers, f"no weights are left for {kind}"
        layer = self.layers.pop(0)
        assert kind in layer.kind, f"{kind} finds {layer.kind} at {layer.path}"
        self.last = layer
        return layer

    def take_named(self, name: str) -> Weights:
        """All layers at the front that belong to a module of that name."""
        part = Weights(nn.Module())
        while self.layers and name in self.layers[0].path.split("."):
            part.layers.append(self.layers.pop(0))
        return part

    def take_learned(self, sizes: tuple[int, ...]) -> Tensor:
        """The next learned stream of that shape."""
        found = self.learned.pop(0)
        assert tuple(found.shape) == sizes, f"param {sizes} finds {tuple(found.shape)}"
        return found

    def finished(self) -> bool:
        """Whether every weight was asked for."""
        return not self.layers and not self.learned
