"""Worker pools as their scaler sees them."""
