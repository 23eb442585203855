"""Flask with each of the queue libraries, as their documentation shows: what Imagemill is measured against."""
