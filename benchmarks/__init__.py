"""Measure how good and how fast `dedup` is, and make its word tables and models."""

import os

os.environ.setdefault("DEDUP_NOW", "2040-01-01")  # invented news is dated from 2031 on
