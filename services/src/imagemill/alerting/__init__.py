"""Decides which events become alerts, their numbers, who is notified and how, and what other programs are told. Pure."""
