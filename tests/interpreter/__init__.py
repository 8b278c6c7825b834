"""A second, deliberately naive meaning of the language, to hold the compiler against.

It walks the tree and computes at once: no shapes ahead of time, no regions, no memory of what it
has seen. It shares nothing with the compiler but the tree.
"""
