"""Explain matches in words, and write HTML reports."""
