"""Sketch articles: shingles, MinHash signatures, salient terms, and how they are stored."""
