"""What can go wrong with a chart."""

from __future__ import annotations

__all__ = ["ComparisonError"]


class ComparisonError(Exception):
    """A chart that cannot be drawn; the message says why and what to do."""
