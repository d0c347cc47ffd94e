"""Benchmarks: the kernels beside other libraries, the cache, and themselves.

`make bench` runs all of them and prints their tables; docs/performance.md holds the last ones.
"""
