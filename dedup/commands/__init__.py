"""Commands that have a module of their own; `dedup.cli` names them all."""
