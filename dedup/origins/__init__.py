"""Trace the origins of a story: the earlier article that each copy was copied from, and the independent sources."""
