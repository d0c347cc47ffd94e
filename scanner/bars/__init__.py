"""Bars: where they come from, how they are cached, and the block that kernels read."""
