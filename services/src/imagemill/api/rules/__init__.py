"""Rules and channels: API routes and pages."""
