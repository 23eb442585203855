"""`imagemill`: the command line. A client of the REST API alone; it never touches broker or database."""
