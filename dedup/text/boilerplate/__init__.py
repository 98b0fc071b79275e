"""Recognise boilerplate by rules, and learn it from the articles of a source."""
