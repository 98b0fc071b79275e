"""Measure how good and how fast `dedup` is, and make its word tables and models."""
