"""Explain matches in words, and make HTML reports."""
