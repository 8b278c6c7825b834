"""Lowering: from the tree of a file to regions, with names, arguments and shapes resolved."""
