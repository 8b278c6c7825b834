"""The names of PyTorch's modules, and the ways to count that several tools have in common."""

from __future__ import annotations

from archc.conventions.application import Application
from archc.conventions.convention import Share
from archc.dims import Dim

__all__ = [
    "BATCH_NORMS", "BIASES", "CONVOLUTIONS", "DECONVOLUTIONS", "INSTANCE_NORMS", "MACS",
    "TWICE_MACS", "in_ranks", "of_made", "of_taken", "padded_channels",
]  # fmt: skip


def in_ranks(name: str) -> tuple[str, ...]:
    """A module for signals, images and volumes: `nn.Conv` is nn.Conv1d, nn.Conv2d, nn.Conv3d."""
    return tuple([f"{name}{rank}d" for rank in (1, 2, 3)])


CONVOLUTIONS = in_ranks("nn.Conv")
DECONVOLUTIONS = in_ranks("nn.ConvTranspose")
BATCH_NORMS = in_ranks("nn.BatchNorm")
INSTANCE_NORMS = in_ranks("nn.InstanceNorm")

MACS = Share(lambda application: application.macs, "exact")
TWICE_MACS = Share(
    lambda application: 2 * application.macs, "2 for each multiply-add, without the biases"
)
BIASES = Share(lambda application: application.biases, "its biases, 1 for each element")


def of_taken(plain: int, why: str, affine: int | None = None) -> Share:
    """So many operations for each element that the module takes; others where it has learned
    parameters."""

    def count(application: Application) -> Dim:
        most = plain if affine is None or not application.is_affine else affine
        return most * application.taken

    return Share(count, why)


def of_made(factor: int, why: str) -> Share:
    """So many operations for each element of the output."""
    return Share(lambda application: factor * application.made, why)


def padded_channels(application: Application) -> Dim:
    """The elements that local response normalisation takes the mean of: `size` - 1 channels of
    zeros are added."""
    stream = application.inputs[0]
    features = stream.features or 0
    added: int = application.argument(0) - 1
    return stream.with_sizes({features: stream.sizes[features] + added}).elements
