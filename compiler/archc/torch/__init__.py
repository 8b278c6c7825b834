"""Everything that needs PyTorch; this package itself imports without it."""

__all__ = ["FORMATS", "ExportError"]

#: The suffixes that `archc.torch.export` writes.
FORMATS = (".onnx", ".pt2")


class ExportError(Exception):
    """A net that cannot be exported as asked; the message says why."""
