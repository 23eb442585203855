"""Deliveries of outcomes to other programs: listed, and sent again."""
