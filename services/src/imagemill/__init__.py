"""Imagemill: pictures in, results kept, nothing lost."""
