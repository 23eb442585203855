"""What is kept in CouchDB: databases, documents and their forms."""
