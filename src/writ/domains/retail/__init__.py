"""Retail: a store's orders, compatible with τ²-bench."""
