"""Weights that others wrote, matched by structure with those of a net; nothing here needs torch."""
