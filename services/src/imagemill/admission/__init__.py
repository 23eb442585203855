"""Decides from its header whether an image may come in."""
