"""`make chaos`: everything goes wrong all the time, and afterwards everything is counted."""
