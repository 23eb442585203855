"""The program which judges events by rules, numbers alerts without a gap, and tells people."""
