"""Deduplicate a corpus: the stages in order, their results, and estimates of their cost."""
