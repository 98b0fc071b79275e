"""The commands, one module each: parse options, call the library, and write or print the result.

Heavy modules are imported inside a command, so that `dedup --help` is fast.
"""
