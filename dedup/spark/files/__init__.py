"""Find, split, read and write files on Spark."""
