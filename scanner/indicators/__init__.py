"""Indicators: kernels on (symbols x bars) arrays, and the registry that names their columns."""
