"""Benchmarks: side by side in one run, ratios and medians, `python -m tests.bench.NAME`."""
