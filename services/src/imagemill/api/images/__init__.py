"""Uploads, images, batches and failures: API routes and pages."""
