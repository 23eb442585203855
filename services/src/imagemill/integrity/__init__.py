"""Is everything there that was promised? Checks the ledger and the blobs, and mends what can be mended."""
