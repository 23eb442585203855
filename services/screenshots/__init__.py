"""`make screenshots`: the pictures of README.md and docs, taken of a running Imagemill."""
