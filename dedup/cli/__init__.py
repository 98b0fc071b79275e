"""The command line: commands, options, tables, progress and error messages."""
