"""The subcommands of `stackfim`: options and messages, and the call of what does the work."""
