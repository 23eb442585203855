"""Benchmarks: measured here, never asserted in tests. Ratios are taken within one run, because machines are noisy."""
