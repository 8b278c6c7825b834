"""Everything that needs PyTorch; this package itself imports without it."""

from archc.matching.problems import WeightsError

__all__ = ["FORMATS", "WEIGHTS", "ExportError", "WeightsError"]

#: The suffixes that `archc.torch.export` writes.
FORMATS = (".onnx", ".pt2")

#: The suffixes of files of weights; `.safetensors`, and those of what `torch.save` writes.
WEIGHTS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


class ExportError(Exception):
    """A net that cannot be exported as asked; the message says why."""
