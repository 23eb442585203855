"""Cameras: API routes and pages."""
