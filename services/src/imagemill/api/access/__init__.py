"""Who asks, and whether they may: tokens, sessions, a proxy's word, and what a request must look like to be heard."""
