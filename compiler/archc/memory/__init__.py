"""The memory of a net: what training holds, and the most that a forward pass needs at once."""
