"""The program which keeps the activity log in CouchDB, a database per month."""
