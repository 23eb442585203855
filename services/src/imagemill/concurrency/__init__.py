"""Threads that wait, retry and group: nothing of this product's purpose."""
