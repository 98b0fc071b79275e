"""The commands, a module for each: options → one call of the library, and its result written or drawn.

Heavy modules are imported inside a command, so that `dedup --help` answers at once.
"""
