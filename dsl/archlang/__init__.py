"""archlang: the Arch language, from text to tree."""
