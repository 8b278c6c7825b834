"""The subcommands of `archc`, one file each; a file is imported when its command is called."""
