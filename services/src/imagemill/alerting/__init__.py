"""Decides which events become alerts, their numbers, who is notified and how. Pure: no I/O."""
