"""Find candidate pairs, compute their evidence, classify and cluster them."""
