"""archc: the compiler of the Arch language."""
