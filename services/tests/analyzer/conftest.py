"""Cameras of a test's own."""

from camera.conftest import add, known, store  # noqa: F401 - fixtures
