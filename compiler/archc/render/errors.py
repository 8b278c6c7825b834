"""What can go wrong with a picture."""

from __future__ import annotations

__all__ = ["RenderError"]


class RenderError(Exception):
    """A picture that cannot be made; the message says why and what to do."""
