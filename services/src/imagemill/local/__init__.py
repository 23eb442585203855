"""Imagemill on one machine: the servers it needs, its programs as processes, and their supervisor."""
