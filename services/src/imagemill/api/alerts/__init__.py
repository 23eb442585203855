"""Alerts, events and rules: API routes and pages."""
