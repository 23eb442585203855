"""Decides which events become alerts, who is notified and how, and what other programs are told. Pure: no I/O."""
