"""Models and names that everything else speaks of. Nothing here does I/O."""
